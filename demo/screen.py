# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for a person: headings, tables, verdicts; coloured only on a terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

_BOLD, _RED, _GREEN = "1", "31", "32"


def say(text: str = "") -> None:
    """Print a line at once, so that it stands before what a child process prints next."""
    print(text, flush=True)


def heading(text: str) -> None:
    """Print the title of what follows."""
    say(f"\n{_painted(text, _BOLD)}\n")


def table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows below their columns' titles; numbers stand to the right."""
    texts = [list(columns), *([str(cell) for cell in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    right = [isinstance(cell, int) for cell in rows[0]]
    for line in (texts[0], ["-" * width for width in widths], *texts[1:]):
        cells = zip(line, widths, right, strict=True)
        padded = (cell.rjust(width) if number else cell.ljust(width) for cell, width, number in cells)
        say(f"  {'  '.join(padded)}".rstrip())


def verdict(statement: str, holds: bool) -> None:
    """Print whether a statement turned out to be true."""
    say(f"  {_painted('  yes', _GREEN) if holds else _painted('   NO', _RED)}  {statement}")


def _painted(text: str, code: str) -> str:
    # NO_COLOR is how users of any program ask for none.
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text
