# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests for what the role monitor creates, and what AWS's responses mean."""

from __future__ import annotations

import json
from contextlib import ExitStack
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.read import read
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import MonitoringState

from tests.unit.wire import Wire

from .examples import (
    ALARM,
    AS_WANTED,
    EMAIL,
    FILTER,
    PATTERN,
    POLICY,
    QUEUE,
    QUEUE_POLICY,
    REGION,
    RULE,
    TOPIC,
    TOPIC_ARN,
    wanted,
)

URL = "https://sqs.eu-west-1.amazonaws.com/111122223333/events"


class Services:
    """A client for each service, and those that were opened."""

    def __init__(self) -> None:
        self.wires = {name: Wire(name) for name in ("sns", "logs", "cloudwatch", "sqs", "events")}

    def open(self, service: str, regions: list[str]) -> None:
        assert regions == [REGION]
        assert service in self.wires

    def client(self, service: str, region: str) -> Any:
        assert region == REGION
        return self.wires[service].client

    def seen(self, **changes: Any) -> MonitoringState:
        """What is read, once all expected calls were made."""
        found = wanted(**changes)
        clients: Any = self
        with ExitStack() as stack:
            for wire in self.wires.values():
                stack.enter_context(wire.spoken())
            return read(clients, found, found.kinds)

    def expect_topic(self, *subscriptions: dict[str, str], policy: str | None = None, **others: str) -> None:
        attributes = {"Attributes": {"Policy": policy or json.dumps(POLICY), **others}}
        self.wires["sns"].expect("get_topic_attributes", {"TopicArn": TOPIC_ARN}, attributes)
        listed = {"Subscriptions": [*subscriptions]}
        self.wires["sns"].expect("list_subscriptions_by_topic", {"TopicArn": TOPIC_ARN}, listed)

    def expect_others(self, **of_queue: str) -> None:
        transformation = {"metricName": "Sharing", "metricNamespace": "Custom/EC2", "metricValue": "1"}
        described = {
            "filterName": "all",
            "filterPattern": "{ $.a = 1 }",
            "metricTransformations": [transformation],
        }
        answer = {"metricFilters": [{"filterName": "all-other"}, described]}
        self.wires["logs"].expect("describe_metric_filters", {"logGroupName": "trail"}, answer)
        alarm = {"MetricAlarms": [AS_WANTED[ALARM]]}
        request = {"AlarmNames": ["AMI sharing"], "AlarmTypes": ["MetricAlarm"]}
        self.wires["cloudwatch"].expect("describe_alarms", request, alarm)
        self.wires["sqs"].expect("get_queue_url", {"QueueName": "events"}, {"QueueUrl": URL})
        request = {"QueueUrl": URL, "AttributeNames": ["KmsMasterKeyId", "Policy"]}
        policy = {"Attributes": {"Policy": json.dumps(QUEUE_POLICY), **of_queue}}
        self.wires["sqs"].expect("get_queue_attributes", request, policy)
        rule = {"State": "ENABLED", "EventPattern": json.dumps(PATTERN)}
        self.wires["events"].expect("describe_rule", {"Name": "changes"}, rule)
        targets = {"Targets": [{"Id": "topic", "Arn": TOPIC_ARN}]}
        self.wires["events"].expect("list_targets_by_rule", {"Rule": "changes"}, targets)


def subscription(protocol: str, endpoint: str, arn: str = f"{TOPIC_ARN}:1") -> dict[str, str]:
    return {"Protocol": protocol, "Endpoint": endpoint, "SubscriptionArn": arn}


def test_all_resources() -> None:
    services = Services()
    services.expect_topic(subscription(*EMAIL), subscription("sms", "+1"))
    services.expect_others()
    assert services.seen() == MonitoringState(AS_WANTED)


@pytest.mark.parametrize(
    ("arns", "subscriptions", "pending", "unsubscribed"),
    [
        (["PendingConfirmation"], [EMAIL], [EMAIL], []),
        (["Deleted"], [], [], [EMAIL]),
        # Subscribed again, with the former subscription before or after it.
        (["Deleted", "PendingConfirmation"], [EMAIL], [EMAIL], []),
        (["PendingConfirmation", "Deleted"], [EMAIL], [EMAIL], []),
        ([f"{TOPIC_ARN}:1", "Deleted"], [EMAIL], [], []),
        ([], [], [], []),
    ],
)
def test_subscriptions_that_get_no_messages(
    arns: list[str], subscriptions: list[Any], pending: list[Any], unsubscribed: list[Any]
) -> None:
    services = Services()
    others = [subscription("sms", "+1", "Deleted"), subscription("sms", "+2", "PendingConfirmation")]
    services.expect_topic(*others, *(subscription(*EMAIL, arn) for arn in arns))
    services.expect_others()
    found = services.seen().resources[TOPIC]
    assert found is not None
    assert (found["subscriptions"], found["pending"], found["unsubscribed"]) == (
        subscriptions,
        pending,
        unsubscribed,
    )


@pytest.mark.parametrize(
    ("key", "encryption"),
    [
        ("alias/aws/sns", "alias/aws/sns"),
        ("alias/golden", None),
        ("1234abcd-12ab-34cd-56ef-1234567890ab", None),
    ],
)
def test_the_key_of_messages(key: str, encryption: str | None) -> None:
    services = Services()
    services.expect_topic(subscription(*EMAIL), KmsMasterKeyId=key)
    services.expect_others(KmsMasterKeyId=key)
    found = services.seen().resources
    assert [(found[one] or {})["encryption"] for one in (TOPIC, QUEUE)] == [encryption, encryption]


def test_subscriptions_that_should_have_been_deleted() -> None:
    services = Services()
    services.expect_topic(
        subscription(*EMAIL),
        subscription("sms", "+1"),
        subscription("sms", "+2", "PendingConfirmation"),
        subscription("sms", "+3", "Deleted"),
    )
    services.expect_others()
    found = services.seen(purge_subscriptions=True).resources[TOPIC]
    assert found is not None
    assert found["subscriptions"] == [EMAIL, ("sms", "+1")]


def test_nothing_exists() -> None:
    services = Services()
    services.wires["sns"].refuse("get_topic_attributes", {"TopicArn": TOPIC_ARN}, "NotFound")
    services.wires["logs"].refuse(
        "describe_metric_filters", {"logGroupName": "trail"}, "ResourceNotFoundException"
    )
    request = {"AlarmNames": ["AMI sharing"], "AlarmTypes": ["MetricAlarm"]}
    services.wires["cloudwatch"].expect("describe_alarms", request)
    services.wires["sqs"].refuse("get_queue_url", {"QueueName": "events"}, "QueueDoesNotExist")
    services.wires["events"].refuse("describe_rule", {"Name": "changes"}, "ResourceNotFoundException")
    assert services.seen() == MonitoringState(dict.fromkeys(AS_WANTED))


def test_what_is_deleted_while_it_is_read_does_not_exist() -> None:
    """(SNS API Reference, ListSubscriptionsByTopic, and botocore operation ListTargetsByRule, errors.)"""
    services = Services()
    services.wires["sns"].expect("get_topic_attributes", {"TopicArn": TOPIC_ARN})
    services.wires["sns"].refuse("list_subscriptions_by_topic", {"TopicArn": TOPIC_ARN}, "NotFound")
    services.wires["logs"].refuse(
        "describe_metric_filters", {"logGroupName": "trail"}, "ResourceNotFoundException"
    )
    request = {"AlarmNames": ["AMI sharing"], "AlarmTypes": ["MetricAlarm"]}
    services.wires["cloudwatch"].expect("describe_alarms", request)
    services.wires["sqs"].refuse("get_queue_url", {"QueueName": "events"}, "QueueDoesNotExist")
    services.wires["events"].expect("describe_rule", {"Name": "changes"})
    services.wires["events"].refuse("list_targets_by_rule", {"Rule": "changes"}, "ResourceNotFoundException")
    assert services.seen() == MonitoringState(dict.fromkeys(AS_WANTED))


def test_details_of_what_should_not_exist_are_not_read() -> None:
    services = Services()
    services.wires["sns"].expect("get_topic_attributes", {"TopicArn": TOPIC_ARN})
    request = {"AlarmNames": ["AMI sharing"], "AlarmTypes": ["MetricAlarm"]}
    services.wires["cloudwatch"].expect("describe_alarms", request)
    services.wires["sqs"].expect("get_queue_url", {"QueueName": "events"}, {"QueueUrl": URL})
    services.wires["events"].expect("describe_rule", {"Name": "changes"})
    found = services.seen(state="absent", log_group_name=None).resources
    assert {one for one, attributes in found.items() if attributes is not None} == {TOPIC, QUEUE, RULE}


def test_a_failed_read_keeps_no_other_from_being_made() -> None:
    services = Services()
    services.wires["sns"].refuse("get_topic_attributes", {"TopicArn": TOPIC_ARN}, "AuthorizationError")
    services.expect_others()
    seen = services.seen()
    assert {*seen.resources} == {FILTER, ALARM, QUEUE, RULE}
    (failure,) = seen.failures
    assert (failure.action, failure.region, failure.error_code) == (
        "GetTopicAttributes",
        REGION,
        "AuthorizationError",
    )


@pytest.mark.parametrize("text", ["", "no JSON"])
def test_a_policy_that_is_no_json_differs(text: str) -> None:
    services = Services()
    services.expect_topic(policy=text or '""')
    services.expect_others()
    found = services.seen().resources[TOPIC]
    assert found is not None
    assert found["policy"] == text
