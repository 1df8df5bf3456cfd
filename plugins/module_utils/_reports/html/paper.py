# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit how much of a page is printed, so that it fits on two sheets of paper."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# In CSS pixels, from the style for print: two sheets of A4 in landscape, and the space at the end of the
# first that stays empty because a picture is not broken.
_HEIGHT, _LOST = 2 * 703, 150
_TOP, _CLOSED = 100, 30
_TITLE, _LINE, _GROUP = 45, 16, 10
_PICTURE, _PICTURE_ROW = 75, 30
_MATRIX, _MATRIX_ROW = 260, 30
_CHANGES, _CHANGE = 60, 4
# With the head of its table and the notes of its group.
_ACTION_ROW = 60
# The characters of a line, and of one in two columns.
_WIDE, _NARROW = 140, 70
# Limits that fit if texts have at most two lines, and the multiples of them that are tried.
_GROUPS, _SENTENCES, _MATRIX_ROWS, _PICTURE_ROWS = 8, 4, 6, 4
_TIMES = (1_000, 6, 4, 3, 2, 1.5)


@dataclass(frozen=True)
class Printed:
    """The open parts of a page, which a browser prints: texts of groups and changes, numbers of rows.

    All ``action_rows`` are printed.
    """

    groups: Sequence[Sequence[str]] = ()
    changes: Sequence[Sequence[str]] = ()
    matrix_rows: int = 0
    picture_rows: Sequence[int] = ()
    action_rows: int = 0


@dataclass(frozen=True)
class Paper:
    """The limits for printing: groups of each list, changes of each kind, rows of matrix and pictures."""

    groups: int
    changes: int
    matrix_rows: int
    picture_rows: int


def fit_paper(printed: Printed) -> Paper:
    """Return the largest limits that fit on two sheets."""
    lists = max(1, sum(bool(texts) for texts in printed.groups))
    least = Paper(_GROUPS // lists, _SENTENCES, _MATRIX_ROWS, _PICTURE_ROWS)
    for times in _TIMES:
        more = Paper(
            int(least.groups * times),
            int(least.changes * times),
            int(least.matrix_rows * times),
            int(least.picture_rows * times),
        )
        if _height(printed, more) <= _HEIGHT:
            return more
    return least


def _height(printed: Printed, limits: Paper) -> int:
    groups = sum(
        _TITLE + _lines(texts[: limits.groups], _WIDE) * _LINE + len(texts[: limits.groups]) * _GROUP
        for texts in printed.groups
        if texts
    )
    changes = [
        _CHANGES + _lines(texts[: limits.changes], _NARROW) * _LINE + len(texts[: limits.changes]) * _CHANGE
        for texts in printed.changes
    ]
    pictures = sum(_PICTURE + min(rows, limits.picture_rows) * _PICTURE_ROW for rows in printed.picture_rows)
    rows = min(printed.matrix_rows, limits.matrix_rows)
    matrix = _MATRIX + rows * _MATRIX_ROW if rows else 0
    lost = _LOST if pictures else 0
    actions = printed.action_rows * _ACTION_ROW
    return _TOP + groups + actions + max(changes, default=0) + pictures + lost + matrix + _CLOSED


def _lines(texts: Iterable[str], width: int) -> int:
    return sum(1 + len(text) // width for text in texts)
