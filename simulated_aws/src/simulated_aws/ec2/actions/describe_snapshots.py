# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeSnapshots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from .. import state
from ..access import Caller, is_public, may_use_snapshot, visible_tags
from ..errors import Ec2Error, snapshot_not_found
from ..filters import Values, compile_filters
from ..ids import ACCOUNT_ID, require_snapshot_id
from ..pagination import page
from ..serialization import timestamp
from ..state import Grantee, Snapshot
from ..tags import tag_set
from .describe_images import boolean
from .registry import action

Test = Callable[[Snapshot], bool]


@action("DescribeSnapshots")
def describe_snapshots(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the snapshots that the caller can use and that match the request.

    By the documentation, an inaccessible ID is omitted and an invalid ID is an error; in fact AWS returns
    InvalidSnapshot.NotFound.
    """
    tests = [
        *_owner_tests(caller, params),
        *_restorable_tests(caller, params),
        compile_filters(params.get("Filters", []), FILTERS, lambda one: visible_tags(one, caller.account_id)),
    ]
    fitting = (one for one in _usable(caller, params) if all(test(one) for test in tests))
    snapshots, next_token = page(fitting, params, "SnapshotIds")
    return {"NextToken": next_token, "Snapshots": [view(one, caller.account_id) for one in snapshots]}


def view(snapshot: Snapshot, account_id: str) -> dict[str, Any]:
    """A snapshot as this account sees it (botocore shape Snapshot)."""
    tags = visible_tags(snapshot, account_id)
    return {
        "SnapshotId": snapshot.id,
        "OwnerId": snapshot.owner_id,
        "VolumeId": snapshot.volume_id,
        "VolumeSize": snapshot.volume_size,
        "Description": snapshot.description,
        "StartTime": snapshot.start_time,
        "CompletionTime": completion_time(snapshot),
        "State": snapshot.state,
        "StateMessage": snapshot.state_message,
        "Progress": progress(snapshot),
        "Encrypted": snapshot.encrypted,
        "KmsKeyId": snapshot.kms_key_id,
        "AssociatedKmsKeys": [{"KmsKeyId": arn} for arn in snapshot.associated_keys] or None,
        "StorageTier": snapshot.current_tier(state.now()),
        "RestoreExpiryTime": restore_expiry(snapshot),
        "TransferType": transfer_type(snapshot),
        "CompletionDurationMinutes": snapshot.completion_minutes,
        "Tags": tag_set(tags) if tags else None,
    }


def progress(snapshot: Snapshot) -> str:
    """Progress, for example `37%`."""
    if snapshot.work:
        return f"{snapshot.work.percent(state.now())}%"
    return "100%" if snapshot.state == "completed" else "0%"


def completion_time(snapshot: Snapshot) -> datetime | None:
    """CompletionTime: when it was completed (botocore shape Snapshot); None for one that is not."""
    if snapshot.state != "completed":
        return None
    return snapshot.completed or snapshot.start_time


def restore_expiry(snapshot: Snapshot) -> datetime | None:
    """RestoreExpiryTime of a temporarily restored snapshot; None for others (botocore shape Snapshot)."""
    restored = snapshot.storage_tier == "archive" and snapshot.current_tier(state.now()) == "standard"
    return snapshot.restore_expires if restored else None


def transfer_type(snapshot: Snapshot) -> str | None:
    """TransferType of a copy; None for a snapshot that is not a copy."""
    if snapshot.completion_minutes:
        return "time-based"
    return "standard" if snapshot.volume_id == state.VOLUME_OF_COPIES else None


def _usable(caller: Caller, params: dict[str, Any]) -> Iterator[Snapshot]:
    ids = params.get("SnapshotIds", [])
    for snapshot_id in ids:
        require_snapshot_id(snapshot_id)
    known = state.region(caller.region).snapshots
    now = state.now()
    chosen = (known[one] for one in dict.fromkeys(ids) if one in known) if ids else known.values()
    usable = [one for one in chosen if may_use_snapshot(one, caller.account_id)]
    missing = set(ids).difference(one.id for one in usable)
    if missing:
        raise snapshot_not_found(next(one for one in ids if one in missing))
    for one in usable:
        if one.work:
            one.settle(now)
    return iter(usable)


def _owner_tests(caller: Caller, params: dict[str, Any]) -> Iterator[Test]:
    owners = params.get("OwnerIds")
    if owners:
        ids = {_account_id(caller, owner) for owner in owners if owner != "amazon"}
        yield lambda snapshot: snapshot.owner_id in ids


def _restorable_tests(caller: Caller, params: dict[str, Any]) -> Iterator[Test]:
    users = params.get("RestorableByUserIds")
    if not users:
        return
    ids = {_account_id(caller, user) for user in users if user != "all"}
    entries = {Grantee("UserId", account_id) for account_id in ids}
    own_entry = entries & {Grantee("UserId", caller.account_id)}

    def restorable(snapshot: Snapshot) -> bool:
        # Permissions of other accounts match the caller's snapshots only (shape DescribeSnapshotsRequest).
        own = snapshot.owner_id == caller.account_id
        return (
            ("all" in users and is_public(snapshot))
            or (own and caller.account_id in ids)
            or not (entries if own else own_entry).isdisjoint(snapshot.permissions)
        )

    yield restorable


def _account_id(caller: Caller, name: str) -> str:
    if name == "self":
        return caller.account_id
    if not ACCOUNT_ID.fullmatch(name):
        raise Ec2Error("InvalidUserID.Malformed", f'Invalid user id: "{name}"')
    return name


# botocore shape DescribeSnapshotsRequest, Filters.
FILTERS: dict[str, Values[Snapshot]] = {
    "description": lambda snapshot: (snapshot.description,),
    "encrypted": lambda snapshot: (boolean(snapshot.encrypted),),
    "owner-alias": lambda _: (),
    "owner-id": lambda snapshot: (snapshot.owner_id,),
    "progress": lambda snapshot: (progress(snapshot),),
    "snapshot-id": lambda snapshot: (snapshot.id,),
    "start-time": lambda snapshot: (timestamp(snapshot.start_time),),
    "status": lambda snapshot: (snapshot.state,),
    "storage-tier": lambda snapshot: (snapshot.current_tier(state.now()),),
    "transfer-type": lambda snapshot: (transfer_type(snapshot) or "",),
    "volume-id": lambda snapshot: (snapshot.volume_id,),
    "volume-size": lambda snapshot: (str(snapshot.volume_size),),
}
