# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots a run deletes in all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import decisions
from ansible_collections.golden.images.plugins.module_utils.cleanup.deletions import (
    all_leftovers,
    all_orphans,
    concerned_snapshots,
    deletable_orphans,
    deleted_alone,
    deregistered_images,
    going,
    kept_alone,
    unread_deletions,
    used_deregistered_images,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    Evidence,
    OwnSnapshot,
    SnapshotUsage,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.model import Sharing, SnapshotRef

from tests.unit.cleanup.examples import REGION, USED, own, region_state, seen, wanted
from tests.unit.examples import CONSUMER, OWNER

FLEETS = unreadable("DescribeFleets", "UnauthorizedOperation: No.")
BIN = unreadable("ListImagesInRecycleBin", "InvalidAction: No.")
FORMER = "ami-0123456789abcdef0"
ORPHAN = OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}")
LEFT = OwnSnapshot("snap-8", tags={"golden.images:cleanup-image-ids": "ami-gone"})
OLD, NEWEST = own("ami-1"), own("ami-new", 1)


def saw(usage: SnapshotUsage | None = None) -> CleanupSeen:
    """An image to deregister, a leftover, and an orphan with this usage."""
    state = region_state(OLD, NEWEST)
    state = replace(state, snapshots={**state.snapshots, "snap-8": LEFT, "snap-9": ORPHAN})
    return seen(state, snapshot_usage={SnapshotRef(REGION, "snap-9"): usage or SnapshotUsage()})


BY_OTHERS = Sharing(frozenset({CONSUMER, OWNER}), public=True)
WITH_OTHERS = (
    f"they are shared with {CONSUMER}, the public, and their use was not checked. Unshare them first."
)


@pytest.mark.parametrize("include_shared", [False, True])
@pytest.mark.parametrize(
    ("usage", "why"),
    [
        (SnapshotUsage(), None),
        (SnapshotUsage(Sharing(frozenset({OWNER}))), None),
        (SnapshotUsage(BY_OTHERS), WITH_OTHERS),
        (SnapshotUsage(unread="denied"), "denied"),
    ],
)
def test_an_orphan_that_is_shared_or_may_be_is_kept_in_any_case(
    usage: SnapshotUsage, include_shared: bool, why: str | None
) -> None:
    """Nothing shows what other accounts do with it."""
    asks, ref = wanted(orphan_snapshots=True, include_shared=include_shared), SnapshotRef(REGION, "snap-9")
    assert all_orphans(asks, saw(usage)) == {REGION: {FORMER: (ORPHAN,)}}
    assert deletable_orphans(asks, saw(usage)) == ({} if why else {REGION: {FORMER: (ORPHAN,)}})
    assert kept_alone(asks, saw(usage)) == ({ref: why} if why else {})
    unread = (unreadable("DescribeSnapshotAttribute", "snap-9: denied"),)
    assert unread_deletions(asks, saw(usage)) == ({REGION: unread} if usage.unread else {})


def test_orphans_are_no_concern_of_a_policy_that_does_not_ask_for_them() -> None:
    assert all_orphans(wanted(), saw()) == {}
    assert deletable_orphans(wanted(), saw()) == {}


def test_the_snapshots_of_deregistered_images_that_are_in_use_are_kept() -> None:
    """Instances outlive their image, and launch templates and parameters can still name it."""
    uses = {FORMER: (USED,), "ami-gone": (USED,), "ami-8": (USED,)}
    state = replace(saw().regions[REGION], uses=uses)
    now = replace(saw(), regions={REGION: state})
    asks = wanted(orphan_snapshots=True)
    assert all_orphans(asks, now) == {REGION: {}}
    assert all_leftovers(asks, now) == {}
    assert used_deregistered_images(asks, now, REGION) == {FORMER: USED, "ami-gone": USED}
    assert used_deregistered_images(wanted(), now, REGION) == {"ami-gone": USED}
    assert used_deregistered_images(asks, saw(), REGION) == {}


def test_a_parameter_of_another_region_uses_a_deregistered_image() -> None:
    elsewhere = region_state(uses={FORMER: (USED,)})
    regions = {**saw().regions, "us-east-1": elsewhere}
    assert all_orphans(wanted(orphan_snapshots=True), replace(saw(), regions=regions))[REGION] == {}


def test_an_image_of_another_region_keeps_the_snapshots_that_name_it() -> None:
    """A copy of a snapshot of ami-gone or of the other image, with its description and tags."""
    elsewhere = region_state(own(FORMER), own("ami-gone"))
    now = replace(saw(), regions={**saw().regions, "us-east-1": elsewhere})
    asks = wanted(orphan_snapshots=True)
    assert all_orphans(asks, now)[REGION] == {}
    assert all_leftovers(asks, now) == {}
    assert kept_alone(asks, now) == {}
    assert used_deregistered_images(asks, now, REGION) == {}
    assert deleted_alone(asks, now, REGION, deletable_orphans(asks, now)) == ()


def test_no_orphans_where_uses_could_not_be_read() -> None:
    unread = replace(saw().regions[REGION], unread=(unreadable("launch template lt-1", "not resolved"),))
    now = replace(saw(), regions={REGION: unread})
    assert all_orphans(wanted(orphan_snapshots=True), now) == {}


def test_deleted_are_the_snapshots_of_images_leftovers_and_orphans() -> None:
    asks = wanted(orphan_snapshots=True)
    orphaned = deletable_orphans(asks, saw())
    assert deleted_alone(asks, saw(), REGION, orphaned) == (LEFT, ORPHAN)
    concerned = concerned_snapshots(asks, saw(), decisions(asks, saw()), orphaned)
    assert [ref.snapshot_id for ref in concerned] == ["snap-ami-1", "snap-8", "snap-9"]


@pytest.mark.parametrize(
    ("usage", "include_shared", "why"),
    [
        (SnapshotUsage(), False, None),
        (SnapshotUsage(BY_OTHERS), False, WITH_OTHERS),
        (SnapshotUsage(unread="denied"), False, "denied"),
        (SnapshotUsage(BY_OTHERS), True, None),
        (SnapshotUsage(unread="denied"), True, None),
    ],
)
def test_a_shared_leftover_is_deleted_only_if_the_user_includes_shared_ones(
    usage: SnapshotUsage, include_shared: bool, why: str | None
) -> None:
    """It was marked once its image was not used. Without the option, it may have been shared since then."""
    asks, ref = wanted(include_shared=include_shared), SnapshotRef(REGION, "snap-8")
    now = replace(saw(), snapshot_usage={**saw().snapshot_usage, ref: usage})
    assert all_leftovers(asks, now) == {ref: LEFT}
    assert deleted_alone(asks, now, REGION, {}) == (() if why else (LEFT,))
    assert kept_alone(asks, now) == ({ref: why} if why else {})


def test_a_leftover_whose_permissions_were_not_read_is_kept() -> None:
    now = replace(saw(), snapshot_usage={})
    assert deleted_alone(wanted(), now, REGION, {}) == ()
    assert kept_alone(wanted(), now) == {SnapshotRef(REGION, "snap-8"): "Its permissions were not read."}


def test_deregistered_images_are_counted_by_what_no_tag_can_change() -> None:
    asks = wanted(orphan_snapshots=True)
    marked = replace(ORPHAN, snapshot_id="snap-7", tags=LEFT.tags)
    state = replace(saw().regions[REGION], snapshots={"snap-7": marked, "snap-8": LEFT, "snap-9": ORPHAN})
    now = replace(saw(), regions={REGION: state})
    now = replace(now, snapshot_usage={SnapshotRef(REGION, one): SnapshotUsage() for one in state.snapshots})
    assert deregistered_images(asks, now, deletable_orphans(asks, now)) == (
        f"{REGION}/{FORMER}",
        f"{REGION}/snap-8",
    )


@pytest.mark.parametrize(
    ("saw", "orphan_snapshots", "unread"),
    [
        pytest.param(seen(region_state(snapshots={"snap-8": LEFT})), False, {}, id="all is read"),
        pytest.param(seen(region_state(deletions_unread=(BIN,))), True, {}, id="nothing is left"),
        pytest.param(
            seen(region_state(snapshots={"snap-8": LEFT}, deletions_unread=(BIN,))),
            False,
            {REGION: (BIN,)},
            id="it may be needed",
        ),
        pytest.param(
            seen(region_state(snapshots={"snap-8": LEFT}, unread=(FLEETS,))),
            False,
            {REGION: (FLEETS,)},
            id="it may be used",
        ),
        pytest.param(
            seen(region_state(deletions_unread=(unreadable("DescribeSnapshots", "denied"),))),
            True,
            {REGION: (unreadable("DescribeSnapshots", "denied"),)},
            id="orphans are not known",
        ),
        pytest.param(
            seen(
                region_state(snapshots={"snap-8": LEFT}),
                snapshot_usage={SnapshotRef(REGION, "snap-8"): SnapshotUsage(unread="denied")},
            ),
            False,
            {REGION: (unreadable("DescribeSnapshotAttribute", "snap-8: denied"),)},
            id="it may be shared",
        ),
    ],
)
def test_what_keeps_the_snapshots_of_deregistered_images(
    saw: CleanupSeen, orphan_snapshots: bool, unread: dict[str, tuple[Evidence, ...]]
) -> None:
    asked = wanted(orphan_snapshots=orphan_snapshots)
    assert unread_deletions(asked, saw) == unread
    deleted = [one.resource for one in plan(asked, saw).actions if one.operation == "DeleteSnapshot"]
    assert deleted == ([] if unread or not saw.regions[REGION].snapshots else ["snap-8"])


def test_what_is_gone_after_the_run_lacks_the_snapshots_that_stay() -> None:
    asked = wanted(orphan_snapshots=True)
    for used, snapshots in ((False, {"snap-ami-1", "snap-8", "snap-9"}), (True, {"snap-8", "snap-9"})):
        of = saw()
        if used:
            state = replace(of.regions[REGION], snapshot_uses={"snap-ami-1": (USED,)})
            of = replace(of, regions={REGION: state})
        gone = going(asked, of, decisions(asked, of), deletable_orphans(asked, of))
        assert {one.snapshot_id for one in gone.snapshots} == snapshots
        assert {one.image_id for one in gone.images} == {"ami-1"}
