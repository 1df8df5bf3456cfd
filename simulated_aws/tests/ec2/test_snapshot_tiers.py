# SPDX-License-Identifier: GPL-3.0-or-later
"""Archived snapshots (EBS User Guide, Archive an Amazon EBS snapshot)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .conftest import CONSUMER, Clock, build, error_code, image_id


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


def test_a_temporarily_restored_snapshot_is_archived_again(client: Any, clock: Clock) -> None:
    """Its tier is standard meanwhile, and only RestoreExpiryTime shows that it is archived.

    (EBS User Guide, Archive an Amazon EBS snapshot, View archived snapshots; botocore shape Snapshot.)
    """
    build(images={"golden": {"state": "disabled"}})
    ec2 = client()
    first, _second = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    snapshot_id = first["SnapshotId"]
    assert error_code(ec2.restore_snapshot_tier, SnapshotId=snapshot_id) == "IncorrectState"
    ec2.modify_snapshot_tier(SnapshotId=snapshot_id)
    for days in (0, 181):
        refused = error_code(ec2.restore_snapshot_tier, SnapshotId=snapshot_id, TemporaryRestoreDays=days)
        assert refused == "InvalidParameterValue"
    both = {"SnapshotId": snapshot_id, "TemporaryRestoreDays": 5, "PermanentRestore": True}
    assert error_code(ec2.restore_snapshot_tier, **both) == "InvalidParameterCombination"
    restored = ec2.restore_snapshot_tier(SnapshotId=snapshot_id, TemporaryRestoreDays=5)
    assert (restored["RestoreDuration"], restored["IsPermanentRestore"]) == (5, False)
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    assert shown["StorageTier"] == "standard"
    assert shown["RestoreExpiryTime"] - clock.moment < timedelta(days=5, seconds=1)
    clock.forward(days=5)
    (shown,) = ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"]
    assert (shown["StorageTier"], "RestoreExpiryTime" in shown) == ("archive", False)


def test_a_temporary_restore_is_made_permanent(client: Any, clock: Clock) -> None:
    """(EBS User Guide, Modify the restore period or restore type for a temporarily restored snapshot.)"""
    built = build(images={"golden": {"state": "disabled"}})
    first, _second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    ec2.modify_snapshot_tier(SnapshotId=first)
    assert ec2.restore_snapshot_tier(SnapshotId=first)["RestoreDuration"] == 1
    ec2.enable_image(ImageId=image_id(built))
    ec2.restore_snapshot_tier(SnapshotId=first, PermanentRestore=True)
    clock.forward(days=2)
    assert tiers(client) == ["standard", "standard"]
    (shown,) = ec2.describe_snapshots(SnapshotIds=[first])["Snapshots"]
    assert "RestoreExpiryTime" not in shown


def test_only_the_tier_status_shows_an_archival_in_progress(client: Any, clock: Clock) -> None:
    """A snapshot can be used meanwhile (EBS User Guide, Archive an Amazon EBS snapshot)."""
    built = build(settings={"archival_seconds": 3600}, images={"golden": {"state": "disabled"}})
    first, _second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    ec2.modify_snapshot_tier(SnapshotId=first)
    assert tiers(client) == ["standard", "standard"]
    assert error_code(ec2.restore_snapshot_tier, SnapshotId=first) == "IncorrectState"
    for status, tier in (("archival-in-progress", "standard"), ("archival-completed", "archive")):
        asked = [{"Name": "last-tiering-operation", "Values": [status]}]
        (found,) = ec2.describe_snapshot_tier_status(Filters=asked)["SnapshotTierStatuses"]
        assert (found["SnapshotId"], found["StorageTier"]) == (first, tier)
        clock.forward(hours=2)
    assert tiers(client) == ["archive", "standard"]
    assert len(ec2.describe_snapshot_tier_status()["SnapshotTierStatuses"]) == 2


def test_the_tier_status_shows_when_the_last_archival_or_restore_started(client: Any, clock: Clock) -> None:
    """(botocore shape SnapshotTierStatus, LastTieringStartTime.)"""
    build(images={"golden": {"state": "disabled"}})
    ec2 = client()
    first, second = (one["SnapshotId"] for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"])
    ec2.modify_snapshot_tier(SnapshotId=first)
    clock.forward(days=1)
    for restore in ({"TemporaryRestoreDays": 2}, {"PermanentRestore": True}):
        ec2.restore_snapshot_tier(SnapshotId=first, **restore)
        started = clock.moment
        clock.forward(days=1)
        (shown,) = ec2.describe_snapshot_tier_status(Filters=[{"Name": "snapshot-id", "Values": [first]}])[
            "SnapshotTierStatuses"
        ]
        assert abs(shown["LastTieringStartTime"] - started) < timedelta(seconds=1)
    assert shown["LastTieringOperationStatus"] == "permanent-restore-completed"
    ec2.modify_snapshot_tier(SnapshotId=first)
    archived, never = ec2.describe_snapshot_tier_status()["SnapshotTierStatuses"]
    assert abs(archived["LastTieringStartTime"] - clock.moment) < timedelta(seconds=1)
    assert (never["SnapshotId"], "LastTieringStartTime" in never) == (second, False)
