# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a value from which CSV, SARIF and HTML are rendered.

Each capability creates a ``Document`` from the content of its ``report.json``, without knowledge of formats.
Formats have no knowledge of audits or cleanups.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from .._finding import Severity

SEVERITIES = tuple(severity.label for severity in sorted(Severity, reverse=True))
"""The severities of items, the worst of them first."""
WRITTEN_AT = "written_at"
"""The key of a report with the time at which its content was new."""
WRITTEN_BY = "written_by"
"""The key of a report with the caller and the versions of the run that wrote its content first."""
COLLECTION_VERSION = "collection"
"""The key of the collection's version in it, and among the files that a page is made of."""


class Mark(StrEnum):
    """A mark in a cell of a matrix, which has a color and a symbol; the matrix defines its meaning."""

    FULL = "full"
    """Expected: allowed and usable, or the highest level."""
    PARTIAL = "partial"
    """A part of what is expected."""
    SLIGHT = "slight"
    """A small part of what is expected."""
    BROKEN = "broken"
    """Allowed, but does not work."""
    FOREIGN = "foreign"
    """Unexpected: a principal has access that is not allowed."""
    PUBLIC = "public"
    """Public access."""
    UNREADABLE = "unreadable"
    """Unknown, because it could not be read."""


@dataclass(frozen=True)
class Item:
    """A finding of a report.

    ``code`` is stable, and the document's ``explanations`` have its meaning. ``severity`` is one of
    ``SEVERITIES``. ``message`` and ``remedy`` are sentences. The other fields are None if they do not apply:
    ``resource`` is an image, snapshot, key or region, ``image_id`` is the image concerned, and ``principal``
    has or needs access. Two reports have the same finding if code, place and principal are equal.
    """

    code: str
    severity: str
    message: str
    remedy: str
    account_id: str | None = None
    region: str | None = None
    resource: str | None = None
    image_id: str | None = None
    principal: str | None = None

    @classmethod
    def of(cls, finding: Mapping[str, Any], **facts: str | None) -> Item:
        """Return a finding as modules return it, or a failure, with further ``facts``."""
        known = {**finding, **facts}
        names = [part.name for part in fields(cls)]
        return cls(**{name: known[name] for name in names if name in known})


@dataclass(frozen=True)
class Column:
    """A column of a table: the key of its values in the rows, and its title; numbers are right-aligned."""

    key: str
    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Each:
    """The values of a row that stands for several rows, which differ only in this value.

    An image that is shared with hundreds of accounts is one row.
    """

    values: tuple[str, ...]


@dataclass(frozen=True)
class Table:
    """Rows of values by the columns' keys.

    A value is a string, a number, a boolean, a list of strings, or None for an empty cell; one value of a row
    of the document's ``records`` can be ``Each``. The page can filter rows that have the keys ``region``,
    ``severity`` or ``code``, with or without a column. ``note`` is a sentence below the title.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    note: str = ""


@dataclass(frozen=True)
class Group:
    """Findings or actions with one cause or outcome: a sentence that sums them up, and their rows.

    ``label`` is a word before the sentence: a severity, or the action on the rows. ``tone`` is its color, a
    severity or ``neutral``. ``notes`` are (name, text) pairs that apply to all rows. ``code`` is the code of
    findings, and ``number`` the number of findings or actions. ``place`` names the accounts and regions.
    ``command`` is one that a shell runs as it is, and ``command_note`` a sentence about what it does.
    """

    label: str
    tone: str
    title: str
    number: int
    columns: tuple[Column, ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    code: str = ""
    place: str = ""
    command: str = ""
    command_note: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """An image in a matrix: its labels by the keys of the label columns, and its marks by column.

    A column without an entry is empty. The page can filter rows whose labels have the key ``region``.
    """

    labels: Mapping[str, str]
    cells: Mapping[str, Mark]


@dataclass(frozen=True)
class Matrix:
    """Images by accounts (or other principals).

    ``labels`` are the columns that identify a row, for example region, name and image ID. ``columns`` are the
    accounts, without duplicates, in display order. ``legend`` is the meaning of each mark, in display order.
    The page omits columns without marks, and rows without marks unless ``all_rows``: where no mark means that
    something failed.
    """

    title: str
    legend: Mapping[Mark, str]
    labels: tuple[Column, ...]
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    note: str = ""
    all_rows: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a grid: a short text, a second line, its mark, and a sentence as its tooltip.

    The page shows the days since the time ``since`` (ISO 8601) before ``detail``.
    """

    text: str
    mark: Mark
    title: str
    detail: str = ""
    since: str = ""


@dataclass(frozen=True)
class Grid:
    """A picture of rows by columns, for example families by regions; None is an empty cell.

    Labels ``of_accounts`` have room for the names that the page puts before the IDs.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]
    legend: Mapping[Mark, str]
    note: str = ""
    of_accounts: bool = False


@dataclass(frozen=True)
class Bars:
    """A picture of amounts: for each row a bar whose parts are amounts by mark, in the order of ``legend``.

    ``unit`` follows each total, which has ``decimals`` digits after the point.
    """

    title: str
    rows: tuple[tuple[str, Mapping[Mark, float]], ...]
    legend: Mapping[Mark, str]
    unit: str
    decimals: int = 0
    note: str = ""


@dataclass(frozen=True)
class Changes:
    """The differences from a previous report, as sentences; ``since`` is the time of that report.

    ``note`` is a sentence that says why the reports are not compared; empty if they are.
    """

    since: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the changes in the form of ``report.json`` and of results."""
        note = {"note": self.note} if self.note else {}
        return {"added": list(self.added), "removed": list(self.removed), "since": self.since, **note}


def compare_sentences(since: str, before: Iterable[str], after: Iterable[str]) -> Changes:
    """Return the changes between the sentences of a previous report and those of this one."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    return Changes(
        since,
        added=tuple(sentence for sentence in new if sentence not in old),
        removed=tuple(sentence for sentence in old if sentence not in new),
    )


@dataclass(frozen=True)
class Document:
    """A report.

    ``kind`` is ``audit``, ``cleanup``, ``distribution`` or ``verification``. ``status`` is a word,
    ``headline`` a sentence with the result, ``facts`` further (name, value) pairs for the head of the page.
    ``items`` are the findings, in any order; formats sort them. The page shows them as ``groups``, or groups
    them itself if there are none. ``actions``, with the title ``actions_title``, are performed or planned
    actions, which the page shows before the findings. The page summarizes the findings by region, so
    ``tables`` need not. With ``matrix_first``, the matrix precedes the pictures. ``records`` are the rows of
    ``report.csv``, one for each item that was checked; the page shows them as its last table.
    ``explanations`` have a sentence for each code of an item, ``account_names`` the names of accounts by ID.
    ``complete`` is False if a read or an action failed, so that there may be further findings, ``empty`` is
    True if nothing was there to check, or to call good without a finding. The flow of the report sets
    ``changes``, ``written_by``, and ``history``: the times of earlier reports and of this one, the oldest
    first, with their numbers of findings by severity.
    """

    kind: str
    title: str
    status: str
    headline: str
    records: Table
    facts: tuple[tuple[str, str], ...] = ()
    items: tuple[Item, ...] = ()
    groups: tuple[Group, ...] = ()
    actions: tuple[Group, ...] = ()
    actions_title: str = ""
    tables: tuple[Table, ...] = ()
    matrix: Matrix | None = None
    pictures: tuple[Grid | Bars, ...] = ()
    history: tuple[tuple[str, Mapping[str, int]], ...] = ()
    changes: Changes | None = None
    written_by: Mapping[str, str] = field(default_factory=dict)
    explanations: Mapping[str, str] = field(default_factory=dict)
    account_names: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True
    empty: bool = False
    matrix_first: bool = False


def expand_row(row: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the rows that a row stands for: one for each of its values that are ``Each``, or itself."""
    key = find_each_key(row)
    if key is None:
        yield row
    else:
        yield from ({**row, key: value} for value in row[key].values)


def count_rows(rows: Iterable[Mapping[str, Any]]) -> int:
    """Return the number of rows that these rows stand for."""
    return sum(1 if (key := find_each_key(row)) is None else len(row[key].values) for row in rows)


def find_each_key(row: Mapping[str, Any]) -> str | None:
    """Return the key of the value that is ``Each``; None without such a value."""
    return next((key for key, value in row.items() if isinstance(value, Each)), None)


def count_by_severity(items: Iterable[Item]) -> dict[str, int]:
    """Return the number of items of each severity."""
    counts = dict.fromkeys(SEVERITIES, 0)
    for item in items:
        counts[item.severity] += 1
    return counts


def sort_worst_first(items: Iterable[Item]) -> list[Item]:
    """Return the items in the order of every format."""
    return sorted(
        items,
        key=lambda item: (
            SEVERITIES.index(item.severity),
            item.code,
            item.account_id or "",
            item.region or "",
            item.resource or "",
            item.image_id or "",
            item.principal or "",
            item.message,
        ),
    )
