# SPDX-License-Identifier: GPL-3.0-or-later
"""ModifySnapshotTier and RestoreSnapshotTier: archive snapshots and restore them.

(EBS User Guide, Archive an Amazon EBS snapshot.) Both take hours on AWS and no time here.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .. import state
from ..access import Caller, own_snapshot, using_images
from ..errors import Ec2Error, invalid_value
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
    snapshot.storage_tier, snapshot.restore_expires = "archive", None
    snapshot.permissions = {}
    return {"SnapshotId": snapshot.id, "TieringStartTime": state.now()}


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
    if snapshot.storage_tier != "archive":
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} is not archived")
    now = state.now()
    if permanent:
        snapshot.storage_tier, snapshot.restore_expires = "standard", None
        return {"SnapshotId": snapshot.id, "IsPermanentRestore": True, "RestoreStartTime": now}
    days = 1 if days is None else days
    if not 1 <= days <= MOST_RESTORE_DAYS:
        raise invalid_value("temporaryRestoreDays", str(days), f"Expected 1 to {MOST_RESTORE_DAYS}.")
    snapshot.restore_expires = now + timedelta(days=days)
    return {
        "SnapshotId": snapshot.id,
        "IsPermanentRestore": False,
        "RestoreDuration": days,
        "RestoreStartTime": now,
    }
