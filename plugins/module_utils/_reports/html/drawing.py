# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures as shapes with places and sizes in pixels, which the template writes as inline SVG."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, pairwise

from ..._listing import count
from ..document import SEVERITIES, Bars, Grid
from ..values import render_date

_CHARACTER, _SMALL_CHARACTER = 7.4, 6.7
"""The width of a character at 13 and at 12 pixels, a little more than that of most fonts."""
_LABEL, _CELL, _ROW, _HEAD = 170, 128, 46, 34
_ACCOUNT_LABEL = 300
# A window of 400 pixels leaves a picture 350 for a bar's label, in a wide font, and its total.
_NARROWEST = 350
_BAR_LABEL, _BAR_TOTAL, _BAR_ROW = 160, 150, 42
_TREND_WIDTH, _TREND_HEIGHT, _TREND_MARGIN = 760, 180, 46


@dataclass(frozen=True)
class Shape:
    """A rectangle (``rect``), a line (``line``) or a text (``text``) with its CSS class and tooltip.

    The second point of a line is (``width``, ``height``).
    """

    kind: str
    x: float
    y: float
    width: float = 0
    height: float = 0
    style: str = ""
    text: str = ""
    title: str = ""


@dataclass(frozen=True)
class Drawing:
    """A picture: its name, its size, and its shapes in the order in which they are drawn.

    A ``fluid`` one takes the available width: its horizontal places and sizes are in percent.
    """

    title: str
    width: int
    height: int
    shapes: tuple[Shape, ...]
    fluid: bool = False


def draw_grid(grid: Grid, now: str) -> Drawing:
    """Return the picture of a grid; ``now`` (ISO 8601) is the time from which ages are counted."""
    width = _label_width(grid) + _CELL * len(grid.columns)
    return Drawing(grid.title, width, _HEAD + _ROW * len(grid.rows), tuple(_grid(grid, now)))


def _label_width(grid: Grid) -> int:
    return _ACCOUNT_LABEL if grid.of_accounts else _LABEL


def _grid(grid: Grid, now: str) -> Iterator[Shape]:
    label_width = _label_width(grid)
    for place, column in enumerate(grid.columns):
        yield _text(label_width + _CELL * (place + 0.5), 22, column, _CELL, "middle head")
    for line, (label, cells) in enumerate(grid.rows):
        top = _HEAD + _ROW * line
        yield _text(0, top + 26, label, label_width - 10, "strong")
        for place, cell in enumerate(cells):
            if cell is None:
                continue
            left = label_width + _CELL * place
            title = f"{label}, {grid.columns[place]}: {cell.title}"
            yield Shape("rect", left + 2, top + 2, _CELL - 4, _ROW - 4, f"{cell.mark} box", title=title)
            detail = ", ".join(part for part in (_render_age(cell.since, now), cell.detail) if part)
            middle = left + _CELL / 2
            yield _text(middle, top + (20 if detail else 27), cell.text, _CELL - 10, "middle on")
            if detail:
                yield _text(middle, top + 37, detail, _CELL - 10, "middle on small")


def _render_age(since: str, now: str) -> str:
    """Return the days between two times; empty if one of them is not a time."""
    try:
        days = (datetime.fromisoformat(now) - datetime.fromisoformat(since)).days
    except (TypeError, ValueError):
        return ""
    return count(days, "day")


def draw_bars(bars: Bars) -> Drawing:
    """Return the picture of bars, whose lengths are in proportion to the largest.

    Each bar is below its label and its total, so that they fit into a narrow window. One of several parts
    shows its amount, without the unit, if it is wide enough in such a window.
    """
    return Drawing(bars.title, 100, _BAR_ROW * len(bars.rows), tuple(_bars(bars)), fluid=True)


def _bars(bars: Bars) -> Iterator[Shape]:
    most = max((sum(parts.values()) for _label, parts in bars.rows), default=0) or 1
    for line, (label, parts) in enumerate(bars.rows):
        top = _BAR_ROW * line
        amounts = [parts.get(mark, 0) for mark in bars.legend]
        edges = [100 * edge / most for edge in accumulate(amounts, initial=0)]
        yield _text(0, top + 15, label, _BAR_LABEL, "strong")
        yield _text(100, top + 15, _amount(sum(amounts), bars), _BAR_TOTAL, "end small")
        for mark, amount, (left, right) in zip(bars.legend, amounts, pairwise(edges), strict=True):
            if amount:
                title = f"{label}, {bars.legend[mark]}: {_amount(amount, bars)}"
                yield Shape("rect", left, top + 20, right - left, 18, f"{mark} box", title=title)
                number = _number(amount, bars)
                is_wide = (right - left) / 100 * _NARROWEST > (len(number) + 1) * _SMALL_CHARACTER
                if amount < sum(amounts) and is_wide:
                    yield Shape("text", (left + right) / 2, top + 33, style="middle on small", text=number)


def _amount(amount: float, bars: Bars) -> str:
    return f"{_number(amount, bars)} {bars.unit}"


def _number(amount: float, bars: Bars) -> str:
    return f"{amount:,.{bars.decimals}f}"


def draw_trend(history: Sequence[tuple[str, Mapping[str, int]]]) -> Drawing | None:
    """Return the findings of several reports, a line for each severity; None for fewer than two reports."""
    severities = [
        severity for severity in SEVERITIES if any(counts.get(severity) for _time, counts in history)
    ]
    if len(history) < 2 or not severities:
        return None
    return Drawing(
        "Findings over time",
        _TREND_WIDTH + 150,
        _TREND_HEIGHT + 2 * _TREND_MARGIN,
        tuple(_trend(history, severities)),
    )


def _trend(history: Sequence[tuple[str, Mapping[str, int]]], severities: Sequence[str]) -> Iterator[Shape]:
    most = max(counts.get(severity, 0) for _time, counts in history for severity in severities) or 1
    bottom, right = _TREND_MARGIN + _TREND_HEIGHT, _TREND_MARGIN + _TREND_WIDTH
    step = (_TREND_WIDTH - _TREND_MARGIN) / (len(history) - 1)
    for amount in (0, most):
        y = bottom - _TREND_HEIGHT * amount / most
        yield Shape("line", _TREND_MARGIN, y, right, y, "axis")
        yield _text(_TREND_MARGIN - 8, y + 4, f"{amount:,}", _TREND_MARGIN, "end small")
    for severity in severities:
        points = [
            (2 * _TREND_MARGIN + step * place, bottom - _TREND_HEIGHT * counts.get(severity, 0) / most)
            for place, (_time, counts) in enumerate(history)
        ]
        for (x, y), (to_x, to_y) in pairwise(points):
            yield Shape("line", x, y, to_x, to_y, f"{severity} curve")
        for (x, y), (time, counts) in zip(points, history, strict=True):
            title = f"{time[:16].replace('T', ' ')}: {counts.get(severity, 0):,} {severity}"
            yield Shape("rect", x - 4, y - 4, 8, 8, f"{severity} point", title=title)
    yield from _trend_labels(history, severities, bottom, most)


def _trend_labels(
    history: Sequence[tuple[str, Mapping[str, int]]], severities: Sequence[str], bottom: float, most: int
) -> Iterator[Shape]:
    """Yield the dates below both ends, and the last number of each severity, one below the other."""
    right = _TREND_MARGIN + _TREND_WIDTH
    last = sorted(severities, key=lambda severity: -history[-1][1].get(severity, 0))
    free = 0.0
    for severity in last:
        number = history[-1][1].get(severity, 0)
        free = max(free, bottom - _TREND_HEIGHT * number / most + 4)
        yield _text(right + 8, free, f"{number:,} {severity}", 140)
        free += 18
    yield _text(2 * _TREND_MARGIN, bottom + 22, render_date(history[0][0]), 100, "middle small")
    yield _text(right, bottom + 22, render_date(history[-1][0]), 100, "end small")


def _text(x: float, y: float, text: str, width: float, style: str = "") -> Shape:
    """Return a text, cut to its place if it is wider; the tooltip then has the whole text."""
    character = _SMALL_CHARACTER if style.endswith("small") else _CHARACTER
    most = max(1, int(width / character))
    cut = text if len(text) <= most else f"{text[: most - 1]}\u2026"
    return Shape("text", x, y, style=style, text=cut, title="" if cut == text else text)
