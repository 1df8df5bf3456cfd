# SPDX-License-Identifier: GPL-3.0-or-later

"""The rate of calls: what AWS documents, never faster, and not slower than that for long."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.rate_limit import Rate, RateLimit, rate_of


class Clock:
    """A clock that only waiting moves on."""

    def __init__(self) -> None:
        self.now, self.waits = 0.0, 0

    def wait(self, seconds: float) -> None:
        self.waits += 1
        self.now += seconds


def times(rate: Rate, calls: int) -> list[float]:
    """When each of these calls is sent."""
    clock = Clock()
    limit, sent = RateLimit(rate, lambda: clock.now, clock.wait), []
    for _call in range(calls):
        limit()
        sent.append(clock.now)
    return sent


@pytest.mark.parametrize(
    ("service", "operation", "expected"),
    [
        ("ec2", "DescribeImageAttribute", Rate(100, 20)),
        ("ec2", "GetImageBlockPublicAccessState", Rate(100, 20)),
        ("ec2", "DeregisterImage", Rate(100, 5)),
        ("ec2", "DisableImage", Rate(50, 5)),
        ("ec2", "CreateTags", Rate(100, 10)),
        ("ssm", "PutParameter", None),
        ("kms", "RevokeGrant", None),
    ],
)
def test_the_rates_that_aws_documents(service: str, operation: str, expected: Rate | None) -> None:
    assert rate_of(service, operation) == expected


def test_calls_start_at_once_and_go_on_at_the_rate() -> None:
    sent = times(Rate(100, 20), 180)
    assert sent[:80] == [0.0] * 80
    assert sent[80:] == pytest.approx([number / 20 for number in range(1, 101)])


@pytest.mark.parametrize("rate", [Rate(100, 20), Rate(50, 5), Rate(100, 10)])
def test_aws_refuses_none_even_if_it_refills_its_bucket_once_a_second(rate: Rate) -> None:
    tokens, second = rate.size, 0
    for now in times(rate, 400):
        while second + 1 <= now:
            second += 1
            tokens = min(rate.size, tokens + rate.per_second)
        tokens -= 1
        assert tokens >= 0


def test_a_pause_refills_the_bucket_and_no_more() -> None:
    clock = Clock()
    limit = RateLimit(Rate(100, 20), lambda: clock.now, clock.wait)
    for _call in range(80):
        limit()
    clock.now += 3_600
    for _call in range(80):
        limit()
    assert clock.waits == 0
    limit()
    assert clock.waits == 1
