# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit and a cleanup while AWS limits nothing, at its documented rates, and at half of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from simulated_aws.client import SimulatedAws

from . import audit, cleanup, floor
from .fixtures import HOME
from .measuring import GOLDEN, Scale, repeated, with_facts
from .results import Sample, Series

WITHOUT_LIMIT = f"{GOLDEN} without its rate limit"
AUDIT, CLEANUP = "audit of 1,000 images in one region", "cleanup that deletes 300 images"


@dataclass(frozen=True)
class Rates:
    """What AWS admits: a factor of its documented buckets; None for all calls."""

    name: str
    factor: float | None

    def set(self, aws: SimulatedAws) -> None:
        """Let the simulated AWS admit calls so, from full buckets."""
        aws.set_throttling(self.factor is not None)
        if self.factor is not None:
            aws.update_settings(request_rate_factor=self.factor)

    def case(self, work: str) -> str:
        """The name of a work at these rates."""
        return f"{work}: {self.name}"


OFF, DOCUMENTED, HALVED = Rates("no rates", None), Rates("documented rates", 1), Rates("halved rates", 0.5)


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """Each work at all rates, and without the collection's own limit where AWS has none."""
    images = scale.size(1000, 120)
    planted = audit.plant_in(aws, (HOME,), images)
    yield from _at_all_rates(scale, AUDIT, partial(_audit, aws, planted))
    deleted = scale.size(cleanup.DELETED, 20)
    yield from _at_all_rates(scale, CLEANUP, partial(_clean_up, aws, deleted))


def _at_all_rates(
    scale: Scale, work: str, once: Callable[[Rates, tuple[str, ...]], Sample]
) -> Iterator[Series]:
    yield Series(OFF.case(work), WITHOUT_LIMIT, repeated(scale, lambda: once(OFF, ("without_rate_limit",))))
    yield Series(OFF.case(work), GOLDEN, repeated(scale, lambda: once(OFF, ())))
    for rates in (DOCUMENTED, HALVED):
        # Once: the rates force nearly all of the time.
        yield Series(rates.case(work), GOLDEN, (once(rates, ()),))


def _audit(aws: SimulatedAws, planted: audit.Planted, rates: Rates, callbacks: tuple[str, ...]) -> Sample:
    rates.set(aws)
    time.sleep(audit.REFILL)
    done = audit.golden(aws, planted, callbacks)
    return with_facts(done, forced=floor.forced_by(aws.calls(), rates.factor or 0))


def _clean_up(aws: SimulatedAws, images: int, rates: Rates, callbacks: tuple[str, ...]) -> Sample:
    done = cleanup.delete(aws, images, before=lambda: rates.set(aws), callbacks=callbacks)
    # Nothing is deregistered before the permissions of all images are read.
    forced = floor.forced_before_and_after(aws.calls(), "DeregisterImage", rates.factor or 0)
    return with_facts(done, forced=forced)
