# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``cleanup_report``: writes the report of a cleanup to files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ...failures import Failure, Refused, cut
from ...progress import Report
from ...reports.flow import check_report_options, report_flow
from ...reports.plan import ReportPlan, ReportSeen, ReportWanted
from ...runner import Flow, Outcome
from ...wording import file_reason
from .content import cleanup
from .document import changes, document
from .prices import read_prices
from .structure import check_cleanup

PLAN = "plan"
"""The directory in ``report_dir`` for reports of check mode."""


def _content(params: Mapping[str, Any], _check_mode: bool) -> dict[str, Any]:
    prices, _wrong = read_prices("prices", params["prices"], params["currency"])
    return cleanup(params["cleanup_result"], prices, params["from_check_mode"])


def _check(params: Mapping[str, Any]) -> tuple[Failure, ...]:
    return check_cleanup("cleanup_result", params["cleanup_result"])


_REPORT = report_flow(_content, document, changes, _check)


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> ReportWanted:
    """Parse the options. A plan is written to a directory of its own, so that it overwrites no report.

    The role runs this in check mode before it retires images.

    Raises:
        Refused: prices are not valid, or a path or directory cannot be written to.
    """
    _prices, wrong = read_prices("prices", params["prices"], params["currency"])
    failures = (*wrong, *check_report_options(params), *_check(params))
    if failures:
        raise Refused(failures)
    wanted = _REPORT.wanted(params, check_mode)
    if wanted.folder is not None and params["from_check_mode"]:
        return replace(wanted, folder=replace(wanted.folder, path=str(Path(wanted.folder.path, PLAN))))
    return wanted


def apply(clients: None, wanted: ReportWanted, seen: ReportSeen, plan: ReportPlan, report: Report) -> Outcome:
    """Create the directory if it is missing, and write the files."""
    if wanted.folder is not None and plan.actions:
        try:
            Path(wanted.folder.path).mkdir(parents=True, exist_ok=True)
        except OSError as exception:
            return Outcome(
                failures=(
                    Failure(
                        cut(f"report_dir: {wanted.folder.path}: {file_reason(exception)}.", 400),
                        "Create the directory, or set another report_dir.",
                        "file_error",
                        "report_dir",
                    ),
                )
            )
    return _REPORT.apply(clients, wanted, seen, plan, report)


FLOW: Flow[ReportWanted, ReportSeen] = replace(_REPORT, options=wanted_from, apply=apply)
