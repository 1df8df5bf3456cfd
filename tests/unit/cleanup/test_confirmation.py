# SPDX-License-Identifier: GPL-3.0-or-later

"""What is left of a plan once the evidence has been read again."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.golden.images.plugins.module_utils._cleanup.confirmation import Confirmed, confirm
from ansible_collections.golden.images.plugins.module_utils._cleanup.plan import plan
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import OwnSnapshot

from tests.unit.cleanup.examples import USED, calls, own, region_state, seen, wanted

NEWEST = own("ami-new", 1)
OLD, OLDER = own("ami-1", 50), own("ami-2", 60)
OF = "golden.images:cleanup-image-ids"


def test_a_plan_that_nothing_contradicts_is_left_as_it_is() -> None:
    made = plan(wanted(), seen(region_state(OLD, OLDER, NEWEST)))
    assert confirm(made, made) == Confirmed(made, ())


def test_an_image_with_late_evidence_keeps_its_snapshots_and_dates() -> None:
    first_region = region_state(OLD, OLDER, NEWEST)
    first = plan(wanted(), seen(first_region))
    again = plan(wanted(), seen(replace(first_region, uses={"ami-1": (USED,)})))
    final, changed = confirm(first, again)
    assert calls(final.actions) == [("CreateTags", "snap-ami-2"), ("DeregisterImage", "ami-2")]
    assert [(one.ref.image_id, one.evidence) for one in changed] == [("ami-1", (USED,))]


def test_what_only_the_second_reading_would_do_is_left_to_the_next_run() -> None:
    used = region_state(
        OLD, OLDER, NEWEST, uses={"ami-1": (USED,)}, snapshots=region_state(OLD, OLDER, NEWEST).snapshots
    )
    left = {"snap-9": OwnSnapshot("snap-9", tags={OF: "ami-gone"})}
    again = replace(used, uses={}, snapshots={**used.snapshots, **left})
    final, changed = confirm(plan(wanted(), seen(used)), plan(wanted(), seen(again)))
    assert calls(final.actions) == [("CreateTags", "snap-ami-2"), ("DeregisterImage", "ami-2")]
    assert changed == ()


def test_a_snapshot_that_a_template_began_to_use_stays() -> None:
    region = region_state(OLD, NEWEST)
    by_template = replace(region, snapshot_uses={"snap-ami-1": ("launch template lt-1 version 1",)})
    final, _changed = confirm(plan(wanted(), seen(region)), plan(wanted(), seen(by_template)))
    assert calls(final.actions) == [("DeregisterImage", "ami-1")]
    assert final.actions[0].parameters == {"ImageId": "ami-1"}


def test_an_image_that_is_gone_by_now_is_left_alone() -> None:
    first = plan(wanted(), seen(region_state(OLD, OLDER, NEWEST)))
    final, skipped = confirm(first, plan(wanted(), seen(region_state(OLDER, NEWEST))))
    assert calls(final.actions) == [("CreateTags", "snap-ami-2"), ("DeregisterImage", "ami-2")]
    assert skipped == ()
