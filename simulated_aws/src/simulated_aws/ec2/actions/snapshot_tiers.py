# SPDX-License-Identifier: GPL-3.0-or-later
"""ModifySnapshotTier, DescribeSnapshotTierStatus and RestoreSnapshotTier: archive and restore snapshots.

(EBS User Guide, Archive an Amazon EBS snapshot.) An archival takes hours on AWS, and
`settings.archival_seconds` here. A restore takes hours on AWS and no time here.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ...settings import SETTINGS
from .. import state
from ..access import Caller, own_snapshot, using_images
from ..errors import Ec2Error, invalid_value
from ..filters import Values, compile_filters
from ..pagination import page
from ..state import Snapshot
from .registry import action

MOST_RESTORE_DAYS = 180
"""Days of a temporary restore, 1 to this (EBS User Guide, Restore an archived Amazon EBS snapshot)."""


@action("ModifySnapshotTier")
def modify_snapshot_tier(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Archive a completed snapshot of the caller and remove its permissions; its images must be disabled."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    tier = params.get("StorageTier", "archive")
    if tier != "archive":
        raise invalid_value("storageTier", tier, "Expected archive.")
    if snapshot.state != "completed" or snapshot.storage_tier == "archive":
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} can't be archived in its state")
    in_use = [image.id for image in using_images(snapshot) if image.state != "disabled"]
    if in_use:
        message = f"The snapshot {snapshot.id} is currently in use by {in_use[0]}"
        raise Ec2Error("InvalidSnapshot.InUse", message)
    snapshot.storage_tier, snapshot.restore_started, snapshot.restore_expires = "archive", None, None
    snapshot.archival = state.Work(state.now(), SETTINGS.archival_seconds)
    snapshot.permissions = {}
    return {"SnapshotId": snapshot.id, "TieringStartTime": state.now()}


@action("DescribeSnapshotTierStatus")
def describe_snapshot_tier_status(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the tiers of the caller's snapshots. Only it shows that an archival is in progress."""
    now = state.now()
    filters: dict[str, Values[Snapshot]] = {
        "snapshot-id": lambda one: (one.id,),
        "volume-id": lambda one: (one.volume_id,),
        "last-tiering-operation": lambda one: (_status(one, now),) if one.archival else (),
    }
    fits = compile_filters(params.get("Filters", []), filters, lambda one: one.tags)
    own = (
        one
        for one in state.region(caller.region).snapshots.values()
        if one.owner_id == caller.account_id and fits(one)
    )
    snapshots, next_token = page(own, params, "SnapshotIds")
    return {"NextToken": next_token, "SnapshotTierStatuses": [_view(one, now) for one in snapshots]}


@action("RestoreSnapshotTier")
def restore_snapshot_tier(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Restore an archived snapshot of the caller, permanently or for days, by default one.

    A temporary restore can be prolonged, shortened or made permanent (EBS User Guide, Modify the restore
    period or restore type for a temporarily restored snapshot); the copy in the archive stays until then.
    """
    snapshot = own_snapshot(caller, params["SnapshotId"])
    days = params.get("TemporaryRestoreDays")
    permanent = bool(params.get("PermanentRestore"))
    if permanent and days is not None:
        message = "The parameter TemporaryRestoreDays cannot be used with the parameter PermanentRestore"
        raise Ec2Error("InvalidParameterCombination", message)
    now = state.now()
    if snapshot.storage_tier != "archive" or snapshot.is_archiving(now):
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} is not archived")
    if permanent:
        snapshot.storage_tier, snapshot.restore_started, snapshot.restore_expires = "standard", now, None
        return {"SnapshotId": snapshot.id, "IsPermanentRestore": True, "RestoreStartTime": now}
    days = 1 if days is None else days
    if not 1 <= days <= MOST_RESTORE_DAYS:
        raise invalid_value("temporaryRestoreDays", str(days), f"Expected 1 to {MOST_RESTORE_DAYS}.")
    snapshot.restore_started, snapshot.restore_expires = now, now + timedelta(days=days)
    return {
        "SnapshotId": snapshot.id,
        "IsPermanentRestore": False,
        "RestoreDuration": days,
        "RestoreStartTime": now,
    }


def _status(snapshot: Snapshot, now: datetime) -> str:
    if snapshot.is_archiving(now):
        return "archival-in-progress"
    if snapshot.storage_tier == "standard":
        return "permanent-restore-completed"
    return "temporary-restore-completed" if snapshot.restore_expires else "archival-completed"


def _view(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    """A snapshot's tier (botocore shape SnapshotTierStatus)."""
    return {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "VolumeId": snapshot.volume_id,
        "Status": snapshot.state,
        "StorageTier": snapshot.current_tier(now),
        "LastTieringOperationStatus": _status(snapshot, now) if snapshot.archival else None,
        "LastTieringStartTime": snapshot.restore_started or (snapshot.archival and snapshot.archival.started),
    }
