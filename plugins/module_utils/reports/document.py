# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report as a value, before it takes a form: CSV, SARIF and HTML are all made of this one.

A maker of reports turns what ``report.json`` says into a ``Document`` and knows nothing about forms; a form
knows nothing about audits or cleanups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

SEVERITIES = ("high", "medium", "low")
"""How bad an item can be, the worst first."""


class Mark(StrEnum):
    """What a cell of a matrix can show. Each has a colour and a symbol; the matrix says what it means."""

    FULL = "full"
    """As it is meant to be: allowed and usable, or as far as one can get."""
    PARTIAL = "partial"
    """A part of that."""
    SLIGHT = "slight"
    """A small part of that."""
    BROKEN = "broken"
    """Meant to be, but does not work."""
    FOREIGN = "foreign"
    """Not meant to be: somebody has access whom nobody allowed."""
    PUBLIC = "public"
    """Everybody has access."""
    UNREADABLE = "unreadable"
    """Nobody knows: it could not be read."""


@dataclass(frozen=True)
class Item:
    """One finding.

    ``code`` is stable and has its meaning in the document's ``explanations``; ``severity`` is one of
    ``SEVERITIES``; ``message`` and ``remedy`` are sentences. The rest says what it is about, None where it is
    about nothing in particular: ``resource`` is an image, snapshot, key or region, ``image_id`` the image
    that it concerns, ``principal`` who has or lacks access. Two items with the same code, place and principal
    count as the same finding in two reports, whatever their sentences say.
    """

    code: str
    severity: str
    message: str
    remedy: str
    account_id: str | None
    region: str | None
    resource: str | None
    image_id: str | None = None
    principal: str | None = None


@dataclass(frozen=True)
class Column:
    """A column of a table: the key of its values in the rows, and its title. Numbers are set to the right."""

    key: str
    title: str
    numeric: bool = False


@dataclass(frozen=True)
class Table:
    """Rows of values by the columns' keys.

    A value is a text, a number, a truth value, None for nothing, or a list of texts. The page can filter rows
    that have the keys ``region``, ``severity`` or ``code``, in a column or not. ``note`` is a sentence below
    the title.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Mapping[str, Any], ...]
    note: str = ""


@dataclass(frozen=True)
class MatrixRow:
    """An image in a matrix: what names it, by the keys of the matrix' labels, and its marks by column.

    A column without an entry is empty. The page can filter rows whose labels have the key ``region``.
    """

    labels: Mapping[str, str]
    cells: Mapping[str, Mark]


@dataclass(frozen=True)
class Matrix:
    """Images by accounts (or other principals).

    ``labels`` are the columns that name a row, say region, name and image id; ``columns`` are the accounts,
    each once, in the order in which they are shown; ``legend`` says what each mark means here, in the order
    in which that is shown. Rows and columns in which nothing is marked need not be left out: the page does.
    """

    title: str
    legend: Mapping[Mark, str]
    labels: tuple[Column, ...]
    columns: tuple[str, ...]
    rows: tuple[MatrixRow, ...]
    note: str = ""


@dataclass(frozen=True)
class Changes:
    """What is different from an earlier report, as sentences. ``since`` is when that was written."""

    since: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def as_result(self) -> dict[str, Any]:
        """The changes as ``report.json`` holds them and modules return them."""
        return {"added": list(self.added), "removed": list(self.removed), "since": self.since}


def changes_between(since: str, before: Iterable[str], after: Iterable[str]) -> Changes:
    """The changes from the sentences that an earlier report came to and those that this one comes to."""
    old, new = dict.fromkeys(before), dict.fromkeys(after)
    return Changes(
        since,
        added=tuple(sentence for sentence in new if sentence not in old),
        removed=tuple(sentence for sentence in old if sentence not in new),
    )


@dataclass(frozen=True)
class Document:
    """A report.

    ``kind`` is ``audit``, ``cleanup`` or ``verification``; ``status`` a word, ``headline`` a sentence that
    says what it came to, ``facts`` further (name, value) pairs for the head of the page. ``items`` are the
    findings, in any order; forms put the worst first. The page makes its summary by region of them, so that
    ``tables`` need not. ``records`` are what ``report.csv`` holds: all of what was looked at, one row each;
    the page shows it as its last table. ``explanations`` say in a sentence what each code of an item means.
    ``complete`` is False if something could not be looked at or done, so that there may be more to find.
    ``changes`` are filled in by what writes the report, which knows the earlier one.
    """

    kind: str
    title: str
    status: str
    headline: str
    records: Table
    facts: tuple[tuple[str, str], ...] = ()
    items: tuple[Item, ...] = ()
    tables: tuple[Table, ...] = ()
    matrix: Matrix | None = None
    changes: Changes | None = None
    explanations: Mapping[str, str] = field(default_factory=dict)
    complete: bool = True


def worst_first(items: Iterable[Item]) -> list[Item]:
    """The items in the order in which every form lists them."""
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
