# SPDX-License-Identifier: GPL-3.0-or-later

"""The diff of a cleanup: a line for each retired image, with the reason."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import CleanupState, OwnSnapshot

from tests.unit.cleanup.examples import FAMILY, ago, own, region_state, seen, wanted
from tests.unit.examples import volumes

NEWEST = own("ami-new", 1, name="golden-web-4")
OLD = own("ami-1", 50, name="golden-web-3")
OLDER = own("ami-2", 120, name="golden-web-2", devices=volumes("snap-1", "snap-2"))


def text_of(saw: CleanupState, **wants: Any) -> list[str]:
    asked = wanted(**wants)
    made = FLOW.plan(asked, saw)
    return str(FLOW.diff(asked, saw, made)["prepared"]).splitlines()


@pytest.mark.parametrize(
    ("wants", "expected"),
    [
        (
            {},
            [
                "eu-west-1: - golden-web-3 deregister (2nd newest, 50 days old, with 1 snapshot)",
                "eu-west-1: - golden-web-2 deregister (3rd newest, 120 days old, with 2",
                "    snapshots)",
            ],
        ),
        (
            {"unused_for_days": 100, "clocks": Clocks(deprecate=0)},
            [
                "eu-west-1: - golden-web-2 deprecate (3rd newest, unused for 120 days)",
            ],
        ),
    ],
)
def test_each_image_with_its_reason(wants: dict[str, Any], expected: list[str]) -> None:
    assert text_of(seen(region_state(NEWEST, OLD, OLDER)), **wants) == expected


def test_a_launch_ends_the_time_without_use() -> None:
    used = own("ami-2", 120, name="golden-web-2", last_launched=ago(days=110))
    lines = text_of(seen(region_state(NEWEST, used)), unused_for_days=100, clocks=Clocks(disable=0))
    assert lines[0] == "eu-west-1: - golden-web-2 disable (2nd newest, unused for 110 days)"


def test_an_image_that_regions_rank_differently_is_one_line() -> None:
    """A region that was added later lacks older versions, or has one more."""
    one_more = own("ami-between", 30, name="golden-web-3.5")
    regions = (
        region_state(NEWEST, OLDER),
        region_state(NEWEST, one_more, OLDER),
        region_state(NEWEST, OLDER),
    )
    lines = text_of(seen(*regions), clocks=Clocks(disable=0))
    assert " ".join(" ".join(lines).split()) == (
        "ap-south-1, eu-west-1, us-east-1: - golden-web-2 disable (2nd to 3rd newest, 120 days old) "
        "us-east-1: - golden-web-3.5 disable (2nd newest, 30 days old)"
    )


CHOSEN, DEPRECATED = "golden.images:cleanup-chosen", "golden.images:cleanup-deprecated"
EARLIER = f"{ago(days=30):%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize(
    ("days", "text"),
    [(40, "retirement is canceled:"), (5, "cleanup tags of")],
    ids=["its own", "of the image that it is a copy of"],
)
def test_the_end_of_a_retirement_is_a_line(days: int, text: str) -> None:
    marked = [own(f"ami-{one}", days, tags={"family": str(one), CHOSEN: EARLIER}) for one in (5, 6)]
    assert text_of(seen(region_state(*marked))) == [f"eu-west-1: - {text} ami-5, ami-6"]


@pytest.mark.parametrize(
    ("tags", "changes", "expected"),
    [
        ({}, {}, "starts (deprecate on 2026-12-04)"),
        # A copy has the date of its source.
        ({CHOSEN: f"{ago(days=300):%Y-%m-%dT%H:%M:%SZ}"}, {}, "starts (deprecate on 2026-12-04)"),
        # The deprecation was undone.
        ({DEPRECATED: EARLIER}, {}, "starts again (deprecate on 2026-12-04)"),
        ({CHOSEN: EARLIER}, {"last_launched": ago(days=1)}, "starts again (deprecate on 2026-12-04)"),
        # It was deprecated by other means, or its run was killed.
        ({}, {"deprecation_time": EARLIER}, "starts (disable on 2026-12-24)"),
        ({CHOSEN: EARLIER}, {"deprecation_time": EARLIER}, "continues (disable on 2026-12-24)"),
    ],
)
def test_new_dates_are_a_line_with_the_next_stage(
    tags: dict[str, str], changes: dict[str, Any], expected: str
) -> None:
    old = [own(f"ami-{days}", days, tags={**FAMILY, **tags}, **changes) for days in (50, 120)]
    regions = (region_state(NEWEST, *old), region_state(NEWEST, *old))
    lines = text_of(seen(*regions), clocks=Clocks(deprecate=10, disable=30))
    assert " ".join(" ".join(lines).split()) == f"eu-west-1, us-east-1: + retirement {expected}: 2 images"


def test_tags_without_a_date_are_counted() -> None:
    marked = {"snap-ami-5": OwnSnapshot("snap-ami-5", tags={"golden.images:cleanup-image-ids": "ami-5"})}
    kept = region_state(own("ami-5", 5), snapshots=marked)
    assert text_of(seen(kept)) == ["eu-west-1: - cleanup tags of snap-ami-5"]
