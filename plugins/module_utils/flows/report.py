# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_report``: a file says what a distribution came to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..arguments import Options
from ..failures import Failure, Refused
from ..planners.report import ReportPlan, ReportSeen, ReportWanted, plan
from ..progress import Report
from ..reports.distribution import distribution
from ..runner import Flow, Outcome


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ReportWanted:
    """The report; raises ``Refused`` if it cannot be written where it is wanted."""
    options = Options(params)
    path = params["path"]
    if path is not None and not Path(path).parent.is_dir():
        options.refuse("path", f"there is no folder {Path(path).parent}.", "Create it, or name another file.")
    options.check()
    return ReportWanted(path, distribution(params["copied"], params["opened"], params["shared"]))


def read_state(clients: None, wanted: ReportWanted) -> ReportSeen:
    """Read an earlier report and the clock."""
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        text = Path(wanted.path).read_text(encoding="utf-8") if wanted.path is not None else None
    except FileNotFoundError:
        text = None
    except (OSError, UnicodeDecodeError) as exception:
        raise Refused([_failure(str(exception))]) from exception
    return ReportSeen(text, now)


def apply(clients: None, wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, report: Report) -> Outcome:
    """Write the file: whole or not at all."""
    for action in plan.actions:
        try:
            _write(Path(action.path), action.text)
        except OSError as exception:
            return Outcome(failures=(_failure(str(exception)),))
    return Outcome(performed=plan.actions)


def result(wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    return {"report": wanted.content, "report_path": wanted.path}


FLOW: Flow[ReportWanted, ReportSeen] = Flow(wanted_from, read_state, plan, apply, result, needs_aws=False)


def _write(path: Path, text: str) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        # mkstemp's files are private; a report has the rights that the user's umask gives new files.
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, path)
    except OSError:
        os.unlink(temporary)
        raise


def _failure(message: str) -> Failure:
    return Failure(message, "Name a file that can be read and written.", "FileError", "path")
