# SPDX-License-Identifier: GPL-3.0-or-later
"""Archived snapshots (EBS User Guide, Archive an Amazon EBS snapshot)."""

from __future__ import annotations

from typing import Any

from .conftest import CONSUMER, build, error_code, image_id


def tiers(client: Any) -> list[str]:
    return [one["StorageTier"] for one in client().describe_snapshots(OwnerIds=["self"])["Snapshots"]]


def test_a_snapshot_is_archived_once_its_images_are_disabled(client: Any) -> None:
    shared = {"sharing": {"snapshot_accounts": ["consumer"]}}
    built = build(images={"golden": shared})
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    assert error_code(ec2.modify_snapshot_tier, SnapshotId=first) == "InvalidSnapshot.InUse"
    ec2.disable_image(ImageId=image_id(built))
    ec2.modify_snapshot_tier(SnapshotId=first, StorageTier="archive")
    assert tiers(client) == ["archive", "standard"]
    archived = [{"Name": "storage-tier", "Values": ["archive"]}]
    (found,) = ec2.describe_snapshots(OwnerIds=["self"], Filters=archived)["Snapshots"]
    assert found["SnapshotId"] == first
    visible = client(CONSUMER).describe_snapshots(OwnerIds=[found["OwnerId"]])["Snapshots"]
    assert [one["SnapshotId"] for one in visible] == [second]
    assert error_code(ec2.modify_snapshot_tier, SnapshotId=first) == "IncorrectState"


def test_an_archived_snapshot_is_restored(client: Any) -> None:
    built = build(images={"golden": {"state": "disabled"}})
    first, _second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    assert error_code(ec2.restore_snapshot_tier, SnapshotId=first, PermanentRestore=True) == "IncorrectState"
    ec2.modify_snapshot_tier(SnapshotId=first)
    assert ec2.restore_snapshot_tier(SnapshotId=first, PermanentRestore=True)["IsPermanentRestore"]
    assert tiers(client) == ["standard", "standard"]


def test_an_image_with_an_archived_snapshot_is_not_enabled(client: Any) -> None:
    """(EBS User Guide, Restore an archived Amazon EBS snapshot.)"""
    built = build(images={"golden": {"state": "disabled"}})
    first, _second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    ec2.modify_snapshot_tier(SnapshotId=first)
    assert error_code(ec2.enable_image, ImageId=image_id(built)) == "IncorrectState"
    ec2.restore_snapshot_tier(SnapshotId=first, PermanentRestore=True)
    ec2.enable_image(ImageId=image_id(built))
