# SPDX-License-Identifier: GPL-3.0-or-later
"""Output for users: headings, tables and check results; colored on a terminal only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

# It reads the terminal's width and NO_COLOR (https://no-color.org).
_CONSOLE = Console(highlight=False, markup=False, emoji=False)
_INDENT = (0, 0, 0, 2)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line as it is, so that a long command can be copied."""
    _CONSOLE.print(text, style=style, soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading."""
    say(f"\n{text}\n", "bold")


def table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], styles: Mapping[str, str] | None = None
) -> None:
    """Print a table; numbers are right-aligned. ``styles`` are rich's, by the text of a cell."""
    drawn = Table(box=box.ROUNDED, padding=(0, 1), border_style="dim", header_style="bold")
    for name, cell in zip(columns, rows[0], strict=True):
        drawn.add_column(name, justify="right" if isinstance(cell, int) else "left", no_wrap=True)
    for row in rows:
        drawn.add_row(*(_cell(str(cell), styles or {}) for cell in row))
    _CONSOLE.print(Padding(drawn, _INDENT, expand=False))


def _cell(text: str, styles: Mapping[str, str]) -> Text:
    return Text(text, styles.get(text, ""))


def verdict(statement: str, holds: bool) -> None:
    """Print a statement and whether it is true."""
    line = (
        Text("  ") + (Text("✓ yes", "green") if holds else Text("✗ NO ", "bold red")) + Text(f"  {statement}")
    )
    _CONSOLE.print(line, soft_wrap=True)
