# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``ami_share_diagnose``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from .._finding import BlocksLaunch
from .._option import ACCOUNT_IDS, Problem, choice, option
from .._option_groups import (
    ConsumerRoleOptions,
    ImagesByTargetOptions,
    LaunchOptions,
    ParameterOptions,
    ProcessesOptions,
)

# The values of fail_on, each with the findings that fail the task.
_FAIL_ON = {
    "none": frozenset[BlocksLaunch](),
    "unknown": frozenset({BlocksLaunch.BLOCKING, BlocksLaunch.UNKNOWN}),
    "blocking": frozenset({BlocksLaunch.BLOCKING}),
}


@dataclass(frozen=True, kw_only=True)
class DiagnosisOptions(
    ParameterOptions, ProcessesOptions, LaunchOptions, ConsumerRoleOptions, ImagesByTargetOptions
):
    """The options of ``ami_share_diagnose``."""

    account_ids: tuple[str, ...] = option(ACCOUNT_IDS, required=True)
    fail_on: str = option(choice(*_FAIL_ON), default="none")

    def fails_the_task(self, blocks_launch: BlocksLaunch | None) -> bool:
        """Whether findings that block a launch to this degree fail the task."""
        return blocks_launch in _FAIL_ON[self.fail_on]

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        yield from self.image_problems()
        yield from self.parameter_problems(self.by_target.regions)
        if not self.account_ids:
            yield Problem("account_ids", "no account is set.", "List those that would launch the images.")
