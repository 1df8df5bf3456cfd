# SPDX-License-Identifier: GPL-3.0-or-later

"""What could not be read is named where it alone keeps something, once for each region and read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import Decision, decisions
from ansible_collections.golden.images.plugins.module_utils.cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CleanupSeen,
    Evidence,
    ImageUsage,
    SnapshotUsage,
    unproven,
    unreadable,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.unread import unread_failures
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef, SnapshotRef

from tests.unit.cleanup.examples import REGION, USED, own, region_state, seen, wanted
from tests.unit.examples import CONSUMER, OWNER

OLD, NEWEST = own("ami-1", 100), own("ami-new", 1)
REF = ImageRef(REGION, "ami-1")
FLEETS = unreadable("DescribeFleets", "UnauthorizedOperation: No.", "Allow ec2:DescribeFleets.")
BIN = unreadable("ListImagesInRecycleBin", "InvalidAction: No.")
UNKNOWN = unproven("usage of other accounts", "There is no usage report.")


def a_region(**changes: Any) -> CleanupSeen:
    return seen(region_state(OLD, NEWEST, **changes))


def decision(*unread: Evidence, region: str = REGION) -> Decision:
    return Decision(ImageRef(region, "ami-1"), "web", "keep", evidence=unread, unread=unread)


def test_a_failure_for_each_region_and_read_however_many_images_it_keeps() -> None:
    found = unread_failures(
        OWNER, [decision(FLEETS), decision(FLEETS), decision(FLEETS, region="us-east-1")], {REGION: (BIN,)}
    )
    assert [(one.region, one.action) for one in found] == [
        (REGION, "DescribeFleets"),
        (REGION, "ListImagesInRecycleBin"),
        ("us-east-1", "DescribeFleets"),
    ]
    assert "UnauthorizedOperation: No." in found[0].message
    assert [one.remedy for one in found[:2]] == ["Allow ec2:DescribeFleets.", "Allow this read."]
    assert {one.account_id for one in found} == {OWNER}


def test_a_failed_read_in_the_account_of_a_consumer_is_a_failure_there() -> None:
    elsewhere = replace(FLEETS, account_id=CONSUMER)
    found = unread_failures(OWNER, [decision(FLEETS), decision(elsewhere)], {})
    assert [(one.account_id, one.action) for one in found] == [
        (CONSUMER, "DescribeFleets"),
        (OWNER, "DescribeFleets"),
    ]


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
            (unreadable("DescribeSnapshotAttribute", "snap-ami-1: denied"),),
            id="the tombstone lacks permissions",
        ),
    ],
)
def test_which_decisions_depend_on_what_was_not_read(
    saw: CleanupSeen, clocks: Clocks, kind: str, unread: tuple[Evidence, ...]
) -> None:
    (found,) = (one for one in decisions(wanted(clocks=clocks), saw) if one.ref == REF)
    assert (found.kind, found.unread) == (kind, unread)
    planned = plan(wanted(clocks=clocks), saw)
    assert [one.action for one in planned.failures] == [one.subject for one in unread]
    assert [one for one in planned.warnings if "could not be read" in one] == [
        one.sentence() for one in planned.unread
    ]
    quiet = plan(replace(wanted(clocks=clocks), fail_on="none"), saw)
    assert (quiet.failures, quiet.unread, quiet.actions) == ((), planned.unread, planned.actions)
