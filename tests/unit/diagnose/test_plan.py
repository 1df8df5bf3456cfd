# SPDX-License-Identifier: GPL-3.0-or-later

"""What is found of an image and an account, and what that comes to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.diagnose.findings import FAIL_ON
from ansible_collections.golden.images.plugins.module_utils.diagnose.plan import plan
from ansible_collections.golden.images.plugins.module_utils.diagnose.state import (
    AllowedImages,
    ConsumerSeen,
    OwnerSeen,
)
from ansible_collections.golden.images.plugins.module_utils.keys.access import KeyDryRun
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen, Sharing, Target
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.diagnose.examples import (
    BLIND_ACCOUNT,
    ENCRYPTED,
    IMAGE,
    OPENED,
    SHARED,
    TRIED,
    UNREADABLE,
    codes,
    consumer,
    diagnosis,
    encrypted,
    of_encrypted,
    owner,
    seen,
    wanted,
)
from tests.unit.examples import CONSUMER, ORG, OWNER, STRANGER, UNIT, source_image
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import consumers, opened_to, policy_of
from tests.unit.kms_grant.examples import KEY, made, root

PUBLIC, NOBODY = Sharing(public=True), Sharing()
IN_UNIT, IN_ORG = Sharing(org_unit_arns=frozenset({UNIT})), Sharing(org_arns=frozenset({ORG}))
HIDDEN = ConsumerSeen(allowed_images=AllowedImages("enabled", ({"ImageProviders": [STRANGER]},)))
BLIND = BLIND_ACCOUNT
DENIED = ("UnauthorizedOperation", "You are not authorized to perform this operation.")

B, U, N = "blocking", "unknown", "harmless"


@pytest.mark.parametrize(
    ("of_owner", "expected", "launches"),
    [
        pytest.param(owner(), [], "yes", id="shared"),
        pytest.param(owner(NOBODY), [("not_shared", B)], "no", id="not shared"),
        pytest.param(owner(Sharing(frozenset({STRANGER}))), [("not_shared", B)], "no", id="with another"),
        pytest.param(owner(PUBLIC), [("public", N)], "yes", id="public goes before not shared"),
        pytest.param(
            owner(PUBLIC, image_block="block-new-sharing"),
            [("public", N), ("block_public_access", N)],
            "yes",
            id="public, and blocked since",
        ),
        pytest.param(
            owner(PUBLIC, image_block="unblocked"), [("public", N)], "yes", id="public, not blocked"
        ),
        pytest.param(owner(IN_UNIT), [("shared_through_organization", U)], "unknown", id="through a unit"),
        pytest.param(
            owner(IN_ORG), [("shared_through_organization", U)], "unknown", id="through an organization"
        ),
        pytest.param(owner(IN_UNIT | SHARED), [], "yes", id="through a unit and by name"),
        pytest.param(
            owner(volumes={"snap-1": SHARED, "snap-2": NOBODY}),
            [("missing_volume_permission", N)],
            "yes",
            id="without the second snapshot",
        ),
        pytest.param(
            owner(volumes={"snap-1": PUBLIC}, snapshot_block="block-all-sharing"),
            [("missing_volume_permission", N)],
            "yes",
            id="public snapshots that are hidden",
        ),
        pytest.param(owner(volumes={"snap-1": PUBLIC}), [], "yes", id="public snapshots"),
        pytest.param(
            owner(NOBODY, image=source_image(state="disabled")),
            [("image_disabled", B), ("not_shared", B)],
            "no",
            id="disabled",
        ),
        pytest.param(
            owner(image=source_image(state="pending")), [("image_not_available", B)], "no", id="pending"
        ),
        pytest.param(
            owner(image=source_image(state="failed", state_reason="It broke.")),
            [("image_not_available", B)],
            "no",
            id="failed",
        ),
        pytest.param(
            owner(image=source_image(deprecation_time="2026-11-23T00:00:00.000Z")),
            [("image_deprecated", N)],
            "yes",
            id="deprecated",
        ),
        pytest.param(
            owner(image=source_image(deprecation_time="2026-11-25T00:00:00.000Z")),
            [],
            "yes",
            id="deprecated tomorrow",
        ),
        pytest.param(OwnerSeen(), [("image_not_found", B)], "no", id="nowhere"),
        pytest.param(OwnerSeen(elsewhere=("us-east-1",)), [("wrong_region", B)], "no", id="elsewhere"),
        pytest.param(OwnerSeen(problem=UNREADABLE), [("owner_unreadable", U)], "unknown", id="unreadable"),
        pytest.param(
            OwnerSeen(image=source_image(owner_id=STRANGER)),
            [("not_owner", U)],
            "unknown",
            id="somebody else's",
        ),
    ],
)
def test_what_the_owner_tells(of_owner: OwnerSeen, expected: list[tuple[str, str]], launches: str) -> None:
    found = diagnosis(of_owner)
    assert codes(found) == expected
    assert (found.as_result()["can_launch"], found.level) == (launches, None)
    assert all(finding.message and finding.remedy.endswith(".") for finding in found.findings)


OTHERS = frozenset(OPERATIONS)


def granting(*without: str) -> OwnerSeen:
    """An image whose key is opened but for some operations."""
    return encrypted(made(root(CONSUMER), OTHERS - set(without)))


def denying(action: str) -> str:
    return policy_of({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"})


def conditional(condition: dict[str, Any]) -> str:
    everybody = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:*", "Resource": "*"}
    return policy_of({**everybody, "Condition": condition})


@pytest.mark.parametrize(
    ("of_owner", "expected"),
    [
        pytest.param(OPENED, [], id="by a grant"),
        pytest.param(encrypted(policy=opened_to(consumers(CONSUMER))), [], id="by the policy"),
        pytest.param(encrypted(), [("missing_key_access", B)], id="not at all"),
        pytest.param(encrypted(made(root(STRANGER))), [("missing_key_access", B)], id="another account"),
        pytest.param(granting("CreateGrant"), [("missing_create_grant", B)], id="but CreateGrant"),
        pytest.param(
            granting("Decrypt"), [("missing_key_access", B)], id="but Decrypt, so that CreateGrant is no use"
        ),
        pytest.param(granting("ReEncryptFrom"), [("missing_key_operations", U)], id="but one"),
        pytest.param(
            encrypted(made(root(CONSUMER), constrained=True)), [("missing_key_access", B)], id="constrained"
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/deploy")),
            [("key_for_roles_only", U)],
            id="one role only",
        ),
        pytest.param(
            encrypted(made(root(CONSUMER)), policy=denying("kms:Decrypt")),
            [("key_denied_by_policy", B)],
            id="denied",
        ),
        pytest.param(
            encrypted(policy=conditional({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})),
            [("key_access_unknown", U)],
            id="an organization",
        ),
        pytest.param(
            encrypted(policy=conditional({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})),
            [("key_access_unknown", U)],
            id="a condition of an unknown shape",
        ),
        pytest.param(
            encrypted(
                policy=conditional({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}})
            ),
            [],
            id="through EC2 only",
        ),
        pytest.param(encrypted(key=replace(KEY, state="Disabled")), [("key_not_enabled", B)], id="disabled"),
        pytest.param(encrypted(key=DEFAULT), [("default_key", B)], id="aws/ebs"),
        pytest.param(
            encrypted(key=Key(key_arn("theirs", account_id=STRANGER))),
            [("key_unreadable", U)],
            id="a key of another account",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            [("key_unreadable", U)],
            id="a key that may not be read",
        ),
        pytest.param(
            owner(
                image=ENCRYPTED, keys=(KeySeen(KEY, (made(root(CONSUMER)),), policy_of()), KeySeen(DEFAULT))
            ),
            [("default_key", B)],
            id="one of two keys",
        ),
    ],
)
def test_what_the_owner_tells_of_keys(of_owner: OwnerSeen, expected: list[tuple[str, str]]) -> None:
    assert codes(diagnosis(of_owner)) == expected


@pytest.mark.parametrize(
    ("of_owner", "of_consumer", "expected", "level"),
    [
        pytest.param(owner(), consumer(), [], "authorized", id="accepted"),
        pytest.param(owner(), HIDDEN, [("hidden_by_allowed_images", B)], None, id="hidden"),
        pytest.param(
            owner(NOBODY), HIDDEN, [("not_shared", B), ("hidden_by_allowed_images", B)], None, id="both"
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": [OWNER]},))),
            [("not_visible", B)],
            None,
            id="allowed, and yet not to be seen",
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": ["amazon"]},))),
            [("hidden_by_allowed_images", B)],
            None,
            id="what cannot be told of criteria, its sharing tells",
        ),
        pytest.param(
            owner(IN_UNIT),
            replace(HIDDEN, allowed_images=AllowedImages("enabled", ({"ImageProviders": ["amazon"]},))),
            [("hidden_by_allowed_images", U), ("outside_organization", B)],
            None,
            id="neither criteria nor the unit can be told",
        ),
        pytest.param(
            owner(),
            replace(HIDDEN, allowed_images=AllowedImages("audit-mode", ({"ImageProviders": ["none"]},))),
            [("not_visible", B)],
            None,
            id="audit mode hides nothing",
        ),
        pytest.param(
            owner(),
            consumer(image=source_image(allowed=False)),
            [("allowed_images_audit_mode", N)],
            "authorized",
            id="audit mode tells",
        ),
        pytest.param(
            owner(), consumer(image=source_image(allowed=True)), [], "authorized", id="audit mode praises"
        ),
        pytest.param(owner(), BLIND, [("not_visible", B)], None, id="not visible yet"),
        pytest.param(owner(), ConsumerSeen(), [("not_visible", B)], None, id="perhaps hidden"),
        pytest.param(owner(IN_UNIT), ConsumerSeen(), [("not_visible", B)], None, id="outside, or hidden"),
        pytest.param(
            owner(),
            consumer(dry_run=("OptInRequired", "No.")),
            [("launch_refused", B)],
            "visible",
            id="terms that were not accepted",
        ),
        pytest.param(owner(NOBODY), BLIND, [("not_shared", B)], None, id="said once"),
        pytest.param(owner(IN_UNIT), BLIND, [("outside_organization", B)], None, id="outside of the unit"),
        pytest.param(
            owner(IN_UNIT),
            consumer(),
            [("shared_through_organization", N)],
            "authorized",
            id="inside of the unit",
        ),
        pytest.param(
            OwnerSeen(problem=UNREADABLE),
            BLIND,
            [("owner_unreadable", U), ("not_visible", B)],
            None,
            id="the owner says nothing",
        ),
        pytest.param(
            OwnerSeen(image=source_image(owner_id=STRANGER)),
            consumer(),
            [("not_owner", N)],
            "authorized",
            id="somebody else's that is seen",
        ),
        pytest.param(
            owner(),
            ConsumerSeen(problem=UNREADABLE),
            [("consumer_unreadable", U)],
            None,
            id="not to be asked",
        ),
        pytest.param(owner(), consumer(dry_run=DENIED), [("launch_denied", B)], "visible", id="denied"),
        pytest.param(
            owner(),
            consumer(dry_run=("InvalidAMIID.Unavailable", "No.")),
            [("launch_refused", B)],
            "visible",
            id="refused for the image",
        ),
        pytest.param(
            owner(),
            consumer(dry_run=("InvalidSubnetID.NotFound", "No.")),
            [("dry_run_inconclusive", U)],
            "visible",
            id="refused for the network",
        ),
        pytest.param(
            owner(),
            consumer(dry_run=("", "Strange.")),
            [("dry_run_inconclusive", U)],
            "visible",
            id="no dry run",
        ),
    ],
)
def test_what_the_account_tells(
    of_owner: OwnerSeen, of_consumer: ConsumerSeen, expected: list[tuple[str, str]], level: str | None
) -> None:
    found = diagnosis(of_owner, of_consumer)
    assert (codes(found), found.level) == (expected, level)


def refusing(*operations: str) -> KeyDryRun:
    return KeyDryRun(TRIED.allowed - set(operations), frozenset(operations))


VIA_EC2 = conditional({"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}})
OF_ORG = conditional({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}})
BY_UNIT = encrypted(
    policy=opened_to(consumers(units=(("o-a1b2c3d4e5", "ou-ab12-11111111"),))), launch=IN_UNIT
)


NOT_VIA_EC2 = policy_of(
    {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "kms:*",
        "Resource": "*",
        "Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}},
    }
)


def test_an_image_that_only_the_account_sees_is_there() -> None:
    found = diagnosis(OwnerSeen(), consumer())
    assert (codes(found), found.level) == ([("image_not_found", U)], "authorized")


@pytest.mark.parametrize(
    ("of_owner", "tried", "expected"),
    [
        pytest.param(OPENED, TRIED, [], id="all as the owner says"),
        pytest.param(
            OPENED, refusing("Decrypt"), [("key_access_denied", B)], id="refused by the account itself"
        ),
        pytest.param(
            OPENED,
            refusing("Decrypt", "CreateGrant"),
            [("key_access_denied", B)],
            id="all of it in one finding",
        ),
        pytest.param(OPENED, refusing("CreateGrant"), [("create_grant_denied", U)], id="CreateGrant alone"),
        pytest.param(
            encrypted(),
            refusing("Decrypt", "CreateGrant"),
            [("missing_key_access", B)],
            id="as the owner said",
        ),
        pytest.param(
            granting("CreateGrant"), refusing("CreateGrant"), [("missing_create_grant", B)], id="again"
        ),
        pytest.param(
            encrypted(policy=opened_to(consumers(CONSUMER))),
            refusing("CreateGrant"),
            [],
            id="CreateGrant that only AWS services may use",
        ),
        pytest.param(
            encrypted(policy=VIA_EC2), refusing("Decrypt", "ReEncrypt"), [], id="a key for EC2 only"
        ),
        pytest.param(encrypted(policy=OF_ORG), TRIED, [], id="what the owner cannot tell, the account can"),
        pytest.param(
            encrypted(policy=OF_ORG),
            refusing("Decrypt"),
            [("key_access_unknown", U), ("key_access_denied", U)],
            id="nor the account",
        ),
        pytest.param(
            BY_UNIT,
            refusing("CreateGrant"),
            [("shared_through_organization", N)],
            id="a unit that the account must be in, since it sees the image",
        ),
        pytest.param(
            OPENED, KeyDryRun(problem="No idea."), [("key_unreadable", N)], id="keys could not be tried"
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/golden")),
            TRIED,
            [("key_for_roles_only", N)],
            id="the role that asks is the one that may",
        ),
        pytest.param(
            encrypted(made(f"arn:aws:iam::{CONSUMER}:role/deploy")),
            refusing("Decrypt", "CreateGrant"),
            [("key_for_roles_only", U)],
            id="another role may",
        ),
        pytest.param(
            encrypted(made(root(CONSUMER)), policy=NOT_VIA_EC2),
            TRIED,
            [("key_denied_by_policy", B)],
            id="what is denied to EC2 alone",
        ),
        pytest.param(encrypted(), TRIED, [], id="AWS's word goes before what the owner sees"),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            TRIED,
            [],
            id="the account tells what the owner may not read",
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}),
            refusing("Decrypt"),
            [("key_unreadable", U)],
            id="neither tells",
        ),
    ],
)
def test_what_the_account_tells_of_keys(
    of_owner: OwnerSeen, tried: KeyDryRun, expected: list[tuple[str, str]]
) -> None:
    found = diagnosis(of_owner, of_encrypted(keys={KEY.arn: tried}))
    assert (codes(found), found.level) == (expected, "authorized")


@pytest.mark.parametrize(
    ("of_owner", "expected"),
    [
        pytest.param(owner(NOBODY), [], id="needs no sharing"),
        pytest.param(encrypted(launch=NOBODY), [], id="nor its key opened"),
        pytest.param(encrypted(key=DEFAULT), [], id="and may use aws/ebs"),
        pytest.param(
            encrypted(key=replace(KEY, state="Disabled")), [("key_not_enabled", B)], id="if enabled"
        ),
        pytest.param(
            owner(NOBODY, image=source_image(state="disabled")), [("image_disabled", B)], id="and the image"
        ),
        pytest.param(
            owner(image=ENCRYPTED, key_problems={KEY.arn: UNREADABLE}), [], id="its own key is its own affair"
        ),
    ],
)
def test_the_owner_as_consumer(of_owner: OwnerSeen, expected: list[tuple[str, str]]) -> None:
    assert codes(diagnosis(of_owner, account_id=OWNER)) == expected


def test_a_copy_that_is_only_planned() -> None:
    (found,) = plan(wanted(), seen(OwnerSeen(), image_id=None)).diagnoses
    assert codes(found) == [("image_planned", U)]


def test_an_account_with_an_image_of_its_own_is_asked_about_that_one_only() -> None:
    places = {Target(account_id, "eu-west-1"): owner() for account_id in (OWNER, CONSUMER)}
    saw = replace(seen(owner()), owners=places, images=dict.fromkeys(places, IMAGE.image_id))
    found = plan(wanted(account_ids=(CONSUMER, STRANGER)), saw).diagnoses
    assert [(one.case.account_id, one.case.place.account_id) for one in found] == [
        (CONSUMER, CONSUMER),
        (STRANGER, OWNER),
    ]


@pytest.mark.parametrize(
    ("of_owner", "of_consumer", "fail_on", "expected"),
    [
        pytest.param(owner(NOBODY), BLIND, "none", [], id="none: findings fail nothing"),
        pytest.param(owner(NOBODY), BLIND, "blocking", ["not_shared"], id="blocking: a blocking one"),
        pytest.param(owner(NOBODY), BLIND, "unknown", ["not_shared"], id="unknown: a blocking one, too"),
        pytest.param(owner(IN_UNIT), None, "blocking", [], id="blocking: not an unknown one"),
        pytest.param(owner(PUBLIC), consumer(), "unknown", [], id="harmless ones never do"),
        pytest.param(
            owner(IN_UNIT), None, "unknown", ["shared_through_organization"], id="unknown: an unknown one"
        ),
        pytest.param(
            owner(),
            ConsumerSeen(problem=UNREADABLE),
            "none",
            ["UnauthorizedOperation"],
            id="what could not be read always does",
        ),
        pytest.param(
            OwnerSeen(problem=UNREADABLE),
            None,
            "unknown",
            ["UnauthorizedOperation"],
            id="the owner's side, too, and once",
        ),
    ],
)
def test_what_fails_the_task(
    of_owner: OwnerSeen, of_consumer: ConsumerSeen | None, fail_on: str, expected: list[str]
) -> None:
    found = plan(wanted(fail_on=FAIL_ON[fail_on]), seen(of_owner, of_consumer))
    assert [failure.error_code for failure in found.failures] == expected
    assert (found.actions, found.refusals) == ((), ())


OWNERS = st.builds(
    owner, st.sampled_from([NOBODY, SHARED, PUBLIC, IN_UNIT]), image=st.sampled_from([IMAGE, ENCRYPTED])
)
CONSUMERS = st.sampled_from([HIDDEN, BLIND, consumer(), consumer(dry_run=DENIED), None])


@given(OWNERS, CONSUMERS)
def test_levels_are_never_confused(of_owner: OwnerSeen, of_consumer: ConsumerSeen | None) -> None:
    found = diagnosis(of_owner, of_consumer)
    result = found.as_result()
    visible = of_consumer is not None and of_consumer.image is not None
    assert (result["level"] is not None) == visible
    if result["level"] == "visible":
        assert result["can_launch"] == "no"
    if result["can_launch"] == "yes" and of_consumer is not None:
        assert result["level"] == "authorized"


def test_of_many_grants_only_the_accounts_own_count() -> None:
    others = [Grant(f"g-{number}", f"arn:aws:iam::{number:012}:root", OPERATIONS) for number in range(50)]
    assert codes(diagnosis(encrypted(*others))) == [("missing_key_access", B)]
    assert codes(diagnosis(encrypted(*others, made(root(CONSUMER))))) == []
