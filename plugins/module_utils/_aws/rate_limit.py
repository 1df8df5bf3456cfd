# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limit the rate of thousands of calls of one operation to what AWS documents, so that it refuses none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from time import monotonic, sleep
from typing import Any


@dataclass(frozen=True)
class Rate:
    """Size of AWS's token bucket in calls, and the calls per second at which it refills."""

    size: float
    per_second: float


# EC2 Developer Guide, "Request throttling for the Amazon EC2 API", tables "Request token bucket sizes and
# refill rates": each account has in each Region a bucket for each API. Only what this collection calls often.
_READING = Rate(100, 20)
_CHANGING = Rate(50, 5)
_OTHERS = {
    "CreateTags": Rate(100, 10),
    "DeleteSnapshot": Rate(100, 5),
    "DeleteTags": Rate(100, 10),
    "DeregisterImage": Rate(100, 5),
    "ModifyImageAttribute": Rate(100, 5),
    "ModifySnapshotAttribute": Rate(100, 5),
}


def rate_of(service: str, operation: str) -> Rate | None:
    """Return the rate that AWS documents for an operation of EC2; None for other services."""
    if service != "ec2":
        return None
    return _OTHERS.get(operation) or (_READING if operation.startswith(("Describe", "Get")) else _CHANGING)


class RateLimit:
    """Token bucket, full at first, that delays calls. It is thread-safe.

    AWS adds the tokens of a second at once. So that no call depends on tokens of a second that has not ended,
    the bucket is smaller than AWS's by the tokens of one second. Calls of an account with higher limits are
    not faster: only refusals would show how high the limits are. If other programs take the tokens, AWS
    refuses calls all the same, and botocore retries them.
    """

    def __init__(
        self, rate: Rate, clock: Callable[[], float] = monotonic, wait: Callable[[float], None] = sleep
    ) -> None:
        self._rate = rate
        self._size = rate.size - rate.per_second
        self._tokens, self._at = self._size, clock()
        self._clock, self._wait, self._lock = clock, wait, Lock()

    def __call__(self, **_event: Any) -> None:
        """Wait until the next call may be sent: a handler of botocore's event ``before-send``."""
        with self._lock:
            now = self._clock()
            refilled = self._tokens + (now - self._at) * self._rate.per_second
            self._tokens, self._at = min(self._size, refilled) - 1, now
            seconds = -self._tokens / self._rate.per_second
        if seconds > 0:
            self._wait(seconds)
