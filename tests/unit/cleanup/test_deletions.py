# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots a run deletes in all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import decisions
from ansible_collections.golden.images.plugins.module_utils.cleanup.deletions import (
    all_orphans,
    concerned_snapshots,
    deletable_orphans,
    deleted_alone,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    OwnSnapshot,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils.model import Sharing, SnapshotRef

from tests.unit.cleanup.examples import REGION, own, region_state, seen, wanted

FORMER = "ami-0123456789abcdef0"
ORPHAN = OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}")
LEFT = OwnSnapshot("snap-8", tags={"golden.images:cleanup-image-ids": "ami-gone"})
OLD, NEWEST = own("ami-1"), own("ami-new", 1)


def saw(usage: SnapshotUsage | None = None) -> CleanupSeen:
    """An image to deregister, a leftover, and an orphan with this usage."""
    state = region_state(OLD, NEWEST)
    state = replace(state, snapshots={**state.snapshots, "snap-8": LEFT, "snap-9": ORPHAN})
    return seen(state, snapshot_usage={SnapshotRef(REGION, "snap-9"): usage or SnapshotUsage()})


@pytest.mark.parametrize(
    ("usage", "include_shared", "deletable"),
    [
        (SnapshotUsage(), False, True),
        (SnapshotUsage(Sharing(public=True)), False, False),
        (SnapshotUsage(unread="denied"), False, False),
        (SnapshotUsage(Sharing(public=True)), True, True),
    ],
)
def test_a_shared_orphan_is_deleted_only_if_the_user_includes_shared_ones(
    usage: SnapshotUsage, include_shared: bool, deletable: bool
) -> None:
    asks = wanted(orphan_snapshots=True, include_shared=include_shared)
    assert all_orphans(asks, saw(usage)) == {REGION: {FORMER: (ORPHAN,)}}
    assert deletable_orphans(asks, saw(usage)) == ({REGION: {FORMER: (ORPHAN,)}} if deletable else {})


def test_orphans_are_no_concern_of_a_policy_that_does_not_ask_for_them() -> None:
    assert all_orphans(wanted(), saw()) == {}
    assert deletable_orphans(wanted(), saw()) == {}


def test_deleted_are_the_snapshots_of_images_leftovers_and_orphans() -> None:
    asks = wanted(orphan_snapshots=True)
    orphaned = deletable_orphans(asks, saw())
    assert deleted_alone(asks, saw(), REGION, orphaned) == (LEFT, ORPHAN)
    concerned = concerned_snapshots(asks, saw(), decisions(asks, saw()), orphaned)
    assert [ref.snapshot_id for ref in concerned] == ["snap-ami-1", "snap-8", "snap-9"]
