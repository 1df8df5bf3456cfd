# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role refresh shows of its groups."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._refresh.screen import screen

from tests.unit.refresh.examples import BAD, CONSUMER, GOOD, REGION

FAILURE = {
    "account_id": CONSUMER,
    "action": "StartInstanceRefresh",
    "error_code": "instance_refresh_failed",
    "message": "The refresh r-1 has ended.",
    "region": REGION,
    "remedy": "Rerun.",
}


def result(status: str, name: str = "web", good: int = 0, bad: int = 2) -> dict[str, Any]:
    """A group in the result."""
    return {
        "account_id": CONSUMER,
        "auto_scaling_group": name,
        "changed": status != "unchanged",
        "image_id": GOOD,
        "images": {image: number for image, number in ((GOOD, good), (BAD, bad)) if number},
        "instances_to_replace": bad,
        "refresh_id": None,
        "region": REGION,
        "status": status,
    }


ACTIVE = {**result("planned", "api"), "instances_to_replace": 0, "refresh_id": "r-1"}


def show(status: str, *results: dict[str, Any], failures: Any = ()) -> Any:
    given: dict[str, Any] = {"results": [*results], "failures": [*failures]}
    if status in ("failed", "incomplete"):
        given["msg"] = "It failed."
    shown = screen(given, {"check_mode": status == "planned", "role": "refresh"}, None)
    assert shown.artifacts["status"] == status
    return shown


@pytest.mark.parametrize(
    ("status", "results", "headline"),
    [
        ("planned", [result("planned")], "Check mode: 2 instances of 1 group would be replaced."),
        ("refreshed", [result("successful", good=2, bad=0)], "Instances replaced in 1 of 1 group."),
        (
            "refreshed",
            [result("unchanged", good=2, bad=0)],
            "Nothing to change: 1 group with instances of the image only.",
        ),
        ("planned", [result("unchanged", good=2, bad=0)], "Nothing to change: 1 group"),
        (
            "refreshed",
            [result("unchanged", good=2, bad=0), result("unchanged", "api", 1, 1)],
            "Nothing to change: 2 groups with instances of the image. 1 instance kept",
        ),
        (
            "refreshed",
            [result("successful", good=1, bad=1)],
            "Instances replaced in 1 of 1 group. 1 instance kept without the image.",
        ),
        (
            "incomplete",
            [result("not_replaced", good=1, bad=1)],
            "Incomplete: Instances replaced in 0 of 1 group.",
        ),
        ("incomplete", [result("planned")], "Incomplete: Check mode: 2 instances of 1 group would be"),
        (
            "incomplete",
            [result("failed"), result("successful", "api", 2, 0)],
            "Incomplete: Instances replaced in 1 of 2 groups.",
        ),
        (
            "planned",
            [result("planned"), ACTIVE],
            "Check mode: 2 instances of 1 group would be replaced. 1 group is being refreshed",
        ),
        (
            "planned",
            [ACTIVE, ACTIVE],
            "Check mode: 2 groups are being refreshed already, and would be waited for.",
        ),
        ("failed", [], "Failed: no instances replaced."),
    ],
)
def test_the_first_line_says_what_was_replaced(status: str, results: Any, headline: str) -> None:
    assert show(status, *results).text.startswith(headline)


def test_failed_groups_come_first_with_the_instances_that_run_the_image() -> None:
    shown = show(
        "incomplete",
        result("successful", "api", 2, 0),
        result("rolled_back"),
        result("not_started", "zoo", 1, 1),
        failures=[FAILURE],
    )
    rows = [" ".join(line.split()) for line in shown.text.splitlines() if GOOD in line]
    assert rows == [
        f"{REGION} {CONSUMER} web {GOOD} 0 of 2 rolled back",
        f"{REGION} {CONSUMER} zoo {GOOD} 1 of 2 not started",
        f"{REGION} {CONSUMER} api {GOOD} 2 of 2 successful",
    ]
    assert "The refresh r-1 has ended." in shown.text
    assert shown.artifacts == {"failed_regions": [REGION], "report_path": None, "status": "incomplete"}


def test_groups_that_were_refused_are_shown_by_place() -> None:
    text = show("failed", failures=[FAILURE]).text
    assert f"{REGION} {CONSUMER}" in " ".join(text.split())
