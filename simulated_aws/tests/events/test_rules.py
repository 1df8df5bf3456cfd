# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of an event pattern: botocore shape EventPattern, and EventBridge's default quota."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws


@pytest.fixture(scope="module")
def events() -> Iterator[Any]:
    with SimulatedAws.start() as aws:
        aws.load_fixture({"accounts": {"owner": "111111111111"}})
        yield aws.client("events", "owner")


def pattern(length: int) -> str:
    """An event pattern of so many characters."""
    text = json.dumps({"source": [""]})
    return json.dumps({"source": ["x" * (length - len(text))]})


def test_a_pattern_within_the_quota_is_accepted(events: Any) -> None:
    assert events.put_rule(Name="rule", EventPattern=pattern(2048))["RuleArn"]


@pytest.mark.parametrize(
    ("length", "code"), [(2049, "LimitExceededException"), (4097, "ValidationException")]
)
def test_a_longer_pattern_is_refused(events: Any, length: int, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        events.put_rule(Name="rule", EventPattern=pattern(length))
    assert refused.value.response["Error"]["Code"] == code
