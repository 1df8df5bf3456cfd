# SPDX-License-Identifier: GPL-3.0-or-later
"""LockSnapshot, UnlockSnapshot and DescribeLockedSnapshots (EBS User Guide, Amazon EBS snapshot lock)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from .. import state
from ..access import Caller, own_snapshot
from ..errors import Ec2Error, invalid_value
from ..filters import Values, compile_filters
from ..pagination import page
from ..state import Lock, Snapshot
from .registry import action

MODES = ("compliance", "governance")
LONGEST_COOL_OFF = 72
"""Hours (botocore shape LockSnapshotRequest, CoolOffPeriod)."""
LONGEST_DURATION = 36_500
"""Days (botocore shape LockSnapshotRequest, LockDuration)."""


@action("LockSnapshot")
def lock_snapshot(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Lock a snapshot of the caller, or change its lock if that is allowed."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    now = state.now()
    lock = _wanted(params, now)
    former = snapshot.lock
    if former and former.state(now) == "compliance" and not _extends(former, lock):
        message = f"The lock of {snapshot.id} is in compliance mode: its duration can only be increased"
        raise Ec2Error("OperationNotPermitted", message)
    snapshot.lock = lock
    return {name: value for name, value in _view(snapshot, now).items() if name != "OwnerId"}


@action("UnlockSnapshot")
def unlock_snapshot(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Unlock a snapshot of the caller; rejected in compliance mode after the cooling-off period."""
    snapshot = own_snapshot(caller, params["SnapshotId"])
    now = state.now()
    if snapshot.lock is None or snapshot.lock.state(now) == "expired":
        raise Ec2Error("SnapshotLock.InvalidState", f"The snapshot {snapshot.id} is not locked")
    if snapshot.lock.state(now) == "compliance":
        message = f"The snapshot {snapshot.id} is locked in compliance mode"
        raise Ec2Error("OperationNotPermitted", message)
    snapshot.lock = None
    return {"SnapshotId": snapshot.id}


@action("DescribeLockedSnapshots")
def describe_locked_snapshots(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the caller's snapshots that have a lock, including expired locks."""
    now = state.now()
    for snapshot_id in params.get("SnapshotIds", []):
        own_snapshot(caller, snapshot_id)
    filters: dict[str, Values[Snapshot]] = {
        "lock-state": lambda snapshot: (snapshot.lock.state(now),) if snapshot.lock else ()
    }
    fits = compile_filters(params.get("Filters", []), filters, lambda snapshot: snapshot.tags)
    wanted = params.get("SnapshotIds", [])
    locked = (
        one
        for one in state.region(caller.region).snapshots.values()
        if one.lock and one.owner_id == caller.account_id and (not wanted or one.id in wanted) and fits(one)
    )
    snapshots, next_token = page(locked, params, "SnapshotIds")
    return {"NextToken": next_token, "Snapshots": [_view(one, now) for one in snapshots]}


def require_unlocked(snapshot: Snapshot) -> None:
    """Reject the deletion of a locked snapshot (botocore operation LockSnapshot); the code is a guess."""
    if snapshot.lock and snapshot.lock.state(state.now()) != "expired":
        raise Ec2Error("OperationNotPermitted", f"The snapshot {snapshot.id} is locked")


def _wanted(params: dict[str, Any], now: datetime) -> Lock:
    mode = params["LockMode"]
    if mode not in MODES:
        raise invalid_value("lockMode", mode, f"Expected {' or '.join(MODES)}.")
    days, expires = params.get("LockDuration"), params.get("ExpirationDate")
    if (days is None) == (expires is None):
        message = "Specify either LockDuration or ExpirationDate, but not both"
        raise Ec2Error("InvalidParameterCombination", message)
    if days is not None and not 1 <= days <= LONGEST_DURATION:
        raise invalid_value("lockDuration", days, f"Expecting a value from 1 to {LONGEST_DURATION}.")
    if expires is not None and expires <= now:
        raise invalid_value("expirationDate", expires.isoformat(), "It must be in the future.")
    hours = params.get("CoolOffPeriod", 0)
    if hours and mode != "compliance":
        raise Ec2Error("InvalidParameterCombination", "CoolOffPeriod is for compliance mode only")
    if not 0 <= hours <= LONGEST_COOL_OFF:
        raise invalid_value("coolOffPeriod", hours, f"Expecting a value from 1 to {LONGEST_COOL_OFF}.")
    expires = expires or now + timedelta(days=days or 0)
    return Lock(mode, now, expires, days or (expires - now).days, hours)


def _extends(former: Lock, lock: Lock) -> bool:
    return lock.mode == former.mode and lock.expires >= former.expires and not lock.cool_off_hours


def _view(snapshot: Snapshot, now: datetime) -> dict[str, Any]:
    lock = snapshot.lock
    assert lock is not None
    compliance = lock.mode == "compliance"
    return {
        "OwnerId": snapshot.owner_id,
        "SnapshotId": snapshot.id,
        "LockState": lock.state(now),
        "LockDuration": lock.days,
        "CoolOffPeriod": lock.cool_off_hours if compliance else None,
        "CoolOffPeriodExpiresOn": lock.cool_off_ends if compliance else None,
        "LockCreatedOn": lock.created,
        "LockDurationStartTime": lock.created,
        "LockExpiresOn": lock.expires,
    }
