# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeSnapshotAttribute, ModifySnapshotAttribute, ResetSnapshotAttribute."""

from __future__ import annotations

from typing import Any

from ...settings import SETTINGS
from .. import state
from ..access import Caller, own_snapshot
from ..encryption_keys import is_aws_managed
from ..errors import Ec2Error, invalid_value
from ..key_permissions import require_key_access
from ..permissions import SNAPSHOT_LISTS, permissions_to_read, read_change, replace_permissions, require_valid
from ..state import PUBLIC, Snapshot
from .registry import action

MOST_CHANGES = 500
"""Maximum of changes per request (botocore operation ModifySnapshotAttribute)."""

PERMISSION = "createVolumePermission"


@action("DescribeSnapshotAttribute")
def describe_snapshot_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Describe an attribute of a snapshot of the caller; product codes are always empty."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    if params["Attribute"] == "productCodes":
        return {"SnapshotId": snapshot.id, "ProductCodes": []}
    _require_permission_attribute(params["Attribute"])
    permissions = [{kind: value} for kind, value in permissions_to_read(snapshot, _delay())]
    return {"SnapshotId": snapshot.id, "CreateVolumePermissions": permissions}


@action("ModifySnapshotAttribute")
def modify_snapshot_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Add or remove createVolumePermission entries: accounts and the group `all`, not organizations."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    _require_permission_attribute(params.get("Attribute", PERMISSION))
    change = read_change(params, "CreateVolumePermission", SNAPSHOT_LISTS)
    if len(change.entries) > MOST_CHANGES:
        why = f"At most {MOST_CHANGES} modifications per request."
        raise invalid_value("UserId", f"{len(change.entries)} entries", why)
    require_valid(change.entries)
    if change.adds:
        _require_shareable(snapshot)
        require_key_access(snapshot)
        if PUBLIC in change.entries:
            _require_publishable(snapshot)
    replace_permissions(snapshot, change.apply(snapshot.permissions), _delay())
    return {}


@action("ResetSnapshotAttribute")
def reset_snapshot_attribute(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Remove all createVolumePermission entries."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    _require_permission_attribute(params["Attribute"])
    replace_permissions(snapshot, {}, _delay())
    return {}


def _require_permission_attribute(attribute: str) -> None:
    if attribute != PERMISSION:
        raise invalid_value("attribute", attribute, f"Expected {PERMISSION}.")


def _require_shareable(snapshot: Snapshot) -> None:
    """Snapshots with the default key can't be shared (botocore operation ModifySnapshotAttribute)."""
    if snapshot.kms_key_id and is_aws_managed(snapshot.kms_key_id):
        message = "Encrypted snapshots with EBS default key cannot be shared"
        raise Ec2Error("OperationNotPermitted", message)


def _require_publishable(snapshot: Snapshot) -> None:
    if snapshot.encrypted:
        raise Ec2Error("OperationNotPermitted", "Encrypted snapshots cannot be made public")
    block = state.account_region(snapshot.owner_id, snapshot.region).snapshot_block_public_access
    if block != "unblocked" and PUBLIC not in snapshot.permissions:
        message = (
            "You can't publicly share this snapshot because block public access for snapshots is enabled "
            "for this account in this Region."
        )
        raise Ec2Error("OperationNotPermitted", message)


def _delay() -> float:
    return SETTINGS.volume_permissions_visible_after_seconds
