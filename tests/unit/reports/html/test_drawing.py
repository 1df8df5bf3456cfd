# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures as shapes: within their size, in proportion, and with their texts."""

from __future__ import annotations

from itertools import pairwise

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import Bars, Cell, Grid, Mark
from ansible_collections.golden.images.plugins.module_utils._reports.html.drawing import (
    Drawing,
    draw_bars,
    draw_grid,
    draw_trend,
)

NOW = "2026-11-24T12:00:00+00:00"
LEGEND = {Mark.FULL: "full", Mark.BROKEN: "broken"}


def texts(drawing: Drawing) -> list[str]:
    return [shape.text for shape in drawing.shapes if shape.kind == "text"]


def grid(*cells: Cell | None) -> Grid:
    return Grid("G", tuple(f"column {place}" for place, _cell in enumerate(cells)), (("row", cells),), LEGEND)


@pytest.mark.parametrize(
    ("since", "detail", "expected"),
    [
        ("2026-11-15T11:00:00+00:00", "", ["9 days"]),
        ("2026-11-23T11:00:00+00:00", "1 behind", ["1 day, 1 behind"]),
        ("", "1 behind", ["1 behind"]),
        ("no time", "", []),
        ("2026-11-15T11:00:00", "", []),
        ("", "", []),
    ],
)
def test_a_cell_has_its_age_and_its_detail(since: str, detail: str, expected: list[str]) -> None:
    drawing = draw_grid(grid(Cell("2026.11", Mark.FULL, "One.", detail, since)), NOW)
    assert texts(drawing) == ["column 0", "row", "2026.11", *expected]
    (box,) = [shape for shape in drawing.shapes if shape.kind == "rect"]
    assert (box.style, box.title) == ("full box", "row, column 0: One.")


def test_an_empty_cell_has_no_shape() -> None:
    assert [shape.kind for shape in draw_grid(grid(None), NOW).shapes] == ["text", "text"]


def test_all_shapes_are_within_the_picture() -> None:
    cell = Cell("x" * 40, Mark.FULL, "One.", "y" * 40)
    for drawing in (
        draw_grid(grid(cell, None, cell), NOW),
        draw_bars(Bars("B", (("a" * 50, {Mark.FULL: 3.0}), ("b", {})), LEGEND, "GiB")),
    ):
        for shape in drawing.shapes:
            right, bottom = (shape.width, shape.height) if shape.kind == "rect" else (0, 0)
            assert 0 <= shape.x <= shape.x + right <= drawing.width
            assert 0 <= shape.y <= shape.y + bottom <= drawing.height


def test_a_text_that_is_too_long_is_cut_and_whole_in_its_tooltip() -> None:
    drawing = draw_bars(Bars("B", (("a" * 50, {}),), LEGEND, "GiB"))
    label = drawing.shapes[0]
    assert label.text.endswith("a\u2026")
    assert label.title == "a" * 50


def test_bars_are_in_proportion_and_have_their_total() -> None:
    rows = (("web", {Mark.BROKEN: 10.0, Mark.FULL: 30.0}), ("data", {Mark.FULL: 20.0}))
    drawing = draw_bars(Bars("B", rows, LEGEND, "USD", decimals=2))
    boxes = [shape for shape in drawing.shapes if shape.kind == "rect"]
    assert [box.style for box in boxes] == ["full box", "broken box", "full box"]
    assert [round(box.width / boxes[1].width) for box in boxes] == [3, 1, 2]
    assert boxes[1].x == boxes[0].x + boxes[0].width
    assert [text for text in texts(drawing) if "USD" in text] == ["40.00 USD", "20.00 USD"]
    assert boxes[1].title == "web, broken: 10.00 USD"
    assert boxes[1].x + boxes[1].width == 100
    assert draw_bars(Bars("B", (), LEGEND, "GiB")).shapes == ()


def test_a_part_of_a_bar_has_its_amount_where_that_fits() -> None:
    parts = {Mark.FULL: 60.0, Mark.PARTIAL: 39.0, Mark.BROKEN: 1.0}
    legend = {**LEGEND, Mark.PARTIAL: "partial"}
    drawing = draw_bars(Bars("B", (("web", parts), ("data", {Mark.FULL: 50.0})), legend, "USD", decimals=2))
    within = [shape for shape in drawing.shapes if shape.style == "middle on small"]
    # In the order of the legend; the second bar's amount is its total.
    assert [(shape.text, shape.x) for shape in within] == [("60.00", 30), ("39.00", 80.5)]


def test_a_trend_needs_two_reports_with_findings() -> None:
    one = ("2026-11-01T05:00:00+00:00", {"high": 0, "low": 4})
    assert draw_trend([one]) is None
    assert draw_trend([("a", {}), ("b", {"high": 0})]) is None
    drawing = draw_trend([one, ("2026-11-08T05:00:00+00:00", {"high": 0, "low": 2})])
    assert drawing is not None
    assert texts(drawing) == ["0", "4", "2 low", "2026-11-01", "2026-11-08"]
    points = [shape for shape in drawing.shapes if shape.kind == "rect"]
    assert [point.title for point in points] == ["2026-11-01 05:00: 4 low", "2026-11-08 05:00: 2 low"]
    # Less is further down.
    assert points[0].y < points[1].y


def test_the_numbers_at_the_end_of_a_trend_do_not_overlap() -> None:
    counts = {"high": 5, "medium": 5, "low": 5}
    drawing = draw_trend([("a", counts), ("b", counts)])
    assert drawing is not None
    ends = [shape.y for shape in drawing.shapes if shape.text.startswith("5 ")]
    assert len(ends) == 3
    assert min(later - sooner for sooner, later in pairwise(ends)) >= 15
