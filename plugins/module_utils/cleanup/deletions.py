# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots a run deletes in all: those of deregistered images, and those that former images left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..model import SnapshotRef
from .decisions import Decision
from .options import CleanupWanted
from .snapshots import leftovers, orphans
from .state import CleanupSeen, OwnSnapshot

# Region to former image to the snapshots that it has left.
Orphans = dict[str, dict[str, tuple[OwnSnapshot, ...]]]


def all_orphans(wanted: CleanupWanted, seen: CleanupSeen) -> Orphans:
    """The snapshots that former images left, shared or not, if the user wants such snapshots deleted."""
    if not wanted.orphan_snapshots:
        return {}
    return {region: orphans(state, wanted.rules.protect_tags) for region, state in seen.regions.items()}


def deletable_orphans(wanted: CleanupWanted, seen: CleanupSeen) -> Orphans:
    """The orphans to delete: those shared with no other account, or all if the user includes shared ones.

    No report shows what other accounts do with a snapshot.
    """

    def is_deletable(ref: SnapshotRef) -> bool:
        usage = seen.snapshot_usage.get(ref)
        return wanted.include_shared or (usage is not None and not usage.unread and not usage.sharing)

    found: Orphans = {}
    for region, former in all_orphans(wanted, seen).items():
        for image_id, left in former.items():
            deletable = tuple(one for one in left if is_deletable(SnapshotRef(region, one.snapshot_id)))
            if deletable:
                found.setdefault(region, {})[image_id] = deletable
    return found


def deleted_alone(
    wanted: CleanupWanted, seen: CleanupSeen, region: str, orphaned: Orphans
) -> tuple[OwnSnapshot, ...]:
    """The region's snapshots to delete without an image: leftovers of earlier runs, and orphans."""
    of_former = (one for left in orphaned.get(region, {}).values() for one in left)
    return (*leftovers(seen.regions[region], wanted.rules.protect_tags), *of_former)


def concerned_snapshots(
    wanted: CleanupWanted, seen: CleanupSeen, decided: Iterable[Decision], orphaned: Orphans
) -> Iterator[SnapshotRef]:
    """Every snapshot of the deregistered images, deleted or kept, and all that are deleted alone."""
    for decision in decided:
        yield from (SnapshotRef(decision.ref.region, one.snapshot_id) for one in decision.snapshots)
    for region in seen.regions:
        alone = deleted_alone(wanted, seen, region, orphaned)
        yield from (SnapshotRef(region, one.snapshot_id) for one in alone)
