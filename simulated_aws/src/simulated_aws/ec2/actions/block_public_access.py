# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions for block public access of AMIs and of snapshots, per account and Region."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller
from ..errors import Ec2Error, invalid_value
from .registry import action


@action("GetImageBlockPublicAccessState")
def get_image_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return whether new public sharing of AMIs is blocked."""
    chosen = state.account_region(*caller)
    block, manager = chosen.image_block_public_access, chosen.public_access_managed_by
    return {"ImageBlockPublicAccessState": block, "ManagedBy": manager}


@action("EnableImageBlockPublicAccess")
def enable_image_block(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Block new public sharing; public AMIs stay public (botocore operation EnableImageBlockPublicAccess)."""
    wanted = params["ImageBlockPublicAccessState"]
    if wanted != "block-new-sharing":
        raise invalid_value("imageBlockPublicAccessState", wanted, "Expected block-new-sharing.")
    _own_settings(caller).image_block_public_access = wanted
    return {"ImageBlockPublicAccessState": wanted}


@action("DisableImageBlockPublicAccess")
def disable_image_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Allow public sharing of AMIs."""
    _own_settings(caller).image_block_public_access = "unblocked"
    return {"ImageBlockPublicAccessState": "unblocked"}


@action("GetSnapshotBlockPublicAccessState")
def get_snapshot_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Return whether public sharing of snapshots is blocked, and how."""
    chosen = state.account_region(*caller)
    return {"State": chosen.snapshot_block_public_access, "ManagedBy": chosen.public_access_managed_by}


@action("EnableSnapshotBlockPublicAccess")
def enable_snapshot_block(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Block new public sharing, or all public sharing."""
    wanted = params["State"]
    if wanted not in ("block-all-sharing", "block-new-sharing"):
        raise invalid_value("state", wanted, "Expected block-all-sharing or block-new-sharing.")
    _own_settings(caller).snapshot_block_public_access = wanted
    return {"State": wanted}


@action("DisableSnapshotBlockPublicAccess")
def disable_snapshot_block(caller: Caller, _: dict[str, Any]) -> dict[str, Any]:
    """Allow public sharing; snapshots that were public before are public again."""
    _own_settings(caller).snapshot_block_public_access = "unblocked"
    return {"State": "unblocked"}


def _own_settings(caller: Caller) -> state.AccountRegion:
    """The settings, unless a declarative policy manages them; the error's code is a guess.

    (botocore shape GetImageBlockPublicAccessStateResult, ManagedBy: the account can't modify them.)
    """
    settings = state.account_region(*caller)
    if settings.public_access_managed_by != "account":
        message = "The setting is managed by a declarative policy and can't be modified by the account."
        raise Ec2Error("OperationNotPermitted", message)
    return settings
