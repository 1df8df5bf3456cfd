# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read what the role ``monitor`` creates in a region, with six calls, and two more for a queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from ..._aws.clients import Clients
from ..._aws.errors import AWS_ERRORS, ClientError, code_of, failure
from ..._failures import Failure
from ..._keys.encryption import names_aws_managed_key
from .options import MonitoringVerifyOptions
from .state import Attributes, Resource, ResourceKind, VerifySeen

Found: TypeAlias = "Mapping[Resource, Attributes | None]"
# The codes of SNS, CloudWatch Logs and EventBridge, and of SQS in its JSON and its query protocol.
_NOT_FOUND = frozenset(
    {
        "AWS.SimpleQueueService.NonExistentQueue",
        "NotFound",
        "NotFoundException",
        "QueueDoesNotExist",
        "ResourceNotFoundException",
    }
)
# In place of the ARN of a subscription: SNS sends to it only once its recipient confirms it, or no more,
# because its recipient has unsubscribed. SNS shows the latter for 72 hours
# (https://repost.aws/knowledge-center/sns-cross-account-subscription).
_PENDING, _DELETED = "PendingConfirmation", "Deleted"


def read(clients: Clients, wanted: MonitoringVerifyOptions, kinds: Collection[ResourceKind]) -> VerifySeen:
    """Read the resources of these kinds.

    A failed read is a failure among the results, and does not keep the other reads from being made.
    """
    found: dict[Resource, Attributes | None] = {}
    failures: list[Failure] = []
    for kind, (service, operation, read_kind) in _READERS.items():
        if kind not in kinds:
            continue
        try:
            clients.open(service, [wanted.target.region])
            found.update(read_kind(clients.client(service, wanted.target.region), wanted))
        except AWS_ERRORS as exception:
            failures.append(failure(exception, wanted.target, operation))
    return VerifySeen(found, tuple(failures))


def _topic(sns: Any, wanted: MonitoringVerifyOptions) -> Found:
    (name,) = wanted.named("topic")
    try:
        answer = sns.get_topic_attributes(TopicArn=wanted.topic_arn)
        # Those of a topic that should not exist are deleted with it.
        subscriptions = _subscriptions(sns, wanted) if wanted.present else {}
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("topic", name): None}
    return {Resource("topic", name): {**_sent(answer.get("Attributes", {})), **subscriptions}}


def _sent(attributes: Mapping[str, str]) -> Attributes:
    """What decides whether AWS services can send messages to a topic or a queue.

    None can use an AWS managed key, because no one can change its policy: CloudWatch
    (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns), EventBridge for a topic
    (https://repost.aws/knowledge-center/sns-not-getting-eventbridge-notification), and any service for a
    queue (SQS Developer Guide, "Configure KMS permissions for AWS services"). A key that is given by its ID
    or its ARN can also be the AWS managed one, which neither shows.
    """
    key = attributes.get("KmsMasterKeyId", "")
    return {
        "policy": _parsed(attributes.get("Policy")),
        "encryption": key if names_aws_managed_key(key) else None,
    }


def _subscriptions(sns: Any, wanted: MonitoringVerifyOptions) -> Attributes:
    """The subscriptions: those that should exist, and those that should have been deleted.

    Those that should exist and are not confirmed are also pending. Those whose recipients have unsubscribed
    are left out.
    """
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=wanted.topic_arn)
    # An endpoint that was subscribed again can be listed twice.
    found: dict[tuple[str, str], set[str]] = {}
    for page in pages:
        for one in page.get("Subscriptions", []):
            subscription = (str(one.get("Protocol")), str(one.get("Endpoint")))
            found.setdefault(subscription, set()).add(str(one.get("SubscriptionArn")))
    listed = {one: arns - {_DELETED} for one, arns in found.items()}
    confirmed = {one for one, arns in listed.items() if arns - {_PENDING}}
    own = {one: arns for one, arns in listed.items() if one in wanted.subscriptions}
    others = [one for one in confirmed if one not in own] if wanted.purge_subscriptions else []
    return {
        "subscriptions": [*(one for one, arns in own.items() if arns), *others],
        "pending": [one for one, arns in own.items() if arns and one not in confirmed],
        "unsubscribed": [one for one, arns in own.items() if not arns],
    }


def _metric_filters(logs: Any, wanted: MonitoringVerifyOptions) -> Found:
    names = wanted.named("metric filter")
    pages = logs.get_paginator("describe_metric_filters").paginate(logGroupName=wanted.log_group_name)
    try:
        listed = [one for page in pages for one in page.get("metricFilters", [])]
    except ClientError as exception:
        _check_not_found(exception)
        listed = []
    by_name = {one.get("filterName"): one for one in listed}
    return {
        Resource("metric filter", name): _metric_filter(by_name[name]) if name in by_name else None
        for name in names
    }


def _metric_filter(described: Mapping[str, Any]) -> Attributes:
    (metric, *_others) = described.get("metricTransformations") or [{}]
    return {
        "pattern": described.get("filterPattern"),
        "metric": {"name": metric.get("metricName"), "namespace": metric.get("metricNamespace")},
    }


def _alarm(cloudwatch: Any, wanted: MonitoringVerifyOptions) -> Found:
    (name,) = wanted.named("alarm")
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])
    (alarm, *_others) = answer.get("MetricAlarms") or [None]
    return {Resource("alarm", name): alarm}


def _queue(sqs: Any, wanted: MonitoringVerifyOptions) -> Found:
    (name,) = wanted.named("queue")
    try:
        url = sqs.get_queue_url(QueueName=name).get("QueueUrl", name)
        names = ["KmsMasterKeyId", "Policy"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names) if wanted.present else {}
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("queue", name): None}
    return {Resource("queue", name): _sent(answer.get("Attributes", {}))}


def _rule(events: Any, wanted: MonitoringVerifyOptions) -> Found:
    (name,) = wanted.named("rule")
    try:
        answer = events.describe_rule(Name=name)
        targets = _targets(events, name) if wanted.present else []
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("rule", name): None}
    rule = {
        "state": answer.get("State"),
        "event pattern": _parsed(answer.get("EventPattern")),
        "targets": targets,
    }
    return {Resource("rule", name): rule}


def _targets(events: Any, rule: str) -> list[dict[str, Any]]:
    pages = events.get_paginator("list_targets_by_rule").paginate(Rule=rule)
    return [{"id": one.get("Id"), "arn": one.get("Arn")} for page in pages for one in page.get("Targets", [])]


def _check_not_found(exception: ClientError) -> None:
    """Check that the error means that the resource does not exist.

    Raises:
        ClientError: it has another reason.
    """
    if code_of(exception) not in _NOT_FOUND:
        raise exception


def _parsed(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return text


# The service of each kind of resource, and the operation that a failure of another kind is of.
_READERS: dict[ResourceKind, tuple[str, str, Callable[[Any, MonitoringVerifyOptions], Found]]] = {
    "topic": ("sns", "GetTopicAttributes", _topic),
    "metric filter": ("logs", "DescribeMetricFilters", _metric_filters),
    "alarm": ("cloudwatch", "DescribeAlarms", _alarm),
    "queue": ("sqs", "GetQueueUrl", _queue),
    "rule": ("events", "DescribeRule", _rule),
}
