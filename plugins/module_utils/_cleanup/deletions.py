# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots a run deletes in all: those of images that it deregisters, and those without an image.

Snapshots without an image are leftovers and orphans. Nothing shows what other accounts do with an orphan, so
one that is shared is kept. A leftover has the mark that a run of this collection wrote after it had shown
that no other account uses the image (``snapshots.SNAPSHOT_TAG``): with ``include_shared``, it is deleted
although it is still shared.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from .._model import SnapshotRef
from .decisions import Decision, deregistered
from .grants import Going, unread_of_keys
from .options import CleanupOptions
from .sharing import named
from .snapshots import Named, described_image, images_named_by, leftovers, orphans
from .state import CleanupState, Evidence, OwnSnapshot, SnapshotUsage, unreadable

# Region to deregistered image to the snapshots that are left of it.
Orphans = dict[str, dict[str, tuple[OwnSnapshot, ...]]]

_NOT_READ = SnapshotUsage(unread="Its permissions were not read.")


def all_orphans(options: CleanupOptions, state: CleanupState) -> Orphans:
    """The orphan snapshots, shared or not, if the user wants them deleted.

    None in a region where something could not be read: it may use these images, or keep their snapshots.
    """
    if not options.orphan_snapshots:
        return {}
    return {
        region: _orphans(options, state, region, state.named[region])
        for region in state.regions
        if not state.deletions_unread_of(region)
    }


def all_leftovers(options: CleanupOptions, state: CleanupState) -> Mapping[SnapshotRef, OwnSnapshot]:
    """The snapshots that earlier runs could not delete with their images, shared or not.

    None in a region where something could not be read, as for orphans.
    """
    return {
        SnapshotRef(region, one.snapshot_id): one
        for region in state.regions
        if not state.deletions_unread_of(region)
        for one in _leftovers(options, state, region, state.named[region])
    }


def unread_deletions(options: CleanupOptions, state: CleanupState) -> dict[str, tuple[Evidence, ...]]:
    """Region to what could not be read there and keeps snapshots without an image.

    That is either what was not read of the region, or the permissions and keys of such snapshots.
    """
    found: dict[str, dict[Evidence, None]] = {}
    for region in state.regions:
        unread, alone = state.deletions_unread_of(region), _alone(options, state, region)
        # Whether there are orphans is not known without a list of the snapshots.
        unlisted = options.orphan_snapshots and any(one.subject == "DescribeSnapshots" for one in unread)
        if unread and (alone or unlisted):
            found[region] = dict.fromkeys(unread)
        else:
            found[region] = dict.fromkeys(
                one
                for ref, is_leftover in alone.items()
                for one in _unread(options, state, ref, is_leftover=is_leftover)
            )
    return {region: tuple(unread) for region, unread in found.items() if unread}


def _unread(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> Iterator[Evidence]:
    """Reads that failed, for which a snapshot without an image is kept."""
    usage = state.snapshot_usage.get(ref)
    if usage is not None and usage.unread and not (is_leftover and options.include_shared):
        yield unreadable("DescribeSnapshotAttribute", f"{ref.snapshot_id}: {usage.unread}")
    yield from unread_of_keys(options, state, [ref])


def _leftovers(
    options: CleanupOptions, state: CleanupState, region: str, uses: Named
) -> tuple[OwnSnapshot, ...]:
    """The region's leftovers, as far as they are known, without those of images with ``uses``."""
    return leftovers(state.regions[region], state.image_ids, options.protect_tags, uses)


def _orphans(
    options: CleanupOptions, state: CleanupState, region: str, uses: Named
) -> dict[str, tuple[OwnSnapshot, ...]]:
    """The region's orphans, as far as they are known, without those of images with ``uses``."""
    return orphans(state.regions[region], state.image_ids, options.protect_tags, uses)


def _alone(options: CleanupOptions, state: CleanupState, region: str) -> dict[SnapshotRef, bool]:
    """The region's snapshots without an image, as far as they are known, and whether each is a leftover."""
    uses = state.named[region]
    found = {SnapshotRef(region, one.snapshot_id): True for one in _leftovers(options, state, region, uses)}
    if options.orphan_snapshots:
        by_image = _orphans(options, state, region, uses)
        found |= {SnapshotRef(region, one.snapshot_id): False for left in by_image.values() for one in left}
    return found


def kept_alone(options: CleanupOptions, state: CleanupState) -> dict[SnapshotRef, str]:
    """The leftovers and orphans that are not deleted because of their sharing or key, with the reason."""
    return {
        ref: why
        for region in state.regions
        if not state.deletions_unread_of(region)
        for ref, is_leftover in _alone(options, state, region).items()
        if (why := next(_keep_reasons(options, state, ref, is_leftover=is_leftover), ""))
    }


def used_deregistered_images(
    options: CleanupOptions, state: CleanupState, region: str
) -> dict[str, Evidence]:
    """Deregistered image to its first use, where nothing else keeps its snapshots."""
    named = state.named[region]
    left = _leftovers(options, state, region, {})
    image_ids = [image_id for one in left for image_id in images_named_by(one)]
    image_ids += _orphans(options, state, region, {}) if options.orphan_snapshots else ()
    return {image_id: named[image_id][0] for image_id in image_ids if image_id in named}


def deletable_orphans(options: CleanupOptions, state: CleanupState) -> Orphans:
    """The orphans to delete: those that are shared with no other account."""
    found: Orphans = {}
    for region, by_image in all_orphans(options, state).items():
        for image_id, left in by_image.items():
            deletable = tuple(
                one
                for one in left
                if _is_deletable(options, state, SnapshotRef(region, one.snapshot_id), is_leftover=False)
            )
            if deletable:
                found.setdefault(region, {})[image_id] = deletable
    return found


def deleted_alone(
    options: CleanupOptions, state: CleanupState, region: str, orphaned: Orphans
) -> tuple[OwnSnapshot, ...]:
    """The region's snapshots to delete without an image: leftovers of earlier runs, and orphans.

    When a leftover was marked, it was not shared, or shared images were included. Both can have changed.
    """
    of_orphans = (one for left in orphaned.get(region, {}).values() for one in left)
    left_here = (
        one
        for ref, one in all_leftovers(options, state).items()
        if ref.region == region and _is_deletable(options, state, ref, is_leftover=True)
    )
    return (*left_here, *of_orphans)


def deregistered_images(options: CleanupOptions, state: CleanupState, orphaned: Orphans) -> tuple[str, ...]:
    """The images, as ``region/image_id``, for which ``max_deletions`` counts the snapshots without an image.

    A leftover counts for the image that its description names, which no tag can change. Without one, it
    counts by itself: every principal that can tag snapshots can write a mark.
    """
    return tuple(
        dict.fromkeys(
            f"{region}/{described_image(one) or one.snapshot_id}"
            for region in sorted(state.regions)
            for one in deleted_alone(options, state, region, orphaned)
        )
    )


def concerned_snapshots(
    options: CleanupOptions, state: CleanupState, decided: Iterable[Decision], orphaned: Orphans
) -> Iterator[SnapshotRef]:
    """Every snapshot of the deregistered images, deleted or kept, and all that are deleted alone."""
    for decision in decided:
        yield from (SnapshotRef(decision.ref.region, one.snapshot_id) for one in decision.snapshots)
    for region in state.regions:
        alone = deleted_alone(options, state, region, orphaned)
        yield from (SnapshotRef(region, one.snapshot_id) for one in alone)


def going(
    options: CleanupOptions, state: CleanupState, decided: Iterable[Decision], orphaned: Orphans
) -> Going:
    """What is gone after the run: the deregistered images, and the snapshots that are deleted."""
    decisions = tuple(decided)
    of_images = (
        SnapshotRef(decision.ref.region, one.snapshot_id)
        for decision in decisions
        for one in decision.snapshots
        if not one.keep_reason
    )
    alone = (
        SnapshotRef(region, one.snapshot_id)
        for region in state.regions
        for one in deleted_alone(options, state, region, orphaned)
    )
    return Going(deregistered(decisions), frozenset((*of_images, *alone)))


def _is_deletable(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> bool:
    """Whether the sharing and the key of a snapshot without an image allow its deletion."""
    return not any(_keep_reasons(options, state, ref, is_leftover=is_leftover))


def _keep_reasons(
    options: CleanupOptions, state: CleanupState, ref: SnapshotRef, *, is_leftover: bool
) -> Iterator[str]:
    """Why a snapshot without an image is kept, apart from its uses."""
    usage = state.snapshot_usage.get(ref, _NOT_READ)
    if not (is_leftover and options.include_shared):
        others = usage.sharing.without(state.account_id)
        if usage.unread:
            yield usage.unread
        elif others:
            yield f"they are shared with {named(others)}, and their use was not checked. Unshare them first."
    yield from (one.could_not_be_read for one in unread_of_keys(options, state, [ref]))
