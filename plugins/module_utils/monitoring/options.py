# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``monitoring_check``, which are the variables of the role ``monitor``."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from ..arguments import Options
from ..wording import shown
from .endpoints import subscription_problem

ARGUMENT_SPEC: dict[str, Any] = {
    "regions": {"type": "list", "elements": "str", "required": True},
    "log_group_name": {"type": "str"},
    "log_group_regions": {"type": "list", "elements": "str", "default": []},
    "metric_namespace": {"type": "str", "required": True},
    "alarm_name": {"type": "str", "required": True},
    "rule_name": {"type": "str", "required": True},
    "topic_name": {"type": "str", "required": True},
    "queue_name": {"type": "str"},
    "subscriptions": {"type": "list", "elements": "dict", "default": []},
    "kms_key_arns": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "excluded_principal_arns": {"type": "list", "elements": "str", "default": []},
    "event_pattern": {"type": "dict"},
    "filter_patterns": {"type": "list", "elements": "str", "default": []},
}


class _Form(NamedTuple):
    """The form of a name."""

    pattern: re.Pattern[str]
    rule: str


# botocore shapes LogGroupName and MetricNamespace of CloudWatch Logs, RuleName of EventBridge; the
# documentation of the members AlarmName of CloudWatch's PutMetricAlarmInput, Namespace of its
# PutMetricDataInput, Name of SNS's CreateTopicInput and QueueName of SQS's CreateQueueRequest. The role
# creates no FIFO topic and no FIFO queue.
_FORMS = {
    "log_group_name": _Form(re.compile(r"[A-Za-z0-9._/#-]{1,512}"), "1 to 512 letters, digits and ._/#-"),
    "metric_namespace": _Form(
        re.compile(r"(?=.*\S)[ -#%-)+-9;-~]{1,255}"), "1 to 255 ASCII characters other than : * $"
    ),
    "alarm_name": _Form(re.compile(r"[^\x00-\x1f\x7f]{1,255}"), "1 to 255 characters on one line"),
    "rule_name": _Form(re.compile(r"[A-Za-z0-9._-]{1,64}"), "1 to 64 letters, digits and ._-"),
    "topic_name": _Form(re.compile(r"[A-Za-z0-9_-]{1,256}"), "1 to 256 letters, digits and _-"),
    "queue_name": _Form(re.compile(r"[A-Za-z0-9_-]{1,80}"), "1 to 80 letters, digits and _-"),
}
_OPTIONAL = ("log_group_name", "queue_name")
# EventBridge User Guide, "Amazon EventBridge quotas": the default, which can be raised up to the 4,096 of
# botocore's shape EventPattern.
_LONGEST_PATTERN = 2048
# botocore shape FilterPattern of CloudWatch Logs.
_LONGEST_FILTER_PATTERN = 1024
# IAM User Guide, "IAM identifiers": a role or a user, with its path.
_PRINCIPAL_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(?:role|user)/[A-Za-z0-9+=,.@_/-]+")
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")


def wanted_from(params: Mapping[str, Any], check_mode: bool) -> None:
    """Check the options.

    Raises:
        Refused: with every option that is not valid.
    """
    options = Options(params)
    regions = options.regions("regions")
    if not params["regions"]:
        options.refuse("regions", "must contain at least one region (got []).", "Add a region.")
    unwatched = sorted(set(options.regions("log_group_regions")) - set(regions))
    # Without any region, that is the problem.
    if regions and unwatched:
        options.refuse(
            "log_group_regions",
            f"{', '.join(unwatched)} is not in the option regions.",
            "Add it there: an alarm notifies the topic of its own region.",
        )
    if params["log_group_regions"] and not params["log_group_name"]:
        options.refuse(
            "log_group_regions",
            "needs the option log_group_name.",
            "Name the log group, or leave both out: the rule reports without it.",
        )
    for option, form in _FORMS.items():
        _check_name(options, option, params[option], form)
    # CloudWatch API Reference, PutMetricData: namespaces that begin with AWS/ are AWS's own.
    if params["metric_namespace"].startswith("AWS/"):
        options.refuse(
            "metric_namespace",
            f"{shown(params['metric_namespace'])} begins with AWS/, which is reserved for AWS.",
            "Use a namespace such as Custom/EC2.",
        )
    _check_subscriptions(options, params["subscriptions"])
    keys = options.strings("kms_key_arns")
    for text in keys:
        if not _KEY_ARN.fullmatch(text):
            options.refuse("kms_key_arns", f"{shown(text)} is not the ARN of a KMS key.", "Use the full ARN.")
    if params["event_pattern"]:
        _check_pattern(options, regions, keys, params["event_pattern"])
    _check_principals(options, params["filter_patterns"])
    options.check()


def _check_principals(options: Options, filter_patterns: Iterable[str]) -> None:
    """Add a failure for each principal that is none, and one if they make a metric filter too long."""
    principals = sorted({*options.strings("excluded_principal_arns")})
    for text in principals:
        if not _PRINCIPAL_ARN.fullmatch(text):
            problem = f"{shown(text)} is not the ARN of an IAM role or user."
            options.refuse("excluded_principal_arns", problem, "Use the full ARN, without a session.")
    length = max(map(len, filter_patterns), default=0)
    if length > _LONGEST_FILTER_PATTERN:
        options.refuse(
            "excluded_principal_arns",
            f"with {shown(principals)}, the pattern of a metric filter has {length} characters.",
            f"List fewer, or monitor without a log group: CloudWatch Logs allows {_LONGEST_FILTER_PATTERN}.",
        )


def _check_pattern(
    options: Options, regions: Iterable[str], keys: Iterable[str], pattern: Mapping[str, Any]
) -> None:
    """Add a failure for the region whose keys make the pattern too long; ``pattern`` has those of all."""
    for region in regions:
        others = frozenset(key for key in keys if key.split(":")[3:4] != [region])
        # As the role writes it.
        length = len(json.dumps(_without(pattern, others), separators=(",", ":")))
        if length > _LONGEST_PATTERN:
            own = sorted({*keys} - others)
            if not own:
                options.refuse(
                    "excluded_principal_arns",
                    f"the event pattern has {length} characters.",
                    f"List fewer: EventBridge allows {_LONGEST_PATTERN} by default.",
                )
                return
            options.refuse(
                "kms_key_arns",
                f"with {len(own)} keys in {region}, the event pattern has {length} characters (got "
                f"{shown(own)}).",
                f"List fewer, or none to monitor all keys: EventBridge allows {_LONGEST_PATTERN} by default.",
            )
            return


def _without(value: Any, items: Collection[str]) -> Any:
    """The value without these items in any list."""
    if isinstance(value, Mapping):
        return {key: _without(one, items) for key, one in value.items()}
    if isinstance(value, list):
        return [_without(one, items) for one in value if not (isinstance(one, str) and one in items)]
    return value


def _check_name(options: Options, option: str, name: str | None, form: _Form) -> None:
    if option in _OPTIONAL and not name:
        return
    if not form.pattern.fullmatch(name or ""):
        problem = f"{shown(name)} is not a valid {option.replace('_', ' ')}."
        options.refuse(option, problem, f"Use {form.rule}.")


def _check_subscriptions(options: Options, given: Iterable[Mapping[str, Any]]) -> None:
    for item in given:
        problem, remedy = subscription_problem(item)
        if problem:
            options.refuse("subscriptions", problem, remedy)
