# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The reads that a cleanup still needs for its plan, after the bulk reads of all regions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._model import ImageRef, KeyRef, SnapshotRef
from .decisions import Decision, list_candidates, list_deregistered, list_images_to_retire
from .deletions import (
    find_all_leftovers,
    find_all_orphans,
    find_deletable_orphans,
    list_concerned_snapshots,
    list_removals,
)
from .grants import list_images_under, list_keys, list_losing_accounts
from .image_builder import list_builder_regions
from .options import CleanupOptions
from .plan import decide
from .state import CleanupState, ImageUsage, OwnImage


@dataclass(frozen=True)
class NextReads:
    """The reads that can be made now, in parallel; false if none is left.

    ``builders`` are regions in which Image Builder is read. ``images`` maps images to the snapshots that are
    read as well unless the usage keeps the image (``is_kept``). ``late`` are regions in which late uses are
    read. ``keys`` maps KMS keys to the images under them that stay, ``resources`` maps them to the accounts
    that would lose grants on them.
    """

    builders: tuple[str, ...] = ()
    images: Mapping[ImageRef, tuple[SnapshotRef, ...]] = field(default_factory=dict)
    snapshots: tuple[SnapshotRef, ...] = ()
    late: tuple[str, ...] = ()
    keys: Mapping[KeyRef, tuple[OwnImage, ...]] = field(default_factory=dict)
    resources: Mapping[KeyRef, frozenset[str]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        first = self.builders or self.images or self.snapshots or self.late
        return bool(first or self.keys or self.resources)


def find_next_reads(
    options: CleanupOptions, state: CleanupState, images: Collection[ImageRef] | None = None
) -> NextReads:
    """Return what has to be read next; nothing that was read is returned again.

    1. EC2 Image Builder in the regions in which it built own images.
    2. The usage of ``images``, by default of every image that neither a rule nor an earlier read keeps.
    3. The snapshots of images to disable or deregister, and those without an image.
    4. The uses that matter only in regions with images to disable or deregister.
    5. The KMS keys of snapshots to delete.
    6. What accounts that would lose grants on these keys have under them.

    Each step depends on what the one before it has read.
    """
    builders = tuple(
        region for region in list_builder_regions(options, state) if region not in state.image_builder
    )
    if builders:
        return NextReads(builders=builders)
    refs = list_candidates(options, state) if images is None else images
    unread = [ref for ref in refs if ref not in state.usage]
    if unread:
        return NextReads(images=_add_snapshots(options, state, unread))
    snapshots = [ref for ref in list_snapshots_to_inspect(options, state) if ref not in state.snapshot_usage]
    if snapshots:
        return NextReads(snapshots=tuple(snapshots))
    retiring = {ref.region for ref in list_images_to_retire(options, state)}
    if late := retiring - state.late_uses.keys():
        return NextReads(late=tuple(sorted(late)))
    keys = list_keys_to_inspect(options, state)
    if unread_keys := {ref: staying for ref, staying in keys.items() if ref not in state.key_usage}:
        return NextReads(keys=unread_keys)
    losing = list_resources_to_inspect(options, state) if keys else {}
    return NextReads(
        resources={
            ref: account_ids for ref, account_ids in losing.items() if ref not in state.consumer_resources
        }
    )


def is_kept(options: CleanupOptions, own: OwnImage, usage: ImageUsage) -> bool:
    """Whether an image with this usage stays, so that its snapshots need not be read."""
    is_shared = bool(usage.sharing.without(own.image.owner_id))
    return bool(usage.references or usage.unread) or (is_shared and not options.include_shared)


def list_snapshots_to_inspect(options: CleanupOptions, state: CleanupState) -> tuple[SnapshotRef, ...]:
    """Return the snapshots of images to retire, and those without an image that sharing keeps."""
    of_images = (
        SnapshotRef(ref.region, snapshot_id)
        for ref in list_images_to_retire(options, state)
        for snapshot_id in state.images[ref].image.snapshot_ids
    )
    of_orphans = (
        SnapshotRef(region, snapshot.snapshot_id)
        for region, by_image in find_all_orphans(options, state).items()
        for left in by_image.values()
        for snapshot in left
    )
    of_leftovers = () if options.include_shared else find_all_leftovers(options, state)
    return tuple(dict.fromkeys((*of_images, *of_leftovers, *of_orphans)))


def list_keys_to_inspect(options: CleanupOptions, state: CleanupState) -> dict[KeyRef, tuple[OwnImage, ...]]:
    """Return the keys whose grants may be revoked, each with the images under it that stay."""
    if not options.revoke_grants:
        return {}
    decisions = decide(options, state)
    deregistering = list_deregistered(decisions)
    return {
        ref: tuple(
            own
            for own in list_images_under(state.regions[ref.region], ref.key_arn)
            if ImageRef(ref.region, own.image.image_id) not in deregistering
        )
        for ref in _list_concerned_keys(options, state, decisions)
    }


def list_resources_to_inspect(options: CleanupOptions, state: CleanupState) -> dict[KeyRef, frozenset[str]]:
    """Return the accounts that lose grants on keys if they have nothing under the key."""
    decisions = decide(options, state)
    removals = list_removals(options, state, decisions, find_deletable_orphans(options, state))
    losing = {
        ref: list_losing_accounts(state, ref, removals)
        for ref in _list_concerned_keys(options, state, decisions)
    }
    return {ref: accounts for ref, accounts in losing.items() if accounts}


def _list_concerned_keys(
    options: CleanupOptions, state: CleanupState, decisions: tuple[Decision, ...]
) -> tuple[KeyRef, ...]:
    """Return the keys of snapshots that may be deleted."""
    orphaned = find_deletable_orphans(options, state)
    return list_keys(state, list_concerned_snapshots(options, state, decisions, orphaned))


def _add_snapshots(
    options: CleanupOptions, state: CleanupState, refs: Collection[ImageRef]
) -> dict[ImageRef, tuple[SnapshotRef, ...]]:
    """Return the images, each with the snapshots to read if the image is not used.

    That is if it will be disabled or deregistered, and if it is disabled and the accounts are read that its
    snapshots are shared with: a use there keeps it in every run, not only once its deregistration is due.
    """
    # Computed once for all images: for each of 8,000 images alone, it took a minute.
    go_if_unused = frozenset(list_images_to_retire(options, state, ImageUsage()))
    return {
        ref: tuple(
            SnapshotRef(ref.region, snapshot_id) for snapshot_id in state.images[ref].image.snapshot_ids
        )
        if ref in go_if_unused or (options.reads_accounts and state.images[ref].image.state == "disabled")
        else ()
        for ref in refs
    }
