# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the state of all targets in parallel; only those in best-effort regions may fail."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TypeVar

from .._failures import Failure, ValidationError
from .._fanout import map_parallel
from .._model import Target
from .._regions import targets_in

State = TypeVar("State")


def read_targets(
    targets: Collection[Target],
    read: Callable[[Target], State],
    failure_of: Callable[[Exception, Target], Failure],
    *,
    best_effort_regions: Collection[str],
    grace_period: float,
) -> tuple[dict[Target, State], dict[Target, Failure]]:
    """Return the state of every target, and the failures of targets in best-effort regions.

    Once all other targets are read, those in best-effort regions get ``grace_period`` more seconds. A copy
    does not need this: it copies to the other targets and reports those that could not be read as failed.

    Raises:
        ValidationError: targets in other regions could not be read; it has the failure of each.
    """
    optional = targets_in(best_effort_regions, targets)
    states, failed = map_parallel(targets, read, optional=optional, grace_period=grace_period)
    failures = {target: failure_of(exception, target) for target, exception in failed.items()}
    if refused := [failure for target, failure in failures.items() if target not in optional]:
        raise ValidationError(refused)
    return states, failures
