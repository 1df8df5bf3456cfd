# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a cleanup has to read next, given what it has seen. It starts with the bulk reads of all regions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from .._model import ImageRef, KeyRef, SnapshotRef
from .decisions import Decision, candidates, deregistered, images_to_retire
from .deletions import all_leftovers, all_orphans, concerned_snapshots, deletable_orphans, going
from .grants import images_under, keys_of, losing_accounts
from .image_builder import builder_regions
from .options import CleanupOptions
from .plan import decide
from .state import CleanupState, ImageUsage, OwnImage


@dataclass(frozen=True)
class NextReads:
    """The reads that can be made now, side by side. It is false if nothing is left to read.

    ``builders`` are the regions whose Image Builder has to be read. ``images`` maps the images whose usage
    has to be read to those of their snapshots that have to be read as well, unless the usage keeps the image
    (``is_kept_by``). ``late`` are the regions whose late uses have to be read. ``keys`` maps KMS keys to the
    images under them that stay, ``resources`` maps them to the accounts that would lose grants on them.
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


def next_reads(
    options: CleanupOptions, state: CleanupState, images: Collection[ImageRef] | None = None
) -> NextReads:
    """What has to be read next. Nothing that was seen is named again, so repeated reading ends.

    1. EC2 Image Builder in the regions in which it built own images.
    2. The usage of ``images``, by default of every image that neither a rule nor an earlier read keeps.
    3. The snapshots of images to disable or deregister, and those without an image.
    4. The uses that matter only in regions with images to disable or deregister.
    5. The KMS keys of snapshots to delete.
    6. What accounts that would lose grants on these keys have under them.

    Each step depends on what the one before it has read.
    """
    builders = tuple(one for one in builder_regions(options, state) if one not in state.image_builder)
    if builders:
        return NextReads(builders=builders)
    refs = candidates(options, state) if images is None else images
    unread = [ref for ref in refs if ref not in state.usage]
    if unread:
        return NextReads(images=_with_snapshots(options, state, unread))
    snapshots = [ref for ref in snapshots_to_inspect(options, state) if ref not in state.snapshot_usage]
    if snapshots:
        return NextReads(snapshots=tuple(snapshots))
    retiring = {ref.region for ref in images_to_retire(options, state)}
    if late := retiring - state.late_uses.keys():
        return NextReads(late=tuple(sorted(late)))
    keys = keys_to_inspect(options, state)
    if unread_keys := {ref: staying for ref, staying in keys.items() if ref not in state.key_usage}:
        return NextReads(keys=unread_keys)
    losing = resources_to_inspect(options, state) if keys else {}
    return NextReads(
        resources={ref: one for ref, one in losing.items() if ref not in state.consumer_resources}
    )


def is_kept_by(options: CleanupOptions, own: OwnImage, usage: ImageUsage) -> bool:
    """Whether an image with this usage stays, so that its snapshots do not have to be read."""
    is_shared = bool(usage.sharing.without(own.image.owner_id))
    return bool(usage.references or usage.unread) or (is_shared and not options.include_shared)


def snapshots_to_inspect(options: CleanupOptions, state: CleanupState) -> tuple[SnapshotRef, ...]:
    """The snapshots of images to disable or deregister, and those without an image that sharing keeps."""
    of_images = (
        SnapshotRef(ref.region, snapshot_id)
        for ref in images_to_retire(options, state)
        for snapshot_id in state.images[ref].image.snapshot_ids
    )
    of_orphans = (
        SnapshotRef(region, one.snapshot_id)
        for region, by_image in all_orphans(options, state).items()
        for left in by_image.values()
        for one in left
    )
    of_leftovers = () if options.include_shared else all_leftovers(options, state)
    return tuple(dict.fromkeys((*of_images, *of_leftovers, *of_orphans)))


def keys_to_inspect(options: CleanupOptions, state: CleanupState) -> dict[KeyRef, tuple[OwnImage, ...]]:
    """The keys whose grants may be revoked, each with the images under it that stay."""
    if not options.revoke_grants:
        return {}
    decided = decide(options, state)
    deregistering = deregistered(decided)
    return {
        ref: tuple(
            own
            for own in images_under(state.regions[ref.region], ref.key_arn)
            if ImageRef(ref.region, own.image.image_id) not in deregistering
        )
        for ref in _concerned_keys(options, state, decided)
    }


def resources_to_inspect(options: CleanupOptions, state: CleanupState) -> dict[KeyRef, frozenset[str]]:
    """The accounts that would lose grants on keys: those with something under the key keep them."""
    decided = decide(options, state)
    gone = going(options, state, decided, deletable_orphans(options, state))
    losing = {ref: losing_accounts(state, ref, gone) for ref in _concerned_keys(options, state, decided)}
    return {ref: accounts for ref, accounts in losing.items() if accounts}


def _concerned_keys(
    options: CleanupOptions, state: CleanupState, decided: tuple[Decision, ...]
) -> tuple[KeyRef, ...]:
    """The keys of snapshots that may be deleted."""
    orphaned = deletable_orphans(options, state)
    return keys_of(state, concerned_snapshots(options, state, decided, orphaned))


def _with_snapshots(
    options: CleanupOptions, state: CleanupState, refs: Collection[ImageRef]
) -> dict[ImageRef, tuple[SnapshotRef, ...]]:
    """The images, each with its snapshots if these have to be read unless the image is used.

    That is if it will be disabled or deregistered, and if it is disabled and the accounts are read that its
    snapshots are shared with: a use there keeps it in every run, not only once its deregistration is due.
    """
    # Computed once for all images: for each of 8,000 alone it took a minute.
    go_if_unused = frozenset(images_to_retire(options, state, ImageUsage()))
    return {
        ref: tuple(SnapshotRef(ref.region, one) for one in state.images[ref].image.snapshot_ids)
        if ref in go_if_unused or (options.reads_accounts and state.images[ref].image.state == "disabled")
        else ()
        for ref in refs
    }
