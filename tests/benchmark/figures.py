# SPDX-License-Identifier: GPL-3.0-or-later
"""Measured figures, their targets, and their table."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

REFERENCE = 0.5
"""Seconds that a task with amazon.aws.aws_caller_info takes on the machine that the targets were set on."""


@dataclass(frozen=True)
class Figure:
    """One measured number.

    ``target`` is the most that is wanted, or with ``at_least`` the least; None for what only informs.
    ``waiting`` are seconds of ``measured`` in which nothing but AWS is at work: all beyond them depends on
    the machine. None: the number does not depend on it.
    """

    name: str
    measured: float
    unit: str = ""
    target: float | None = None
    at_least: bool = False
    waiting: float | None = None

    def verdict(self, yardstick: float) -> str:
        """``met``, ``missed``, or ``met here``: on a machine where REFERENCE's task takes ``yardstick``."""
        if self.target is None:
            return ""
        if self.measured >= self.target if self.at_least else self.measured <= self.target:
            return "met"
        if self.waiting is None:
            return "missed"
        slower = yardstick / REFERENCE
        if self.at_least:
            return "met here" if self.measured * slower >= self.target else "missed"
        return (
            "met here" if self.measured - self.waiting <= (self.target - self.waiting) * slower else "missed"
        )

    def row(self, yardstick: float) -> list[str]:
        """The figure's cells in the table."""
        return [
            self.name,
            ""
            if self.target is None
            else f"{'≥' if self.at_least else '≤'} {_number(self.target)} {self.unit}",
            f"{_number(self.measured)} {self.unit}",
            self._in_tasks(self.target, REFERENCE),
            self._in_tasks(self.measured, yardstick),
            self.verdict(yardstick),
        ]

    def _in_tasks(self, seconds: float | None, yardstick: float) -> str:
        if seconds is None or self.waiting is None or self.at_least:
            return ""
        return f"{(seconds - self.waiting) / yardstick:.1f} ×"


def table(figures: Iterable[Figure], yardstick: float) -> str:
    """The figures as lines of text; ``yardstick`` is what an aws_caller_info task takes here, in seconds."""
    head = ["", "target", "measured", "target in tasks", "measured", ""]
    rows = [head, *(figure.row(yardstick) for figure in figures)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(_line(row, widths) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [
        row[0].ljust(widths[0]),
        *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True)),
    ]
    return "  ".join([*cells, row[-1]]).rstrip()


def _number(value: float) -> str:
    return (
        f"{value:,.0f}"
        if value == int(value) or abs(value) >= 1000
        else f"{value:.2f}".rstrip("0").rstrip(".")
    )
