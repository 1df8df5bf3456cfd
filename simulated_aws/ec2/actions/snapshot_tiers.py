# SPDX-License-Identifier: GPL-3.0-or-later
"""ModifySnapshotTier and RestoreSnapshotTier: archive snapshots and restore them.

(EBS User Guide, Archive an Amazon EBS snapshot.) Both take hours on AWS and no time here; a temporary restore
is not simulated.
"""

from __future__ import annotations

from typing import Any

from ...exceptions import NotSimulated
from .. import state
from ..access import Caller, own_snapshot, using_images
from ..errors import Ec2Error, invalid_value
from .registry import action


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
    snapshot.storage_tier = "archive"
    snapshot.permissions = {}
    return {"SnapshotId": snapshot.id, "TieringStartTime": state.now()}


@action("RestoreSnapshotTier")
def restore_snapshot_tier(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Restore an archived snapshot of the caller permanently."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    if not params.get("PermanentRestore"):
        raise NotSimulated("RestoreSnapshotTier for a number of days")
    if snapshot.storage_tier != "archive":
        raise Ec2Error("IncorrectState", f"The snapshot {snapshot.id} is not archived")
    snapshot.storage_tier = "standard"
    return {"SnapshotId": snapshot.id, "IsPermanentRestore": True, "RestoreStartTime": state.now()}
