# SPDX-License-Identifier: GPL-3.0-or-later
"""The shortest time that AWS allows for a work: round trips, copies, and request rates; pure."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from simulated_aws.http.record import RecordedCall
from simulated_aws.http.throttling import Rate, bucket

BEFORE, AFTER = 4, 3
"""Round trips of a distribution that each need the answer of the one before.

Before the copies run: the caller, the source image, the present copies, CopyImage. After: the copy's state,
its snapshots' permissions, its launch permissions. Access to keys is granted while the copies run.
"""


@dataclass(frozen=True)
class Distribution:
    """A distribution; ``latency`` and ``copy`` in seconds, ``grants`` for each region's key."""

    latency: float
    copy: float
    grants: int = 0

    def seconds(self) -> float:
        """Round trips before, the slowest copy or the grants, whichever takes longer, round trips after."""
        return (BEFORE + AFTER) * self.latency + max(self.copy, forced("kms", "CreateGrant", self.grants))


def forced(service: str, action: str, count: int) -> float:
    """The shortest time in seconds that a request rate allows for calls in one region.

    (count - size of the full bucket) / tokens per second; see simulated_aws.http.throttling.
    """
    found = bucket(service, action, {"MaxResults": "1"})
    return 0.0 if found is None else _wait(count, found[1])


def forced_by(calls: Iterable[RecordedCall], factor: float = 1) -> float:
    """The shortest time that the request rates allow for the answered calls; a retried call counts once.

    ``factor`` is that of AWS's documented buckets; 0 if AWS admits all calls.

    Each API has in each region a bucket of its own, all at the same time: what counts is the one that is
    short of tokens for longest.
    """
    answered = {
        (call.region, call.action, json.dumps(call.parameters, sort_keys=True)): call
        for call in calls
        if call.status == 200
    }
    if not factor:
        return 0.0
    needed: Counter[tuple[str, str]] = Counter()
    rates: dict[tuple[str, str], Rate] = {}
    for call in answered.values():
        found = bucket(call.service, call.action, call.parameters)
        if found is not None:
            name = found[0]
            rates[call.region, name] = found[1].scaled(factor)
            needed[call.region, name] += 1
    return max([0.0, *(_wait(count, rates[key]) for key, count in needed.items())])


def forced_before_and_after(calls: Sequence[RecordedCall], change: str, factor: float = 1) -> float:
    """The shortest time of a work that has read all it needs before its first change of this action.

    No bucket fills beyond its size meanwhile: that of the change is full once the reads have ended.
    """
    first = next((number for number, call in enumerate(calls) if call.action == change), len(calls))
    return forced_by(calls[:first], factor) + forced_by(calls[first:], factor)


def _wait(count: int, rate: Rate) -> float:
    return max(0.0, (count - rate.size) / rate.per_second)
