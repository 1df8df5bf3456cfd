# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``monitoring_check``, which are the variables of the role ``monitor``."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .._option import MAPPING, REGIONS, TEXTS, Kind, Options, Problem, Refuse, option, texts_like
from .._wording import render_value
from .endpoints import check_subscription

# EventBridge User Guide, "Amazon EventBridge quotas": the default, which can be raised up to the 4,096 of
# botocore's shape EventPattern.
_LONGEST_PATTERN = 2048
# botocore shape FilterPattern of CloudWatch Logs.
_LONGEST_FILTER_PATTERN = 1024
# IAM User Guide, "IAM identifiers": a role or a user, with its path.
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(?:role|user)/[A-Za-z0-9+=,.@_/-]+")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def _name_like(noun: str, pattern: str, rule: str) -> Kind[str]:
    """Return the kind of option that is a name of this form."""
    form = re.compile(pattern)

    def value(given: str | None, refuse: Refuse) -> str:
        if not form.fullmatch(given or ""):
            refuse(f"{render_value(given)} is not a valid {noun}.", f"Use {rule}.")
        return given or ""

    return Kind({"type": "str"}, value)


def _optional_name_like(noun: str, pattern: str, rule: str) -> Kind[str | None]:
    """Return the kind of option that is a name of this form; its value is None if it is blank."""
    name = _name_like(noun, pattern, rule)
    return Kind(name.spec, lambda given, refuse: name.value(given, refuse) if given else None)


# botocore shapes LogGroupName and MetricNamespace of CloudWatch Logs, RuleName of EventBridge; the
# documentation of the members AlarmName of CloudWatch's PutMetricAlarmInput, Namespace of its
# PutMetricDataInput, Name of SNS's CreateTopicInput and QueueName of SQS's CreateQueueRequest. The role
# creates no FIFO topic and no FIFO queue.
_LOG_GROUP_NAME = _optional_name_like(
    "log group name", r"[A-Za-z0-9._/#-]{1,512}", "1 to 512 letters, digits and ._/#-"
)
_METRIC_NAMESPACE = _name_like(
    "metric namespace", r"(?=.*\S)[ -#%-)+-9;-~]{1,255}", "1 to 255 ASCII characters other than : * $"
)
_ALARM_NAME = _name_like("alarm name", r"[^\x00-\x1f\x7f]{1,255}", "1 to 255 characters on one line")
_RULE_NAME = _name_like("rule name", r"[A-Za-z0-9._-]{1,64}", "1 to 64 letters, digits and ._-")
_TOPIC_NAME = _name_like("topic name", r"[A-Za-z0-9_-]{1,256}", "1 to 256 letters, digits and _-")
_QUEUE_NAME = _optional_name_like("queue name", r"[A-Za-z0-9_-]{1,80}", "1 to 80 letters, digits and _-")


def _regions(given: Any, refuse: Refuse) -> tuple[str, ...]:
    if not given:
        refuse("must contain at least one region (got []).", "Add a region.")
    return REGIONS.value(given, refuse)


def _subscriptions(given: Any, refuse: Refuse) -> tuple[Mapping[str, Any], ...]:
    for item in given or ():
        problem, remedy = check_subscription(item)
        if problem:
            refuse(problem, remedy)
    return tuple(given or ())


_SUBSCRIPTIONS = Kind({"type": "list", "elements": "dict", "default": []}, _subscriptions)
_KEY_ARNS = texts_like(_KEY_ARN, "is not the ARN of a KMS key.", "Use the full ARN.")
_PRINCIPAL_ARNS = texts_like(
    _PRINCIPAL_ARN, "is not the ARN of an IAM role or user.", "Use the full ARN, without a session."
)


@dataclass(frozen=True, kw_only=True)
class MonitoringOptions(Options):
    """The options of ``monitoring_check``.

    ``event_pattern`` has the keys of all regions; ``filter_patterns`` are those of the metric filters.
    """

    regions: tuple[str, ...] = option(Kind(REGIONS.spec, _regions), required=True)
    log_group_name: str | None = option(_LOG_GROUP_NAME)
    log_group_regions: tuple[str, ...] = option(REGIONS)
    metric_namespace: str = option(_METRIC_NAMESPACE, required=True)
    alarm_name: str = option(_ALARM_NAME, required=True)
    rule_name: str = option(_RULE_NAME, required=True)
    topic_name: str = option(_TOPIC_NAME, required=True)
    queue_name: str | None = option(_QUEUE_NAME)
    subscriptions: tuple[Mapping[str, Any], ...] = option(_SUBSCRIPTIONS)
    kms_key_arns: tuple[str, ...] = option(_KEY_ARNS, no_log=False)
    excluded_principal_arns: tuple[str, ...] = option(_PRINCIPAL_ARNS)
    event_pattern: Mapping[str, Any] | None = option(MAPPING)
    filter_patterns: tuple[str, ...] = option(TEXTS)

    def problems(self) -> Iterator[Problem]:
        """Yield the options that do not fit the others."""
        unwatched = sorted(set(self.log_group_regions) - set(self.regions))
        # Without regions, the option regions is the problem.
        if self.regions and unwatched:
            yield Problem(
                "log_group_regions",
                f"{', '.join(unwatched)} is not in the option regions.",
                "Add it there: an alarm notifies the topic of its own region.",
            )
        if self.log_group_regions and not self.log_group_name:
            yield Problem(
                "log_group_regions",
                "needs the option log_group_name.",
                "Name the log group, or leave both out: the rule reports without it.",
            )
        # CloudWatch API Reference, PutMetricData: namespaces that begin with AWS/ are AWS's own.
        if self.metric_namespace.startswith("AWS/"):
            yield Problem(
                "metric_namespace",
                f"{render_value(self.metric_namespace)} begins with AWS/, which is reserved for AWS.",
                "Use a namespace such as Custom/EC2.",
            )
        yield from self._event_pattern_problems()
        yield from self._filter_pattern_problems()

    def _event_pattern_problems(self) -> Iterator[Problem]:
        """Yield the region whose keys make the event pattern too long."""
        if not self.event_pattern:
            return
        for region in self.regions:
            others = frozenset(key for key in self.kms_key_arns if key.split(":")[3:4] != [region])
            # As the role writes it.
            length = len(json.dumps(_remove_items(self.event_pattern, others), separators=(",", ":")))
            if length <= _LONGEST_PATTERN:
                continue
            keys = sorted({*self.kms_key_arns} - others)
            if keys:
                yield Problem(
                    "kms_key_arns",
                    f"with {len(keys)} keys in {region}, the event pattern has {length} characters (got "
                    f"{render_value(keys)}).",
                    f"List fewer, or none to monitor all keys: EventBridge allows {_LONGEST_PATTERN} by "
                    "default.",
                )
            else:
                yield Problem(
                    "excluded_principal_arns",
                    f"the event pattern has {length} characters.",
                    f"List fewer: EventBridge allows {_LONGEST_PATTERN} by default.",
                )
            return

    def _filter_pattern_problems(self) -> Iterator[Problem]:
        """Yield the principals that make the pattern of a metric filter too long."""
        length = max(map(len, self.filter_patterns), default=0)
        if length > _LONGEST_FILTER_PATTERN:
            principals = sorted(self.excluded_principal_arns)
            yield Problem(
                "excluded_principal_arns",
                f"with {render_value(principals)}, the pattern of a metric filter has {length} characters.",
                f"List fewer, or monitor without a log group: CloudWatch Logs allows "
                f"{_LONGEST_FILTER_PATTERN}.",
            )


def _remove_items(value: Any, items: Collection[str]) -> Any:
    """Return the value without these items in any list."""
    if isinstance(value, Mapping):
        return {key: _remove_items(part, items) for key, part in value.items()}
    if isinstance(value, list):
        return [_remove_items(part, items) for part in value if not (isinstance(part, str) and part in items)]
    return value
