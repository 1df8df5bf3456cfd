# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be read is named where it alone keeps something, once for each region and read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    Evidence,
    ImageUsage,
    OwnSnapshot,
    SnapshotUsage,
)
from ansible_collections.golden.images.plugins.module_utils._failures import summary
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, SnapshotRef

from tests.unit.cleanup.examples import REGION, USED, own, planned, region_state, seen
from tests.unit.examples import OWNER

OLD, NEWEST = own("ami-1", 100), own("ami-new", 1)
REF = ImageRef(REGION, "ami-1")
FLEETS = Evidence.unreadable("DescribeFleets", "UnauthorizedOperation: No.", "Allow ec2:DescribeFleets.")
BIN = Evidence.unreadable("ListImagesInRecycleBin", "InvalidAction: No.")
UNKNOWN = Evidence.unproven("usage of other accounts", "There is no usage report.")


def a_region(**changes: Any) -> CleanupState:
    return seen(region_state(OLD, NEWEST, **changes))


def test_a_failure_for_each_region_and_read_however_many_images_it_keeps() -> None:
    left = {"snap-8": OwnSnapshot("snap-8", tags={"golden.images:cleanup-image-ids": "ami-gone"})}
    here = region_state(OLD, own("ami-2", 90), NEWEST, unread=(FLEETS,), deletions_unread=(BIN,))
    here = replace(here, snapshots={**here.snapshots, **left})
    found = planned(seen(here, region_state(OLD, NEWEST, unread=(FLEETS,)))).failures
    assert [(one.region, one.action) for one in found] == [
        (REGION, "DescribeFleets"),
        (REGION, "ListImagesInRecycleBin"),
        ("us-east-1", "DescribeFleets"),
    ]
    assert "UnauthorizedOperation: No." in found[0].message
    assert [one.remedy for one in found[:2]] == ["Allow ec2:DescribeFleets.", "Allow this read."]
    assert {one.account_id for one in found} == {OWNER}


@pytest.mark.parametrize(
    ("saw", "clocks", "kind", "unread"),
    [
        pytest.param(a_region(), Clocks(deregister=0), "deregister", (), id="all is read"),
        pytest.param(a_region(unread=(FLEETS,)), Clocks(deregister=0), "keep", (FLEETS,), id="alone"),
        pytest.param(
            a_region(unread=(FLEETS,), uses={"ami-1": (USED,)}), Clocks(deregister=0), "keep", (), id="in use"
        ),
        pytest.param(
            seen(region_state(OLD, NEWEST), usage={REF: ImageUsage(unread=(UNKNOWN,))}),
            Clocks(deregister=0),
            "keep",
            (),
            id="what AWS does not show is no failed read",
        ),
        pytest.param(
            seen(region_state(OLD, NEWEST, unread=(FLEETS,)), usage={REF: ImageUsage(unread=(UNKNOWN,))}),
            Clocks(deregister=0),
            "keep",
            (),
            id="and keeps the image anyway",
        ),
        pytest.param(
            a_region(deletions_unread=(BIN,)), Clocks(deregister=0), "wait", (BIN,), id="deletions wait"
        ),
        pytest.param(
            a_region(deletions_unread=(BIN,)),
            Clocks(disable=0, deregister=0),
            "disable",
            (BIN,),
            id="nothing milder waits",
        ),
        pytest.param(
            a_region(deletions_unread=(BIN,)), Clocks(deprecate=0), "deprecate", (), id="nothing is due"
        ),
        pytest.param(
            seen(region_state(replace(OLD, protection="enabled"), NEWEST, deletions_unread=(BIN,))),
            Clocks(deregister=0),
            "wait",
            (),
            id="protected anyway",
        ),
        pytest.param(
            seen(
                region_state(OLD, NEWEST),
                snapshot_usage={SnapshotRef(REGION, "snap-ami-1"): SnapshotUsage(unread="denied")},
            ),
            Clocks(deprecate=0, disable=0),
            "deprecate",
            (Evidence.unreadable("DescribeSnapshotAttribute", "snap-ami-1: denied"),),
            id="the tombstone lacks permissions",
        ),
    ],
)
def test_which_decisions_depend_on_what_was_not_read(
    saw: CleanupState, clocks: Clocks, kind: str, unread: tuple[Evidence, ...]
) -> None:
    made = planned(saw, clocks=clocks)
    (found,) = (one for one in made.decisions if one.ref == REF)
    assert (found.kind, found.unread) == (kind, unread)
    assert [one.action for one in made.failures] == [one.subject for one in unread]
    assert [one for one in made.warnings if "could not be read" in one] == [
        summary([one]) for one in made.unread
    ]
    quiet = planned(saw, clocks=clocks, fail_on="none")
    assert (quiet.failures, quiet.unread, quiet.actions) == ((), made.unread, made.actions)
