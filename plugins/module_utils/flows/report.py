# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_report`` and ``verification_report``: a file says what something came to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..failures import Failure, Refused, invalid_option
from ..planners.report import ReportPlan, ReportSeen, ReportWanted, plan
from ..progress import Report
from ..reports.distribution import distribution
from ..reports.verification import verification
from ..runner import Flow, Outcome


def report_flow(content: Callable[[Mapping[str, Any]], dict[str, Any]]) -> Flow[ReportWanted, ReportSeen]:
    """A flow that writes what ``content`` makes of the options to the file ``path``."""

    def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ReportWanted:
        return ReportWanted(_path(params["path"]), content(params))

    return Flow(wanted_from, read_state, plan, apply, result, needs_aws=False)


def _path(path: str | None) -> str | None:
    """The file; raises ``Refused`` if it cannot be written where it is wanted."""
    if path is not None and not Path(path).parent.is_dir():
        problem = f"path: there is no folder {Path(path).parent}."
        raise Refused([invalid_option("path", problem, "Create it, or name another file.")])
    return path


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


DISTRIBUTION = report_flow(
    lambda params: distribution(
        params["copied"],
        params["opened"],
        params["shared"],
        params["into_accounts"],
        params["verified"],
        params["published"],
        params["objection"],
    )
)
VERIFICATION = report_flow(
    lambda params: verification(
        params["level"],
        params["regions"],
        params["account_ids"],
        (params["diagnosed"], params["probed"]),
    )
)


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
