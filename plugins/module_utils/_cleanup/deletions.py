# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The snapshots that a run deletes, with the images that it deregisters and without an image.

Snapshots without an image are leftovers and orphans. Nothing shows what other accounts do with an orphan, so
one that is shared is kept. A leftover has the mark that a run of this collection wrote after it had shown
that no other account uses the image (``snapshots.SNAPSHOT_TAG``): with ``include_shared``, it is deleted
although it is still shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._model import SnapshotRef
from .decisions import Decision, list_deregistered
from .grants import Removals, list_unread_keys
from .options import CleanupOptions
from .sharing import name_principals
from .snapshots import Uses, find_described_image, find_leftovers, find_orphans, list_named_images
from .state import CleanupState, Evidence, OwnSnapshot, SnapshotUsage

# Region to deregistered image to the snapshots that are left of it.
Orphans = dict[str, dict[str, tuple[OwnSnapshot, ...]]]

_NOT_READ = SnapshotUsage(unread="Its permissions were not read.")


def find_all_orphans(options: CleanupOptions, state: CleanupState) -> Orphans:
    """Return the orphan snapshots, shared or not, if the user wants to delete orphans.

    None in a region where something could not be read: it may use these images, or keep their snapshots.
    """
    if not options.orphan_snapshots:
        return {}
    return {
        region: _find_orphans(options, state, region, state.uses_by_region[region])
        for region in state.regions
        if not state.deletions_unread_of(region)
    }


def find_all_leftovers(options: CleanupOptions, state: CleanupState) -> Mapping[SnapshotRef, OwnSnapshot]:
    """Return the snapshots, shared or not, that earlier runs could not delete with their images.

    None in a region where something could not be read, as for orphans.
    """
    return {
        SnapshotRef(region, snapshot.snapshot_id): snapshot
        for region in state.regions
        if not state.deletions_unread_of(region)
        for snapshot in _find_leftovers(options, state, region, state.uses_by_region[region])
    }


def map_unread_deletions(options: CleanupOptions, state: CleanupState) -> dict[str, tuple[Evidence, ...]]:
    """Return what could not be read and keeps snapshots without an image, by region.

    Either reads of the whole region failed, or reads of the permissions and keys of such snapshots.
    """
    unread_by_region: dict[str, dict[Evidence, None]] = {}
    for region in state.regions:
        unread, without_image = state.deletions_unread_of(region), _find_without_image(options, state, region)
        # Whether there are orphans is not known without a list of the snapshots.
        unlisted = options.orphan_snapshots and any(item.subject == "DescribeSnapshots" for item in unread)
        if unread and (without_image or unlisted):
            unread_by_region[region] = dict.fromkeys(unread)
        else:
            unread_by_region[region] = dict.fromkeys(
                item
                for ref, is_leftover in without_image.items()
                for item in _list_unread(options, state, ref, is_leftover=is_leftover)
            )
    return {region: tuple(unread) for region, unread in unread_by_region.items() if unread}


def _list_unread(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> Iterator[Evidence]:
    """Yield the failed reads that keep a snapshot without an image."""
    usage = state.snapshot_usage.get(ref)
    if usage is not None and usage.unread and not (is_leftover and options.include_shared):
        yield Evidence.unreadable("DescribeSnapshotAttribute", f"{ref.snapshot_id}: {usage.unread}")
    yield from list_unread_keys(options, state, [ref])


def _find_leftovers(
    options: CleanupOptions, state: CleanupState, region: str, uses: Uses
) -> tuple[OwnSnapshot, ...]:
    """Return the known leftovers of the region, without those of images with ``uses``."""
    return find_leftovers(state.regions[region], state.image_ids, options.protect_tags, uses)


def _find_orphans(
    options: CleanupOptions, state: CleanupState, region: str, uses: Uses
) -> dict[str, tuple[OwnSnapshot, ...]]:
    """Return the known orphans of the region, without those of images with ``uses``."""
    return find_orphans(state.regions[region], state.image_ids, options.protect_tags, uses)


def _find_without_image(options: CleanupOptions, state: CleanupState, region: str) -> dict[SnapshotRef, bool]:
    """Return the known snapshots of the region without an image, and whether each is a leftover."""
    uses = state.uses_by_region[region]
    is_leftover_by_ref = {
        SnapshotRef(region, snapshot.snapshot_id): True
        for snapshot in _find_leftovers(options, state, region, uses)
    }
    if options.orphan_snapshots:
        by_image = _find_orphans(options, state, region, uses)
        is_leftover_by_ref |= {
            SnapshotRef(region, snapshot.snapshot_id): False
            for left in by_image.values()
            for snapshot in left
        }
    return is_leftover_by_ref


def list_kept_without_image(options: CleanupOptions, state: CleanupState) -> dict[SnapshotRef, str]:
    """Return why leftovers and orphans are kept because of their sharing or key."""
    return {
        ref: reason
        for region in state.regions
        if not state.deletions_unread_of(region)
        for ref, is_leftover in _find_without_image(options, state, region).items()
        if (reason := next(_list_keep_reasons(options, state, ref, is_leftover=is_leftover), ""))
    }


def find_used_deregistered_images(
    options: CleanupOptions, state: CleanupState, region: str
) -> dict[str, Evidence]:
    """Return the first use of each deregistered image that nothing else keeps snapshots of."""
    uses = state.uses_by_region[region]
    snapshots = _find_leftovers(options, state, region, {})
    image_ids = [image_id for snapshot in snapshots for image_id in list_named_images(snapshot)]
    image_ids += _find_orphans(options, state, region, {}) if options.orphan_snapshots else ()
    return {image_id: uses[image_id][0] for image_id in image_ids if image_id in uses}


def find_deletable_orphans(options: CleanupOptions, state: CleanupState) -> Orphans:
    """Return the orphans to delete: those that are shared with no other account."""
    orphaned: Orphans = {}
    for region, by_image in find_all_orphans(options, state).items():
        for image_id, snapshots in by_image.items():
            deletable = tuple(
                snapshot
                for snapshot in snapshots
                if _is_deletable(options, state, SnapshotRef(region, snapshot.snapshot_id), is_leftover=False)
            )
            if deletable:
                orphaned.setdefault(region, {})[image_id] = deletable
    return orphaned


def list_deleted_without_image(
    options: CleanupOptions, state: CleanupState, region: str, orphaned: Orphans
) -> tuple[OwnSnapshot, ...]:
    """Return the region's snapshots to delete without an image: leftovers of earlier runs, and orphans.

    When a leftover was marked, it was not shared, or shared images were included. Both can have changed.
    """
    of_orphans = (snapshot for snapshots in orphaned.get(region, {}).values() for snapshot in snapshots)
    of_leftovers = (
        snapshot
        for ref, snapshot in find_all_leftovers(options, state).items()
        if ref.region == region and _is_deletable(options, state, ref, is_leftover=True)
    )
    return (*of_leftovers, *of_orphans)


def list_counted_images(options: CleanupOptions, state: CleanupState, orphaned: Orphans) -> tuple[str, ...]:
    """Return the deregistered images that ``max_deletions`` counts, as ``region/image_id``.

    A leftover counts for the image that its description names, which no tag can change. Without one, it
    counts by itself: every principal that can tag snapshots can write a mark.
    """
    return tuple(
        dict.fromkeys(
            f"{region}/{find_described_image(snapshot) or snapshot.snapshot_id}"
            for region in sorted(state.regions)
            for snapshot in list_deleted_without_image(options, state, region, orphaned)
        )
    )


def list_concerned_snapshots(
    options: CleanupOptions, state: CleanupState, decisions: Iterable[Decision], orphaned: Orphans
) -> Iterator[SnapshotRef]:
    """Yield all snapshots of deregistered images, and those that are deleted without an image."""
    for decision in decisions:
        yield from (SnapshotRef(decision.ref.region, snapshot.snapshot_id) for snapshot in decision.snapshots)
    for region in state.regions:
        snapshots = list_deleted_without_image(options, state, region, orphaned)
        yield from (SnapshotRef(region, snapshot.snapshot_id) for snapshot in snapshots)


def list_removals(
    options: CleanupOptions, state: CleanupState, decisions: Iterable[Decision], orphaned: Orphans
) -> Removals:
    """Return what the run removes: the deregistered images and the deleted snapshots."""
    decisions = tuple(decisions)
    of_images = (
        SnapshotRef(decision.ref.region, snapshot.snapshot_id)
        for decision in decisions
        for snapshot in decision.snapshots
        if not snapshot.keep_reason
    )
    without_image = (
        SnapshotRef(region, snapshot.snapshot_id)
        for region in state.regions
        for snapshot in list_deleted_without_image(options, state, region, orphaned)
    )
    return Removals(list_deregistered(decisions), frozenset((*of_images, *without_image)))


def _is_deletable(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> bool:
    """Whether the sharing and the key of a snapshot without an image allow its deletion."""
    return not any(_list_keep_reasons(options, state, ref, is_leftover=is_leftover))


def _list_keep_reasons(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> Iterator[str]:
    """Yield why a snapshot without an image is kept, apart from its uses."""
    usage = state.snapshot_usage.get(ref, _NOT_READ)
    if not (is_leftover and options.include_shared):
        others = usage.sharing.without(state.account_id)
        if usage.unread:
            yield usage.unread
        elif others:
            names = name_principals(others)
            yield f"they are shared with {names}, and their use was not checked. Unshare them first."
    yield from (item.could_not_be_read for item in list_unread_keys(options, state, [ref]))
