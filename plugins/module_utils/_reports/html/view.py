# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The content of a page, and sentences about what it omits."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeAlias

from ..._listing import count
from ..document import (
    SEVERITIES,
    Bars,
    Column,
    Document,
    Grid,
    Group,
    Item,
    Mark,
    Matrix,
    MatrixRow,
    Table,
    count_rows,
    expand_row,
    sort_worst_first,
)
from ..groups import group_items
from .drawing import Drawing, draw_bars, draw_grid, draw_trend
from .paper import Paper, Printed, fit_paper

# More rows are not read in a browser, and make a page of tens of megabytes. The worst ones are first.
MAX_ROWS = 2_000
MAX_COLUMNS = 500
MAX_CELLS = 100_000
# The number of columns that fit on a sheet of paper.
PAPER_COLUMNS = 40
# Longer lists are closed at first.
MAX_OPEN_CHANGES, MAX_OPEN_ROWS = 12, 24
# More rows of a picture cannot be compared.
MAX_PICTURE_ROWS = 30

SYMBOLS = {
    Mark.FULL: "\u2713",
    Mark.PARTIAL: "\u25d0",
    Mark.SLIGHT: "\u25d4",
    Mark.BROKEN: "\u2715",
    Mark.FOREIGN: "!",
    Mark.PUBLIC: "\u25ce",
    Mark.UNREADABLE: "?",
}
SEVERITY_SYMBOLS = {"high": "\u25b2", "medium": "\u25c6", "low": "\u25cf"}
# If the matrix is too large, unexpected access is shown first and expected access omitted first.
_WORST = (
    *(Mark.PUBLIC, Mark.FOREIGN, Mark.UNREADABLE, Mark.BROKEN),
    *(Mark.SLIGHT, Mark.PARTIAL, Mark.FULL),
)
_RANK = {mark: rank for rank, mark in enumerate(_WORST)}

_REGION_FIRST = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-\d+): ")
_IN_BRACKETS = re.compile(r"\((\w+)\)")

RegionAndImage: TypeAlias = "tuple[str | None, str]"
"""A region, and the ID of an image in it."""


@dataclass(frozen=True)
class RowView:
    """A row and its filter values: its region, and its findings as ``severity:code``."""

    values: Mapping[str, Any]
    region: str | None
    findings: str | None


@dataclass(frozen=True)
class TableView:
    """A table with its visible rows, and the ``number`` of all its rows.

    ``left_out`` says which are omitted; it is empty if none are.
    """

    table: Table
    rows: tuple[RowView, ...]
    left_out: str
    number: int


@dataclass(frozen=True)
class MatrixView:
    """A matrix with its visible rows and columns; marks are in column order, and None is an empty cell.

    ``number`` is the number of rows with marks.
    """

    matrix: Matrix
    columns: tuple[str, ...]
    rows: tuple[tuple[RowView, tuple[Mark | None, ...]], ...]
    left_out: tuple[str, ...]
    number: int


@dataclass(frozen=True)
class GroupView:
    """A group with its visible rows; ``left_out`` says which are omitted."""

    group: Group
    rows: tuple[RowView, ...]
    left_out: str


@dataclass(frozen=True)
class ChangesView:
    """The sentences of one kind of changes, with their filter values, and the ``number`` of all."""

    title: str
    style: str
    sentences: tuple[RowView, ...]
    number: int


@dataclass(frozen=True)
class PictureView:
    """A picture, the meaning of its marks, and sentences below its title.

    ``on_paper`` is the picture of its first rows, None if all ``rows`` are printed.
    """

    drawing: Drawing
    on_paper: Drawing | None
    rows: int
    legend: Mapping[Mark, str]
    note: str
    left_out: str


@dataclass(frozen=True)
class PageView:
    """The content of a page."""

    document: Document
    written_at: str
    counts: Mapping[str, int]
    actions: tuple[GroupView, ...]
    groups: tuple[GroupView, ...]
    opens_actions: bool
    pictures: tuple[PictureView, ...]
    changes: tuple[ChangesView, ...]
    region_names: tuple[str, ...]
    regions: TableView | None
    matrix: MatrixView | None
    tables: tuple[TableView, ...]
    paper: Paper


def build_page_view(document: Document, written_at: str) -> PageView:
    """Return the page of a report."""
    items = sort_worst_first(document.items)
    findings = _findings_by_image(items)
    matrix = document.matrix
    regions = _regions(document)
    groups = document.groups or group_items(items, document.explanations)
    tables = (*document.tables, document.records)
    file_sentences = (*["The JSON file has"] * len(document.tables), "The CSV file has")
    matrix_view = None if matrix is None or not matrix.rows else _matrix(matrix, findings)
    on_paper = fit_paper(_open_parts(document, groups, matrix_view))
    return PageView(
        document=document,
        written_at=written_at,
        counts={
            severity: number
            for severity in SEVERITIES
            if (number := sum(item.severity == severity for item in items))
        },
        actions=tuple(_group(group, findings) for group in document.actions),
        groups=tuple(_group(group, findings) for group in groups),
        opens_actions=_count_action_rows(document) <= MAX_OPEN_ROWS,
        pictures=tuple(_pictures(document, written_at, on_paper.picture_rows)),
        changes=tuple(_changes(document)),
        region_names=tuple(sorted(region for region, _counts, _images in regions)),
        regions=_region_table(regions) if items and len(regions) > 1 else None,
        matrix=matrix_view,
        tables=tuple(
            _table(table, findings, file_sentence)
            for table, file_sentence in zip(tables, file_sentences, strict=True)
            if table.rows
        ),
        paper=on_paper,
    )


def _open_parts(document: Document, groups: Sequence[Group], matrix: MatrixView | None) -> Printed:
    """Return the parts of the page that are open at first."""
    changes = (document.changes.added, document.changes.removed) if document.changes else ()
    is_open = sum(map(len, changes)) <= MAX_OPEN_CHANGES
    rows = len(matrix.rows) if matrix else 0
    action_rows = _count_action_rows(document)
    return Printed(
        groups=[[group.title for group in groups_of_list] for groups_of_list in (groups, document.actions)],
        changes=[sentences for sentences in changes if sentences] if is_open else (),
        matrix_rows=rows if rows <= MAX_OPEN_ROWS else 0,
        picture_rows=[len(picture.rows) for picture in document.pictures],
        action_rows=action_rows if action_rows <= MAX_OPEN_ROWS else 0,
    )


def _count_action_rows(document: Document) -> int:
    return sum(len(group.rows) for group in document.actions)


def _group(group: Group, findings: Mapping[RegionAndImage, str]) -> GroupView:
    rows = [_row(row, findings) for row in group.rows[:MAX_ROWS]]
    if group.code:
        # The group itself has the severity and the code of its rows.
        rows = [RowView(row.values, row.region, None) for row in rows]
    return GroupView(group, tuple(rows), _left_out_text(len(group.rows), "rows", "The JSON file has"))


def _pictures(document: Document, written_at: str, printed_rows: int) -> Iterator[PictureView]:
    for picture in document.pictures:
        number = len(picture.rows)
        omitted = max(0, number - MAX_PICTURE_ROWS)
        yield PictureView(
            _drawing(picture, MAX_PICTURE_ROWS, written_at),
            _drawing(picture, printed_rows, written_at) if number > printed_rows else None,
            number,
            picture.legend,
            picture.note,
            f"{count(omitted, 'row')} more are not shown." if omitted else "",
        )
    trend = draw_trend(document.history)
    if trend is not None:
        yield PictureView(trend, None, 0, {}, "", "")


def _drawing(picture: Grid | Bars, rows: int, written_at: str) -> Drawing:
    """Return the first rows of a picture."""
    if isinstance(picture, Grid):
        return draw_grid(replace(picture, rows=picture.rows[:rows]), written_at)
    return draw_bars(replace(picture, rows=picture.rows[:rows]))


def _changes(document: Document) -> Iterator[ChangesView]:
    differences = document.changes
    if differences is None:
        return
    kinds: dict[str, dict[str, None]] = {}
    for item in document.items:
        kinds.setdefault(item.code, {})[f"{item.severity}:{item.code}"] = None
    kinds_of_changes = (("New", "added", differences.added), ("Removed", "removed", differences.removed))
    for title, style, sentences in kinds_of_changes:
        if sentences:
            visible = tuple(_change(sentence, document, kinds) for sentence in sentences[:MAX_ROWS])
            yield ChangesView(title, style, visible, len(sentences))


def _change(sentence: str, document: Document, kinds: Mapping[str, Iterable[str]]) -> RowView:
    """Return a change with the region that its sentence begins with, and the code of its finding.

    A removed finding has the severities of its code today; if the code is gone, it matches all of them.
    """
    region = _REGION_FIRST.match(sentence)
    codes = [code for code in _IN_BRACKETS.findall(sentence) if code in document.explanations]
    kinds_of_codes = [
        kind for code in codes for kind in kinds.get(code, [f"{severity}:{code}" for severity in SEVERITIES])
    ]
    return RowView({"sentence": sentence}, region[1] if region else None, " ".join(kinds_of_codes))


def _findings_by_image(items: Iterable[Item]) -> dict[RegionAndImage, str]:
    """Return the findings of each image as ``severity:code``."""
    by_image: dict[RegionAndImage, dict[str, None]] = {}
    for item in items:
        if item.image_id is not None:
            by_image.setdefault((item.region, item.image_id), {})[f"{item.severity}:{item.code}"] = None
    return {image: " ".join(findings) for image, findings in by_image.items()}


def _regions(document: Document) -> list[tuple[str, Counter[str], int]]:
    """Return the regions of records and findings, with findings by severity and the number of images.

    Those with the worst findings are first.
    """
    counts: dict[str, Counter[str]] = {}
    images: dict[str, set[Any]] = {}
    for row in document.records.rows:
        if region := row.get("region"):
            counts.setdefault(str(region), Counter())
            images.setdefault(str(region), set()).add(row.get("image_id"))
    for item in document.items:
        if item.region:
            counts.setdefault(item.region, Counter())[item.severity] += 1
    regions = [
        (region, numbers, len(images.get(region, set()) - {None, ""})) for region, numbers in counts.items()
    ]
    return sorted(regions, key=lambda entry: (*(-entry[1][severity] for severity in SEVERITIES), entry[0]))


def _region_table(regions: Iterable[tuple[str, Counter[str], int]]) -> TableView:
    """Return the table of findings by region, in which a zero is an empty cell."""
    columns = (
        Column("region", "Region"),
        *(Column(severity, severity.capitalize(), numeric=True) for severity in SEVERITIES),
        Column("images", "Images", numeric=True),
    )
    rows = tuple(
        {
            "region": region,
            **{severity: numbers[severity] or None for severity in SEVERITIES},
            "images": images or None,
        }
        for region, numbers, images in regions
    )
    return _table(Table("Findings by region", columns, rows), {}, "The JSON file has")


def _table(table: Table, findings: Mapping[RegionAndImage, str], file_sentence: str) -> TableView:
    """Return the table without empty columns, the rows with the worst findings first."""
    ranked_rows = sorted((_row(row, findings) for row in table.rows), key=_rank_row)
    rows = tuple(islice((single_row for row in ranked_rows for single_row in _single_rows(row)), MAX_ROWS))
    columns = tuple(
        column
        for column in table.columns
        if any(row.values.get(column.key) not in (None, "", [], ()) for row in rows)
    )
    number = count_rows(table.rows)
    return TableView(
        replace(table, columns=columns), rows, _left_out_text(number, "rows", file_sentence), number
    )


def _single_rows(row: RowView) -> Iterator[RowView]:
    yield from (replace(row, values=values) for values in expand_row(row.values))


def _rank_row(row: RowView) -> int:
    """Return the rank of a row's worst finding; the last rank for a row without findings."""
    codes = row.findings
    if not codes:
        return len(SEVERITIES)
    ranks = (rank for rank, severity in enumerate(SEVERITIES) if f"{severity}:" in codes)
    return next(ranks, len(SEVERITIES))


def _row(values: Mapping[str, Any], findings: Mapping[RegionAndImage, str]) -> RowView:
    region, image_id = values.get("region"), values.get("image_id")
    codes = None
    if "severity" in values or "code" in values:
        codes = f"{values.get('severity') or ''}:{values.get('code') or ''}"
    elif "image_id" in values:
        codes = findings.get((region, str(image_id)), "")
    return RowView(values, None if region is None else str(region), codes)


def _left_out_text(number: int, what: str, file_sentence: str) -> str:
    if number <= MAX_ROWS:
        return ""
    return f"This page shows the first {MAX_ROWS:,} of {number:,} {what}. {file_sentence} all."


def _matrix(matrix: Matrix, findings: Mapping[RegionAndImage, str]) -> MatrixView:
    """Return the rows and columns to show; if there are too many, those with the worst marks."""
    marked_rows = [row for row in matrix.rows if row.cells or matrix.all_rows]
    worst: dict[str, int] = {}
    for row in marked_rows:
        for column, mark in row.cells.items():
            worst[column] = min(worst.get(column, len(_WORST)), _RANK[mark])
    marked_columns = [column for column in matrix.columns if column in worst]
    columns = _select_worst(marked_columns, [worst[column] for column in marked_columns], MAX_COLUMNS)
    visible = frozenset(columns)
    ranks = [
        min((_RANK[mark] for column, mark in row.cells.items() if column in visible), default=len(_WORST))
        for row in marked_rows
    ]
    rows = _select_worst(marked_rows, ranks, min(MAX_ROWS, MAX_CELLS // max(1, len(columns))))
    row_views = [(_row(row.labels, findings), _marks(row, columns)) for row in rows]
    return MatrixView(
        matrix,
        tuple(columns),
        tuple(sorted(row_views, key=lambda entry: _rank_row(entry[0]))),
        tuple(
            sentence
            for sentence in (
                _omitted_text(len(matrix.rows) - len(marked_rows), "row"),
                _omitted_text(len(matrix.columns) - len(marked_columns), "column"),
                _limit_text(len(rows), len(marked_rows), "rows"),
                _limit_text(len(columns), len(marked_columns), "columns"),
            )
            if sentence
        ),
        len(marked_rows),
    )


def _marks(row: MatrixRow, columns: Iterable[str]) -> tuple[Mark | None, ...]:
    return tuple(row.cells.get(column) for column in columns)


def _select_worst(items: Sequence[Any], ranks: Sequence[int], number: int) -> list[Any]:
    """Return ``number`` items with the lowest ranks, in their original order."""
    indexes = sorted(sorted(range(len(items)), key=lambda place: ranks[place])[:number])
    return [items[place] for place in indexes]


def _omitted_text(number: int, noun: str) -> str:
    if not number:
        return ""
    ending, verb = ("", "is") if number == 1 else ("s", "are")
    return f"{number:,} {noun}{ending} without marks {verb} omitted."


def _limit_text(shown: int, number: int, what: str) -> str:
    if shown == number:
        return ""
    return f"{shown:,} of {number:,} {what} are shown, those with the worst marks. The CSV file has all."
