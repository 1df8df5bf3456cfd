# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate of calls: as fast as AWS admits them, few refusals, never above a cap."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.rate_limit import (
    LearnedRate,
    Rate,
    RateLimit,
    RateLimits,
    rate_of,
)

from .simulated_time import Clock, Waits
from .throttled_aws import RTT, Bucket, forced, run

READING, DEREGISTER, DISABLE, TAGS = Rate(100, 20), Rate(100, 5), Rate(50, 5), Rate(100, 10)
RATES = [READING, DEREGISTER, DISABLE, TAGS]
# When AWS's bucket refills: all the time, or at one of these moments of each second.
PHASES = [None, *(tenth / 10 for tenth in range(10))]


def scaled(rate: Rate, factor: float) -> Rate:
    return Rate(rate.size * factor, rate.per_second * factor)


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "DescribeImageAttribute", Rate(100, 20)),
        ("ec2", "GetImageBlockPublicAccessState", Rate(100, 20)),
        ("ec2", "DeregisterImage", Rate(100, 5)),
        ("ec2", "DisableImage", Rate(50, 5)),
        ("ec2", "CreateTags", Rate(100, 10)),
        ("ssm", "PutParameter", Rate(3, 3)),
        ("ssm", "GetParameterHistory", None),
        ("kms", "RevokeGrant", None),
    ],
)
def test_the_rates_that_aws_documents(service: str, operation: str, expected: Rate | None) -> None:
    assert rate_of(service, operation) == expected


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("calls", [300, 500, 1000])
def test_at_the_documented_rates_aws_refuses_two_percent_at_most(rate: Rate, calls: int) -> None:
    seconds, refused, sent, attempts = run(LearnedRate(rate, None, 0), Bucket(rate).admits, calls)
    assert refused <= 0.02 * sent
    assert seconds <= 1.12 * forced(rate, calls)
    assert attempts <= 2


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("rate", RATES)
def test_a_bucket_that_refills_once_a_second_costs_two_seconds_more(rate: Rate, phase: float | None) -> None:
    seconds, refused, sent, _attempts = run(LearnedRate(rate, None, 0), Bucket(rate, phase).admits, 500)
    assert refused <= 0.03 * sent
    assert seconds <= 2.5 + forced(rate, 500)


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("rate", RATES)
def test_half_of_the_documented_rates_is_learned(rate: Rate, phase: float | None) -> None:
    half = scaled(rate, 0.5)
    seconds, _refused, _sent, attempts = run(LearnedRate(rate, None, 0), Bucket(half, phase).admits, 300)
    assert seconds <= 1.2 * forced(half, 300)
    assert attempts <= 3


@pytest.mark.parametrize("calls", [1000, 3000])
@pytest.mark.parametrize("rate", RATES)
def test_without_refusals_the_limit_costs_a_fifth_of_a_second(rate: Rate, calls: int) -> None:
    limited = run(LearnedRate(rate, None, 0), lambda _now: True, calls)
    free = run(LearnedRate(None, None, 0), lambda _now: True, calls)
    assert limited.seconds <= free.seconds + 0.2
    assert free.seconds < calls / 900


def test_higher_quotas_are_used() -> None:
    high = scaled(READING, 5)
    seconds, refused, sent, _attempts = run(LearnedRate(READING, None, 0), Bucket(high).admits, 2000)
    assert seconds <= 1.12 * forced(high, 2000)
    assert refused <= 0.06 * sent


@pytest.mark.parametrize("rate", RATES)
def test_an_empty_bucket_at_the_start_is_no_failure(rate: Rate) -> None:
    bucket = Bucket(rate)
    bucket.tokens = 0
    seconds, _refused, _sent, attempts = run(LearnedRate(rate, None, 0), bucket.admits, 300)
    assert seconds <= 1.25 * 300 / rate.per_second
    assert attempts <= 3


def test_calls_go_on_after_a_minute_without_any_token() -> None:
    bucket = Bucket(READING)

    def admits(now: float) -> bool:
        if now < 60:
            bucket.tokens = 0
        return bucket.admits(now) and now >= 60

    seconds, _refused, _sent, attempts = run(LearnedRate(READING, None, 0), admits, 300)
    assert seconds <= 60 + 3 * 300 / READING.per_second
    assert attempts <= 4


def test_the_rate_follows_what_other_callers_leave() -> None:
    bucket = Bucket(READING)

    def admits(now: float) -> bool:
        bucket.rate = scaled(READING, 0.5) if 20 <= now < 60 else READING
        return bucket.admits(now)

    seconds, refused, sent, _attempts = run(LearnedRate(READING, None, 0), admits, 1500)
    # Of 20 s, 40 s and the rest at 20, 10 and 20 calls per second.
    assert seconds <= 1.12 * (60 + (1500 - 100 - 400 - 400) / 20)
    assert refused <= 0.03 * sent


def test_a_far_region_is_as_fast_as_its_answers() -> None:
    limited = run(LearnedRate(READING, None, 0), lambda _now: True, 1000, rtt=0.25)
    free = run(LearnedRate(None, None, 0), lambda _now: True, 1000, rtt=0.25)
    assert limited.seconds <= 1.3 * free.seconds


@pytest.mark.parametrize("most", [0.2, 1, 7.5, 30])
def test_a_cap_holds_from_the_first_call(most: float) -> None:
    times: list[float] = []

    def admits(now: float) -> bool:
        times.append(now)
        return True

    run(LearnedRate(READING, most, 0), admits, 200)
    assert times[-1] >= 199 / most - 1
    for start, end in zip(times, times[int(most) + 4 :], strict=False):
        assert end - start > 1 - 0.001


def test_a_cap_holds_after_a_refusal_and_where_no_rate_is_documented() -> None:
    for documented in (READING, None):
        bucket = Bucket(Rate(20, 5))
        seconds, _refused, _sent, _attempts = run(LearnedRate(documented, 2, 0), bucket.admits, 100)
        assert 49 <= seconds <= 60


def test_a_rate_that_is_not_documented_is_learned_from_refusals() -> None:
    bucket = Bucket(Rate(50, 50))
    seconds, refused, sent, attempts = run(LearnedRate(None, None, 0), bucket.admits, 1000)
    assert seconds <= 1.2 * 950 / 50
    assert refused <= 0.1 * sent
    assert attempts <= 3


@pytest.mark.parametrize("outage", [1.5, 5, 30])
def test_refusals_at_the_start_do_not_hold_back_what_is_not_documented(outage: float) -> None:
    bucket = Bucket(Rate(40, 40))

    def admits(now: float) -> bool:
        return bucket.admits(now) and now >= outage

    seconds, _refused, _sent, _attempts = run(LearnedRate(None, None, 0), admits, 500)
    assert seconds <= outage + 60


@pytest.mark.parametrize(("threads", "rtt"), [(3, 0.2), (16, 0.1), (64, RTT)])
def test_a_rate_that_delays_no_call_does_not_grow(threads: int, rtt: float) -> None:
    """The threads are slower than AWS, until other callers leave only the documented rate."""
    bucket, attempts = Bucket(scaled(READING, 100)), count(1)

    def admits(now: float) -> bool:
        attempt = next(attempts)
        if attempt == 3000:
            bucket.rate, bucket.tokens = Rate(20, 20), 0.0
        return bucket.admits(now) and attempt != 150

    limit = LearnedRate(READING, None, 0)
    _seconds, refused, sent, attempts_of_one = run(limit, admits, 4000, threads, rtt)
    assert refused <= 0.03 * sent
    assert attempts_of_one <= 3


def answered(code: str | None) -> tuple[Any, dict[str, Any]]:
    return object(), {"Error": {"Code": code}} if code else {}


@pytest.mark.parametrize(
    ("response", "slows_down"),
    [
        (answered("RequestLimitExceeded"), True),
        (answered("ThrottlingException"), True),
        (answered("Throttling"), True),
        (answered("EC2ThrottledException"), True),
        (answered("InvalidAMIID.NotFound"), False),
        (answered(None), False),
        (None, False),
    ],
)
def test_only_refusals_for_the_rate_slow_down(response: Any, slows_down: bool) -> None:
    clock = Clock()
    limit = RateLimit(READING, clock=lambda: clock.now, changed=Waits(clock))
    limit.before()
    limit.after(response)
    limit.before()
    assert (clock.now >= 1) is slows_down


def test_an_attempt_without_an_answer_says_nothing_of_the_rate() -> None:
    clock = Clock()
    limit = RateLimit(READING, clock=lambda: clock.now, changed=Waits(clock))
    for _attempt in range(99):
        limit.before()
        limit.after(None)
    limit.before()
    limit.after(answered("RequestLimitExceeded"))
    start = clock.now
    for _attempt in range(11):
        limit.before()
    # None was admitted, so the rate is half of the documented one.
    assert clock.now - start == pytest.approx(1 + 11 / 10)


def test_attempts_that_a_check_stops_cost_one_call_each() -> None:
    """Botocore emits no ``needs-retry`` for them, nor for errors in signing and parsing."""
    limit, now = LearnedRate(READING, None, 0), 0.0
    for _stopped in range(10):
        limit.wait(now)
    delayed = 0
    for _call in range(1000):
        while seconds := limit.wait(now):
            now += seconds
            delayed += 1
        limit.answer(now, is_refused=False)
    # Each of the four times that it waits for answers, ten never come.
    assert delayed <= 4 * (10 + 1)


def test_calls_wait_until_aws_has_a_token() -> None:
    clock = Clock()
    limit = RateLimit(READING, most=4, clock=lambda: clock.now, changed=Waits(clock))
    times = []
    for _call in range(9):
        limit.before(request=None, operation_name="DescribeImages")
        limit.after(answered(None), attempts=1)
        times.append(clock.now)
    assert times == pytest.approx([number / 4 for number in range(9)])


def test_an_operation_in_a_region_has_one_limit() -> None:
    limits = RateLimits()
    ours = limits.of("ec2", "eu-west-1", "DeregisterImage")
    assert ours is limits.of("ec2", "eu-west-1", "DeregisterImage")
    assert ours is not limits.of("ec2", "eu-west-2", "DeregisterImage")
    assert ours is not limits.of("ec2", "eu-west-1", "DeleteSnapshot")
