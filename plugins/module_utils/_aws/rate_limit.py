# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Learn from AWS's answers how fast it lets thousands of calls of one operation through.

Botocore's adaptive retry mode does not carry this. It begins without a limit and slows down only after
refusals: of 300 to 500 calls of 64 threads, AWS at its documented rates refuses 12 to 22 %, as a simulation
with its ``ClientRateLimiter`` shows; and it learns for each client anew, without a documented way to share.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf
from threading import Condition, Lock
from time import monotonic
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
_EC2 = {
    "CreateTags": Rate(100, 10),
    "DeleteSnapshot": Rate(100, 5),
    "DeleteTags": Rate(100, 10),
    "DeregisterImage": Rate(100, 5),
    "ModifyImageAttribute": Rate(100, 5),
    "ModifySnapshotAttribute": Rate(100, 5),
}
# AWS Support in github-aws-runners/terraform-aws-github-runner#2944; the quotas of other operations are
# higher than what one run calls.
_OTHERS = {("ssm", "PutParameter"): Rate(3, 3)}
# Where no rate is documented: after refusals, a rate below this grows faster.
_NOT_DOCUMENTED = Rate(20, 20)

# EC2 Developer Guide: "a set number of tokens is added back to it every second". So after a refusal it can
# take this long until there is a token.
_REFILL_INTERVAL = 1.0
_LEAST_PER_SECOND = 0.5
# Of a token.
_PRECISION = 1e-6
# Calls that are sent at first beyond the documented rate, and the factor of each further attempt.
_FIRST_CREDIT, _MORE_CREDIT = 2.0, 3.0
# After a refusal, so many calls are sent at the learned rate before it grows with each call. At the
# documented rates that makes one or two refusals of 200 calls.
_CALLS_BEFORE_GROWTH, _GROWTH = 100, 1.005
# botocore, retries.standard.ThrottledRetryableChecker: those of its codes that EC2, KMS and SSM return.
_REFUSALS = frozenset({"EC2ThrottledException", "RequestLimitExceeded", "Throttling", "ThrottlingException"})


def rate_of(service: str, operation: str) -> Rate | None:
    """Return the rate that AWS documents for an operation; None if this collection does not need it."""
    if service != "ec2":
        return _OTHERS.get((service, operation))
    return _EC2.get(operation) or (_READING if operation.startswith(("Describe", "Get")) else _CHANGING)


class _Bucket:
    """A token bucket, full at first."""

    def __init__(self, rate: Rate, now: float) -> None:
        self.rate, self._tokens, self._at = rate, rate.size, now

    def wait(self, now: float, credit: float = 0.0) -> float:
        """Return the seconds until a call may be sent, which may overdraw the bucket by ``credit``."""
        if now > self._at:
            refilled = self._tokens + (now - self._at) * self.rate.per_second
            self._tokens, self._at = min(self.rate.size, refilled), now
        missing = 1 - credit - self._tokens
        # Sums of fractions can lack so little that no clock shows the time for it.
        return self._at - now + (missing / self.rate.per_second if missing > _PRECISION else 0)

    def take(self) -> None:
        """Take the token of a call."""
        self._tokens -= 1

    def empty(self, until: float) -> None:
        """Leave no token, and add none until then."""
        self._tokens, self._at = 0.0, until


class LearnedRate:
    """The rate of one operation in one account and region: a state machine without a clock of its own.

    It begins with AWS's documented bucket. At its end, a few calls go beyond it; when AWS has admitted these,
    three times as many, and so on. Once they are more than the bucket's size, nothing is limited until AWS
    refuses a call.

    A refusal shows that AWS's bucket is empty. So what was admitted since the refusal before, divided by the
    time since, is AWS's rate. (Before the first refusal a full bucket counts as its time to refill.) Calls go
    on at this rate, and after a while faster, until the next refusal. Below the documented rate, which AWS
    grants unless others use it, they grow faster sooner. A rate that delays no call does not grow: where
    threads are slower than AWS, nothing would end its growth.

    ``most`` is the most calls per second, whatever AWS would admit: at most a tenth of them, or one, at once,
    so that the time by which a thread wakes up late costs no call.
    """

    def __init__(self, documented: Rate | None, most: float | None, now: float) -> None:
        self._documented = documented or _NOT_DOCUMENTED
        self._bucket = _Bucket(self._documented, now)
        self._most = inf if most is None else most
        self._cap = None if most is None else _Bucket(Rate(max(1.0, most / 10), most), now)
        self._credit = _FIRST_CREDIT if documented else inf
        self._sent = self._answered = 0
        self._answers_to_await: int | None = None
        self._has_refused = self._has_delayed = False
        self._empty_at = now - self._documented.size / self._documented.per_second
        self._admitted = 0

    def wait(self, now: float) -> float:
        """Return 0 if a call may be sent, which is then counted, or the seconds after which to ask again."""
        seconds = 0.0 if self._credit == inf else self._bucket.wait(now, self._credit)
        if seconds > 0:
            self._has_delayed = True
            if self._answers_to_await is None:
                self._answers_to_await = self._sent
        if self._cap:
            seconds = max(seconds, self._cap.wait(now))
        if seconds <= 0:
            self._sent += 1
            self._bucket.take()
            if self._cap:
                self._cap.take()
        return max(0.0, seconds)

    def answer(self, now: float, is_refused: bool) -> None:
        """Learn from an answer of AWS."""
        self._answered += 1
        if is_refused:
            self._slow_down(now)
            return
        self._admitted += 1
        if self._has_refused:
            self._grow(now)
        elif self._answers_to_await is not None and self._answered >= self._answers_to_await:
            self._answers_to_await = None
            self._credit *= _MORE_CREDIT
            if self._credit > self._documented.size:
                self._credit = inf

    def miss(self) -> None:
        """No answer to an attempt came. It says nothing of the rate, but is not awaited any longer.

        An attempt for which not even this is called, such as one that a check stops before it is sent,
        costs each wait for answers one more call at the documented rate.
        """
        self._answered += 1

    def _grow(self, now: float) -> None:
        rate = self._bucket.rate.per_second
        below = max(1.0, self._documented.per_second / rate)
        if self._has_delayed and self._admitted * below > _CALLS_BEFORE_GROWTH:
            self._has_delayed = False
            self._set_rate(rate * _GROWTH**below, now)

    def _slow_down(self, now: float) -> None:
        seconds, rate = now - self._empty_at, self._bucket.rate.per_second
        # What was admitted in a short time says little, so a rate is at most halved. One far above the
        # documented rate, which AWS no longer grants, falls to that at once.
        learned = max(self._admitted / seconds, min(rate / 2, self._documented.per_second))
        if not self._has_refused:
            self._has_refused, self._credit = True, 0.0
            self._set_rate(learned, now)
        elif seconds > _REFILL_INTERVAL:
            # Sooner it is the same empty bucket, from which several calls were refused.
            self._set_rate(min(rate, learned), now)
        self._empty_at, self._admitted = now, 0
        self._bucket.empty(now + _REFILL_INTERVAL)

    def _set_rate(self, per_second: float, now: float) -> None:
        self._bucket.wait(now)
        per_second = min(max(per_second, _LEAST_PER_SECOND), self._most)
        size = self._documented.size / self._documented.per_second * per_second
        self._bucket.rate = Rate(max(1.0, size), per_second)


class RateLimit:
    """Delays the calls of one operation, in an account and a region, by what was learned. It is thread-safe.

    Boto3's Extensibility Guide documents both events, which botocore emits for each attempt of a call.
    """

    def __init__(
        self,
        documented: Rate | None,
        most: float | None = None,
        clock: Callable[[], float] = monotonic,
        changed: Condition | None = None,
    ) -> None:
        self._rate, self._clock = LearnedRate(documented, most, clock()), clock
        # One thread waits for the time of the next call, all others for their turn.
        self._turn, self._changed = Lock(), changed or Condition()

    def before(self, **_event: Any) -> None:
        """Wait until the next call may be sent: a handler of ``request-created``, before it is signed.

        AWS refuses a signature that is older than five minutes.
        """
        with self._turn, self._changed:
            while seconds := self._rate.wait(self._clock()):
                self._changed.wait(seconds)

    def after(self, response: tuple[Any, Any] | None, **_event: Any) -> None:
        """Learn from the answer to an attempt, which is None if none came: a handler of ``needs-retry``."""
        with self._changed:
            if response is None:
                self._rate.miss()
            else:
                code = response[1].get("Error", {}).get("Code")
                self._rate.answer(self._clock(), code in _REFUSALS)
            self._changed.notify()


class RateLimits:
    """The rate limits of one account, which all its clients share: one for each operation and region.

    ``most`` is the most calls per second of an operation in a region; None if only AWS limits them.
    """

    def __init__(self, most: float | None = None) -> None:
        self._most = most
        self._limits: dict[tuple[str, str, str], RateLimit] = {}

    def of(self, service: str, region: str, operation: str) -> RateLimit:
        """Return the rate limit of an operation in a region."""
        key = (service, region, operation)
        if key not in self._limits:
            self._limits[key] = RateLimit(rate_of(service, operation), self._most)
        return self._limits[key]
