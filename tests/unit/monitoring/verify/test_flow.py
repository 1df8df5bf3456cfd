# SPDX-License-Identifier: GPL-3.0-or-later

"""The failure of a region whose monitoring is not as it should be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._failures import Failure, ValidationError
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.flow import FLOW, plan
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import (
    MonitoringState,
    Resource,
)
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome

from .examples import ACCOUNT, ALARM, AS_WANTED, EMAIL, QUEUE, REGION, RULE, TOPIC, TRAIL, wanted

REMEDY = (
    "A change may not have reached AWS: check the network, the proxy and AWS_ENDPOINT_URL, and rerun. "
    "Completed work is kept."
)


def test_nothing_differs() -> None:
    assert plan(wanted(), MonitoringState(AS_WANTED)).failures == ()
    assert FLOW.only_reads


def test_all_differences_are_one_failure_beside_those_of_reads() -> None:
    unread = Failure("No.", "", "AccessDenied", "DescribeRule", REGION, ACCOUNT)
    found = plan(wanted(), MonitoringState({**AS_WANTED, ALARM: None}, (unread,)))
    text = "Monitoring is not configured as requested: alarm AMI sharing is missing."
    differing = Failure(text, REMEDY, "monitoring_differs", "monitoring", REGION, ACCOUNT)
    assert found.failures == (differing, unread)
    assert found.actions == ()


def test_disabled_actions_are_to_be_enabled() -> None:
    alarm = {**(AS_WANTED[ALARM] or {}), "ActionsEnabled": False}
    command = "aws cloudwatch enable-alarm-actions --region eu-west-1 --alarm-names 'AMI sharing'"
    own = f"Run {command} to enable the actions."
    (found,) = plan(wanted(), MonitoringState({**AS_WANTED, ALARM: alarm})).failures
    assert found.remedy == own
    changed = {**alarm, "Threshold": 2.0}
    (found,) = plan(wanted(), MonitoringState({**AS_WANTED, ALARM: changed})).failures
    assert found.remedy == f"{own} {REMEDY}"
    (found,) = plan(wanted(), MonitoringState({**AS_WANTED, ALARM: alarm, RULE: None})).failures
    assert found.remedy == f"{own} {REMEDY}"


def remedy(resource: Resource, **changes: Any) -> str:
    """The remedy if a resource has other attributes."""
    found = {**(AS_WANTED[resource] or {}), **changes}
    (failure,) = plan(wanted(), MonitoringState({**AS_WANTED, resource: found})).failures
    assert failure.text().endswith(failure.remedy)
    return failure.remedy


def test_a_key_that_aws_services_cannot_use_is_to_be_replaced() -> None:
    own = "cannot use {}: set no key, or a customer managed key with the policy in docs/monitoring.md."
    of_topic = f"EventBridge and CloudWatch {own.format('alias/aws/sns')}"
    assert remedy(TOPIC, encryption="alias/aws/sns") == of_topic
    assert remedy(TOPIC, encryption="alias/aws/sns", policy={}) == f"{of_topic} {REMEDY}"
    assert remedy(QUEUE, encryption="alias/aws/sqs") == f"EventBridge {own.format('alias/aws/sqs')}"


def test_who_has_unsubscribed_is_to_subscribe_again() -> None:
    own = (
        "A recipient has unsubscribed, and can subscribe again by the link in the last message of SNS. "
        "Otherwise, remove them from the option subscriptions."
    )
    assert remedy(TOPIC, subscriptions=[], unsubscribed=[EMAIL]) == own
    other = ("sms", "+1")
    assert remedy(TOPIC, subscriptions=[other], unsubscribed=[EMAIL]) == f"{own} {REMEDY}"


def test_subscriptions_that_are_not_confirmed_are_returned() -> None:
    other = ("sms", "+1")
    found = {**(AS_WANTED[TOPIC] or {}), "pending": [other, EMAIL]}
    seen = MonitoringState({**AS_WANTED, TOPIC: found, ALARM: None})
    assert FLOW.result(wanted(), seen, plan(wanted(), seen), Outcome()) == {
        "pending_subscriptions": [
            {"protocol": "email", "endpoint": "security@example.org"},
            {"protocol": "sms", "endpoint": "+1"},
        ],
        "unread_trails": [],
    }
    gone = MonitoringState(dict.fromkeys(AS_WANTED))
    assert FLOW.result(wanted(), gone, plan(wanted(), gone), Outcome()) == {
        "pending_subscriptions": [],
        "unread_trails": [],
    }


def test_events_that_cannot_come_are_a_failure_beside_the_differences() -> None:
    seen = MonitoringState({**AS_WANTED, ALARM: None}, (), ())
    codes = [one.error_code for one in plan(wanted(), seen).failures]
    assert codes == ["monitoring_differs", "events_not_logged"]
    assert plan(wanted(), MonitoringState(AS_WANTED, (), (TRAIL,))).failures == ()


def test_trails_that_cannot_be_read_are_returned() -> None:
    seen = MonitoringState(AS_WANTED, (), (replace(TRAIL, selectors=None),))
    found = FLOW.result(wanted(), seen, plan(wanted(), seen), Outcome())
    assert found["unread_trails"] == [TRAIL.arn]


def test_what_was_not_deleted() -> None:
    (found,) = plan(wanted(state="absent"), MonitoringState({ALARM: {}})).failures
    assert found.message == "Monitoring is not removed as requested: alarm AMI sharing still exists."


def test_a_failure_has_all_names_and_the_remedy() -> None:
    name = "a" * 255
    found = plan(wanted(alarm_name=name, rule_name=name, queue_name=name), MonitoringState({}))
    assert found.failures == ()
    gone = dict.fromkeys(wanted(alarm_name=name, rule_name=name, queue_name=name).resources)
    (failure,) = plan(
        wanted(alarm_name=name, rule_name=name, queue_name=name), MonitoringState(gone)
    ).failures
    assert failure.text().count(name) == 3
    assert failure.text().endswith(REMEDY)
    assert ValidationError([failure])
