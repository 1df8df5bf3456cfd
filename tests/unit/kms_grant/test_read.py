# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys of an image ``ami_kms_grant`` reads, and what of them."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts, read
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError

from tests.unit.clock import Clock
from tests.unit.examples import ORG, OWNER, SOURCE_ID, STRANGER, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.kms_grant.examples import (
    EU,
    US,
    A,
    B,
    Run,
    grantees,
    root,
    run,
    wanted,
)
from tests.unit.kms_grant.kms_in_memory import Kms, StoredKey, World, world
from tests.unit.step_results import copy_result
from tests.unit.wire import Wire


def test_keys_are_read_by_alias() -> None:
    aws = world(EU, US)
    done = Run(wanted(A, regions=(US, EU)), aws, check_mode=True)
    assert done.result["kms_key_arns"] == {EU: key_arn("a", EU), US: key_arn("a", US)}
    assert aws.writes() == []


@pytest.mark.parametrize(
    ("options", "reads"),
    [
        pytest.param(wanted(A), False, id="grants only"),
        pytest.param(wanted(A, access_method="key_policy"), True, id="key_policy"),
        pytest.param(wanted(org_arns=[ORG]), True, id="an organization"),
        pytest.param(wanted(org_unit_arns=[UNIT]), True, id="a unit"),
        pytest.param(wanted(A, purge_grants=True), True, id="purge"),
        pytest.param(wanted(A, state="absent"), True, id="absent"),
    ],
)
def test_when_the_policy_is_read(options: dict[str, Any], reads: bool) -> None:
    aws = world(EU)
    assert Run(options, aws).seen
    assert aws.regions[EU].operations() == ["DescribeKey", *["GetKeyPolicy"] * reads, "ListGrants"]


def test_a_policy_without_statements_is_refused_before_any_change() -> None:
    aws = world(EU, US)
    aws.key(EU).policy = "{}"
    with pytest.raises(ValidationError) as refused:
        _ = Run(wanted(A, org_arns=[ORG], regions=(US, EU)), aws).seen
    assert [(one.region, one.action, one.error_code) for one in refused.value.failures] == [
        (EU, "GetKeyPolicy", "incomplete_response")
    ]
    assert aws.writes() == []


def test_grants_and_policy_of_an_aws_managed_key_are_not_read() -> None:
    aws = World({EU: Kms({"alias/golden": StoredKey(key_arn(), manager="AWS")})})
    job = Run(wanted(A, org_arns=frozenset({ORG})), aws)
    plan = job.plan
    assert plan.refusals
    assert aws.regions[EU].operations() == ["DescribeKey"]


def central(**changes: Any) -> World:
    """A key of another account."""
    key = StoredKey(key_arn(account_id=STRANGER))
    return World({EU: Kms({"alias/golden": key, key.arn: key}, **changes)})


def test_key_of_another_account_gets_grants() -> None:
    aws = central()
    _result, outcome = run(aws, wanted(A))
    assert outcome.failures == ()
    assert grantees(aws.key(EU)) == {root(A)}
    # The dry run shows before any change whether CreateGrant is allowed; the policy cannot be read.
    tried, created = aws.regions[EU].asked("CreateGrant")
    assert tried == {**created, "DryRun": True}
    assert "GetKeyPolicy" not in aws.regions[EU].operations()
    assert Run(wanted(A), aws).plan.actions == ()


def test_grants_of_other_accounts_on_a_shared_key_are_neither_used_nor_revoked() -> None:
    aws = central()
    run(aws, wanted(A, B))
    for grant in aws.key(EU).grants.values():
        grant["Name"] = grant["Name"].replace(OWNER, "555555555555")
    job = Run(wanted(A, purge_grants=True), aws)
    plan = job.plan
    assert [action.operation for action in plan.actions] == ["CreateGrant"]  # type: ignore[attr-defined]
    assert Run(wanted(A, B, state="absent"), aws).plan.actions == ()
    assert any("only grants of this account" in warning for warning in plan.warnings)


@pytest.mark.parametrize("operation", ["DescribeKey", "ListGrants", "CreateGrant"])
def test_key_of_another_account_that_denies_grants_is_refused(operation: str) -> None:
    arn = key_arn(account_id=STRANGER)
    aws = central(refuse={operation: "AccessDeniedException"})
    job = Run(wanted(A, kms_key_ids={EU: arn}), aws)
    plan = job.plan
    assert [failure.error_code for failure in plan.refusals] == ["not_owner"]
    assert f"{arn} belongs to account {STRANGER}, and AWS denies {operation}" in plan.refusals[0].message


@pytest.mark.parametrize(
    ("key_id", "account_id", "code"),
    [
        (key_arn(account_id=STRANGER), A, "NotFoundException"),
        (key_arn(account_id=STRANGER), OWNER, "AccessDeniedException"),
        (key_arn(), A, "AccessDeniedException"),
        ("alias/golden", A, "AccessDeniedException"),
    ],
)
def test_a_key_that_cannot_be_described_is_a_failure(key_id: str, account_id: str, code: str) -> None:
    aws = central(refuse={"DescribeKey": code})
    with pytest.raises(ValidationError) as caught:
        assert Run(wanted(account_id, kms_key_ids={EU: key_id}), aws).seen
    assert [failure.error_code for failure in caught.value.failures] == [code]


def test_key_of_another_account_is_only_described_without_a_consumer() -> None:
    aws = central(refuse={"ListGrants": "AccessDeniedException"})
    job = Run(wanted(OWNER), aws)
    plan = job.plan
    assert (plan.refusals, plan.actions) == ((), ())
    assert aws.regions[EU].operations() == ["DescribeKey"]


def test_another_error_of_a_key_of_another_account_is_a_failure() -> None:
    aws = central(refuse={"ListGrants": "KMSInternalException"})
    with pytest.raises(ValidationError) as caught:
        assert Run(wanted(A), aws).seen
    assert [failure.error_code for failure in caught.value.failures] == ["KMSInternalException"]


BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


def image_with(ec2: Wire, *keys: str | None) -> World:
    """A world in which the image has a snapshot under each of these keys."""
    snapshots = [
        {"SnapshotId": f"snap-{number}", "State": "completed", **({"KmsKeyId": key} if key else {})}
        for number, key in enumerate(keys)
    ]
    devices = [
        {"DeviceName": f"/dev/sd{number}", "Ebs": {"SnapshotId": snapshot["SnapshotId"]}}
        for number, snapshot in enumerate(snapshots)
    ]
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": devices}
    ec2.expect("describe_images", BY_ID, {"Images": [item]})
    ids = [snapshot["SnapshotId"] for snapshot in snapshots]
    ec2.expect("describe_snapshots", {"SnapshotIds": ids}, {"Snapshots": snapshots})
    aws = World({EU: Kms({key: StoredKey(key) for key in keys if key})})
    aws.ec2_clients[EU] = ec2.client
    return aws


def of_images(image_id: str | None = SOURCE_ID) -> dict[str, Any]:
    return wanted(A, kms_key_ids=None, images={EU: image_id})


def test_keys_of_an_image_are_those_of_its_snapshots(ec2: Wire) -> None:
    aws = image_with(ec2, key_arn("b"), key_arn("a"), key_arn("b"), None)
    result, outcome = run(aws, of_images())
    assert [action.resource for action in outcome.performed] == [key_arn("a"), key_arn("b")]  # type: ignore[attr-defined]
    assert [key["kms_key_arn"] for key in result["results"][0]["kms_keys"]] == [key_arn("a"), key_arn("b")]


def test_unencrypted_image_has_no_key(ec2: Wire) -> None:
    plan = Run(of_images(), image_with(ec2, None)).plan
    assert plan.actions == ()
    assert any("not encrypted" in warning for warning in plan.warnings)


def new_copy(ec2: Wire) -> None:
    device = {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-0", "Encrypted": True}}
    item = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available", "BlockDeviceMappings": [device]}
    ec2.expect("describe_images", BY_ID, {"Images": [item]})


def test_a_snapshot_of_a_new_copy_that_is_not_found_for_a_moment_does_not_make_it_unencrypted(
    ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API".)"""
    clock, key, request = Clock.of(monkeypatch, attempts), key_arn("a"), {"SnapshotIds": ["snap-0"]}
    new_copy(ec2)
    started = clock.now
    ec2.refuse("describe_snapshots", request, "InvalidSnapshot.NotFound")
    snapshot = {"SnapshotId": "snap-0", "State": "completed", "KmsKeyId": key}
    ec2.expect("describe_snapshots", request, {"Snapshots": [snapshot]})
    aws = World({EU: Kms({key: StoredKey(key)})})
    aws.ec2_clients[EU] = ec2.client
    job = Run(of_images(), aws)
    plan = job.plan
    assert (plan.warnings, len(plan.actions), clock.now) == ((), 1, started + 2)


def test_an_encrypted_snapshot_whose_key_cannot_be_read_is_refused(
    ec2: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    Clock.of(monkeypatch, attempts)
    new_copy(ec2)
    for _time in range(16):
        ec2.refuse("describe_snapshots", {"SnapshotIds": ["snap-0"]}, "InvalidSnapshot.NotFound")
    aws = world(EU)
    aws.ec2_clients[EU] = ec2.client
    with pytest.raises(ValidationError) as caught:
        assert Run(of_images(), aws).seen
    assert [failure.error_code for failure in caught.value.failures] == ["snapshot_not_found"]


def test_missing_image_is_refused(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    Clock.of(monkeypatch, attempts)
    for _second in range(0, int(read.SETTLING_TIMEOUT) + 1, 2):
        ec2.expect("describe_images", BY_ID, {"Images": []})
    aws = world(EU)
    aws.ec2_clients[EU] = ec2.client
    with pytest.raises(ValidationError) as caught:
        assert Run(of_images(), aws).seen
    assert [failure.error_code for failure in caught.value.failures] == ["image_not_found"]


def test_planned_image_has_no_key() -> None:
    done = Run(of_images(None), world(EU), check_mode=True)
    assert (done.plan.actions, done.plan.warnings) == ((), ())
    assert done.result["kms_key_arns"] == {EU: None}


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (wanted(A, regions=("cn-north-1",)), "kms_key_ids"),
        ({"images": {"cn-north-1": SOURCE_ID}, "account_ids": [A]}, "images"),
        ({"copy_result": copy_result({"cn-north-1": SOURCE_ID}), "account_ids": [A]}, "copy_result"),
    ],
    ids=["keys", "images", "the result of an earlier task"],
)
def test_a_region_of_another_partition_is_refused_with_the_option_that_names_it(
    options: dict[str, Any], named: str
) -> None:
    with pytest.raises(ValidationError) as refused:
        _ = Run(options, world(EU)).seen
    assert [failure.action for failure in refused.value.failures] == [named]
