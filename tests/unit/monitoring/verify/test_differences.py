# SPDX-License-Identifier: GPL-3.0-or-later

"""What of the monitoring is not as it should be."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import MonitoringState

from .examples import ALARM, AS_WANTED, EMAIL, FILTER, PATTERN, QUEUE, RULE, TOPIC, TOPIC_ARN, wanted

NOTHING = dict.fromkeys(AS_WANTED)


def texts(seen: dict[Any, Any], **changes: Any) -> list[str]:
    found = FLOW.plan(wanted(**changes), MonitoringState({**AS_WANTED, **seen})).failures
    assert len(found) <= 1
    listed = [one.message.partition(" as requested: ")[2].removesuffix(".") for one in found]
    return [text for one in listed for text in one.split(", ")]


def test_all_is_as_it_should_be() -> None:
    assert texts({}) == []
    assert texts(NOTHING, state="absent") == []


def test_a_resource_that_could_not_be_read_does_not_differ() -> None:
    assert FLOW.plan(wanted(), MonitoringState({})).failures == ()


def test_everything_is_missing() -> None:
    assert texts(NOTHING) == [f"{one} is missing" for one in (TOPIC, FILTER, ALARM, QUEUE, RULE)]


def test_everything_still_exists() -> None:
    assert texts({}, state="absent") == [f"{one} still exists" for one in AS_WANTED]


@pytest.mark.parametrize(
    ("resource", "change", "text"),
    [
        (TOPIC, {"policy": {}}, "topic sharing differs in policy"),
        (TOPIC, {"policy": None, "subscriptions": []}, "topic sharing differs in policy and subscriptions"),
        (TOPIC, {"subscriptions": [EMAIL, ("sms", "+1")]}, "topic sharing differs in subscriptions"),
        (FILTER, {"pattern": "{ $.a = 2 }"}, "metric filter all differs in pattern"),
        (FILTER, {"metric": {"name": "Sharing"}}, "metric filter all differs in metric"),
        (ALARM, {"Threshold": 1.0}, "alarm AMI sharing differs in Threshold"),
        (ALARM, {"AlarmActions": []}, "alarm AMI sharing differs in AlarmActions"),
        (ALARM, {"ActionsEnabled": False}, "alarm AMI sharing differs in ActionsEnabled"),
        (TOPIC, {"encryption": "alias/aws/sns"}, "topic sharing differs in encryption"),
        (TOPIC, {"subscriptions": [], "unsubscribed": [EMAIL]}, "topic sharing differs in subscriptions"),
        (QUEUE, {"policy": None}, "queue events differs in policy"),
        (QUEUE, {"encryption": "alias/aws/sqs"}, "queue events differs in encryption"),
        (RULE, {"state": "DISABLED"}, "rule changes differs in state"),
        (RULE, {"event pattern": {**PATTERN, "source": []}}, "rule changes differs in event pattern"),
        (RULE, {"targets": [{"id": "topic", "arn": f"{TOPIC_ARN}-old"}]}, "rule changes differs in targets"),
    ],
)
def test_an_attribute_differs(resource: Any, change: dict[str, Any], text: str) -> None:
    found = AS_WANTED[resource]
    assert found is not None
    assert texts({resource: {**found, **change}}) == [text]


@pytest.mark.parametrize(
    ("one", "other", "is_equal"),
    [
        ({"Action": "a"}, {"Action": ["a"]}, True),
        ({"Action": ["a", "b"]}, {"Action": ["b", "a", "a"]}, True),
        ({"Statement": [{"Sid": "1"}, {"Sid": "2"}]}, {"Statement": [{"Sid": "2"}, {"Sid": "1"}]}, True),
        ({"Statement": [["1", "2"]]}, {"Statement": [["2", "1"]]}, True),
        ({"Action": ["a", "b"]}, {"Action": ["a"]}, False),
        ({"Action": "a"}, {}, False),
        ({"Condition": {"ArnEquals": {"k": "v"}}}, {"Condition": {"ArnEquals": {"k": ["w"]}}}, False),
        ({"Version": "2012-10-17"}, None, False),
    ],
)
def test_policies_that_mean_the_same_are_equal(one: Any, other: Any, is_equal: bool) -> None:
    found = {**(AS_WANTED[TOPIC] or {}), "policy": other}
    assert texts({TOPIC: found}, topic_policy=one) == ["topic sharing differs in policy"] * (not is_equal)
