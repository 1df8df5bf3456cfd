# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions for block public access of AMIs and of snapshots, per account and Region."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller
from ..errors import invalid_value
from .registry import action


@action("GetImageBlockPublicAccessState")
def get_image_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return whether new public sharing of AMIs is blocked."""
    block = state.account_region(*caller).image_block_public_access
    return {"ImageBlockPublicAccessState": block, "ManagedBy": "account"}


@action("EnableImageBlockPublicAccess")
def enable_image_block(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Block new public sharing; public AMIs stay public (botocore operation EnableImageBlockPublicAccess)."""
    wanted = params["ImageBlockPublicAccessState"]
    if wanted != "block-new-sharing":
        raise invalid_value("imageBlockPublicAccessState", wanted, "Expected block-new-sharing.")
    state.account_region(*caller).image_block_public_access = wanted
    return {"ImageBlockPublicAccessState": wanted}


@action("DisableImageBlockPublicAccess")
def disable_image_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Allow public sharing of AMIs."""
    state.account_region(*caller).image_block_public_access = "unblocked"
    return {"ImageBlockPublicAccessState": "unblocked"}


@action("GetSnapshotBlockPublicAccessState")
def get_snapshot_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return whether public sharing of snapshots is blocked, and how."""
    return {"State": state.account_region(*caller).snapshot_block_public_access, "ManagedBy": "account"}


@action("EnableSnapshotBlockPublicAccess")
def enable_snapshot_block(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Block new public sharing, or all public sharing."""
    wanted = params["State"]
    if wanted not in ("block-all-sharing", "block-new-sharing"):
        raise invalid_value("state", wanted, "Expected block-all-sharing or block-new-sharing.")
    state.account_region(*caller).snapshot_block_public_access = wanted
    return {"State": wanted}


@action("DisableSnapshotBlockPublicAccess")
def disable_snapshot_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Allow public sharing; snapshots that were public before are public again."""
    state.account_region(*caller).snapshot_block_public_access = "unblocked"
    return {"State": "unblocked"}
