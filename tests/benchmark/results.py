# SPDX-License-Identifier: GPL-3.0-or-later
"""What the benchmark measured, as values and as JSON; pure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

BUSY = 0.1
"""The share of a machine's processors that other programs may use while times are measured."""


class Spread(NamedTuple):
    """The median of some runs, with the least and the most."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """The spread of at least one value."""
        listed = list(values)
        return cls(statistics.median(listed), min(listed), max(listed))


@dataclass(frozen=True)
class Sample:
    """One run: what its processes used (see process_tree), its API calls by action, and other numbers."""

    seconds: float
    cpu_seconds: float
    pss_megabytes: float
    largest_megabytes: float
    calls: Mapping[str, int] = field(default_factory=dict)
    facts: Mapping[str, float] = field(default_factory=dict)

    @property
    def call_count(self) -> int:
        """All API calls, refused ones included."""
        return sum(self.calls.values())


@dataclass(frozen=True)
class Series:
    """The runs of one contender in one case; ``size`` is its place on the axis of a drawing of growth."""

    case: str
    contender: str
    samples: tuple[Sample, ...]
    size: float | None = None

    def spread(self, value: Callable[[Sample], float]) -> Spread:
        """The spread of a value of each run."""
        return Spread.of(value(one) for one in self.samples)

    def fact(self, name: str) -> float:
        """The median of one of the other numbers."""
        return self.spread(lambda one: one.facts[name]).median


@dataclass(frozen=True)
class Part:
    """One part of the benchmark, measured in one go.

    ``busy`` is the share of the machine's processors that other programs used meanwhile. ``conditions`` state
    the simulated AWS's settings; ``profiles`` map a profiled command to the share of its time by function.
    ``work`` is how many seconds of CPU the same piece of work took before the part and after it; none if that
    was not measured.
    """

    title: str
    measured: str
    machine: str
    versions: Mapping[str, str]
    busy: float
    conditions: str
    series: tuple[Series, ...]
    profiles: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    work: tuple[float, ...] = ()

    @property
    def is_quiet(self) -> bool:
        """Whether its times can be published: no other program used much of the machine."""
        return self.busy <= BUSY

    def find(self, case: str, contender: str) -> Series | None:
        """The series of a contender in a case; None if it was not measured."""
        return next((one for one in self.series if (one.case, one.contender) == (case, contender)), None)

    @property
    def cases(self) -> tuple[str, ...]:
        """The names of its cases, in the order of the runs."""
        return tuple(dict.fromkeys(one.case for one in self.series))


Results = Mapping[str, Part]
"""Parts by name."""


def to_json(results: Results) -> dict[str, Any]:
    """The results as a JSON object."""
    return {name: asdict(part) for name, part in results.items()}


def from_json(document: Mapping[str, Any]) -> dict[str, Part]:
    """The results that ``to_json`` gave."""
    return {name: _part(one) for name, one in document.items()}


def _part(document: Mapping[str, Any]) -> Part:
    series = tuple(_series(one) for one in document["series"])
    return Part(**{**document, "series": series, "work": tuple(document.get("work", ()))})


def _series(document: Mapping[str, Any]) -> Series:
    return Series(**{**document, "samples": tuple(Sample(**one) for one in document["samples"])})
