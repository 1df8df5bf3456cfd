# SPDX-License-Identifier: GPL-3.0-or-later

"""Which images and options are refused, and the warnings of a plan."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._model import Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Plan
from ansible_collections.golden.images.plugins.module_utils._share.options import EMPTY_PURGE_REMEDY
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

from tests.unit.examples import ORG, OWNER, SOURCE_ID, SOURCE_REGION, STRANGER, UNIT, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import B, root
from tests.unit.kms_grant.kms_in_memory import StoredKey, World
from tests.unit.share.examples import (
    IMAGE,
    PRIVATE,
    PUBLIC,
    REGION,
    AnImage,
    Run,
    accounts,
    aws_before_the_copy,
    aws_with,
    changes_of,
    key,
    planned,
    shared,
    wanted,
    with_accounts,
)
from tests.unit.step_results import copy_result, grant_result

A = "222222222222"
WATERMARK = {"ImageWatermarks": [{"WatermarkKey": f"{A}:approved", "SourceImageRegion": REGION}]}
PRODUCT = {"ProductCodes": [{"ProductCodeId": "abc123", "ProductCodeType": "marketplace"}]}
IN_ORG = Sharing(org_arns=frozenset({ORG}))
ENCRYPTED = {"keys": {"snap-1": key_arn()}}
BLOCKED, ALL_BLOCKED = {"State": "block-new-sharing"}, {"State": "block-all-sharing"}


@pytest.mark.parametrize(
    ("changes", "code", "text"),
    [
        pytest.param({"owner_id": STRANGER}, "not_owner", STRANGER, id="another account's"),
        pytest.param({"state": "pending"}, "image_not_available", "is pending.", id="pending"),
        pytest.param(
            {"state": "failed", "more": {"StateReason": {"Message": "No key"}}},
            "image_not_available",
            "(No key)",
            id="failed",
        ),
    ],
)
def test_images_that_are_refused(changes: dict[str, Any], code: str, text: str) -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(**changes)).refusals
    assert failure.error_code == code
    assert (failure.region, failure.account_id) == (REGION, OWNER)
    assert IMAGE in failure.message
    assert text in failure.message


def test_all_refusals_of_an_image_are_reported() -> None:
    failures = planned(wanted(with_accounts(A)), shared(owner_id=STRANGER, state="disabled")).refusals
    assert [failure.error_code for failure in failures] == ["not_owner", "image_not_available"]


@pytest.mark.parametrize(
    ("options", "refuses"),
    [
        pytest.param(wanted(with_accounts(A, B)), True, id="another account"),
        pytest.param(wanted(IN_ORG), True, id="an organization"),
        pytest.param(wanted(with_accounts(A), shared_tags={"family": "web"}), True, id="a shared tag"),
        pytest.param(wanted(with_accounts(B), purge_launch_permissions=True), True, id="one for another"),
        pytest.param(wanted(with_accounts(A)), False, id="nothing new"),
        pytest.param(wanted(with_accounts(A), purge_launch_permissions=True), False, id="only a purge"),
        pytest.param(wanted(with_accounts(A), state="absent"), False, id="unshare"),
    ],
)
@pytest.mark.parametrize("best_effort", [{}, {"best_effort_regions": [REGION]}])
def test_nothing_is_added_to_a_recalled_image(
    options: dict[str, Any], refuses: bool, best_effort: dict[str, Any]
) -> None:
    both = with_accounts(A, STRANGER)
    image = shared(
        both if options.get("purge_launch_permissions") else with_accounts(A),
        {"snap-1": with_accounts(A)},
        tags={RECALLED_TAG: "2026-12-01T23:40:05Z"},
    )
    plan = planned({**options, **best_effort}, image)
    assert [failure.error_code for failure in plan.refusals] == ["image_recalled"] * refuses
    assert plan.tolerated == ()
    assert refuses or all("Remove" in words for _resource, *words in changes_of(plan.actions))


def test_snapshots_of_a_recalled_image_are_shared_with_nobody() -> None:
    image = shared(with_accounts(A), tags={RECALLED_TAG: "2026-12-01T23:40:05Z"})
    (failure,) = planned(wanted(with_accounts(A)), image).refusals
    assert (failure.error_code, failure.region) == ("image_recalled", REGION)
    assert failure.message == f"{IMAGE} was recalled at 2026-12-01T23:40:05Z."


@pytest.mark.parametrize("state", ["pending", "failed", "disabled", "deregistered"])
def test_image_in_any_state_can_be_unshared(state: str) -> None:
    plan = planned(wanted(with_accounts(A), state="absent"), shared(with_accounts(A), state=state))
    assert plan.refusals == ()
    assert changes_of(plan.actions) == [(IMAGE, "Remove", [A])]


def test_only_the_owner_can_unshare_an_image() -> None:
    (failure,) = planned(wanted(with_accounts(A), state="absent"), shared(owner_id=STRANGER)).refusals
    assert failure.error_code == "not_owner"


def test_remedy_for_a_pending_image_is_to_wait() -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(state="pending")).refusals
    assert failure.remedy == "Wait until it is available."


def test_remedy_for_another_accounts_image_names_its_owner() -> None:
    (failure,) = planned(wanted(with_accounts(A)), shared(owner_id=STRANGER)).refusals
    assert STRANGER in failure.remedy


@pytest.mark.parametrize(
    ("found", "codes"),
    [
        pytest.param(aws_with(shared()), [], id="nothing is blocked"),
        pytest.param(aws_with(shared(**ENCRYPTED)), ["encrypted_image"], id="encrypted"),
        pytest.param(
            aws_with(shared(volumes_of={"snap-0": PRIVATE, "snap-1": PRIVATE}, **ENCRYPTED)),
            ["encrypted_image"],
            id="one volume encrypted",
        ),
        # EC2 User Guide, "Make your AMI publicly available": neither encrypted volumes nor snapshots of them.
        pytest.param(
            aws_with(shared(empty_encrypted_volume=True)),
            ["encrypted_image"],
            id="an empty volume encrypted",
        ),
        pytest.param(aws_with(shared(more=PRODUCT)), ["product_code"], id="product code"),
        # EC2 User Guide, "Use AMI watermarks to track and identify AMIs": not available on public AMIs.
        pytest.param(aws_with(shared(more=WATERMARK)), ["watermark"], id="watermark"),
        pytest.param(aws_with(shared(), image_block=BLOCKED), ["block_public_access"], id="images blocked"),
        pytest.param(
            aws_with(shared(), snapshot_block=BLOCKED), ["block_public_access"], id="snapshots blocked"
        ),
        pytest.param(
            aws_with(shared(), snapshot_block=ALL_BLOCKED),
            ["block_public_access"],
            id="snapshots all blocked",
        ),
        pytest.param(
            aws_with(shared(**ENCRYPTED, more=PRODUCT), image_block=BLOCKED, snapshot_block=ALL_BLOCKED),
            ["encrypted_image", "product_code", "block_public_access", "block_public_access"],
            id="all reasons at once",
        ),
    ],
)
def test_public_sharing(found: World, codes: list[str]) -> None:
    failures = planned(wanted(PUBLIC), found).refusals
    assert [failure.error_code for failure in failures] == codes
    assert all(failure.remedy and failure.region == REGION for failure in failures)


@pytest.mark.parametrize(
    "want",
    [
        pytest.param(wanted(with_accounts(A)), id="shared with accounts"),
        pytest.param(wanted(PUBLIC, state="absent"), id="made private"),
    ],
)
def test_checks_for_public_sharing_apply_to_nothing_else(want: dict[str, Any]) -> None:
    image = shared(PUBLIC, **ENCRYPTED, more={**PRODUCT, **WATERMARK})
    found = aws_with(image, image_block=BLOCKED, snapshot_block=ALL_BLOCKED)
    assert planned(want, found).refusals == ()


IMAGE_BLOCKED = "Block public access for AMIs is on (block-new-sharing)."
SNAPSHOT_BLOCKED = "Block public access for snapshots is on (block-new-sharing)."


@pytest.mark.parametrize(
    ("launch", "volumes_of", "blocked"),
    [
        pytest.param(PUBLIC, {"snap-1": PUBLIC}, [], id="all public already"),
        pytest.param(PUBLIC, {}, [], id="public already, without snapshots"),
        pytest.param(PRIVATE, {"snap-1": PUBLIC}, [IMAGE_BLOCKED], id="only the image becomes public"),
        pytest.param(PRIVATE, {}, [IMAGE_BLOCKED], id="an image alone becomes public"),
        pytest.param(PUBLIC, {"snap-1": PRIVATE}, [SNAPSHOT_BLOCKED], id="only the snapshot becomes public"),
        pytest.param(
            PUBLIC,
            {"snap-1": PUBLIC, "snap-2": with_accounts(A)},
            [SNAPSHOT_BLOCKED],
            id="one of two snapshots becomes public",
        ),
        pytest.param(
            PRIVATE, {"snap-1": PRIVATE}, [IMAGE_BLOCKED, SNAPSHOT_BLOCKED], id="both become public"
        ),
    ],
)
def test_block_public_access_is_checked_only_for_what_becomes_public(
    launch: Sharing, volumes_of: dict[str, Sharing], blocked: list[str]
) -> None:
    found = aws_with(shared(launch, volumes_of), image_block=BLOCKED, snapshot_block=BLOCKED)
    failures = planned(wanted(PUBLIC), found).refusals
    assert [failure.message for failure in failures] == blocked
    assert {failure.error_code for failure in failures} <= {"block_public_access"}


@pytest.mark.parametrize(
    ("want", "refused"),
    [
        pytest.param(wanted(with_accounts(OWNER), purge_launch_permissions=True), True, id="only the owner"),
        pytest.param(
            wanted(with_accounts(OWNER), purge_launch_permissions=True, allow_empty_purge=True),
            False,
            id="allow_empty_purge",
        ),
        pytest.param(
            wanted(with_accounts(OWNER, A), purge_launch_permissions=True),
            False,
            id="the owner and an account",
        ),
        pytest.param(wanted(IN_ORG, purge_launch_permissions=True), False, id="an organization"),
        pytest.param(
            wanted(Sharing(org_unit_arns=frozenset({UNIT})), purge_launch_permissions=True),
            False,
            id="a unit",
        ),
        pytest.param(wanted(PUBLIC, purge_launch_permissions=True), False, id="public"),
        pytest.param(wanted(with_accounts(OWNER)), False, id="additive"),
        pytest.param(wanted(with_accounts(OWNER), state="absent"), False, id="absent"),
    ],
)
def test_purge_must_keep_a_consumer_other_than_the_owner(want: dict[str, Any], refused: bool) -> None:
    failures = planned(want, shared(with_accounts(A))).refusals
    assert len(failures) == (1 if refused else 0)
    for failure in failures:
        assert failure.error_code == "invalid_option"
        assert (failure.region, failure.account_id) == (REGION, OWNER)
        assert failure.message.startswith("purge_launch_permissions: ")
        # Also true for users of the role distribute, which has no variable for allow_empty_purge.
        assert failure.remedy == EMPTY_PURGE_REMEDY
        assert failure.remedy.startswith("List a consumer that keeps access, or turn the purge off.")


FORTY_NINE = {f"k{number}": "v" for number in range(49)}


@pytest.mark.parametrize(
    ("current", "shared_tags", "count"),
    [
        pytest.param(FORTY_NINE, {"a": "1"}, None, id="as many as an image can carry"),
        pytest.param(FORTY_NINE, {"a": "1", "b": "2"}, 51, id="one too many"),
        pytest.param(
            {**FORTY_NINE, "ec2:SharedTag/a": "0"}, {"a": "1"}, None, id="one of them takes another's place"
        ),
        pytest.param({**FORTY_NINE, "a": "0"}, {"a": "1"}, 51, id="without its prefix it is another tag"),
        pytest.param({**FORTY_NINE, "x": "1"}, {}, None, id="none is added"),
    ],
)
def test_too_many_tags_are_refused(
    current: dict[str, str], shared_tags: dict[str, str], count: int | None
) -> None:
    failures = planned(wanted(with_accounts(A), shared_tags=shared_tags), shared(tags=current)).refusals
    assert len(failures) == (0 if count is None else 1)
    for failure in failures:
        assert (failure.action, failure.region) == ("shared_tags", REGION)
        assert failure.message.startswith(f"shared_tags: {count} tags")


def test_tags_are_not_counted_when_unsharing() -> None:
    found = shared(with_accounts(A), tags=FORTY_NINE)
    want = wanted(with_accounts(A), state="absent", shared_tags={"a": "1", "b": "2"})
    assert planned(want, found).refusals == ()


def test_refusal_in_one_region_is_a_refusal_of_the_plan() -> None:
    plan = in_two_regions(wanted(with_accounts(A)), shared(), shared(state="pending"))
    assert [failure.region for failure in plan.refusals] == ["us-west-2"]


def in_two_regions(options: dict[str, Any], *images: AnImage) -> Plan:
    """The plan for these images in two regions."""
    regions = dict(zip(("eu-west-1", "us-west-2"), images, strict=True))
    named = {region: image.image_id for region, image in regions.items()}
    return Run({**options, "images": named}, aws_with(regions), check_mode=True).plan


def warnings(want: dict[str, Any], found: AnImage) -> str:
    return "\n".join(planned(want, found).warnings)


@pytest.mark.parametrize(
    ("want", "warned"),
    [
        pytest.param(wanted(IN_ORG), True, id="an organization alone"),
        pytest.param(wanted(Sharing(org_unit_arns=frozenset({UNIT}))), True, id="a unit alone"),
        pytest.param(wanted(IN_ORG | with_accounts(OWNER)), True, id="with the owner"),
        pytest.param(wanted(IN_ORG | with_accounts(A)), False, id="with accounts"),
        pytest.param(wanted(IN_ORG, share_snapshots=False), False, id="share_snapshots: false"),
        pytest.param(wanted(IN_ORG, state="absent"), False, id="absent"),
    ],
)
def test_warning_that_organizations_get_no_snapshots(want: dict[str, Any], warned: bool) -> None:
    assert ("cannot be shared with organizations" in warnings(want, shared())) is warned


@pytest.mark.parametrize(
    ("named", "current", "warned"),
    [
        pytest.param(with_accounts(*accounts(1_000)), PRIVATE, False, id="as many as the quota"),
        pytest.param(with_accounts(*accounts(1_001)), PRIVATE, True, id="one more"),
        pytest.param(with_accounts(*accounts(1_000)), IN_ORG, True, id="an organization counts"),
        pytest.param(with_accounts(A), with_accounts(*accounts(1_000)), True, id="with existing ones"),
    ],
)
def test_warning_of_more_entities_than_the_quota(named: Sharing, current: Sharing, warned: bool) -> None:
    plan = planned(wanted(named), shared(current))
    assert ("AWS's default quota is 1000" in "\n".join(plan.warnings)) is warned
    assert plan.refusals == ()


@pytest.mark.parametrize(
    ("want", "current", "through"),
    [
        pytest.param(
            wanted(with_accounts(A), state="absent"), with_accounts(A) | IN_ORG, ORG, id="an organization"
        ),
        pytest.param(
            wanted(with_accounts(A), state="absent"),
            with_accounts(A) | Sharing(org_unit_arns=frozenset({UNIT})),
            UNIT,
            id="a unit",
        ),
        pytest.param(
            wanted(with_accounts(A), state="absent"), with_accounts(A) | PUBLIC, "public", id="public"
        ),
        pytest.param(
            wanted(IN_ORG, purge_launch_permissions=True),
            with_accounts(A),
            ORG,
            id="purged, yet in the organization",
        ),
        pytest.param(
            wanted(with_accounts(A), state="absent"), with_accounts(A), None, id="nothing covers it"
        ),
        pytest.param(wanted(with_accounts(A), state="absent"), IN_ORG, None, id="nothing is unshared"),
        pytest.param(
            wanted(with_accounts(A) | IN_ORG, state="absent"),
            with_accounts(A) | IN_ORG,
            None,
            id="both unshared",
        ),
    ],
)
def test_warning_that_an_account_may_keep_access(
    want: dict[str, Any], current: Sharing, through: str | None
) -> None:
    found = [text for text in planned(want, shared(current)).warnings if "Access may remain" in text]
    assert len(found) == (0 if through is None else 1)
    assert all(str(through) in text and A in text for text in found)


def test_warning_lists_five_unshared_accounts_and_counts_the_rest() -> None:
    many = with_accounts(*accounts(7))
    text = warnings(wanted(many, state="absent"), shared(many | IN_ORG))
    assert text.endswith(f"{', '.join(accounts(5))} and 2 more.")


def test_warning_of_accounts_that_cannot_use_the_key() -> None:
    text = warnings(wanted(with_accounts(A)), shared(**ENCRYPTED))
    assert text == (
        f"{A} cannot use the key of {IMAGE} yet: launches fail. "
        "Grant access with ami_kms_grant, or allow it in the key policy."
    )


def test_warning_for_all_regions_is_given_once() -> None:
    plan = in_two_regions(wanted(with_accounts(OWNER, A)), shared(), shared())
    assert plan.warnings == (f"{OWNER} owns the images and needs no permission: skipped.",)


def test_warning_for_some_regions_names_them() -> None:
    want = wanted(with_accounts(A), state="absent")
    (warning,) = in_two_regions(want, shared(), shared(with_accounts(A) | IN_ORG)).warnings
    assert warning.startswith("us-west-2: Access may remain")


def test_planned_copy_of_an_encrypted_source_cannot_be_public() -> None:
    want = wanted(PUBLIC, images={REGION: None}, source_image_id=SOURCE_ID, source_region=SOURCE_REGION)
    plan = planned(want, aws_before_the_copy(shared(image_id=SOURCE_ID, **ENCRYPTED)))
    assert [failure.error_code for failure in plan.refusals] == ["encrypted_image"]


def test_planned_copy_has_the_devices_of_the_source_of_the_copies() -> None:
    copies = copy_result({REGION: None}, source_region=SOURCE_REGION)
    want = {"group": "all", "allow_public": True, "copy_result": copies}
    plan = Run(want, aws_before_the_copy(shared(image_id=SOURCE_ID, **ENCRYPTED)), check_mode=True).plan
    assert [failure.error_code for failure in plan.refusals] == ["encrypted_image"]


def warned(want: dict[str, Any], *keys: StoredKey, **image: Any) -> list[str]:
    """The warnings about keys, for an encrypted image unless changed."""
    found = aws_with(shared(**{**ENCRYPTED, **image}), *keys)
    return [text for text in planned(want, found).warnings if "key" in text]


@pytest.mark.parametrize(
    ("want", "image", "number"),
    [
        pytest.param(wanted(with_accounts(A, B)), ENCRYPTED, 1, id="one of two has a grant"),
        pytest.param(wanted(with_accounts(A, OWNER)), ENCRYPTED, 0, id="all have access"),
        pytest.param(wanted(with_accounts(A, B)), {}, 0, id="not encrypted"),
        pytest.param(wanted(with_accounts(A, B), state="absent"), ENCRYPTED, None, id="nothing is read"),
    ],
)
def test_the_result_counts_consumers_that_cannot_use_a_key(
    want: dict[str, Any], image: dict[str, Any], number: int | None
) -> None:
    run = Run(want, aws_with(shared(**image), key(grantees=[root(A)])))
    (found,) = run.result["results"]
    assert found["consumers_without_key"] == number


def test_warning_names_consumers_without_access() -> None:
    (text,) = warned(wanted(with_accounts(A, B)), key(grantees=[root(A)]))
    assert text.startswith(f"{B} cannot use the key of {IMAGE}")
    assert "ami_kms_grant" in text


def granted(*lacking: str, name: str = "a", consumers: Iterable[str] = (A, B)) -> dict[str, Any]:
    """The result of ``ami_kms_grant``, which named these consumers; some of them cannot use the key."""
    key = {"access_known": True, "kms_key_arn": key_arn(name)}
    without_access = [{"consumers": list(lacking), "kms_key_arns": [key_arn(name)]}]
    return grant_result(
        consumers=list(consumers), consumers_without_access=without_access, results=[{"kms_keys": [key]}]
    )


@pytest.mark.parametrize(
    ("results", "without"),
    [
        pytest.param([granted()], [], id="all of them can use it"),
        pytest.param([granted(B)], [B], id="one cannot"),
        pytest.param([granted(B), granted(A)], [], id="each can by another task"),
        pytest.param([granted(consumers=[A])], [B], id="one was not named"),
        pytest.param([granted(name="other")], [A, B], id="another key"),
        pytest.param([{}, {"skipped": True}], [A, B], id="tasks that did not run"),
    ],
)
def test_access_that_earlier_tasks_have_found_is_not_warned_about(
    results: list[dict[str, Any]], without: list[str]
) -> None:
    texts = warned(wanted(with_accounts(A, B), grant_results=results))
    assert [text.partition(" cannot")[0] for text in texts] == ([", ".join(without)] if without else [])


@pytest.mark.parametrize(
    ("want", "image"),
    [
        pytest.param(wanted(with_accounts(A)), {}, id="all have access"),
        pytest.param(wanted(with_accounts(A, B)), {"keys": {}}, id="not encrypted"),
        pytest.param(wanted(with_accounts(A, B), state="absent"), {}, id="state: absent"),
        pytest.param(wanted(with_accounts(OWNER, A)), {}, id="the owner needs no grant"),
    ],
)
def test_no_warning(want: dict[str, Any], image: dict[str, Any]) -> None:
    assert warned(want, key(grantees=[root(A)]), **image) == []


def test_warning_names_five_consumers_and_counts_the_rest() -> None:
    (text,) = warned(wanted(with_accounts(*accounts(7))))
    assert "and 2 more cannot use" in text


MANAGED = key("aws-ebs", manager="AWS")
UNDER_MANAGED = aws_with(shared(keys={"snap-1": MANAGED.arn}), MANAGED)


def test_refuses_to_share_an_image_under_an_aws_managed_key() -> None:
    (failure,) = planned(wanted(with_accounts(A)), UNDER_MANAGED).refusals
    assert (failure.error_code, failure.region, failure.account_id) == (
        "default_key",
        target_in().region,
        OWNER,
    )
    assert MANAGED.arn in failure.message
    assert "kms_key_id" in failure.remedy


@pytest.mark.parametrize("consumers", [PRIVATE, with_accounts(OWNER)], ids=["nobody", "the owner"])
def test_an_image_under_an_aws_managed_key_that_is_shared_with_no_consumer_is_not_refused(
    consumers: Sharing,
) -> None:
    plan = planned(wanted(consumers, shared_tags={"role": "web"}), UNDER_MANAGED)
    assert plan.refusals == ()
    assert [action.operation for action in plan.actions] == ["CreateTags"]


def test_unshares_an_image_under_an_aws_managed_key() -> None:
    want = wanted(with_accounts(A, STRANGER), state="absent")
    assert planned(want, UNDER_MANAGED).refusals == ()


@pytest.mark.parametrize("managed_by", [None, "account", "declarative-policy"])
def test_what_a_declarative_policy_blocks_is_not_for_the_account_to_disable(managed_by: str | None) -> None:
    """(botocore shape GetImageBlockPublicAccessStateResult, ManagedBy.)"""
    block = {**BLOCKED, **({"ManagedBy": managed_by} if managed_by else {})}
    found = aws_with(shared(), image_block=block, snapshot_block=block)
    image, snapshot = planned(wanted(PUBLIC), found).refusals
    by_policy = managed_by == "declarative-policy"
    for failure in (image, snapshot):
        assert ("declarative policy" in failure.message) is by_policy
        assert ("change the organization's policy" in failure.remedy) is by_policy
        assert ("BlockPublicAccess)" in failure.remedy) is not by_policy
    assert "share_snapshots: false" in snapshot.remedy
