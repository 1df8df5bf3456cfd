# SPDX-License-Identifier: GPL-3.0-or-later
"""One parameter in each region that AWS RAM shares with many accounts: its publication, and the next one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from simulated_aws.client import SimulatedAws

from . import releases
from .measuring import GOLDEN, LATENCY, LONG, Scale, sample
from .results import Sample, Series

FIRST, NEXT, REPEAT = (
    f"20 × 500, one parameter a region: {run}" for run in ("first release", "next release", "repeat")
)


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """A release that creates parameters and resource shares, the next one, and that one again."""
    samples: dict[str, list[Sample]] = {FIRST: [], NEXT: [], REPEAT: []}
    while len(samples[FIRST]) < scale.rounds and not any(one.seconds > LONG for one in samples[FIRST]):
        built = releases.build(aws, scale.size(500, 20), scale.size(20, 2))
        aws.set_latency(LATENCY)
        for case, images in ((FIRST, built.old), (NEXT, built.new), (REPEAT, built.new)):
            samples[case].append(_publish(aws, built, images))
    for case, of_case in samples.items():
        yield Series(case, GOLDEN, tuple(of_case))


def _publish(aws: SimulatedAws, built: releases.Releases, images: Mapping[str, str]) -> Sample:
    aws.clear_calls()
    done = releases.publish(aws, images, built.shares)
    wrong = releases.wrong_parameters(aws, images, built.account_ids)
    return sample(done.used, aws.calls(), changed=done.changed, **wrong)
