# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``monitoring_verify``: what the role ``monitor`` creates in a region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ... import arns
from ...arguments import Options
from ...model import Target
from ...wording import shown
from .state import Attributes, Resource, VerifyWanted

_TEXT = {"type": "str", "required": True}
ARGUMENT_SPEC: dict[str, Any] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "topic_arn": _TEXT,
    "topic_policy": {"type": "dict", "required": True},
    "subscriptions": {"type": "list", "elements": "dict", "default": []},
    "purge_subscriptions": {"type": "bool", "default": False},
    "log_group_name": {"type": "str"},
    "metric_namespace": _TEXT,
    "metric_filters": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"name": _TEXT, "metric": _TEXT, "pattern": _TEXT},
    },
    "alarm_name": _TEXT,
    "alarm": {"type": "dict", "required": True},
    "queue_name": {"type": "str"},
    "queue_policy": {"type": "dict", "default": {}},
    "rule_name": _TEXT,
    "event_pattern": {"type": "dict", "required": True},
    "targets": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"id": _TEXT, "arn": _TEXT},
    },
}


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> VerifyWanted:
    """Parse the options.

    Raises:
        Refused: the ARN of the topic is not valid.
    """
    options = Options(params)
    topic = _topic(options, params["topic_arn"])
    options.check()
    return VerifyWanted(
        Target(topic.account_id, topic.region),
        params["state"] == "present",
        params["topic_arn"],
        dict(_resources(params, topic.resource)),
        frozenset(_subscriptions(params)),
        params["purge_subscriptions"],
        params["log_group_name"] or None,
        frozenset(_event_sources(params["event_pattern"]) if params["state"] == "present" else ()),
    )


def _topic(options: Options, text: str) -> arns.Arn:
    topic = arns.parse(text) if arns.is_arn(text) else arns.Arn("", "", "", "", "")
    if not (topic.service == "sns" and topic.region and topic.account_id and topic.resource):
        options.refuse("topic_arn", f"{shown(text)} is not the ARN of an SNS topic.", "Use the full ARN.")
    return topic


def _resources(params: Mapping[str, Any], topic_name: str) -> Iterator[tuple[Resource, Attributes]]:
    """In the order in which the role creates them."""
    sent = {"policy": params["topic_policy"], "encryption": None}
    topic = {**sent, "subscriptions": [*_subscriptions(params)]}
    yield Resource("topic", topic_name), topic
    if params["log_group_name"]:
        for one in params["metric_filters"]:
            metric = {"name": one["metric"], "namespace": params["metric_namespace"]}
            yield Resource("metric filter", one["name"]), {"pattern": one["pattern"], "metric": metric}
    # The role deletes an alarm in every region, and creates it beside the log group.
    if params["log_group_name"] or params["state"] == "absent":
        yield Resource("alarm", params["alarm_name"]), params["alarm"]
    if params["queue_name"]:
        yield Resource("queue", params["queue_name"]), {"policy": params["queue_policy"], "encryption": None}
    rule = {
        "state": "ENABLED",
        "event pattern": params["event_pattern"],
        "targets": [{"id": one["id"], "arn": one["arn"]} for one in params["targets"]],
    }
    yield Resource("rule", params["rule_name"]), rule


def _event_sources(pattern: Any) -> Iterator[str]:
    """The services that an event pattern names, such as ``kms.amazonaws.com``."""
    if isinstance(pattern, Mapping):
        for name, value in pattern.items():
            yield from map(str, value) if name == "eventSource" else _event_sources(value)
    elif isinstance(pattern, list):
        for value in pattern:
            yield from _event_sources(value)


def _subscriptions(params: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Protocol and endpoint of each subscription, as SNS returns them.

    Phone numbers have no spaces and punctuation there (SNS Developer Guide, "Publishing to a mobile phone").
    """
    for one in params["subscriptions"]:
        protocol, endpoint = str(one.get("protocol")), str(one.get("endpoint"))
        yield protocol, re.sub("[^0-9+]", "", endpoint) if protocol == "sms" else endpoint
