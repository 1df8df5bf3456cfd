# SPDX-License-Identifier: GPL-3.0-or-later

"""A report on adoption is right if it has each use once, as one of the release that it is of."""

from __future__ import annotations

import pytest

from tests.benchmark import growth
from tests.benchmark.adoption import judged


@pytest.mark.parametrize(
    ("totals", "misjudged"),
    [
        ({"current": 14, "behind": 6, "other": 0, "unknown": 0}, 0),
        ({"current": 13, "behind": 6, "other": 0, "unknown": 0}, 1),
        ({"current": 13, "behind": 7, "other": 0, "unknown": 0}, 2),
        ({"current": 14, "behind": 5, "other": 0, "unknown": 1}, 2),
        ({"current": 14, "behind": 6, "other": 1, "unknown": 0}, 1),
    ],
    ids=["right", "missing", "of another release", "unknown", "too many"],
)
def test_misjudged_uses(totals: dict[str, int], misjudged: int) -> None:
    report = {"totals": totals, "findings": [{}], "failures": []}
    found = judged(report, {"current": 7, "behind": 3}, "uses", targets=2)
    assert found == {"uses": 20, "misjudged_uses": misjudged, "findings": 1, "failures": 0}


def test_reports_have_the_numbers_of_instances_of_their_goal() -> None:
    assert [growth.instances_case(tens) for tens in growth.TENS] == [
        "10,000 instances of 100 × 5",
        "30,000 instances of 100 × 5",
        "100,000 instances of 100 × 5",
    ]
