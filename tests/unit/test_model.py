# SPDX-License-Identifier: GPL-3.0-or-later

"""Set operations on Sharing, derived fields of images, and the images that an account uses."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import (
    Key,
    Network,
    PublicAccessBlock,
    Sharing,
    Snapshot,
    Target,
    matches_type,
    time_of,
    used_by,
)

from tests.unit.examples import ORG, UNIT, source_image, volumes

A, B, C = "222222222222", "333333333333", "444444444444"
SOME = Sharing(frozenset({A, B}), frozenset({ORG}), frozenset(), public=True)
OTHER = Sharing(frozenset({B, C}), frozenset(), frozenset({UNIT}))


def test_the_sharing_of_entries() -> None:
    entries = [{"UserId": A}, {"UserId": B}, {"OrganizationArn": ORG}, {"Group": "all"}]
    assert Sharing.of_entries(entries) == SOME
    assert Sharing.of_entries([{"OrganizationalUnitArn": UNIT}]) == Sharing(org_unit_arns=frozenset({UNIT}))
    assert Sharing.of_entries([]) == Sharing()


def test_union_intersection_and_difference_cover_every_field() -> None:
    assert Sharing(frozenset({A, B, C}), frozenset({ORG}), frozenset({UNIT}), public=True) == SOME | OTHER
    assert Sharing(frozenset({B})) == SOME & OTHER
    assert Sharing(frozenset({A}), frozenset({ORG}), public=True) == SOME - OTHER
    assert Sharing(frozenset({C}), frozenset(), frozenset({UNIT})) == OTHER - SOME
    assert SOME - Sharing(public=True) == Sharing(frozenset({A, B}), frozenset({ORG}))


@pytest.mark.parametrize(
    ("sharing", "expected"),
    [
        (Sharing(), False),
        (Sharing(frozenset({A})), True),
        (Sharing(org_arns=frozenset({ORG})), True),
        (Sharing(org_unit_arns=frozenset({UNIT})), True),
        (Sharing(public=True), True),
    ],
)
def test_sharing_is_true_if_it_has_a_principal(sharing: Sharing, expected: bool) -> None:
    assert bool(sharing) is expected


@pytest.mark.parametrize("sharing", [SOME, OTHER, Sharing(), Sharing(frozenset({A}))])
def test_the_sharing_with_others_than_an_account(sharing: Sharing) -> None:
    assert sharing.without(A) == replace(sharing, account_ids=sharing.account_ids - {A})


def test_entities_that_count_towards_the_quota() -> None:
    assert (SOME | OTHER).entities == 5


def test_snapshots_are_shared_with_accounts_and_public_only() -> None:
    assert (SOME | OTHER).accounts_only() == Sharing(frozenset({A, B, C}), public=True)


def test_the_result_of_sharing_can_be_read() -> None:
    sharing = Sharing(frozenset({"1", "2"}), frozenset({ORG}), frozenset({UNIT}), public=True)
    assert Sharing.read(sharing.to_dict()) == sharing
    assert Sharing.read({"account_ids": ["1"], "public": False}) == Sharing(frozenset({"1"}))
    with pytest.raises(KeyError):
        Sharing.read({"account_ids": []})


@pytest.mark.parametrize(
    ("state", "may_be"), [("available", True), ("pending", True), ("disabled", False), ("failed", False)]
)
def test_an_image_may_have_launch_permissions(state: str, may_be: bool) -> None:
    assert replace(source_image(), state=state).may_be_shared is may_be


def test_the_result_of_sharing_is_ordered() -> None:
    assert (SOME | OTHER).to_dict() == {
        "account_ids": [A, B, C],
        "org_arns": [ORG],
        "org_unit_arns": [UNIT],
        "public": True,
    }


@pytest.mark.parametrize(
    ("architecture", "supported", "unsupported", "ena", "expected"),
    [
        pytest.param("x86_64", (), (), None, "t3.nano", id="no specification"),
        pytest.param("arm64", (), (), True, "t4g.nano", id="another architecture"),
        pytest.param("x86_64_mac", (), (), True, None, id="an architecture without a default"),
        pytest.param("x86_64", ("g5.*", "t3.*"), (), True, "t3.nano", id="supported"),
        pytest.param("x86_64", ("*nano",), (), True, "t3.nano", id="supported size"),
        pytest.param("x86_64", ("g5.*",), (), True, None, id="not supported"),
        pytest.param("x86_64", ("t3-nano", "t3xnano"), (), True, None, id="a dot is no wildcard"),
        pytest.param("x86_64", (), ("t3.nano",), True, None, id="unsupported"),
        pytest.param("x86_64", ("t3.*",), ("t*.nano",), True, None, id="supported and unsupported"),
        pytest.param("x86_64", (), ("t3.micro",), True, "t3.nano", id="another one unsupported"),
        pytest.param("x86_64", (), (), False, None, id="without ENA"),
        pytest.param("i386", (), (), False, "t2.nano", id="a type that needs no ENA"),
    ],
)
def test_the_smallest_instance_type_that_an_image_supports(
    architecture: str, supported: tuple[str, ...], unsupported: tuple[str, ...], ena: bool, expected: str
) -> None:
    """(botocore operation ReplaceImageInstanceTypeSpecification.)"""
    image = source_image(
        architecture=architecture,
        supported_types=supported,
        unsupported_types=unsupported,
        ena_support=ena,
    )
    assert image.smallest_instance_type == expected


def test_the_types_that_an_image_allows() -> None:
    image = source_image(supported_types=("t3.*",), unsupported_types=("*.nano",))
    allowed = [image.allows_type(one) for one in ("t3.micro", "t3.nano", "m5.large")]
    assert allowed == [True, False, False]
    assert source_image().allows_type("m5.large")


def test_a_star_alone_is_a_wildcard_of_instance_types() -> None:
    patterns = ("t3.*", "m5.large")
    assert [matches_type(one, patterns) for one in ("t3.nano", "t3xnano", "m5.large", "m5.larger")] == [
        True,
        False,
        True,
        False,
    ]


def test_the_snapshots_of_an_image_have_no_duplicates() -> None:
    image = source_image(devices=volumes("snap-2", None, "snap-1", "snap-2"))
    assert image.snapshot_ids == ("snap-2", "snap-1")


@pytest.mark.parametrize(
    ("state", "enabled"),
    [("Enabled", True), ("Updating", True), ("Disabled", False), ("PendingDeletion", False)],
)
def test_the_states_in_which_a_key_can_be_used(state: str, enabled: bool) -> None:
    assert Key("arn:aws:kms:eu-west-1:111111111111:key/1", state).is_enabled is enabled


def test_the_encrypted_snapshots_of_an_image_have_no_duplicates() -> None:
    encrypted = volumes("snap-2", None, "snap-1", "snap-2", encrypted=True)
    image = source_image(devices=volumes("snap-3") + encrypted)
    assert image.encrypted_snapshots == ("snap-2", "snap-1")


@pytest.mark.parametrize(
    ("devices", "state", "encrypted"),
    [
        pytest.param((), "available", False, id="no volume"),
        pytest.param(volumes("snap-1"), "available", False, id="plain"),
        pytest.param(
            volumes("snap-1") + volumes("snap-2", encrypted=True), "available", True, id="one encrypted"
        ),
        # botocore shape EbsBlockDevice, Encrypted: a new (empty) volume can be encrypted.
        pytest.param(
            volumes("snap-1") + volumes(None, encrypted=True), "available", False, id="an empty volume"
        ),
        pytest.param(volumes(None), "pending", False, id="pending, plain"),
        pytest.param(volumes(None, encrypted=True), "pending", True, id="pending, encrypted"),
    ],
)
def test_one_encrypted_snapshot_makes_an_image_encrypted(
    devices: tuple[object, ...], state: str, encrypted: bool
) -> None:
    assert source_image(devices=devices, state=state).encrypted is encrypted


OWNER_HERE, A_HERE, B_HERE = (Target(account, "eu-west-1") for account in ("1", "2", "3"))
OWNER_THERE = Target("1", "us-east-1")


@pytest.mark.parametrize(
    ("targets", "used"),
    [
        pytest.param((OWNER_HERE, OWNER_THERE), (OWNER_HERE, OWNER_THERE), id="only the owner has images"),
        pytest.param((OWNER_HERE, A_HERE, B_HERE), (A_HERE,), id="its own copy"),
        pytest.param((OWNER_HERE, B_HERE), (OWNER_HERE,), id="not another consumer's copy"),
        pytest.param((B_HERE,), (B_HERE,), id="another consumer's copy if there is no other"),
        pytest.param((OWNER_THERE, A_HERE), (OWNER_THERE, A_HERE), id="each region on its own"),
        pytest.param((), (), id="no images"),
    ],
)
def test_images_that_an_account_uses(targets: tuple[Target, ...], used: tuple[Target, ...]) -> None:
    assert used_by("2", targets, ("2", "3")) == used


def test_many_accounts_are_not_searched_linearly() -> None:
    class Listed(tuple[str, ...]):
        def __contains__(self, item: object) -> bool:
            raise AssertionError(f"linear search for {item}")

    targets = [Target("1", "eu"), Target("2", "eu")]
    assert used_by("3", targets, Listed(("2", "3"))) == (Target("1", "eu"),)


def test_network_of_a_target() -> None:
    network = Network({"eu-west-1": "subnet-1"}, {"eu-west-1": {"2": ("sg-1", "sg-2")}})
    assert (network.subnet_id(A_HERE), network.group_ids(A_HERE)) == ("subnet-1", ("sg-1", "sg-2"))
    assert (network.subnet_id(B_HERE), network.group_ids(B_HERE)) == ("subnet-1", ())
    assert (network.subnet_id(OWNER_THERE), network.group_ids(OWNER_THERE)) == (None, ())


def test_all_keys_of_a_snapshot_give_access() -> None:
    """botocore shape AssociatedKmsKey."""
    alone = Snapshot("snap-1", "completed", 100)
    assert replace(alone, kms_key_id="arn:a", associated_key_arns=("arn:b",)).key_arns == {"arn:a", "arn:b"}
    assert replace(alone, associated_key_arns=("arn:b",)).key_arns == {"arn:b"}
    assert alone.key_arns == frozenset()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-11-24T19:47:01.500Z", datetime(2026, 11, 24, 19, 47, 1, tzinfo=UTC) + timedelta(seconds=0.5)),
        ("", None),
        (None, None),
    ],
)
def test_a_time_of_ec2(text: str | None, time: datetime | None) -> None:
    assert time_of(text) == time


@pytest.mark.parametrize(
    ("block", "is_on", "text"),
    [
        (PublicAccessBlock("unblocked", "account"), False, "unblocked"),
        (PublicAccessBlock("block-all-sharing"), True, "block-all-sharing"),
        (
            PublicAccessBlock("block-new-sharing", "declarative-policy"),
            True,
            "block-new-sharing, set by a declarative policy",
        ),
    ],
)
def test_block_public_access(block: PublicAccessBlock, is_on: bool, text: str) -> None:
    assert (block.is_on, str(block)) == (is_on, text)
