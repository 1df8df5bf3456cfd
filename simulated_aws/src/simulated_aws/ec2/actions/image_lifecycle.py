# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions that disable, deprecate, protect and deregister images."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .. import recycle_bin, state
from ..access import Caller, own_image, using_images
from ..authorization import may_delete_snapshot
from ..aws_backup import require_not_managed_by_backup
from ..errors import Ec2Error, image_unavailable, invalid_value
from ..state import Image, Snapshot
from .registry import action
from .snapshot_locks import require_unlocked

LONGEST_DEPRECATION = timedelta(days=3652)
"""Ten years from now, leap days included (botocore shape EnableImageDeprecationRequest, DeprecateAt)."""
COOLDOWN = timedelta(hours=24)
"""Cooldown of the protection (botocore shape EnableImageDeregistrationProtectionRequest)."""


@action("DeregisterImage")
def deregister_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Deregister an image of the caller; for a pending copy, cancel it and delete its snapshots."""
    image = own_image(caller, params["ImageId"])
    require_not_managed_by_backup(image)
    _require_unprotected(image)
    region = state.region(caller.region)
    if image.state == "pending":
        recycle_bin.drop_image(image)
        for snapshot_id in image.snapshot_ids:
            del region.snapshots[snapshot_id]
        return {"Return": True}
    recycle_bin.remove_image(image)
    if not params.get("DeleteAssociatedSnapshots"):
        return {"Return": True}
    results = []
    for snapshot_id in dict.fromkeys(image.snapshot_ids):
        code = _delete_with_image(caller, region.snapshots, snapshot_id)
        results.append({"SnapshotId": snapshot_id, "ReturnCode": code})
    return {"Return": True, "DeleteSnapshotResults": results}


def _delete_with_image(caller: Caller, snapshots: dict[str, Snapshot], snapshot_id: str) -> str:
    """Delete a snapshot unless other images use it; return the code (botocore operation DeregisterImage).

    The code for a locked snapshot is a guess (botocore shape SnapshotReturnCodes).
    """
    snapshot = snapshots[snapshot_id]
    if not may_delete_snapshot(caller, snapshot_id):
        return "missing-permissions"
    if using_images(snapshot):
        return "skipped"
    try:
        require_unlocked(snapshot)
    except Ec2Error:
        return "client-error"
    recycle_bin.remove_snapshot(snapshot)
    return "success"


@action("DisableImage")
def disable_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Disable an image of the caller and remove its launch permissions (botocore operation DisableImage)."""
    image = _own_image_in(caller, params, "available", "disabled")
    image.state = "disabled"
    image.permissions = {}
    return {"Return": True}


@action("EnableImage")
def enable_image(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Enable a disabled image; its launch permissions stay empty (botocore operation EnableImage).

    Rejected for an archived snapshot (EBS User Guide, Restore an archived Amazon EBS snapshot); the code is a
    guess.
    """
    image = _own_image_in(caller, params, "available", "disabled")
    snapshots = state.region(caller.region).snapshots
    now = state.now()
    archived = [one for one in image.snapshot_ids if snapshots[one].current_tier(now) == "archive"]
    if archived:
        raise Ec2Error("IncorrectState", f"The snapshot {archived[0]} of {image.id} is archived")
    image.state = "available"
    return {"Return": True}


@action("EnableImageDeprecation")
def enable_image_deprecation(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Set the deprecation time of an image of the caller, to the nearest minute."""
    image = own_image(caller, params["ImageId"])
    now = state.now()
    moment: datetime = params["DeprecateAt"]
    moment = (moment + timedelta(seconds=30)).replace(second=0, microsecond=0)
    last = (
        image.creation_date + state.LONGEST_PUBLIC_DEPRECATION if image.public else now + LONGEST_DEPRECATION
    )
    if moment < now - timedelta(minutes=1):
        raise invalid_value("deprecateAt", moment.isoformat(), "You can't specify a date in the past.")
    if image.public and image.deprecation_time and moment > image.deprecation_time:
        _require_private(image)
    if moment > last:
        raise invalid_value("deprecateAt", moment.isoformat(), f"The latest date is {last:%Y-%m-%d}.")
    image.deprecation_time = moment
    return {"Return": True}


@action("DisableImageDeprecation")
def disable_image_deprecation(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Cancel the deprecation of an image of the caller; rejected for a public one.

    (EC2 User Guide, Deprecate an Amazon EC2 AMI: to cancel the deprecation date, or to move it to a later
    date, make the AMI private.) The code is a guess.
    """
    image = own_image(caller, params["ImageId"])
    _require_private(image)
    image.deprecation_time = None
    return {"Return": True}


@action("EnableImageDeregistrationProtection")
def enable_image_deregistration_protection(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Protect an image of the caller, optionally with a cooldown of 24 hours."""
    image = own_image(caller, params["ImageId"])
    with_cooldown = params.get("WithCooldown")
    image.deregistration_protection = f"enabled-{'with' if with_cooldown else 'without'}-cooldown"
    image.protected_until = None
    return {"Return": "true"}


@action("DisableImageDeregistrationProtection")
def disable_image_deregistration_protection(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """End the protection of an image of the caller, or start its cooldown."""
    image = own_image(caller, params["ImageId"])
    if image.deregistration_protection == "enabled-with-cooldown":
        image.protected_until = state.now() + COOLDOWN
    image.deregistration_protection = "disabled"
    return {"Return": "true"}


def _own_image_in(caller: Caller, params: dict[str, Any], *states: str) -> Image:
    image = own_image(caller, params["ImageId"])
    if image.state not in states:
        raise image_unavailable(image.id, image.state)
    return image


def _require_private(image: Image) -> None:
    if image.public:
        message = f"The deprecation date of the public AMI {image.id} can't be canceled or postponed"
        raise Ec2Error("OperationNotPermitted", message)


def _require_unprotected(image: Image) -> None:
    """Reject a protected image. The code is a guess: AWS documents the error, but not its code."""
    cooling = image.protected_until is not None and image.protected_until > state.now()
    if cooling or image.deregistration_protection != "disabled":
        message = f"The AMI {image.id} is protected from deregistration"
        raise Ec2Error("OperationNotPermitted", message)
