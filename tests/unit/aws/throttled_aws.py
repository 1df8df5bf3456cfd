# SPDX-License-Identifier: GPL-3.0-or-later

"""AWS's token bucket and many threads that call, in simulated time."""

from __future__ import annotations

import heapq
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from math import floor
from typing import NamedTuple

from ansible_collections.golden.images.plugins.module_utils._aws.rate_limit import LearnedRate, Rate

RTT, CPU = 0.04, 0.001
"""Seconds of a call on its way, and of the one processor that makes its request."""


@dataclass
class Bucket:
    """AWS's bucket. It refills all the time, or once a second, ``phase`` seconds after the start."""

    rate: Rate
    phase: float | None = None
    at: float = 0.0
    tokens: float = field(init=False)

    def __post_init__(self) -> None:
        self.tokens = self.rate.size

    def admits(self, now: float) -> bool:
        seconds = now - self.at
        if self.phase is not None:
            seconds = float(floor(now - self.phase) - floor(self.at - self.phase))
        self.tokens = min(self.rate.size, self.tokens + seconds * self.rate.per_second)
        self.at = now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


class Outcome(NamedTuple):
    """How long a run took, the attempts that AWS refused, all of them, and the most refused of one call."""

    seconds: float
    refused: int
    sent: int
    most_attempts: int


class _Event(NamedTuple):
    """What happens to an attempt of a call."""

    at: float
    order: int
    kind: str
    attempt: int = 0
    is_admitted: bool = False


class _Threads:
    """Threads that make calls; each repeats a refused one after botocore's delay for it."""

    def __init__(
        self, limit: LearnedRate, admits: Callable[[float], bool], calls: int, threads: int, rtt: float
    ) -> None:
        self.limit, self.admits, self.rtt = limit, admits, rtt
        self.waiting = deque([1] * min(calls, threads))
        self.left = calls - len(self.waiting)
        self.events = [_Event(0.0, 0, "ask")]
        self.order, self.jitter = count(1), random.Random(1)
        self.now = self.asks_at = self.processor_free_at = 0.0
        self.sent = self.refused = self.most_attempts = 0

    def later(self, at: float, kind: str, attempt: int = 0, is_admitted: bool = False) -> None:
        heapq.heappush(self.events, _Event(at, next(self.order), kind, attempt, is_admitted))

    def run(self) -> Outcome:
        while self.events:
            event = heapq.heappop(self.events)
            self.now = event.at
            if event.kind == "arrive":
                self.later(self.now + self.rtt / 2, "answer", event.attempt, self.admits(self.now))
            elif event.kind == "repeat":
                self.waiting.append(event.attempt)
            elif event.kind == "answer":
                self.answer(event)
            self.send()
        return Outcome(self.now, self.refused, self.sent, self.most_attempts)

    def answer(self, event: _Event) -> None:
        self.limit.answer(self.now, not event.is_admitted)
        if not event.is_admitted:
            self.refused += 1
            self.most_attempts = max(self.most_attempts, event.attempt)
            delay = self.jitter.random() * min(20, 2 ** (event.attempt - 1))
            self.later(self.now + delay, "repeat", event.attempt + 1)
        elif self.left:
            self.left -= 1
            self.waiting.append(1)

    def send(self) -> None:
        while self.waiting:
            if seconds := self.limit.wait(self.now):
                if self.asks_at <= self.now or self.now + seconds < self.asks_at:
                    self.asks_at = self.now + seconds
                    self.later(self.asks_at, "ask")
                return
            self.sent += 1
            self.processor_free_at = max(self.processor_free_at, self.now) + CPU
            self.later(self.processor_free_at + self.rtt / 2, "arrive", self.waiting.popleft())


def run(
    limit: LearnedRate, admits: Callable[[float], bool], calls: int, threads: int = 64, rtt: float = RTT
) -> Outcome:
    """Make so many calls."""
    return _Threads(limit, admits, calls, threads, rtt).run()


def forced(rate: Rate, calls: int) -> float:
    """The shortest time that a bucket allows for these calls."""
    return max(0.0, (calls - rate.size) / rate.per_second)
