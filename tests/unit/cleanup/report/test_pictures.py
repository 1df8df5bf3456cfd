# SPDX-License-Identifier: GPL-3.0-or-later

"""The pictures of a cleanup: what happens when, costs, drift."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.pictures import draw_pictures
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.module_utils._reports.document import Bars, Grid, Mark

from .examples import US, cleaned, one

PRICES = Prices({"default": Decimal("0.05")}, "EUR")
WAIT = {"decision": "wait", "next_stage": "disable"}


def of(*results: dict[str, Any], prices: Prices = PRICES) -> dict[str, Grid | Bars]:
    return {one.title: one for one in draw_pictures(build_content(cleaned(*results), prices, is_plan=True))}


def waits(date: str, **changes: Any) -> dict[str, Any]:
    return one("ami-w", **{**WAIT, "next_stage_at": f"{date}T05:00:00+00:00", **changes})


def grid_of(*results: dict[str, Any]) -> dict[str, list[str | None]]:
    grid = of(*results)["What happens when"]
    assert isinstance(grid, Grid)
    texts = {stage: [cell and cell.text for cell in cells] for stage, cells in grid.rows}
    return {"": [*grid.columns], **texts}


def test_what_happens_in_this_run_and_later() -> None:
    off = one("ami-1", "disable", next_stage="deregister", next_stage_at="2026-12-24T05:00:00+00:00")
    assert grid_of(off, waits("2026-12-01"), waits("2026-12-01"), one("ami-2", "keep")) == {
        "": ["this run", "2026-12-01", "2026-12-24"],
        "disable": ["1 image", "2 images", None],
        "deregister": [None, None, "1 image"],
    }


def test_all_later_stages_of_an_image_have_their_dates() -> None:
    later = [
        {"due": "2027-01-30T05:00:00+00:00", "stage": "disable"},
        {"due": "2027-03-01T05:00:00+00:00", "stage": "deregister"},
    ]
    image = waits("2026-12-01", next_stage="deprecate", later_stages=later)
    assert grid_of(image, waits("2026-12-01")) == {
        "": ["2026-12-01", "2027-01-30", "2027-03-01"],
        "deprecate": ["1 image", None, None],
        "disable": ["1 image", "1 image", None],
        "deregister": [None, None, "1 image"],
    }


def test_many_dates_are_months() -> None:
    dates = [f"2026-12-{day:02}" for day in range(1, 20)]
    assert grid_of(*map(waits, dates), waits("2027-01-07")) == {
        "": ["2026-12", "2027-01"],
        "disable": ["19 images", "1 image"],
    }


def test_the_months_that_have_no_column_are_the_last_one() -> None:
    months = [f"{2027 + number // 12}-{1 + number % 12:02}" for number in range(14)]
    now = one("ami-1", "disable")
    grid = grid_of(now, *(waits(f"{month}-07") for month in months))
    assert grid == {
        "": ["this run", *months[:7], "from 2027-08"],
        "disable": ["1 image", *["1 image"] * 7, "7 images"],
    }
    # A column of its own takes no more room than one for all later months.
    assert grid_of(now, *(waits(f"{month}-{day}") for month in months[:8] for day in ("07", "08")))[""] == [
        "this run",
        *months[:8],
    ]


def test_nothing_happens_later() -> None:
    assert "What happens when" not in of(one("ami-1", "deregister"), one("ami-2", "keep"))


def test_costs_by_family_and_stage_the_largest_first() -> None:
    results = [
        one("ami-1", "deregister", size_gib=100),
        one("ami-2", "keep", size_gib=100),
        one("ami-3", "keep", family="data", size_gib=300),
    ]
    costs = of(*results)["Cost of each family by stage"]
    assert isinstance(costs, Bars)
    assert costs.rows == (("data", {Mark.FULL: 15.0}), ("web", {Mark.FOREIGN: 5.0, Mark.FULL: 5.0}))
    assert costs.unit == "EUR a month"
    assert {*costs.legend} == {Mark.FULL, Mark.FOREIGN}
    sizes = of(*results, prices=Prices())["Size of each family by stage"]
    assert isinstance(sizes, Bars)
    assert (sizes.rows[0], sizes.unit) == (("data", {Mark.FULL: 300}), "GiB")


def test_drift_is_that_of_the_images_that_stay() -> None:
    results = [one("ami-1", "keep", name="web-1"), one("ami-2", "keep", US, name="web-2")]
    grid = of(*results)["Newest version of each family by region"]
    assert isinstance(grid, Grid)
    assert [family for family, _cells in grid.rows] == ["web"]
    assert "Newest version of each family by region" not in of(*results[:1])


def test_no_images_no_pictures() -> None:
    assert of() == {}
