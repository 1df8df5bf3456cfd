# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of this collection's grants nobody needs any more once images are deregistered.

A key is looked at when snapshots under it go. Its grants are revoked before those snapshots are deleted, so
that a run which ends between finds the snapshots, and by them the key, again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from ..model import Grant, ImageRef, Key, KeyRef, Sharing, SnapshotRef
from .decisions import CleanupSeen
from .state import KeyLook, OwnImage, RegionFacts

_NEVER_LOOKED_AT = KeyLook(unread=("It was not looked at.",))


@dataclass(frozen=True)
class Revocations:
    """What becomes of a key's grants: those that go, and why others stay that might have gone."""

    grants: tuple[Grant, ...] = ()
    warnings: tuple[str, ...] = ()


def keys_at_stake(seen: CleanupSeen, going: Iterable[SnapshotRef]) -> tuple[KeyRef, ...]:
    """The account's own keys that snapshots which go are under; of others' keys it sees no grants."""
    found = []
    for ref in going:
        snapshot = seen.regions[ref.region].snapshots.get(ref.snapshot_id)
        if snapshot and snapshot.kms_key_id and Key(snapshot.kms_key_id).account_id == seen.account_id:
            found.append(KeyRef(ref.region, snapshot.kms_key_id))
    return tuple(dict.fromkeys(found))


def images_under(facts: RegionFacts, key_arn: str) -> tuple[OwnImage, ...]:
    """The images with a snapshot under the key."""
    return tuple(own for own in facts.images if key_arn in _keys_of(own, facts))


def revocations(seen: CleanupSeen, ref: KeyRef, going: Collection[ImageRef]) -> Revocations:
    """What becomes of the grants on a key once the images that are ``going`` are gone.

    A grant stays if an image that remains under the key is shared with its account, or may be.
    """
    look = seen.keys.get(ref, _NEVER_LOOKED_AT)
    if look.unread:
        return _none(ref, look.unread[0])
    facts = seen.regions[ref.region]
    staying = [own for own in facts.images if ImageRef(ref.region, own.image.image_id) not in going]
    under = [own for own in staying if ref.key_arn in _keys_of(own, facts)]
    shared = Sharing()
    for own in under:
        shared |= look.sharing.get(own.image.image_id, Sharing(public=True))
    free = [grant for grant in look.grants if _account(grant) not in (*shared.account_ids, seen.account_id)]
    if not free:
        return Revocations()
    unknown = [own.image.image_id for own in staying if _may_be_under_any(own, facts)]
    if unknown:
        return _none(ref, f"Which keys {unknown[0]} is encrypted under is not known.")
    if shared.org_arns or shared.org_unit_arns or shared.public:
        return _none(ref, "An image under it is shared with an organization, a unit or everybody.")
    nameless = [grant for grant in free if not _account(grant)]
    warnings = tuple(
        f"The grant {one.grant_id} on {ref.key_arn} stays: of which account {one.grantee} is is not known."
        for one in nameless
    )
    return Revocations(tuple(grant for grant in free if grant not in nameless), warnings)


def _none(ref: KeyRef, why: str) -> Revocations:
    return Revocations(warnings=(f"All grants on {ref.key_arn} stay: {why}",))


def _keys_of(own: OwnImage, facts: RegionFacts) -> set[str | None]:
    return {facts.snapshots[one].kms_key_id for one in own.image.snapshot_ids if one in facts.snapshots}


def _may_be_under_any(own: OwnImage, facts: RegionFacts) -> bool:
    """Whether not all keys of the image are known: one that is being made names its snapshots late."""
    return own.image.state == "pending" or any(
        device.encrypted and device.snapshot_id not in facts.snapshots for device in own.image.devices
    )


def _account(grant: Grant) -> str:
    """The account of a grantee; empty for a role or user that was deleted, of which KMS shows an id alone."""
    parts = grant.grantee.split(":")
    if len(parts) > 1:
        return parts[4]
    return grant.grantee if grant.grantee.isdigit() else ""
