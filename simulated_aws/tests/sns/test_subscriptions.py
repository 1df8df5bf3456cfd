# SPDX-License-Identifier: GPL-3.0-or-later
"""Subscriptions as the botocore model describes them: operation Subscribe, Protocol, Endpoint, Attributes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws


@pytest.fixture(scope="module")
def aws() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        started.load_fixture({"accounts": {"owner": "111111111111"}})
        yield started


@pytest.fixture(scope="module")
def sns(aws: SimulatedAws) -> Any:
    return aws.client("sns", "owner")


@pytest.fixture(scope="module")
def topic(sns: Any) -> str:
    return str(sns.create_topic(Name="events")["TopicArn"])


LAMBDA = "arn:aws:lambda:us-east-1:111111111111:function:notify"
STREAM = "arn:aws:firehose:us-east-1:111111111111:deliverystream/events"


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("http", "http://example.org/sns"),
        ("https", "https://example.org"),
        ("email", "me@example.org"),
        ("email-json", "me@example.org"),
        ("sms", "+15551234567"),
        ("sqs", "arn:aws:sqs:us-east-1:111111111111:events"),
        ("lambda", LAMBDA),
        ("lambda", f"{LAMBDA}:prod"),
    ],
)
def test_an_endpoint_of_its_protocol_is_subscribed(
    sns: Any, topic: str, protocol: str, endpoint: str
) -> None:
    assert sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)["SubscriptionArn"]


@pytest.mark.parametrize(
    ("protocol", "endpoint"),
    [
        ("pigeon", "x"),
        ("http", "https://example.org"),
        ("https", "http://example.org"),
        ("https", "example.org"),
        ("email", "no mail"),
        ("email-json", "me"),
        ("sms", "me"),
        ("sqs", LAMBDA),
        ("application", LAMBDA),
        ("lambda", "notify"),
        ("firehose", LAMBDA),
        ("firehose", STREAM),
    ],
)
def test_other_endpoints_are_refused(sns: Any, topic: str, protocol: str, endpoint: str) -> None:
    with pytest.raises(ClientError) as refused:
        sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    assert refused.value.response["Error"]["Code"] == "InvalidParameter"


@pytest.mark.parametrize(
    ("protocol", "endpoint", "is_confirmed"),
    [
        ("email", "me@example.com", True),
        ("email", "me@example.invalid", False),
        ("email-json", "me@invalid", False),
        ("https", "https://events.example.invalid/sns", False),
        ("https", "https://example.com/.invalid", True),
    ],
)
def test_who_gets_no_message_does_not_confirm(
    sns: Any, protocol: str, endpoint: str, is_confirmed: bool
) -> None:
    topic = sns.create_topic(Name="confirmations")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol=protocol, Endpoint=endpoint)
    for listed in (sns.list_subscriptions_by_topic(TopicArn=topic), sns.list_subscriptions()):
        (found,) = (one for one in listed["Subscriptions"] if one["Endpoint"] == endpoint)
        assert (found["SubscriptionArn"] != "PendingConfirmation") == is_confirmed
        assert (found["Protocol"], found["TopicArn"]) == (protocol, topic)
