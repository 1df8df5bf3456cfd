# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Render the progress of copies as a line of a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from .._model import Target
from .run import CopyRun

# Characters of a line of progress, which is displayed with an indent, and of the number of other regions.
_LINE = 76
_NUMBER = len("  + 1000 more")


def progress_line(
    runs: Mapping[Target, CopyRun], targets: list[Target], seconds_left: float | None = None
) -> str:
    """Return a line with the progress of ``targets``, the slowest first. ``runs`` has all targets.

    With one account, by region: ``eu-west-1 40 %  us-west-2 68 %  + 12 more  about 3 min left``. With
    several, maybe hundreds, a sum of each region: ``eu-west-1 1 of 2 (slowest 20 %)``.
    """
    has_several_accounts = len({target.account_id for target in runs}) > 1
    by_region: dict[str, list[CopyRun]] = {}
    for target in runs if has_several_accounts else targets:
        by_region.setdefault(target.region, []).append(runs[target])
    regions = dict.fromkeys(target.region for target in targets)
    slowest_first = sorted(regions, key=lambda region: min(map(_rank, by_region[region])))
    text = _region_progress if has_several_accounts else _progress
    end = "" if seconds_left is None else f"  {_time_text(seconds_left)}"
    parts = _fit([f"{region} {text(by_region[region])}" for region in slowest_first], _LINE - len(end))
    return "  ".join(parts) + end


def _rank(run: CopyRun) -> int:
    """Return a lower rank for a copy that needs longer. One without a percentage has just begun."""
    if run.failure is not None or run.image is None:
        return 101
    return (run.percent or 0) if run.pending else 102


def _fit(parts: list[str], space: int) -> list[str]:
    """Return the parts, or as many as fit, with the number of the others."""
    if len("  ".join(parts)) <= space:
        return parts
    number = 1
    while len("  ".join(parts[: number + 1])) + _NUMBER <= space:
        number += 1
    return [*parts[:number], f"+ {len(parts) - number} more"]


def _time_text(seconds: float) -> str:
    if seconds < 60:
        return f"about {max(10, round(seconds, -1)):.0f} s left"
    return f"about {seconds / 60:.0f} min left"


def _region_progress(runs: list[CopyRun]) -> str:
    percents = [run.percent for run in runs if run.pending and run.percent is not None]
    slowest = f" (slowest {min(percents)} %)" if percents else ""
    return f"{sum(run.available for run in runs)} of {len(runs)}{slowest}"


def _progress(runs: list[CopyRun]) -> str:
    (run,) = runs
    if run.failure is not None or run.image is None:
        return "failed"
    if run.retry_at is not None:
        return "waits for a key"
    return f"{run.percent} %" if run.pending and run.percent is not None else run.image.state
