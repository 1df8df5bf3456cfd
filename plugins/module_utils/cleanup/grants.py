# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of this collection's grants are no longer needed once images are deregistered.

A key is inspected if snapshots under it are deleted. Its grants are revoked before those snapshots are
deleted: if the run ends in between, the next run finds the snapshots, and through them the key.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..model import Grant, ImageRef, Key, KeyRef, Sharing, SnapshotRef
from .state import CleanupSeen, KeyUsage, OwnImage, RegionState

_NOT_READ = KeyUsage(unread=("It was not read.",))


@dataclass(frozen=True)
class Revocations:
    """What happens to the grants on a key: those to revoke, and why others stay that might be revoked."""

    grants: tuple[Grant, ...] = ()
    warnings: tuple[str, ...] = ()


def keys_of(seen: CleanupSeen, snapshots: Iterable[SnapshotRef]) -> tuple[KeyRef, ...]:
    """The account's own keys of the snapshots. Grants on other accounts' keys cannot be listed."""
    found = []
    for ref in snapshots:
        snapshot = seen.regions[ref.region].snapshots.get(ref.snapshot_id)
        if snapshot and snapshot.kms_key_id and Key(snapshot.kms_key_id).account_id == seen.account_id:
            found.append(KeyRef(ref.region, snapshot.kms_key_id))
    return tuple(dict.fromkeys(found))


def images_under(state: RegionState, key_arn: str) -> tuple[OwnImage, ...]:
    """The images with a snapshot that the key encrypts, or that it is associated with."""
    return tuple(own for own in state.images if key_arn in _keys_of(own, state))


def revocations(seen: CleanupSeen, ref: KeyRef, deregistering: Collection[ImageRef]) -> Revocations:
    """What happens to the grants on a key once the images ``deregistering`` are deregistered.

    A grant stays if an image that stays under the key is shared with its account, or may be.
    """
    usage = seen.key_usage.get(ref, _NOT_READ)
    if usage.unread:
        return _keep_all(ref, usage.unread[0])
    state = seen.regions[ref.region]
    staying = [own for own in state.images if ImageRef(ref.region, own.image.image_id) not in deregistering]
    under = [own for own in staying if ref.key_arn in _keys_of(own, state)]
    shared = Sharing()
    for own in under:
        shared |= usage.sharing.get(own.image.image_id, Sharing(public=True))
    revocable = [
        grant for grant in usage.grants if _account(grant) not in (*shared.account_ids, seen.account_id)
    ]
    if not revocable:
        return Revocations()
    unknown = [own.image.image_id for own in staying if _may_be_under_any(own, state)]
    if unknown:
        return _keep_all(ref, f"The keys of {unknown[0]} are not known.")
    if shared.org_arns or shared.org_unit_arns or shared.public:
        return _keep_all(ref, "An image under the key is public, or shared with an organization or unit.")
    of_unknown_account = [grant for grant in revocable if not _account(grant)]
    warnings = tuple(
        f"The grant {one.grant_id} on {ref.key_arn} is kept: the account of {one.grantee} is not known."
        for one in of_unknown_account
    )
    return Revocations(tuple(grant for grant in revocable if grant not in of_unknown_account), warnings)


def _keep_all(ref: KeyRef, why: str) -> Revocations:
    return Revocations(warnings=(f"All grants on {ref.key_arn} are kept: {why}",))


def _keys_of(own: OwnImage, state: RegionState) -> set[str | None]:
    snapshots = [state.snapshots[one] for one in own.image.snapshot_ids if one in state.snapshots]
    return {arn for one in snapshots for arn in (one.kms_key_id, *one.associated_key_arns)}


def _may_be_under_any(own: OwnImage, state: RegionState) -> bool:
    """Whether a key of the image is not known. A pending image does not list its snapshots yet."""
    return own.image.state == "pending" or any(
        device.encrypted and device.snapshot_id not in state.snapshots for device in own.image.devices
    )


def _account(grant: Grant) -> str:
    """The account of a grantee; empty for a deleted role or user, of which KMS returns a unique id only."""
    parts = grant.grantee.split(":")
    if len(parts) > 1:
        return parts[4]
    return grant.grantee if grant.grantee.isdigit() else ""
