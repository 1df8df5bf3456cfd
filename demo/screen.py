# SPDX-License-Identifier: GPL-3.0-or-later
"""Output for users: headings, tables and check results; coloured on a terminal only."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_BOLD, _RED, _GREEN = "1", "31", "32"


def say(text: str = "") -> None:
    """Print a line and flush it, so that it precedes the output of the next child process."""
    print(text, flush=True)


def heading(text: str) -> None:
    """Print a heading."""
    say(f"\n{_painted(text, _BOLD)}\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table; numbers are right-aligned."""
    texts = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [isinstance(cell, int) for cell in rows[0]]
    for line in (texts[0], ["-" * width for width in widths], *texts[1:]):
        cells = zip(line, widths, right, strict=True)
        padded = (cell.rjust(width) if number else cell.ljust(width) for cell, width, number in cells)
        say(f"  {'  '.join(padded)}".rstrip())


def verdict(statement: str, holds: bool) -> None:
    """Print a statement and whether it is true."""
    say(f"  {_painted('  yes', _GREEN) if holds else _painted('   NO', _RED)}  {statement}")


def _painted(text: str, code: str) -> str:
    # NO_COLOR: https://no-color.org
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
