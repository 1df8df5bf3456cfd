# SPDX-License-Identifier: GPL-3.0-or-later

"""Which regions and which sources are refused before anything is copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.copy import checks as copy_checks
from ansible_collections.golden.images.plugins.module_utils.copy.access import (
    REQUIRED_OPERATIONS,
    MissingAccess,
    SourcePermissions,
    SourceSeen,
)
from ansible_collections.golden.images.plugins.module_utils.copy.checks import missing_access_of
from ansible_collections.golden.images.plugins.module_utils.failures import Failure
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen, Sharing, Target

from tests.unit.copy.examples import REGION, seen, wanted
from tests.unit.examples import (
    CONSUMER,
    OWNER,
    SOURCE_ID,
    SOURCE_REGION,
    STRANGER,
    copied_image,
    source_image,
    target_in,
    volumes,
)
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of

KNOWN = {
    "us-east-1": "opt-in-not-required",
    "eu-west-1": "opt-in-not-required",
    "ap-east-1": "opted-in",
    "me-south-1": "not-opted-in",
}
PARTITIONS = {**dict.fromkeys(KNOWN, "aws"), "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"regions": ("us-east-1", "eu-west-1", "ap-east-1")}, [], id="valid regions"),
        pytest.param({"regions": ("eu-west-9",)}, [("regions", "no region 'eu-west-9'")], id="unknown"),
        pytest.param(
            {"regions": ("me-south-1",)}, [("regions", "not opted in to 'me-south-1'")], id="not opted in"
        ),
        pytest.param(
            {"regions": ("cn-north-1",)},
            [("regions", "'cn-north-1' is in partition aws-cn, the credentials are for aws.")],
            id="other partition",
        ),
        pytest.param(
            {"regions": ("eu-west-1", "us-east-1", "eu-west-1")},
            [("regions", "'eu-west-1' is listed twice")],
            id="listed twice",
        ),
        pytest.param(
            {"source_region": "nowhere-1"}, [("source_region", "no region 'nowhere-1'")], id="unknown source"
        ),
        pytest.param(
            {"source_region": "cn-north-1", "regions": ("us-gov-west-1", "xx-1", "me-south-1", "eu-west-1")},
            [
                ("source_region", "aws-cn"),
                ("regions", "aws-us-gov"),
                ("regions", "'xx-1'"),
                ("regions", "'me-south-1'"),
            ],
            id="all at once",
        ),
    ],
)
def test_regions(changes: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    failures = copy_checks.check_regions(wanted(**changes), KNOWN, "aws", PARTITIONS)
    assert [failure.action for failure in failures] == [option for option, _text in expected]
    for failure, (_option, text) in zip(failures, expected, strict=True):
        assert text in failure.message
        assert failure.remedy


def test_a_region_unknown_to_botocore_is_valid_if_aws_lists_it() -> None:
    failures = copy_checks.check_regions(
        wanted(regions=("eu-new-1",)), {**KNOWN, "eu-new-1": "opted-in"}, "aws", PARTITIONS
    )
    assert failures == ()


def test_an_image_under_an_aws_managed_key_cannot_be_shared() -> None:
    image = copied_image("ami-1")
    under = replace(
        seen(image), aws_managed_keys={target_in(): ("arn:aws:kms:eu-west-1:012345678901:key/ebs",)}
    )
    (failure,) = copy_checks.check_shareable(under, target_in(), image)
    assert (failure.error_code, failure.region) == ("default_key", "eu-west-1")
    assert "ami-1 is encrypted under the AWS managed key arn:aws:kms:" in failure.message
    assert "reencrypt_source: true" in failure.remedy
    assert list(copy_checks.check_shareable(seen(image), target_in(), image)) == []


def test_an_available_source_is_not_refused() -> None:
    assert copy_checks.check_source(OWNER, source_image(), SOURCE_REGION, ()) == ()


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        pytest.param({"state": "pending"}, f"{SOURCE_ID} in us-east-1 is pending.", id="pending"),
        pytest.param({"state": "disabled"}, "is disabled.", id="disabled"),
        pytest.param(
            {"state": "failed", "state_reason": "Snapshot gone"},
            "is failed (Snapshot gone).",
            id="with reason",
        ),
    ],
)
def test_a_source_that_is_not_available_is_refused(changes: dict[str, Any], text: str) -> None:
    (failure,) = copy_checks.check_source(OWNER, source_image(**changes), SOURCE_REGION, ())
    assert failure.action == "source_image_id"
    assert text in failure.message


@pytest.mark.parametrize(("kind", "refused"), [("instance-store", True), ("ebs", False), ("", False)])
def test_an_image_that_is_stored_in_s3_is_not_copied(kind: str, refused: bool) -> None:
    """(EC2 User Guide, "Grant permissions to copy Amazon EC2 AMIs".)"""
    source = source_image(root_device_type=kind)
    failures = copy_checks.check_root_device(target_in(REGION), source, SOURCE_REGION)
    assert [(one.error_code, one.region) for one in failures] == (
        [("instance_store_image", REGION)] if refused else []
    )
    if refused:
        assert f"{SOURCE_ID} in {SOURCE_REGION} has an instance store root volume" in failures[0].message


def test_another_accounts_source_without_shared_snapshots_is_refused() -> None:
    source = source_image(owner_id=STRANGER)
    (failure,) = copy_checks.check_source(OWNER, source, SOURCE_REGION, ("snap-1", "snap-2"))
    assert failure.error_code == "missing_volume_permission"
    assert failure.region == SOURCE_REGION
    assert "snap-1, snap-2" in failure.message
    assert STRANGER in failure.remedy


def test_all_problems_of_a_source_are_reported_at_once() -> None:
    source = source_image(owner_id=STRANGER, state="pending")
    assert len(copy_checks.check_source(OWNER, source, SOURCE_REGION, ("snap-1",))) == 2


@pytest.mark.parametrize(
    ("account_id", "message", "expected"),
    [
        pytest.param(OWNER, "No.", "No.", id="the account of the credentials"),
        pytest.param(CONSUMER, "No.", f"Account {CONSUMER}: No.", id="another account"),
        pytest.param(CONSUMER, f"No, {CONSUMER}.", f"No, {CONSUMER}.", id="the message names it already"),
    ],
)
def test_failures_of_other_accounts_name_the_account(account_id: str, message: str, expected: str) -> None:
    failure = Failure(message, "r", "c", "a")
    assert copy_checks.with_account(failure, Target(account_id, "eu-west-1"), OWNER).message == expected


@pytest.mark.parametrize(
    ("consumers", "codes", "refused"),
    [
        ((CONSUMER,), ("abc123",), True),
        ((OWNER, CONSUMER), ("abc123",), True),
        ((OWNER,), ("abc123",), False),
        ((), ("abc123",), False),
        ((CONSUMER,), (), False),
    ],
)
def test_copies_that_consumers_cannot_copy(
    consumers: tuple[str, ...], codes: tuple[str, ...], refused: bool
) -> None:
    want = wanted(consumer_account_ids=consumers)
    # The copies belong to the own account, even if another account owns the source.
    for owner in (OWNER, STRANGER):
        found = copy_checks.check_consumers(want, OWNER, source_image(product_codes=codes, owner_id=owner))
        assert [(item.error_code, item.action) for item in found] == (
            [("product_code", "consumer_account_ids")] if refused else []
        )


TARGET, READER = Target(CONSUMER, REGION), Target(CONSUMER, SOURCE_REGION)
INTO_CONSUMER = wanted(account_ids=(CONSUMER,))
READ = replace(seen(source=source_image(devices=volumes("snap-source"))), copies={TARGET: ()})
SNAPSHOTS = frozenset({"snap-source"})
SHARED = Sharing(account_ids=frozenset({CONSUMER}))


@pytest.mark.parametrize(
    ("permissions", "granted"),
    [
        pytest.param({}, False, id="not read"),
        pytest.param({SOURCE_REGION: None}, False, id="could not be read"),
        pytest.param({SOURCE_REGION: SourcePermissions()}, False, id="not shared"),
        pytest.param({SOURCE_REGION: SourcePermissions(SHARED)}, True, id="shared"),
    ],
)
def test_what_an_account_is_missing_follows_from_what_was_read(
    permissions: dict[str, SourcePermissions | None], granted: bool
) -> None:
    assert missing_access_of(INTO_CONSUMER, READ, TARGET) is None
    access = {READER: SourceSeen(visible=False, snapshot_ids=SNAPSHOTS)}
    saw = replace(READ, source_access=access, source_permissions=permissions)
    missing = missing_access_of(INTO_CONSUMER, saw, TARGET)
    assert missing == MissingAccess(launch=True, already_granted=granted)


def test_nothing_that_is_missing_is_already_granted() -> None:
    access = {READER: SourceSeen(visible=True, snapshot_ids=SNAPSHOTS)}
    saw = replace(READ, source_access=access, source_permissions={SOURCE_REGION: SourcePermissions(SHARED)})
    assert missing_access_of(INTO_CONSUMER, saw, TARGET) == MissingAccess()


@pytest.mark.parametrize("is_granted", [True, False])
def test_a_grant_to_the_role_that_reads_counts_for_its_account(is_granted: bool) -> None:
    role = f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
    key = KeySeen(Key(key_arn("a", SOURCE_REGION)), (Grant("g", role, REQUIRED_OPERATIONS),), policy_of())
    arn = key.key.arn
    read = SourceSeen(True, SNAPSHOTS, frozenset({arn}), role if is_granted else f"{role}-2")
    saw = replace(READ, source_access={READER: read}, source_keys={SOURCE_REGION: (key,)})
    denied = {} if is_granted else {arn: tuple(sorted(REQUIRED_OPERATIONS))}
    missing = missing_access_of(INTO_CONSUMER, saw, TARGET)
    assert missing == MissingAccess(keys=denied, undescribed_keys=(arn,) if is_granted else ())
