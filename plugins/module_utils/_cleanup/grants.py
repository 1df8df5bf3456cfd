# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of this collection's grants are no longer needed once images are deregistered.

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
from .state import CleanupState, Evidence, KeyUsage, OwnImage, RegionState, unreadable

# A distribution grants access to keys first, and shares images once they are ready in all of its regions. An
# image that is younger than this, and shared with no account yet, may be one of these. A grant that is
# younger may be for an image of any age: one that is shared already may be shared with further accounts.
_SHARED_WITHIN = timedelta(hours=24)
_HOURS = _SHARED_WITHIN // timedelta(hours=1)

_NOT_READ = KeyUsage(unread=(unreadable("ListGrants", "It was not read."),))
_RESOURCES_UNREAD = "What it has under the key could not be read:"
_NEW_GRANT = (
    f"A grant of its account is not older than {_HOURS} hours, or has no date: an image may be about to be "
    "shared with it."
)
_REMEDY = "No later cleanup may find the key: revoke unneeded grants with ami_kms_grant, state: absent."
_ALLOW = "Allow this read, or revoke the account's grants with ami_kms_grant, state: absent."


@dataclass(frozen=True)
class Going:
    """The images that are deregistered, and the snapshots that are deleted."""

    images: Collection[ImageRef] = ()
    snapshots: Collection[SnapshotRef] = ()


@dataclass(frozen=True)
class Revocations:
    """What happens to the grants on a key: those to revoke, and why others stay that might be revoked.

    ``kept`` are the grantees that keep grants because of what they have or may have under the key, or of
    images that may need them. ``unseen`` maps accounts of which something was not read to the reason.
    """

    grants: tuple[Grant, ...] = ()
    warnings: tuple[str, ...] = ()
    kept: tuple[Kept, ...] = ()
    unseen: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self, ref: KeyRef) -> dict[str, Any]:
        """The key as the module returns it."""
        return {
            "kept_access": [one.to_dict() for one in self.kept],
            "kms_key_arn": ref.key_arn,
            "region": ref.region,
            "unseen_accounts": ConsumerResources(unseen=self.unseen).unseen_as_result(),
        }


def keys_of(state: CleanupState, snapshots: Iterable[SnapshotRef]) -> tuple[KeyRef, ...]:
    """The account's own keys of the snapshots. Grants on other accounts' keys cannot be listed."""
    found = []
    for ref in snapshots:
        snapshot = state.regions[ref.region].snapshots.get(ref.snapshot_id)
        if snapshot and snapshot.kms_key_id and Key(snapshot.kms_key_id).account_id == state.account_id:
            found.append(KeyRef(ref.region, snapshot.kms_key_id))
    return tuple(dict.fromkeys(found))


def unread_of_keys(
    options: CleanupOptions, state: CleanupState, snapshots: Iterable[SnapshotRef]
) -> Iterator[Evidence]:
    """Reads of the snapshots' keys that failed, and for which grants may be kept that would be revoked."""
    if not options.revoke_grants:
        return
    for ref in keys_of(state, snapshots):
        yield from state.key_usage.get(ref, KeyUsage()).unread
        resources = state.consumer_resources.get(ref, ConsumerResources())
        for account_id, why in resources.unseen.items() if options.consumer_role else ():
            # What is known to be under the key keeps the grants, whatever else there is.
            if not resources.of(account_id):
                problem = f"The grants of {account_id} on {ref.key_arn} may be needed: {why}"
                yield replace(unreadable("DescribeVolumes", problem, _ALLOW), account_id=account_id)


def images_under(region_state: RegionState, key_arn: str) -> tuple[OwnImage, ...]:
    """The images with a snapshot that the key encrypts, or that it is associated with."""
    return tuple(own for own in region_state.images if key_arn in _keys_of(own, region_state))


def snapshots_under(region_state: RegionState, key_arn: str) -> frozenset[str]:
    """The snapshots that the key encrypts, or that it is associated with."""
    return frozenset(
        one.snapshot_id
        for one in region_state.snapshots.values()
        if key_arn in (one.kms_key_id, *one.associated_key_arns)
    )


def losing_accounts(state: CleanupState, ref: KeyRef, going: Going) -> frozenset[str]:
    """The accounts that would lose grants on a key, unless they have something under it."""
    return frozenset(_account(grant) for grant in _unneeded(state, ref, going).grants)


def revocations(state: CleanupState, ref: KeyRef, going: Going) -> Revocations:
    """What happens to the grants on a key once images and snapshots are gone.

    A grant stays if an image or a snapshot that stays under the key is shared with its account, or may be, or
    if the account has something under the key, or may have.
    """
    unneeded = _unneeded(state, ref, going)
    accounts = sorted({_account(grant) for grant in unneeded.grants})
    if not accounts:
        return unneeded
    resources = state.consumer_resources.get(ref, ConsumerResources())
    unread = {
        one: resources.unseen.get(one, "It was not read.")
        for one in accounts
        if one in resources.unseen or one not in resources.by_account
    }
    keeping = {one for one in accounts if resources.of(one) or one in unread}
    kept = tuple(_kept(grant, resources, unread) for grant in unneeded.grants if _account(grant) in keeping)
    return Revocations(
        tuple(grant for grant in unneeded.grants if _account(grant) not in keeping),
        (*unneeded.warnings, *_kept_warnings(ref, kept)),
        tuple(sorted((*unneeded.kept, *kept), key=lambda one: one.principal)),
        unread,
    )


def _kept(grant: Grant, resources: ConsumerResources, unread: Mapping[str, str]) -> Kept:
    account_id = _account(grant)
    ids = tuple(sorted(resources.of(account_id)))
    reason = HAS_RESOURCES if ids else f"{_RESOURCES_UNREAD} {unread[account_id]}"
    return Kept(short(grant.grantee), (), reason, ids)


def _kept_warnings(ref: KeyRef, kept: Iterable[Kept]) -> Iterator[str]:
    """A warning for each reason: the grants are not found again once all snapshots under the key are gone."""
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in kept:
        alike.setdefault((one.reason, one.resource_ids), []).append(one.principal)
    for (reason, resource_ids), consumers in alike.items():
        named = f" ({examples_of(resource_ids)})" if resource_ids else ""
        yield f"The grants of {examples_of(consumers)} on {ref.key_arn} are kept: {reason}{named} {_REMEDY}"


def _unneeded(state: CleanupState, ref: KeyRef, going: Going) -> Revocations:
    """The grants on a key that no image or snapshot of this account needs once those ``going`` are gone."""
    usage = state.key_usage.get(ref, _NOT_READ)
    if usage.unread:
        return _keep_all(ref, usage.grants, (), usage.unread[0].could_not_be_read)
    region_state = state.regions[ref.region]
    staying = [
        own for own in region_state.images if ImageRef(ref.region, own.image.image_id) not in going.images
    ]
    under = [own for own in staying if ref.key_arn in _keys_of(own, region_state)]
    shared = Sharing()
    for own in under:
        shared |= usage.sharing.get(own.image.image_id, Sharing(public=True))
    for snapshot_id, sharing in usage.snapshots.items():
        if SnapshotRef(ref.region, snapshot_id) not in going.snapshots:
            shared |= sharing
    revocable = [
        grant for grant in usage.grants if _account(grant) not in (*shared.account_ids, state.account_id)
    ]
    if not revocable:
        return Revocations()
    unknown = [own.image.image_id for own in staying if _may_be_under_any(own, region_state)]
    if unknown:
        return _keep_all(ref, revocable, unknown, f"The keys of {unknown[0]} are not known.")
    soon = [own.image.image_id for own in under if _may_be_shared_soon(own, usage, state)]
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
    return _without_doubtful(ref, revocable, state.now)


def _without_doubtful(ref: KeyRef, grants: Sequence[Grant], now: datetime) -> Revocations:
    """Keep those grants whose account is not known, and all of an account that has a new one.

    A distribution creates only the grants that an account lacks: it may need the others as well.
    """
    new = {
        _account(grant) for grant in grants if grant.created is None or now - grant.created < _SHARED_WITHIN
    }
    unknown = [grant for grant in grants if not _account(grant)]
    warnings = (
        f"The grant {one.grant_id} on {ref.key_arn} is kept: the account of {one.grantee} is not known."
        for one in unknown
    )
    of_new = [grant for grant in grants if grant not in unknown and _account(grant) in new]
    kept = tuple(Kept(one, (), _NEW_GRANT) for one in sorted(short(grant.grantee) for grant in of_new))
    return Revocations(
        tuple(grant for grant in grants if grant not in (*unknown, *of_new)),
        (*warnings, *_kept_warnings(ref, kept)),
        kept,
    )


def _keep_all(ref: KeyRef, grants: Iterable[Grant], image_ids: Iterable[str], why: str) -> Revocations:
    """Keep the ``grants``, which might be revoked otherwise, because these images may need them."""
    return Revocations(
        warnings=(f"All grants on {ref.key_arn} are kept: {why} {_REMEDY}",),
        kept=tuple(Kept(one, tuple(image_ids), why) for one in sorted(short(one.grantee) for one in grants)),
    )


def _keys_of(own: OwnImage, region_state: RegionState) -> set[str | None]:
    snapshots = [
        region_state.snapshots[one] for one in own.image.snapshot_ids if one in region_state.snapshots
    ]
    return {arn for one in snapshots for arn in (one.kms_key_id, *one.associated_key_arns)}


def _may_be_under_any(own: OwnImage, region_state: RegionState) -> bool:
    """Whether a key of the image is not known. A pending image does not list its snapshots yet."""
    return own.image.state == "pending" or any(
        snapshot_id not in region_state.snapshots for snapshot_id in own.image.encrypted_snapshots
    )


def _may_be_shared_soon(own: OwnImage, usage: KeyUsage, state: CleanupState) -> bool:
    """Whether the image is new and shared with no other account, so that a distribution may be under way."""
    others = usage.sharing.get(own.image.image_id, Sharing()).without(state.account_id)
    return not others and (own.created is None or state.now - own.created < _SHARED_WITHIN)


def _account(grant: Grant) -> str:
    """The account of a grantee; empty for a deleted role or user, of which KMS returns a unique ID only."""
    return account_of(grant.grantee) or ""
