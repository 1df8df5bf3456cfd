# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit and a verification in one process, and in as many worker processes as there are CPUs for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from ansible_collections.golden.images.plugins.module_utils._processes import read_cpus

from simulated_aws.client import SimulatedAws

from . import audit, diagnosis
from .fixtures import HOME, OTHER_REGIONS
from .measuring import GOLDEN, Scale, repeated
from .results import Sample, Series

COUNTS = (1, 2, 4)
AUDIT, VERIFICATION = "audit of 10,000 images in 20 regions", "verification of 50 × 20"
_ROUNDS = 2
"""Rounds of each run: with three, the part would take longer than five minutes."""


def case(work: str, count: int) -> str:
    """The name of a work by so many processes."""
    return f"{work}: {'one process' if count == 1 else f'{count} worker processes'}"


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Run both at AWS's request rates. Even a trial has as many images and targets as are divided."""
    regions = (HOME, *OTHER_REGIONS[: scale.size(19, 1)])
    images = scale.size(500, 101)
    planted = audit.plant_in(aws, regions, images)
    yield from _by_count(scale, AUDIT, lambda count: audit.golden(aws, planted, most_processes=count))
    built = diagnosis.build(aws, 50, 20)
    yield from _by_count(
        scale, VERIFICATION, lambda count: diagnosis.verify(aws, built, most_processes=count)
    )


def _by_count(scale: Scale, work: str, run: Callable[[int], Sample]) -> Iterator[Series]:
    few = replace(scale, rounds=min(scale.rounds, _ROUNDS))
    for count in COUNTS:
        if count <= read_cpus():
            samples = repeated(few, partial(_rested, run, count))
            yield Series(case(work, count), GOLDEN, samples, size=count)


def _rested(run: Callable[[int], Sample], count: int) -> Sample:
    """A run with all token buckets full."""
    time.sleep(audit.REFILL)
    return run(count)
