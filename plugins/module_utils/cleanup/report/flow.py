# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``cleanup_report``: files say what became of images that were to be retired, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...failures import Failure, Refused
from ...progress import Report
from ...reports.flow import report_flow, wrong_places
from ...reports.plan import ReportPlan, ReportSeen, ReportWanted
from ...runner import Flow, Outcome
from .content import cleanup
from .document import changes, document
from .prices import read_prices

PLAN = "plan"
"""The folder in ``report_dir`` for the report of a plan."""


def _content(params: Mapping[str, Any]) -> dict[str, Any]:
    prices, _wrong = read_prices("prices", params["prices"], params["currency"])
    return cleanup(params["cleanup_result"], prices, params["from_check_mode"])


_REPORT = report_flow(_content, document, changes)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ReportWanted:
    """The report; raises ``Refused`` for prices that are none, and for a place that cannot be written to.

    Whoever retires images asks for this before it does. A plan takes the place of no report on what was done:
    it has a folder of its own.
    """
    _prices, wrong = read_prices("prices", params["prices"], params["currency"])
    failures = (*wrong, *wrong_places(params))
    if failures:
        raise Refused(failures)
    wanted = _REPORT.wanted(params, check_mode)
    if wanted.folder is not None and params["from_check_mode"]:
        return replace(wanted, folder=replace(wanted.folder, path=str(Path(wanted.folder.path, PLAN))))
    return wanted


def apply(clients: None, wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, report: Report) -> Outcome:
    """Write the files, once the folder that is to hold theirs is there."""
    if wanted.folder is not None and plan.actions:
        try:
            Path(wanted.folder.path).mkdir(parents=True, exist_ok=True)
        except OSError as exception:
            return Outcome(failures=(Failure(str(exception), "Create it.", "file_error", "report_dir"),))
    return _REPORT.apply(clients, wanted, seen, plan, report)


FLOW: Flow[ReportWanted, ReportSeen] = replace(_REPORT, wanted=wanted_from, apply=apply)
