# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``distribution_report``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._failures import Failure
from .._option import ACCOUNT_IDS, FLAG, MAPPING, TEXT, Kind, Problem, choice, option
from .._option_groups import GIVEN_TEXTS, ReportOptions
from .._verification.levels import LEVELS
from .step_results import check_results

_MAPPINGS: Kind[Sequence[Mapping[str, Any]]] = Kind(
    {"type": "list", "elements": "dict", "default": []}, lambda given, _refuse: given
)


@dataclass(frozen=True, kw_only=True)
class DistributionReportOptions(ReportOptions):
    """The options of ``distribution_report``.

    The options of steps are not validated: the report is also about options that a step has refused.
    """

    return_report: bool = option(FLAG, default=True)
    copy_result: Mapping[str, Any] = option(MAPPING, required=True)
    start_result: Mapping[str, Any] = option(MAPPING, default={})
    source_image_id: str | None = option(TEXT)
    source_parameter: str | None = option(TEXT)
    source_filters: Mapping[str, Any] = option(MAPPING, default={})
    source_region: str | None = option(TEXT)
    regions: tuple[str, ...] = option(GIVEN_TEXTS)
    grant_results: Sequence[Mapping[str, Any]] = option(_MAPPINGS)
    share_result: Mapping[str, Any] = option(MAPPING, default={})
    consumer_copy_result: Mapping[str, Any] = option(MAPPING, default={})
    verification_results: Sequence[Mapping[str, Any]] = option(_MAPPINGS)
    verification_error: str = option(TEXT, default="")
    verification_level: str | None = option(choice(*LEVELS))
    kept_back: Mapping[str, Any] = option(MAPPING, default={})
    publish_result: Mapping[str, Any] = option(MAPPING, default={})
    account_ids: tuple[str, ...] = option(ACCOUNT_IDS)
    org_arns: tuple[str, ...] = option(GIVEN_TEXTS)
    org_unit_arns: tuple[str, ...] = option(GIVEN_TEXTS)
    publish_account_ids: tuple[str, ...] = option(ACCOUNT_IDS)

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.report_problems()

    def failures(self) -> Iterator[Failure]:
        """Yield failures for results that no module returned."""
        yield from check_results(vars(self))
