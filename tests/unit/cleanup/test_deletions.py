# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots a run deletes in all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import Limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    OwnSnapshot,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._model import Sharing, SnapshotRef

from tests.unit.cleanup.examples import REGION, USED, own, planned, region_state, seen
from tests.unit.examples import CONSUMER, OWNER

FLEETS = Evidence.unreadable("DescribeFleets", "UnauthorizedOperation: No.")
BIN = Evidence.unreadable("ListImagesInRecycleBin", "InvalidAction: No.")
FORMER = "ami-0123456789abcdef0"
ORPHAN = OwnSnapshot("snap-9", f"Created by CreateImage(i-1) for {FORMER}")
LEFT = OwnSnapshot("snap-8", tags={"golden.images:cleanup-image-ids": "ami-gone"})
OLD, NEWEST = own("ami-1"), own("ami-new", 1)


def alone(of: CleanupState, **wants: Any) -> list[str | None]:
    """The snapshots that are deleted without an image."""
    return [one.resource for one in planned(of, **wants).actions if one.operation == "DeleteSnapshot"]


def kept(of: CleanupState, **wants: Any) -> str:
    """The warnings about snapshots that are kept."""
    return "; ".join(planned(of, **wants).warnings)


def saw(usage: SnapshotUsage | None = None) -> CleanupState:
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
        (SnapshotUsage(), ""),
        (SnapshotUsage(Sharing(frozenset({OWNER}))), ""),
        (SnapshotUsage(BY_OTHERS), WITH_OTHERS),
        (SnapshotUsage(unread="denied"), "denied"),
    ],
)
def test_an_orphan_that_is_shared_or_may_be_is_kept_in_any_case(
    usage: SnapshotUsage, include_shared: bool, why: str
) -> None:
    """Nothing shows what other accounts do with it."""
    wants = {"orphan_snapshots": True, "include_shared": include_shared}
    assert ("snap-9" in alone(saw(usage), **wants)) is not bool(why)
    assert why in kept(saw(usage), **wants)
    assert ("(snap-9)" in kept(saw(usage), **wants)) is bool(why)
    assert alone(saw(usage)) == ["snap-8"]


def test_snapshots_whose_deregistered_image_is_used_are_kept() -> None:
    """Instances outlive their image, and launch templates and parameters can still name it."""
    uses = {FORMER: (USED,), "ami-gone": (USED,), "ami-8": (USED,)}
    now = replace(saw(), regions={REGION: replace(saw().regions[REGION], uses=uses)})
    for wants, used in (({"orphan_snapshots": True}, (FORMER, "ami-gone")), ({}, ("ami-gone",))):
        assert alone(now, **wants) == []
        (warning,) = planned(now, **wants).warnings
        assert [f"{one} (instance i-1)" in warning for one in (FORMER, "ami-gone", "ami-8")] == [
            one in used for one in (FORMER, "ami-gone", "ami-8")
        ]
    assert kept(saw(), orphan_snapshots=True) == ""


def test_a_parameter_of_another_region_uses_a_deregistered_image() -> None:
    regions = {**saw().regions, "us-east-1": region_state(uses={FORMER: (USED,)})}
    assert alone(replace(saw(), regions=regions), orphan_snapshots=True) == ["snap-8"]


def test_an_image_of_another_region_keeps_the_snapshots_that_name_it() -> None:
    """A copy of a snapshot of ami-gone or of the other image, with its description and tags."""
    elsewhere = region_state(own(FORMER, tags={}), own("ami-gone", tags={}))
    now = replace(saw(), regions={**saw().regions, "us-east-1": elsewhere})
    assert alone(now, orphan_snapshots=True) == []
    assert kept(now, orphan_snapshots=True) == ""


def test_no_orphans_where_uses_could_not_be_read() -> None:
    unread = replace(
        saw().regions[REGION], unread=(Evidence.unreadable("launch template lt-1", "not resolved"),)
    )
    now = replace(saw(), regions={REGION: unread})
    assert alone(now, orphan_snapshots=True) == []


def test_deleted_are_the_snapshots_of_images_leftovers_and_orphans() -> None:
    assert alone(saw(), orphan_snapshots=True) == ["snap-8", "snap-9"]
    after = planned(saw(), orphan_snapshots=True).after[REGION]
    assert after["snapshots"] == []


@pytest.mark.parametrize(
    ("usage", "include_shared", "why"),
    [
        (SnapshotUsage(), False, ""),
        (SnapshotUsage(BY_OTHERS), False, WITH_OTHERS),
        (SnapshotUsage(unread="denied"), False, "denied"),
        (None, False, "Its permissions were not read."),
        (SnapshotUsage(BY_OTHERS), True, ""),
        (SnapshotUsage(unread="denied"), True, ""),
    ],
)
def test_a_shared_leftover_is_deleted_only_if_the_user_includes_shared_ones(
    usage: SnapshotUsage | None, include_shared: bool, why: str
) -> None:
    """It was marked once its image was not used. Without the option, it may have been shared since then."""
    ref = SnapshotRef(REGION, "snap-8")
    others = {key: one for key, one in saw().snapshot_usage.items() if key != ref}
    now = replace(saw(), snapshot_usage={**others, **({ref: usage} if usage else {})})
    assert alone(now, include_shared=include_shared) == ([] if why else ["snap-8"])
    assert why in kept(now, include_shared=include_shared)
    assert ("(snap-8)" in kept(now, include_shared=include_shared)) is bool(why)


def test_deregistered_images_are_counted_by_what_no_tag_can_change() -> None:
    marked = replace(ORPHAN, snapshot_id="snap-7", tags=LEFT.tags)
    state = replace(saw().regions[REGION], snapshots={"snap-7": marked, "snap-8": LEFT, "snap-9": ORPHAN})
    now = replace(saw(), regions={REGION: state})
    now = replace(now, snapshot_usage={SnapshotRef(REGION, one): SnapshotUsage() for one in state.snapshots})
    (refusal,) = planned(now, orphan_snapshots=True, max_deletions=Limit(count=0)).refusals
    assert (
        f"the snapshots of 2 deregistered images deleted ({REGION}/{FORMER}, {REGION}/snap-8)"
        in refusal.message
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
            seen(region_state(deletions_unread=(Evidence.unreadable("DescribeSnapshots", "denied"),))),
            True,
            {REGION: (Evidence.unreadable("DescribeSnapshots", "denied"),)},
            id="orphans are not known",
        ),
        pytest.param(
            seen(
                region_state(snapshots={"snap-8": LEFT}),
                snapshot_usage={SnapshotRef(REGION, "snap-8"): SnapshotUsage(unread="denied")},
            ),
            False,
            {REGION: (Evidence.unreadable("DescribeSnapshotAttribute", "snap-8: denied"),)},
            id="it may be shared",
        ),
    ],
)
def test_what_keeps_the_snapshots_of_deregistered_images(
    saw: CleanupState, orphan_snapshots: bool, unread: dict[str, tuple[Evidence, ...]]
) -> None:
    made = planned(saw, orphan_snapshots=orphan_snapshots)
    assert [(one.region, one.action) for one in made.failures] == [
        (region, one.subject) for region, found in unread.items() for one in found
    ]
    deleted = [one.resource for one in made.actions if one.operation == "DeleteSnapshot"]
    assert deleted == ([] if unread or not saw.regions[REGION].snapshots else ["snap-8"])
