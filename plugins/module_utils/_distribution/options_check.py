# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``distribution_check``: those of a distribution's steps, a mapping for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._copy.options import CopyOptions
from .._failures import Failure
from .._kms_grant.options import GrantOptions
from .._option import FLAG, Options, option, options_of_module
from .._publish.options import PublishOptions
from .._share.options import ShareOptions
from .._verification.options import VerifyOptions
from .options_report import DistributionReportOptions
from .step_results import PLANNED_COPIES, StepResult


@dataclass(frozen=True, kw_only=True)
class DistributionOptions(Options):
    """The options of ``distribution_check``: those of each step, which are empty if the step does not run."""

    copy: Mapping[str, Any] = option(options_of_module(CopyOptions))
    share: Mapping[str, Any] = option(options_of_module(ShareOptions))
    grant: Mapping[str, Any] = option(options_of_module(GrantOptions))
    publish: Mapping[str, Any] = option(options_of_module(PublishOptions))
    verify: Mapping[str, Any] = option(options_of_module(VerifyOptions))
    report: Mapping[str, Any] = option(options_of_module(DistributionReportOptions))
    consumer_copy: Mapping[str, Any] = option(options_of_module(CopyOptions))
    unshare_after_copy: bool = option(FLAG)
    copy_result: StepResult = option(PLANNED_COPIES)


@dataclass(frozen=True, kw_only=True)
class Steps:
    """The options of each step as its module reads them, and what it would refuse.

    Those of a step that does not run have their defaults.
    """

    copy: CopyOptions
    share: ShareOptions
    grant: GrantOptions
    publish: PublishOptions
    verify: VerifyOptions
    report: DistributionReportOptions
    consumer_copy: CopyOptions
    failures: tuple[Failure, ...]
