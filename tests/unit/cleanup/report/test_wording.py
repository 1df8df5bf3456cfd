# SPDX-License-Identifier: GPL-3.0-or-later

"""How outcomes, counts and amounts read."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.wording import (
    render_headline,
    render_lost_images,
    render_money,
    render_outcome,
    render_waiting,
)

from .examples import one

NEXT = {"next_stage": "disable", "next_stage_at": "2027-02-22T01:02:03+00:00"}


@pytest.mark.parametrize(
    ("decision", "outcome", "changes", "text"),
    [
        ("deregister", "planned", {}, "would be deregistered"),
        ("disable", "done", {}, "was disabled"),
        ("deprecate", "not_done", {}, "should have been deprecated, but was not"),
        ("keep", "nothing", {}, "is kept"),
        ("wait", "nothing", NEXT, "will be disabled on 2027-02-22"),
        ("wait", "nothing", {"reasons": ["It is protected."]}, "is due for its next stage, which is blocked"),
        ("wait", "nothing", {}, "has reached the last stage"),
    ],
)
def test_an_outcome_is_the_predicate_of_a_sentence(
    decision: str, outcome: str, changes: dict[str, Any], text: str
) -> None:
    image = {**one("ami-1", decision), "outcome": outcome, **changes}
    assert render_outcome(image) == text
    if decision == "wait":
        assert render_waiting(image) == text


@pytest.mark.parametrize(
    ("images", "check_mode", "text"),
    [
        ([one("ami-1", "keep"), one("ami-2", "disable")], True, ""),
        ([one("ami-1", "deregister")], True, "1 image to deregister, with 1 snapshot, may not be res"),
        (
            [one("ami-1", "deregister")] * 2,
            False,
            "2 deregistered images, with 1 snapshot, may not be restor",
        ),
        ([one("ami-1", "deregister", recoverable_until="2026-12-24")], True, ""),
    ],
)
def test_what_may_not_be_restorable(images: list[dict[str, Any]], check_mode: bool, text: str) -> None:
    outcome = {"outcome": "planned" if check_mode else "done"}
    snapshots = [[{**snapshot, **outcome} for snapshot in image["snapshots"]] for image in images]
    rows = [{**image, **outcome, "snapshots": found} for image, found in zip(images, snapshots, strict=True)]
    found = render_lost_images({"check_mode": check_mode, "images": rows})
    assert found.startswith(text)
    assert bool(found) is bool(text)


def test_numbers_and_amounts() -> None:
    assert (render_money(1234.5, "EUR"), render_money(0.0, None), render_money(None, "EUR")) == (
        "1,234.50 EUR",
        "0.00",
        "",
    )


def test_large_numbers_have_separators() -> None:
    nothing = {"images": 0, "done": 0, "not_done": 0}
    decisions = {stage: {**nothing, "images": 1234} for stage in ("deregister", "disable", "deprecate")}
    sums = {"images": 10000, "freed_gib": 5678, "freed_later_gib": 1000, "freed_monthly_cost": None}
    content = {
        "status": "planned",
        "check_mode": True,
        "currency": None,
        "failures": [],
        "grants": [],
        "orphan_snapshots": [],
        "tags": {"tagged": 0, "untagged": 0},
        "totals": {**sums, "by_decision": decisions},
        "unreadable": [],
        "usage_reports": 0,
    }
    assert render_headline(content) == (
        "This is a plan, nothing was changed: 1,234 of 10,000 images would be deregistered, 1,234 disabled "
        "and 1,234 deprecated, which would free at most 5,678 GiB, 1,000 GiB of them after their retention "
        "in the Recycle Bin."
    )


def test_a_report_without_images_says_why() -> None:
    failure = {"error_code": "No", "message": "Denied.", "region": "eu-west-1", "remedy": "Allow it."}
    content = {"status": "refused", "failures": [failure]}
    assert render_headline(content) == "Nothing was changed. eu-west-1: Denied. Allow it."
    assert render_headline({**content, "status": "failed"}).startswith("It is not known what was changed.")
    found = render_headline({**content, "failures": [failure, failure, failure]})
    assert found == "Nothing was changed. There are 3 failures. The first: eu-west-1: Denied. Allow it."
