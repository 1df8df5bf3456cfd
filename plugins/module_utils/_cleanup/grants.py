# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The grants of this collection that nothing needs any more once images are deregistered.

A key is inspected if snapshots under it are deleted. Its grants are revoked before those snapshots are
deleted: if the run ends in between, the next run finds the snapshots, and through them the key.

Accounts whose launches of a shared image named the owner's key have volumes under it, and snapshots of these,
which may outlive all images. They keep their grants, and so do accounts that could not be read: without a
consumer role, all. If the role cannot read an account, or the grants cannot be read, images and snapshots
under the key are kept, too: the next run finds the key through them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from .._arns import account_of
from .._keys.needed import HAS_RESOURCES, ConsumerResources, Kept, examples_of
from .._keys.policy_statements import short
from .._model import Grant, ImageRef, Key, KeyRef, Sharing, SnapshotRef
from .options import CleanupOptions
from .state import CleanupState, Evidence, KeyUsage, OwnImage, RegionState

# A distribution grants access to keys first, and shares images once they are ready in all of its regions. A
# younger image that is shared with no account yet may be part of a distribution. A younger grant may be for
# an image of any age, which may be about to be shared with further accounts.
_SHARED_WITHIN = timedelta(hours=24)
_HOURS = _SHARED_WITHIN // timedelta(hours=1)

_NOT_READ = KeyUsage(unread=(Evidence.unreadable("ListGrants", "It was not read."),))
_RESOURCES_UNREAD = "What it has under the key could not be read:"
_NEW_GRANT = (
    f"A grant of its account is not older than {_HOURS} hours, or has no date: an image may be about to be "
    "shared with it."
)
_REMEDY = "No later cleanup may find the key: revoke unneeded grants with ami_kms_grant, state: absent."
_ALLOW = "Allow this read, or revoke the account's grants with ami_kms_grant, state: absent."


@dataclass(frozen=True)
class Removals:
    """The images to deregister and the snapshots to delete."""

    images: Collection[ImageRef] = ()
    snapshots: Collection[SnapshotRef] = ()


@dataclass(frozen=True)
class Revocations:
    """The grants on a key to revoke, and why others are kept that might be revoked.

    ``kept`` are the grantees that keep grants: they may have something under the key, or an image may need
    the grants. ``unseen`` maps accounts that were not read completely to the reason.
    """

    grants: tuple[Grant, ...] = ()
    warnings: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self, ref: KeyRef) -> dict[str, Any]:
        """Return the key as the module returns it."""
        return {
            "kept_access": [grantee.to_dict() for grantee in self.kept],
            "kms_key_arn": ref.key_arn,
            "region": ref.region,
            "unseen_accounts": ConsumerResources(unseen=self.unseen).unseen_as_result(),
        }


def list_keys(state: CleanupState, snapshots: Iterable[SnapshotRef]) -> tuple[KeyRef, ...]:
    """Return the account's own keys of the snapshots; grants on other accounts' keys cannot be listed."""
    keys = []
    for ref in snapshots:
        snapshot = state.regions[ref.region].snapshots.get(ref.snapshot_id)
        if snapshot and snapshot.kms_key_id and Key(snapshot.kms_key_id).account_id == state.account_id:
            keys.append(KeyRef(ref.region, snapshot.kms_key_id))
    return tuple(dict.fromkeys(keys))


def list_unread_keys(
    options: CleanupOptions, state: CleanupState, snapshots: Iterable[SnapshotRef]
) -> Iterator[Evidence]:
    """Yield the failed reads of the snapshots' keys that may keep grants from being revoked."""
    if not options.revoke_grants:
        return
    for ref in list_keys(state, snapshots):
        yield from state.key_usage.get(ref, KeyUsage()).unread
        resources = state.consumer_resources.get(ref, ConsumerResources())
        for account_id, reason in resources.unseen.items() if options.consumer_role else ():
            # What is known to be under the key keeps the grants, whatever else there is.
            if not resources.of(account_id):
                problem = f"The grants of {account_id} on {ref.key_arn} may be needed: {reason}"
                yield replace(Evidence.unreadable("DescribeVolumes", problem, _ALLOW), account_id=account_id)


def list_images_under(region_state: RegionState, key_arn: str) -> tuple[OwnImage, ...]:
    """Return the images with a snapshot that the key encrypts or is associated with."""
    return tuple(own for own in region_state.images if key_arn in _list_key_arns(own, region_state))


def list_snapshots_under(region_state: RegionState, key_arn: str) -> frozenset[str]:
    """Return the snapshots that the key encrypts or is associated with."""
    return frozenset(
        snapshot.snapshot_id for snapshot in region_state.snapshots.values() if key_arn in snapshot.key_arns
    )


def list_losing_accounts(state: CleanupState, ref: KeyRef, removals: Removals) -> frozenset[str]:
    """Return the accounts that lose grants on a key if they have nothing under it."""
    return frozenset(_find_account(grant) for grant in _find_unneeded(state, ref, removals).grants)


def plan_revocations(state: CleanupState, ref: KeyRef, removals: Removals) -> Revocations:
    """Return what happens to the grants on a key after the removals.

    A grant stays if an image or a snapshot that stays under the key is shared with its account, or may be, or
    if the account has something under the key, or may have.
    """
    unneeded = _find_unneeded(state, ref, removals)
    accounts = sorted({_find_account(grant) for grant in unneeded.grants})
    if not accounts:
        return unneeded
    resources = state.consumer_resources.get(ref, ConsumerResources())
    unread = {
        account_id: resources.unseen.get(account_id, "It was not read.")
        for account_id in accounts
        if account_id in resources.unseen or account_id not in resources.by_account
    }
    keeping = {account_id for account_id in accounts if resources.of(account_id) or account_id in unread}
    kept = tuple(
        _keep_grant(grant, resources, unread) for grant in unneeded.grants if _find_account(grant) in keeping
    )
    return Revocations(
        tuple(grant for grant in unneeded.grants if _find_account(grant) not in keeping),
        (*unneeded.warnings, *_warn_of_kept_grants(ref, kept)),
        tuple(sorted((*unneeded.kept, *kept), key=lambda grantee: grantee.principal)),
        unread,
    )


def _keep_grant(grant: Grant, resources: ConsumerResources, unread: Mapping[str, str]) -> Kept:
    account_id = _find_account(grant)
    ids = tuple(sorted(resources.of(account_id)))
    reason = HAS_RESOURCES if ids else f"{_RESOURCES_UNREAD} {unread[account_id]}"
    return Kept(short(grant.grantee), (), reason, ids)


def _warn_of_kept_grants(ref: KeyRef, kept: Iterable[Kept]) -> Iterator[str]:
    """Yield a warning for each reason that keeps grants.

    These grants are not found again once all snapshots under the key are gone.
    """
    consumers_by_reason: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for grantee in kept:
        consumers_by_reason.setdefault((grantee.reason, grantee.resource_ids), []).append(grantee.principal)
    for (reason, resource_ids), consumers in consumers_by_reason.items():
        ids = f" ({examples_of(resource_ids)})" if resource_ids else ""
        yield f"The grants of {examples_of(consumers)} on {ref.key_arn} are kept: {reason}{ids} {_REMEDY}"


def _find_unneeded(state: CleanupState, ref: KeyRef, removals: Removals) -> Revocations:
    """Return the grants on a key that nothing in this account needs after the removals."""
    usage = state.key_usage.get(ref, _NOT_READ)
    if usage.unread:
        return _keep_all(ref, usage.grants, (), usage.unread[0].could_not_be_read)
    region_state = state.regions[ref.region]
    staying = [
        own for own in region_state.images if ImageRef(ref.region, own.image.image_id) not in removals.images
    ]
    under = [own for own in staying if ref.key_arn in _list_key_arns(own, region_state)]
    shared = Sharing()
    for own in under:
        shared |= usage.sharing.get(own.image.image_id, Sharing(public=True))
    for snapshot_id, sharing in usage.snapshots.items():
        if SnapshotRef(ref.region, snapshot_id) not in removals.snapshots:
            shared |= sharing
    revocable = [
        grant for grant in usage.grants if _find_account(grant) not in (*shared.account_ids, state.account_id)
    ]
    if not revocable:
        return Revocations()
    unknown = [own.image.image_id for own in staying if _has_unknown_key(own, region_state)]
    if unknown:
        return _keep_all(ref, revocable, unknown, f"The keys of {unknown[0]} are not known.")
    soon = [own.image.image_id for own in under if _can_be_shared_soon(own, usage, state)]
    if soon:
        return _keep_all(
            ref,
            revocable,
            soon,
            f"{soon[0]}, which is under the key, is shared with no account, and may be about to be: "
            f"it is not older than {_HOURS} hours.",
        )
    if shared.org_arns or shared.org_unit_arns or shared.public:
        return _keep_all(
            ref,
            revocable,
            (),
            "An image under the key is public, or shared with an organization or organizational unit.",
        )
    return _keep_doubtful(ref, revocable, state.now)


def _keep_doubtful(ref: KeyRef, grants: Sequence[Grant], now: datetime) -> Revocations:
    """Keep the grants of unknown accounts, and all grants of an account that has a new one.

    A distribution creates only the grants that an account lacks: it may need the others as well.
    """
    new = {
        _find_account(grant)
        for grant in grants
        if grant.created is None or now - grant.created < _SHARED_WITHIN
    }
    unknown = [grant for grant in grants if not _find_account(grant)]
    warnings = (
        f"The grant {grant.grant_id} on {ref.key_arn} is kept: the account of {grant.grantee} is not known."
        for grant in unknown
    )
    of_new = [grant for grant in grants if grant not in unknown and _find_account(grant) in new]
    kept = tuple(
        Kept(principal, (), _NEW_GRANT) for principal in sorted(short(grant.grantee) for grant in of_new)
    )
    return Revocations(
        tuple(grant for grant in grants if grant not in (*unknown, *of_new)),
        (*warnings, *_warn_of_kept_grants(ref, kept)),
        kept,
    )


def _keep_all(ref: KeyRef, grants: Iterable[Grant], image_ids: Iterable[str], reason: str) -> Revocations:
    """Keep all ``grants``, because these images may need them."""
    return Revocations(
        warnings=(f"All grants on {ref.key_arn} are kept: {reason} {_REMEDY}",),
        kept=tuple(
            Kept(principal, tuple(image_ids), reason)
            for principal in sorted(short(grant.grantee) for grant in grants)
        ),
    )


def _list_key_arns(own: OwnImage, region_state: RegionState) -> set[str]:
    snapshots = [
        region_state.snapshots[snapshot_id]
        for snapshot_id in own.image.snapshot_ids
        if snapshot_id in region_state.snapshots
    ]
    return {arn for snapshot in snapshots for arn in snapshot.key_arns}


def _has_unknown_key(own: OwnImage, region_state: RegionState) -> bool:
    """Whether a key of the image is not known; a pending image does not list its snapshots yet."""
    return own.image.state == "pending" or any(
        snapshot_id not in region_state.snapshots for snapshot_id in own.image.encrypted_snapshots
    )


def _can_be_shared_soon(own: OwnImage, usage: KeyUsage, state: CleanupState) -> bool:
    """Whether the image is new and not shared yet, so that a distribution may be under way."""
    others = usage.sharing.get(own.image.image_id, Sharing()).without(state.account_id)
    return not others and (own.created is None or state.now - own.created < _SHARED_WITHIN)


def _find_account(grant: Grant) -> str:
    """Return the account of a grantee; empty if KMS returns only the unique ID of a deleted role or user."""
    return account_of(grant.grantee) or ""
