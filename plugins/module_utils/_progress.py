# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of long operations, as lines appended to a file that an action plugin follows and displays."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from time import monotonic

from ._listing import join_texts
from ._wording import escape_invisible, file_reason

Report = Callable[[str], None]

# Characters of a line, which is displayed with an indent, and the most places that it names.
_LINE = 76
_NAMED = 3


def reporter(path: str | None, warn: Report) -> Report:
    """Return a function that appends a line to the file at ``path``, or does nothing if it is None.

    Invisible characters, which could control the terminal, are shown as their code points.

    Each line is written with one write, so that a reader does not see half of it for long. If the file cannot
    be written, the function warns once and does not raise: progress must not end the operation.
    """
    broken = path is None

    def report(line: str) -> None:
        nonlocal broken
        if broken or path is None:
            return
        try:
            with Path(path).open("a", encoding="utf-8") as stream:
                stream.write(escape_invisible(line) + "\n")
        except OSError as exception:
            broken = True
            warn(f"progress_path: cannot write to {path}: {file_reason(exception)}.")

    return report


def waiting_reporter(report: Report, what: str, total: int) -> Callable[[Collection[str]], None]:
    """Return a function that reports the places that are waited for, and for how long already.

    ``what`` is done in ``total`` places: ``Launching: 1 of 4 done, 40 s, waits for 012345678901``.
    """
    started = monotonic()

    def report_waiting(places: Collection[str]) -> None:
        start = f"{what}: {total - len(places)} of {total} done, {round(monotonic() - started)} s, waits for "
        named = (join_texts(sorted(places), most) for most in range(_NAMED, 0, -1))
        report(start + next((text for text in named if len(start + text) <= _LINE), f"{len(places)} others"))

    return report_waiting
