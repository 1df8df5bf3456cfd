# SPDX-License-Identifier: GPL-3.0-or-later

"""Time in which only waiting passes."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Condition


@dataclass
class Clock:
    """The time, and the seconds of each wait."""

    now: float = 0.0
    waits: list[float] = field(default_factory=list)


class Waits(Condition):
    """A condition that nothing else changes, so that each wait takes all its seconds."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self._clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        if timeout is None:
            raise AssertionError("the wait would never end")
        self._clock.now += timeout
        self._clock.waits.append(timeout)
        return False
