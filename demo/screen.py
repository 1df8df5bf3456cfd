# SPDX-License-Identifier: GPL-3.0-or-later
"""Output for users: headings and check results; colored on a terminal only."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

# It reads the terminal's width and NO_COLOR (https://no-color.org).
_CONSOLE = Console(highlight=False, markup=False, emoji=False)


def say(text: str = "", style: str | None = None) -> None:
    """Print a line as it is, so that a long command can be copied."""
    _CONSOLE.print(text, style=style, soft_wrap=True)


def heading(text: str) -> None:
    """Print a heading."""
    say(f"\n{text}\n", "bold")


def verdict(statement: str, holds: bool) -> None:
    """Print a statement and whether it is true."""
    line = (
        Text("  ") + (Text("✓ yes", "green") if holds else Text("✗ NO ", "bold red")) + Text(f"  {statement}")
    )
    _CONSOLE.print(line, soft_wrap=True)
