# SPDX-License-Identifier: GPL-3.0-or-later

"""What the drawings show of the results."""

from __future__ import annotations

from tests.benchmark.distribution import ENCRYPTED, FIRST, PARALLEL
from tests.benchmark.drawings import TIME, drawings

from .examples import part, series

RUN = f"{ENCRYPTED.name}: {FIRST}"


def test_nothing_is_drawn_of_nothing() -> None:
    assert list(drawings({})) == []


def test_a_comparison_has_a_bar_for_each_contender() -> None:
    results = {"distribute": part(series(RUN, 21, 22, 29), series(RUN, 60, contender=PARALLEL))}
    first, _repeat = drawings(results)
    assert first.panels[0].title == TIME
    assert first.panels[0].bars == {"golden.images": 22, PARALLEL: 60}


def test_times_of_a_busy_machine_are_not_drawn() -> None:
    results = {"distribute": part(series(RUN, 22), busy=0.5)}
    assert TIME not in [panel.title for one in drawings(results) for panel in one.panels]


def test_growth_has_a_line_for_each_run_by_size() -> None:
    listed = (
        series("8 × 100: repeat", 4, size=100),
        series("8 × 50: first run", 21, size=50),
        series("8 × 50: repeat", 2, 3, 4, size=50),
    )
    (drawing,) = drawings({"growth-accounts": part(*listed)})
    assert drawing.axis == "accounts"
    assert drawing.panels[0].lines == {
        "repeat": ((50, 3, 2, 4), (100, 4, 4, 4)),
        "first run": ((50, 21, 21, 21),),
    }


def test_profiles_are_bars_in_percent() -> None:
    (drawing,) = drawings({"profile": part(profiles={"start": {"templates": 0.25, "other": 0.75}})})
    assert drawing.panels[0].bars == {"templates": 25, "other": 75}
