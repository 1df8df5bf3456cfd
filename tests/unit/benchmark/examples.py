# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of a benchmark, as small as a test needs them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.benchmark.measuring import GOLDEN
from tests.benchmark.results import Part, Sample, Series


def sample(seconds: float, **facts: float) -> Sample:
    """A run that took half as much CPU and as many megabytes as seconds, with two calls."""
    return Sample(seconds, seconds / 2, seconds, seconds, {"ec2:DescribeImages": 2}, facts)


def series(
    case: str, *seconds: float, contender: str = GOLDEN, size: float | None = None, **facts: float
) -> Series:
    """A run for each number of seconds."""
    return Series(case, contender, tuple(sample(one, **facts) for one in seconds), size)


def part(*listed: Series, busy: float = 0, profiles: Mapping[str, Mapping[str, float]] | None = None) -> Part:
    """A part with these series, by default measured on a machine that did nothing else."""
    return Part(
        title="A part",
        measured="2026-11-26",
        machine="2 cores",
        versions={"Python": "3.11"},
        busy=busy,
        conditions="Each call takes 40 ms.",
        series=listed,
        profiles=profiles or {},
    )
