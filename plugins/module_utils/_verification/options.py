# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_verify``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields

from .._diagnose.options import DiagnosisOptions
from .._launch_probe.options import ProbeOptions
from .._option import ACCOUNT_ID, Kind, Problem, as_given, choice, option
from .._option_groups import ParameterOptions, ProcessesOptions, ReportOptions, SharedCopiesOptions
from .._step_results import GRANT_RESULTS, GrantResult
from .levels import LEVELS

_BOOLEAN_OR_ACCOUNT_IDS: Kind[bool | Sequence[str] | None] = Kind(
    {"type": "raw", "context": {"type": "bool_or_account_ids"}}, as_given
)


@dataclass(frozen=True, kw_only=True)
class VerifyOptions(ParameterOptions, ProcessesOptions, ReportOptions, SharedCopiesOptions, ProbeOptions):
    """The options of ``ami_verify``: of a diagnosis, of launches, and of the level that must be proven.

    ``grant_results`` and ``share_result`` are the results of the tasks that give access to the images.
    """

    level: str = option(choice(*LEVELS), default="authorized")
    publish_uncertain: bool | Sequence[str] | None = option(_BOOLEAN_OR_ACCOUNT_IDS)
    grant_results: tuple[GrantResult, ...] = option(GRANT_RESULTS)
    host_account_id: str | None = option(ACCOUNT_ID)

    @property
    def diagnosis(self) -> DiagnosisOptions:
        """Return the options of the diagnosis, none of whose findings fails it."""
        shared = [field.name for field in fields(DiagnosisOptions) if field.name != "fail_on"]
        return DiagnosisOptions(**{name: getattr(self, name) for name in shared})

    @property
    def access_is_planned(self) -> bool:
        """Whether check mode has only planned a part of the access to the images and their keys."""
        is_shared_by_plan = self.share_result is not None and self.share_result.changed
        return self.check_mode and (is_shared_by_plan or any(result.changed for result in self.grant_results))

    @property
    def launches(self) -> bool:
        """Whether the images must be launched, which check mode only plans."""
        return self.level == "launched"

    @property
    def provable_level(self) -> str:
        """Return the level that this run can prove: check mode launches nothing."""
        return "authorized" if self.launches and self.check_mode else self.level

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.copy_problems()
        yield from self.diagnosis.problems()
        if self.launches:
            yield from super().problems()
        yield from self.report_problems()
