# SPDX-License-Identifier: GPL-3.0-or-later

"""Results as lines for a terminal."""

from __future__ import annotations

import pytest

from tests.benchmark import text
from tests.benchmark.results import Spread

from .examples import part, series


@pytest.mark.parametrize(
    ("value", "written"),
    [(0, "0"), (0.125, "0.125"), (1.5, "1.5"), (22.64, "22.6"), (261.4, "261"), (12_345, "12,345")],
)
def test_number(value: float, written: str) -> None:
    assert text.number(value) == written


@pytest.mark.parametrize(
    ("value", "written"),
    [(Spread(2, 1, 3), "2 s (1–3)"), (Spread(2, 2, 2), "2 s"), (Spread(0, 0, 0), "")],
)
def test_spread(value: Spread, written: str) -> None:
    assert text.spread(value, "s") == written


def test_a_part_has_a_row_for_each_series_and_its_other_numbers() -> None:
    written = text.of(part(series("one", 4, refused=0)))
    assert "one  golden.images  4 s" in written
    assert "one, golden.images: refused 0" in written


def test_a_busy_machine_is_mentioned() -> None:
    assert "Other programs used 50% of the machine" in text.of(part(busy=0.5))


def test_a_comparison_has_the_change_of_what_both_have() -> None:
    old = {"audit": part(series("one", 4), series("gone", 1))}
    new = {"audit": part(series("one", 2), series("added", 1)), "start": part(series("one", 1))}
    lines = text.comparison(old, new).splitlines()
    assert len(lines) == 2
    assert lines[1].split() == ["audit", "one", "golden.images", "-50%", "-50%", "-50%", "-50%", "+0%"]
