# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of the page, and what it omits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._reports.document import (
    Bars,
    Cell,
    Column,
    Grid,
    Group,
    Mark,
    Matrix,
    MatrixRow,
    Table,
)
from ansible_collections.golden.images.plugins.module_utils._reports.html import view as subject
from ansible_collections.golden.images.plugins.module_utils._reports.html.view import (
    MatrixView,
    build_page_view,
)

from ..examples import EU, US, document, items

NOW = "2026-11-24T12:00:00+00:00"


def test_regions_are_summarized_the_worst_first_without_zeros() -> None:
    view = build_page_view(document(), NOW)
    assert view.regions is not None
    assert [row.values for row in view.regions.rows] == [
        {"region": EU, "high": 2, "medium": 1, "low": None, "images": 4},
        {"region": US, "high": None, "medium": None, "low": 1, "images": 4},
    ]
    assert dict(view.counts) == {"high": 2, "medium": 1, "low": 1}
    assert view.region_names == (EU, US)


def test_severities_without_findings_and_a_single_region_are_not_summarized() -> None:
    view = build_page_view(replace(document(), items=items()[1:2], records=Table("T", (), ())), NOW)
    assert dict(view.counts) == {"high": 1}
    assert view.regions is None


def test_findings_are_grouped_unless_the_document_groups_them() -> None:
    groups = build_page_view(replace(document(), items=(*items(), items()[0])), NOW).groups
    assert [(one.group.label, one.group.code, one.group.number) for one in groups] == [
        ("high", "public", 1),
        ("high", "unknown_account", 1),
        ("medium", "grant_without_share", 1),
        ("low", "stale_principal", 2),
    ]
    given = Group("high", "high", "One cause.", 4, code="public")
    assert [one.group for one in build_page_view(replace(document(), groups=(given,)), NOW).groups] == [given]


def test_rows_of_a_group_of_findings_have_only_their_region() -> None:
    action = Group("disable", "neutral", "D.", 1, rows=({"region": EU, "image_id": "ami-0"},))
    view = build_page_view(replace(document(), actions=(action,)), NOW)
    assert [row.findings for row in view.actions[0].rows] == ["high:unknown_account"]
    assert {row.findings for group in view.groups for row in group.rows} == {None}
    assert {row.region for group in view.groups for row in group.rows} == {EU, US}


def test_columns_without_values_and_tables_without_rows_are_not_shown() -> None:
    columns = (Column("name", "Name"), Column("none", "None"), Column("zero", "Zero", numeric=True))
    tables = (Table("T", columns, ({"name": "a", "none": None, "zero": 0},)), Table("Empty", columns, ()))
    view = build_page_view(replace(document(), tables=tables), NOW)
    assert [one.table.title for one in view.tables] == ["T", "Images"]
    assert [column.key for column in view.tables[0].table.columns] == ["name", "zero"]


def test_rows_with_the_worst_findings_are_first() -> None:
    rows = build_page_view(document(), NOW).tables[-1].rows
    assert [row.values["image_id"] for row in rows] == [f"ami-{one}" for one in (0, 2, 7, 1, 3, 4, 5, 6)]


def test_a_picture_shows_some_rows_and_says_how_many_it_omits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_PICTURE_ROWS", 1)
    cell = Cell("1", Mark.FULL, "One.")
    grid = Grid("G", ("a",), (("x", (cell,)), ("y", (None,)), ("z", (None,))), {Mark.FULL: "full"})
    bars = Bars("B", (("x", {Mark.FULL: 1.0}),), {Mark.FULL: "full"}, "GiB")
    history = ((NOW, {"high": 1}), (NOW, {"high": 2}))
    views = build_page_view(replace(document(), pictures=(grid, bars), history=history), NOW).pictures
    assert [one.drawing.title for one in views] == ["G", "B", "Findings over time"]
    assert [one.left_out for one in views] == ["2 rows more are not shown.", "", ""]
    assert views[0].legend == {Mark.FULL: "full"}


@pytest.mark.parametrize(
    ("row", "region", "findings"),
    [
        pytest.param({"region": EU, "severity": "high", "code": "c"}, EU, "high:c", id="its own finding"),
        pytest.param({"region": EU, "code": "c"}, EU, ":c", id="a code alone"),
        pytest.param({"region": EU, "image_id": "ami-0"}, EU, "high:unknown_account", id="its image's"),
        pytest.param({"region": US, "image_id": "ami-0"}, US, "", id="an image of another region"),
        pytest.param({"region": EU}, EU, None, id="a region"),
        pytest.param({"name": "x"}, None, None, id="null"),
    ],
)
def test_the_filter_values_of_a_row(row: dict[str, Any], region: str | None, findings: str | None) -> None:
    table = Table("T", (Column("name", "Name"),), (row,))
    view = build_page_view(replace(document(), tables=(table,)), NOW).tables[0]
    assert (view.rows[0].region, view.rows[0].findings) == (region, findings)


def test_long_tables_say_what_they_omit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_ROWS", 2)
    view = build_page_view(document(), NOW)
    assert [len(one.rows) for one in view.tables] == [2, 2]
    assert [one.left_out for one in view.tables] == [
        "",
        "This page shows the first 2 of 8 rows. The CSV file has all.",
    ]
    # Counts include rows that are not shown.
    assert sum(view.counts.values()) == 4


def matrix(*rows: dict[str, Mark], columns: tuple[str, ...] = ("a", "b", "c")) -> MatrixView:
    listed = tuple(MatrixRow({"name": str(place)}, cells) for place, cells in enumerate(rows))
    wanted = Matrix("M", {}, (Column("name", "Name"),), columns, listed)
    view = build_page_view(replace(document(), matrix=wanted), NOW).matrix
    assert view is not None
    return view


def shown(view: MatrixView) -> tuple[list[str], list[str]]:
    return [str(row.values["name"]) for row, _marks in view.rows], [*view.columns]


def test_rows_and_columns_without_marks_are_omitted() -> None:
    view = matrix({"a": Mark.FULL}, {}, {"c": Mark.BROKEN}, {})
    assert shown(view) == (["0", "2"], ["a", "c"])
    assert [marks for _row, marks in view.rows] == [(Mark.FULL, None), (None, Mark.BROKEN)]
    assert view.left_out == (
        "2 rows without marks are omitted.",
        "1 column without marks is omitted.",
    )


def test_rows_without_marks_are_shown_where_that_means_a_failure() -> None:
    whole = Matrix(
        *("M", {Mark.FULL: "full"}, (Column("name", "Name"),), ("a",)),
        (MatrixRow({"name": "0"}, {"a": Mark.FULL}), MatrixRow({"name": "1"}, {})),
        all_rows=True,
    )
    found = build_page_view(replace(document(), matrix=whole), NOW).matrix
    assert found is not None
    assert (shown(found), found.left_out) == ((["0", "1"], ["a"]), ())


def test_a_large_matrix_shows_its_worst_rows_and_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subject, "MAX_COLUMNS", 2)
    monkeypatch.setattr(subject, "MAX_CELLS", 5)
    view = matrix(
        {"a": Mark.FULL},
        {"a": Mark.FULL, "b": Mark.FOREIGN},
        {"b": Mark.PARTIAL},
        {"c": Mark.PUBLIC},
    )
    assert shown(view) == (["1", "3"], ["b", "c"])
    assert view.left_out == (
        "2 of 4 rows are shown, those with the worst marks. The CSV file has all.",
        "2 of 3 columns are shown, those with the worst marks. The CSV file has all.",
    )


def test_every_mark_has_a_symbol_and_a_rank() -> None:
    assert {*subject.SYMBOLS} == {*subject._RANK} == {*Mark}
    assert len({*subject.SYMBOLS.values()}) == len(Mark)
