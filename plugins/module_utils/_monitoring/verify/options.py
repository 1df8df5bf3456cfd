# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``monitoring_verify``: what the role ``monitor`` creates in a region."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from ... import _arns as arns
from ..._model import Target
from ..._option import FLAG, MAPPING, TEXT, Kind, Options, Refuse, choice, list_of, option
from ..._wording import render_value
from .state import Attributes, Resource, ResourceKind


def _topic_arn(given: str | None, refuse: Refuse) -> str:
    text = given or ""
    topic = arns.parse(text) if arns.is_arn(text) else arns.Arn("", "", "", "", "")
    if not (topic.service == "sns" and topic.region and topic.account_id and topic.resource):
        refuse(f"{render_value(text)} is not the ARN of an SNS topic.", "Use the full ARN.")
    return text


def _subscriptions(given: Any, _refuse: Refuse) -> tuple[tuple[str, str], ...]:
    """Return protocol and endpoint of each subscription, as SNS returns them.

    Phone numbers have no spaces and punctuation there (SNS Developer Guide, "Publishing to a mobile phone").
    """
    subscriptions = ((str(item.get("protocol")), str(item.get("endpoint"))) for item in given or ())
    return tuple(
        (protocol, re.sub("[^0-9+]", "", endpoint) if protocol == "sms" else endpoint)
        for protocol, endpoint in subscriptions
    )


_SUBSCRIPTIONS = Kind({"type": "list", "elements": "dict", "default": []}, _subscriptions)


@dataclass(frozen=True, kw_only=True)
class MetricFilterOptions(Options):
    """A metric filter of the log group."""

    name: str = option(TEXT, required=True)
    metric: str = option(TEXT, required=True)
    pattern: str = option(TEXT, required=True)


@dataclass(frozen=True, kw_only=True)
class RuleTargetOptions(Options):
    """A target of the rule."""

    id: str = option(TEXT, required=True)
    arn: str = option(TEXT, required=True)


@dataclass(frozen=True, kw_only=True)
class MonitoringVerifyOptions(Options):
    """The options of ``monitoring_verify``: the resources that should exist, or should not.

    With ``purge_subscriptions``, the topic should have no other confirmed subscriptions.
    """

    state: str = option(choice("present", "absent"), default="present")
    topic_arn: str = option(Kind({"type": "str"}, _topic_arn), required=True)
    topic_policy: Mapping[str, Any] = option(MAPPING, required=True)
    subscriptions: tuple[tuple[str, str], ...] = option(_SUBSCRIPTIONS)
    purge_subscriptions: bool = option(FLAG)
    log_group_name: str | None = option(TEXT)
    metric_namespace: str = option(TEXT, required=True)
    metric_filters: tuple[MetricFilterOptions, ...] = option(list_of(MetricFilterOptions), required=True)
    alarm_name: str = option(TEXT, required=True)
    alarm: Mapping[str, Any] = option(MAPPING, required=True)
    queue_name: str | None = option(TEXT)
    queue_policy: Mapping[str, Any] = option(MAPPING, default={})
    rule_name: str = option(TEXT, required=True)
    event_pattern: Mapping[str, Any] = option(MAPPING, required=True)
    targets: tuple[RuleTargetOptions, ...] = option(list_of(RuleTargetOptions), required=True)

    @property
    def present(self) -> bool:
        """Whether the resources should exist."""
        return self.state == "present"

    @property
    def target(self) -> Target:
        """Return the account and the region of the topic, which are those of all resources."""
        topic = arns.parse(self.topic_arn)
        return Target(topic.account_id, topic.region)

    @cached_property
    def event_sources(self) -> frozenset[str]:
        """Return the services whose events the rule waits for, such as ``kms.amazonaws.com``."""
        return frozenset(_event_sources(self.event_pattern) if self.present else ())

    @cached_property
    def resources(self) -> Mapping[Resource, Attributes]:
        """Return the resources with their attributes, in the order in which the role creates them."""
        return dict(self._resources())

    def names_of(self, kind: ResourceKind) -> tuple[str, ...]:
        """Return the names of the resources of a kind."""
        return tuple(resource.name for resource in self.resources if resource.kind == kind)

    @property
    def kinds(self) -> frozenset[ResourceKind]:
        """Return the kinds of the resources."""
        return frozenset(resource.kind for resource in self.resources)

    def _resources(self) -> Iterator[tuple[Resource, Attributes]]:
        topic = {"policy": self.topic_policy, "encryption": None, "subscriptions": [*self.subscriptions]}
        yield Resource("topic", arns.parse(self.topic_arn).resource), topic
        if self.log_group_name:
            for given in self.metric_filters:
                metric = {"name": given.metric, "namespace": self.metric_namespace}
                yield Resource("metric filter", given.name), {"pattern": given.pattern, "metric": metric}
        # The role deletes an alarm in every region, and creates it beside the log group.
        if self.log_group_name or not self.present:
            yield Resource("alarm", self.alarm_name), self.alarm
        if self.queue_name:
            yield Resource("queue", self.queue_name), {"policy": self.queue_policy, "encryption": None}
        rule = {
            "state": "ENABLED",
            "event pattern": self.event_pattern,
            "targets": [{"id": target.id, "arn": target.arn} for target in self.targets],
        }
        yield Resource("rule", self.rule_name), rule


def _event_sources(pattern: Any) -> Iterator[str]:
    if isinstance(pattern, Mapping):
        for name, value in pattern.items():
            yield from map(str, value) if name == "eventSource" else _event_sources(value)
    elif isinstance(pattern, list):
        for value in pattern:
            yield from _event_sources(value)
