# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of commands and playbooks against the simulated AWS, as samples."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from .process_tree import Used, measure
from .results import Sample, Series

GOLDEN = "golden.images"
LATENCY, COPY_SECONDS = 0.04, 20.0
"""Seconds that each call and each copy takes on the simulated AWS."""
LONG = 120
"""Seconds above which a run is not repeated."""


@dataclass(frozen=True)
class Scale:
    """How much to measure: ``rounds`` of each run; ``is_trial`` is small sizes, to see that all works."""

    rounds: int = 3
    is_trial: bool = False

    def size(self, full: int, trial: int) -> int:
        """A size of a fixture."""
        return trial if self.is_trial else full


Measure = Callable[[SimulatedAws, Scale], Iterator[Series]]


def repeated(scale: Scale, once: Callable[[], Sample]) -> tuple[Sample, ...]:
    """The samples of all rounds, or of one that takes long."""
    samples = [once()]
    while len(samples) < scale.rounds and samples[0].seconds <= LONG:
        samples.append(once())
    return tuple(samples)


def sample(used: Used, calls: Sequence[RecordedCall], **facts: float) -> Sample:
    """A sample of a run and its API calls."""
    return Sample(
        seconds=used.seconds,
        cpu_seconds=used.cpu_seconds,
        pss_megabytes=used.pss_megabytes,
        largest_megabytes=used.largest_megabytes,
        calls=dict(Counter(f"{call.service}:{call.action}" for call in calls).most_common()),
        facts={"refused": sum(map(is_refused, calls)), **facts},
    )


def command(
    environment: Mapping[str, str], arguments: Sequence[str], codes: Sequence[int] = (0,)
) -> tuple[Used, str]:
    """Run a command in an empty directory; return what it used and its standard output.

    Raises:
        RuntimeError: it failed; the text is the end of its output.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        used = measure(arguments, environment, folder, folder / "stdout", folder / "stderr")
        output, errors = (
            (folder / one).read_text(encoding="utf-8", errors="replace") for one in ("stdout", "stderr")
        )
    if used.code not in codes:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{output[-2000:]}\n{errors[-4000:]}")
    return used, output


def with_facts(one: Sample, **facts: float) -> Sample:
    """The sample with further numbers."""
    return replace(one, facts={**one.facts, **facts})


def is_refused(call: RecordedCall) -> bool:
    """Whether AWS refused a call because there were too many."""
    return call.error_code == "RequestLimitExceeded" or "Throttl" in call.error_code


def most_in_a_region(calls: Sequence[RecordedCall]) -> int:
    """The number of calls in the region with the most."""
    return max(Counter(call.region for call in calls).values(), default=0)
