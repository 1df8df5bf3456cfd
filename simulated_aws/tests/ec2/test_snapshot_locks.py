# SPDX-License-Identifier: GPL-3.0-or-later
"""Locked snapshots (EBS User Guide, Amazon EBS snapshot lock)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from .conftest import build, error_code, image_id


@pytest.fixture
def snapshot() -> str:
    return str(build()["images"]["golden"]["snapshot_ids"][0])


def locks(client: Any, **params: Any) -> list[tuple[str, str]]:
    found = client().describe_locked_snapshots(**params)["Snapshots"]
    return [(one["SnapshotId"], one["LockState"]) for one in found]


def test_a_locked_snapshot_cannot_be_deleted_until_the_lock_expires(client: Any, clock: Any) -> None:
    """(botocore operation LockSnapshot.)"""
    built = build()
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    answer = ec2.lock_snapshot(SnapshotId=first, LockMode="governance", LockDuration=1)
    assert (answer["LockState"], answer["LockDuration"]) == ("governance", 1)
    assert answer["LockExpiresOn"] - answer["LockCreatedOn"] == timedelta(days=1)
    answer = ec2.deregister_image(ImageId=image_id(built), DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"] == [
        {"SnapshotId": first, "ReturnCode": "client-error"},
        {"SnapshotId": second, "ReturnCode": "success"},
    ]
    assert error_code(ec2.delete_snapshot, SnapshotId=first) == "OperationNotPermitted"
    clock.forward(days=1)
    assert locks(client) == [(first, "expired")]
    ec2.delete_snapshot(SnapshotId=first)
    assert locks(client) == []


def test_governance_can_be_unlocked_and_compliance_while_it_cools_off(
    client: Any, clock: Any, snapshot: str
) -> None:
    """(botocore operation UnlockSnapshot.)"""
    ec2 = client()
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=9)
    ec2.unlock_snapshot(SnapshotId=snapshot)
    assert error_code(ec2.unlock_snapshot, SnapshotId=snapshot) == "SnapshotLock.InvalidState"
    call = {"SnapshotId": snapshot, "LockMode": "compliance", "LockDuration": 9}
    ec2.lock_snapshot(**call, CoolOffPeriod=2)
    assert locks(client) == [(snapshot, "compliance-cooloff")]
    ec2.unlock_snapshot(SnapshotId=snapshot)
    ec2.lock_snapshot(**call, CoolOffPeriod=2)
    clock.forward(hours=2)
    assert locks(client, Filters=[{"Name": "lock-state", "Values": ["compliance"]}]) == [
        (snapshot, "compliance")
    ]
    assert error_code(ec2.unlock_snapshot, SnapshotId=snapshot) == "OperationNotPermitted"


def test_a_compliance_lock_can_only_be_prolonged(client: Any, snapshot: str) -> None:
    """(botocore operation LockSnapshot.)"""
    ec2 = client()
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", LockDuration=9)
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="compliance", LockDuration=10)
    for mode, days in (("compliance", 8), ("governance", 20)):
        code = error_code(ec2.lock_snapshot, SnapshotId=snapshot, LockMode=mode, LockDuration=days)
        assert code == "OperationNotPermitted"


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"LockMode": "strict", "LockDuration": 1}, "InvalidParameterValue"),
        ({"LockMode": "governance"}, "InvalidParameterCombination"),
        ({"LockMode": "governance", "LockDuration": 36_501}, "InvalidParameterValue"),
        ({"LockMode": "governance", "ExpirationDate": "2020-01-01"}, "InvalidParameterValue"),
        (
            {"LockMode": "governance", "LockDuration": 1, "ExpirationDate": "2120-01-01"},
            "InvalidParameterCombination",
        ),
        ({"LockMode": "governance", "LockDuration": 1, "CoolOffPeriod": 1}, "InvalidParameterCombination"),
        ({"LockMode": "compliance", "LockDuration": 1, "CoolOffPeriod": 73}, "InvalidParameterValue"),
    ],
)
def test_what_a_lock_may_not_be(client: Any, snapshot: str, params: dict[str, Any], code: str) -> None:
    """(botocore shape LockSnapshotRequest.)"""
    assert error_code(client().lock_snapshot, SnapshotId=snapshot, **params) == code
