# SPDX-License-Identifier: GPL-3.0-or-later

"""Differences as text: each once, the most frequent ones first."""

from __future__ import annotations

from tests.record.compare import Difference, Kind
from tests.record.render import rendered

VANISHED = "key images vanished from the result of ami_share"


def test_nothing_is_said_of_equal_records() -> None:
    assert rendered([]) == ""


def test_what_is_found_in_many_places_is_said_once() -> None:
    found = [
        Difference(Kind.RESULTS, "another msg", "test_b run 1", "a", "b"),
        *(Difference(Kind.RESULTS, VANISHED, f"test_a run {number}", "[]") for number in range(1, 6)),
        Difference(Kind.CODES, "another exit code", "test_a run 1", "[0]", "[2]"),
    ]
    assert rendered(found).splitlines() == [
        "Exit codes: must be equal",
        "=========================",
        "",
        "another exit code   (1 place)",
        "    - [0]",
        "    + [2]",
        "  in test_a run 1",
        "",
        "Results of modules and tasks",
        "============================",
        "",
        f"{VANISHED}   (5 places)",
        "    - []",
        "  in test_a run 1",
        "  in test_a run 2",
        "  in test_a run 3",
        "  and in 2 more",
        "",
        "another msg   (1 place)",
        "    - a",
        "    + b",
        "  in test_b run 1",
    ]


def test_of_many_values_the_most_frequent_ones_are_shown() -> None:
    values = ["a", "b", "b", "c", "d"]
    found = [Difference(Kind.SCREENS, "x", f"run {place}", value) for place, value in enumerate(values)]
    shown = rendered(found)
    assert "    - b   (2 times)\n    - a\n    - c\n    and 1 other values\n" in shown
