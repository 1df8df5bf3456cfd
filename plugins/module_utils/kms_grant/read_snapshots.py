# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the account's shared snapshots under a key that no image uses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..arns import account_of
from ..aws import errors, read
from ..aws.clients import Clients
from ..fanout import each
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyConsumers
from ..model import KeyRef, Sharing, Snapshot

_GONE = ("InvalidSnapshot.NotFound",)


def with_snapshots(
    clients: Clients,
    owner: str,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with the snapshots that no image uses, for the accounts that would lose access.

    Snapshots stay shared when their image is deregistered. One call for each region lists those that are
    shared with these accounts. What cannot be read is in the result, so that no access is revoked.
    """
    accounts: dict[str, set[str]] = {}
    for ref, one in shared.items():
        leaving = (losing[ref] - one.needed(losing[ref])).principals
        accounts.setdefault(ref.region, set()).update(
            found for name in leaving if (found := account_of(name)) and found != owner
        )
    regions = [region for region, found in accounts.items() if found]
    clients.open("ec2", regions)
    clients.paced(read.SNAPSHOT_PERMISSIONS).open("ec2", regions)
    listed, failed = each(regions, lambda region: _list(clients, region, accounts[region]))

    def with_alone(ref: KeyRef, one: SharedUnderKey) -> SharedUnderKey:
        if ref.region in failed:
            return replace(one, unread=(*one.unread, _text(failed[ref.region], "DescribeSnapshots")))
        return _with_permissions(clients, ref, one, listed.get(ref.region, ()))

    return {ref: with_alone(ref, one) for ref, one in shared.items()}


def _list(clients: Clients, region: str, accounts: set[str]) -> tuple[Snapshot, ...]:
    """The snapshots that are shared with one of the accounts, and that no image uses."""
    ec2 = clients.ec2(region)
    found = read.snapshots_restorable_by(ec2, accounts)
    if not found:
        return ()
    used = {one for image in read.images(ec2, [], ["self"]) for one in image.snapshot_ids}
    return tuple(one for one in found if one.snapshot_id not in used)


def _with_permissions(
    clients: Clients, ref: KeyRef, one: SharedUnderKey, listed: tuple[Snapshot, ...]
) -> SharedUnderKey:
    under = [
        snapshot.snapshot_id
        for snapshot in listed
        if not snapshot.kms_key_id or ref.key_arn in snapshot.key_arns
    ]
    operation = read.SNAPSHOT_PERMISSIONS

    def permissions(snapshot_id: str) -> Sharing:
        return read.permissions(clients.paced(operation).ec2(ref.region), operation, snapshot_id, _GONE)

    done, failed = each(under, permissions)
    unread = (_text(exception, operation) for exception in failed.values())
    return replace(one, snapshots=done, unread=tuple(dict.fromkeys((*one.unread, *unread))))


def _text(exception: Exception, operation: str) -> str:
    problem = errors.failure(exception, None, operation)
    return f"{problem.action}: {problem.text()}"
