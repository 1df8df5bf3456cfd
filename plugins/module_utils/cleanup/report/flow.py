# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``cleanup_report``: writes the report of a cleanup to files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from ...failures import Failure, cut
from ...progress import Report
from ...reports.flow import ReportState, report_flow
from ...reports.plan import ReportPlan
from ...runner import Flow, Outcome
from ...wording import file_reason
from .content import cleanup
from .document import changes, document
from .options import CleanupReportOptions
from .prices import read_prices
from .structure import check_cleanup


def _content(options: CleanupReportOptions) -> dict[str, Any]:
    prices, _wrong = read_prices("prices", options.prices, options.currency)
    return cleanup(options.cleanup_result, prices, options.from_check_mode)


def _check(options: CleanupReportOptions) -> tuple[Failure, ...]:
    _prices, wrong = read_prices("prices", options.prices, options.currency)
    return (*wrong, *check_cleanup("cleanup_result", options.cleanup_result))


_REPORT = report_flow(CleanupReportOptions, _content, document, changes, _check)


def apply(
    clients: None, options: CleanupReportOptions, state: ReportState, plan: ReportPlan, report: Report
) -> Outcome:
    """Create the directory if it is missing, and write the files."""
    folder = state.report.folder
    if folder is not None and plan.actions:
        try:
            Path(folder.path).mkdir(parents=True, exist_ok=True)
        except OSError as exception:
            return Outcome(
                failures=(
                    Failure(
                        cut(f"report_dir: {folder.path}: {file_reason(exception)}.", 400),
                        "Create the directory, or set another report_dir.",
                        "file_error",
                        "report_dir",
                    ),
                )
            )
    return _REPORT.apply(clients, options, state, plan, report)


FLOW: Flow[CleanupReportOptions, ReportState] = replace(_REPORT, apply=apply)
