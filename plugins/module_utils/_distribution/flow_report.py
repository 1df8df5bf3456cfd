# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``distribution_report``: the result of a distribution, as a report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .._reports.flow_result import Reporting
from .._runner import Flow, check_flow
from . import document
from .options_report import DistributionReportOptions
from .report import build_report, complete_report, has_failed


def content(options: DistributionReportOptions, _result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content of the report."""
    return build_report(options)


FLOW: Flow[DistributionReportOptions, None] = replace(
    check_flow(DistributionReportOptions),
    report=Reporting(
        content,
        document.build_document,
        document.compare_reports,
        remember=complete_report,
        failed=has_failed,
        of_steps=True,
    ),
    attaches="_page",
    # Only the report has a diff, from this verbosity on.
    diff=lambda *_values: {},
    diff_verbosity=1,
)
