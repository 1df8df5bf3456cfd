# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of long work, as lines appended to a file: whoever follows the file shows them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

Report = Callable[[str], None]


def reporter(path: str | None, warn: Report) -> Report:
    """A function that appends a line to the file, or does nothing where no file is wanted.

    The line is written whole and at once, so that a reader never sees half of it for long. A file that
    cannot be written is warned of once: it must not end the work that is reported on.
    """
    broken = path is None

    def report(line: str) -> None:
        nonlocal broken
        if broken or path is None:
            return
        try:
            with Path(path).open("a", encoding="utf-8") as stream:
                stream.write(line + "\n")
        except OSError as exception:
            broken = True
            warn(f"progress_path: no progress is shown, since {exception}.")

    return report
