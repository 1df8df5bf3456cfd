# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the resources that the role ``monitor`` creates in a region, with six calls, eight with a queue."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from ..._aws.clients import Clients
from ..._aws.errors import AWS_ERRORS, ClientError, code_of, failure
from ..._failures import Failure
from ..._keys.encryption import names_aws_managed_key
from .options import MonitoringVerifyOptions
from .state import Attributes, MonitoringState, Resource, ResourceKind

Resources: TypeAlias = "Mapping[Resource, Attributes | None]"
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
# Values in place of a subscription's ARN: SNS sends to it only after its recipient confirms it, or no more,
# because its recipient has unsubscribed, which SNS shows for 72 hours
# (https://repost.aws/knowledge-center/sns-cross-account-subscription).
_PENDING, _DELETED = "PendingConfirmation", "Deleted"


def read(
    clients: Clients, options: MonitoringVerifyOptions, kinds: Collection[ResourceKind]
) -> MonitoringState:
    """Read the resources of these kinds.

    A failed read is one of the ``failures`` of the state; the other resources are read nevertheless.
    """
    resources: dict[Resource, Attributes | None] = {}
    failures: list[Failure] = []
    for kind, (service, operation, read_kind) in _READERS.items():
        if kind not in kinds:
            continue
        try:
            clients.open(service, [options.target.region])
            resources.update(read_kind(clients.client(service, options.target.region), options))
        except AWS_ERRORS as exception:
            failures.append(failure(exception, options.target, operation))
    return MonitoringState(resources, tuple(failures))


def _read_topic(sns: Any, options: MonitoringVerifyOptions) -> Resources:
    (name,) = options.names_of("topic")
    try:
        answer = sns.get_topic_attributes(TopicArn=options.topic_arn)
        # SNS deletes the subscriptions of a topic with it.
        subscriptions = _read_subscriptions(sns, options) if options.present else {}
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("topic", name): None}
    return {Resource("topic", name): {**_delivery_attributes(answer.get("Attributes", {})), **subscriptions}}


def _delivery_attributes(attributes: Mapping[str, str]) -> Attributes:
    """Return the attributes that let AWS services send messages to a topic or a queue.

    No service can use an AWS managed key, because no one can change its policy: CloudWatch
    (https://repost.aws/knowledge-center/cloudwatch-configure-alarm-sns), EventBridge for a topic
    (https://repost.aws/knowledge-center/sns-not-getting-eventbridge-notification), and any service for a
    queue (SQS Developer Guide, "Configure KMS permissions for AWS services"). The ID or ARN of a key does not
    show whether the key is AWS managed.
    """
    key = attributes.get("KmsMasterKeyId", "")
    return {
        "policy": _parse_json(attributes.get("Policy")),
        "encryption": key if names_aws_managed_key(key) else None,
    }


def _read_subscriptions(sns: Any, options: MonitoringVerifyOptions) -> Attributes:
    """Return the subscriptions that should exist, and those that should have been deleted.

    ``pending`` are those that should exist and are not confirmed. ``unsubscribed`` are those whose recipients
    have unsubscribed; ``subscriptions`` lacks them.
    """
    pages = sns.get_paginator("list_subscriptions_by_topic").paginate(TopicArn=options.topic_arn)
    # An endpoint that was subscribed again can be listed twice.
    arns_by_endpoint: dict[tuple[str, str], set[str]] = {}
    for page in pages:
        for item in page.get("Subscriptions", []):
            endpoint = (str(item.get("Protocol")), str(item.get("Endpoint")))
            arns_by_endpoint.setdefault(endpoint, set()).add(str(item.get("SubscriptionArn")))
    current = {endpoint: arns - {_DELETED} for endpoint, arns in arns_by_endpoint.items()}
    confirmed = {endpoint for endpoint, arns in current.items() if arns - {_PENDING}}
    desired = {endpoint: arns for endpoint, arns in current.items() if endpoint in options.subscriptions}
    others = [endpoint for endpoint in confirmed if endpoint not in desired]
    return {
        "subscriptions": [
            *(endpoint for endpoint, arns in desired.items() if arns),
            *(others if options.purge_subscriptions else []),
        ],
        "pending": [endpoint for endpoint, arns in desired.items() if arns and endpoint not in confirmed],
        "unsubscribed": [endpoint for endpoint, arns in desired.items() if not arns],
    }


def _read_metric_filters(logs: Any, options: MonitoringVerifyOptions) -> Resources:
    names = options.names_of("metric filter")
    pages = logs.get_paginator("describe_metric_filters").paginate(logGroupName=options.log_group_name)
    try:
        filters = [item for page in pages for item in page.get("metricFilters", [])]
    except ClientError as exception:
        _check_not_found(exception)
        filters = []
    by_name = {item.get("filterName"): item for item in filters}
    return {
        Resource("metric filter", name): _filter_attributes(by_name[name]) if name in by_name else None
        for name in names
    }


def _filter_attributes(described: Mapping[str, Any]) -> Attributes:
    (metric, *_others) = described.get("metricTransformations") or [{}]
    return {
        "pattern": described.get("filterPattern"),
        "metric": {"name": metric.get("metricName"), "namespace": metric.get("metricNamespace")},
    }


def _read_alarm(cloudwatch: Any, options: MonitoringVerifyOptions) -> Resources:
    (name,) = options.names_of("alarm")
    answer = cloudwatch.describe_alarms(AlarmNames=[name], AlarmTypes=["MetricAlarm"])
    (alarm, *_others) = answer.get("MetricAlarms") or [None]
    return {Resource("alarm", name): alarm}


def _read_queue(sqs: Any, options: MonitoringVerifyOptions) -> Resources:
    (name,) = options.names_of("queue")
    try:
        url = sqs.get_queue_url(QueueName=name).get("QueueUrl", name)
        names = ["KmsMasterKeyId", "Policy"]
        answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names) if options.present else {}
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("queue", name): None}
    return {Resource("queue", name): _delivery_attributes(answer.get("Attributes", {}))}


def _read_rule(events: Any, options: MonitoringVerifyOptions) -> Resources:
    (name,) = options.names_of("rule")
    try:
        answer = events.describe_rule(Name=name)
        targets = _read_targets(events, name) if options.present else []
    except ClientError as exception:
        _check_not_found(exception)
        return {Resource("rule", name): None}
    rule = {
        "state": answer.get("State"),
        "event pattern": _parse_json(answer.get("EventPattern")),
        "targets": targets,
    }
    return {Resource("rule", name): rule}


def _read_targets(events: Any, rule: str) -> list[dict[str, Any]]:
    pages = events.get_paginator("list_targets_by_rule").paginate(Rule=rule)
    return [
        {"id": target.get("Id"), "arn": target.get("Arn")}
        for page in pages
        for target in page.get("Targets", [])
    ]


def _check_not_found(exception: ClientError) -> None:
    """Check that the error means that the resource does not exist.

    Raises:
        ClientError: it has another reason.
    """
    if code_of(exception) not in _NOT_FOUND:
        raise exception


def _parse_json(text: str | None) -> Any:
    try:
        return json.loads(text or "null")
    except ValueError:
        return text


# The service of each kind of resource, and the operation that a failed read names.
_READERS: dict[ResourceKind, tuple[str, str, Callable[[Any, MonitoringVerifyOptions], Resources]]] = {
    "topic": ("sns", "GetTopicAttributes", _read_topic),
    "metric filter": ("logs", "DescribeMetricFilters", _read_metric_filters),
    "alarm": ("cloudwatch", "DescribeAlarms", _read_alarm),
    "queue": ("sqs", "GetQueueUrl", _read_queue),
    "rule": ("events", "DescribeRule", _read_rule),
}
