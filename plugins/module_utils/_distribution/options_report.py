# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``distribution_report``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .._option import ACCOUNT_IDS, FLAG, MAPPING, TEXT, Problem, option
from .._option_groups import GIVEN_TEXTS, ReportOptions
from .._verification.outcome import VerificationOutcome
from .step_results import (
    CHECK_RESULTS,
    CONSUMER_COPY_RESULT,
    COPY_RESULTS,
    GRANT_RESULTS,
    PUBLISH_RESULT,
    SHARE_RESULT,
    VERIFY_RESULT,
    StepResult,
)


@dataclass(frozen=True, kw_only=True)
class DistributionReportOptions(ReportOptions):
    """The options of ``distribution_report``.

    The options of steps are not validated: the report is also about options that a step has refused.
    ``check_results`` are those of checks that have failed.
    """

    return_report: bool = option(FLAG, default=True)
    copy_results: Sequence[StepResult] = option(COPY_RESULTS, required=True)
    check_results: Sequence[StepResult] = option(CHECK_RESULTS)
    source_image_id: str | None = option(TEXT)
    source_parameter: str | None = option(TEXT)
    source_filters: Mapping[str, Any] = option(MAPPING, default={})
    source_region: str | None = option(TEXT)
    regions: tuple[str, ...] = option(GIVEN_TEXTS)
    grant_results: Sequence[StepResult] = option(GRANT_RESULTS)
    share_result: StepResult = option(SHARE_RESULT)
    unshare_result: StepResult = option(SHARE_RESULT)
    consumer_copy_result: StepResult = option(CONSUMER_COPY_RESULT)
    verify_result: VerificationOutcome = option(VERIFY_RESULT)
    publish_result: StepResult = option(PUBLISH_RESULT)
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    org_arns: tuple[str, ...] = option(GIVEN_TEXTS)
    org_unit_arns: tuple[str, ...] = option(GIVEN_TEXTS)
    publish_account_ids: tuple[str, ...] = option(ACCOUNT_IDS)

    def with_results(self) -> DistributionReportOptions:
        """Return the options without the places of the report that a check has refused."""
        failures = (failure for result in self.check_results for failure in result.get("failures") or ())
        refused = {failure.get("action") for failure in failures}
        return replace(
            self,
            report_path=None if "report_path" in refused else self.report_path,
            report_dir=None if "report_dir" in refused else self.report_dir,
        )

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.report_problems()
