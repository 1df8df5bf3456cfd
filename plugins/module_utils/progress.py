# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of long work, as lines appended to a file: whoever follows the file shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Report = Callable[[str], None]


def reporter(path: str | None) -> Report:
    """A function that appends a line to the file, or does nothing where no file is wanted.

    The line is written whole and at once, so that a reader never sees half of it for long.
    """
    if path is None:
        return lambda _line: None
    file = Path(path)

    def report(line: str) -> None:
        with file.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")

    return report
