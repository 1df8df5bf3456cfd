# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of ``monitoring_check``, which are the variables of the role ``monitor``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..arguments import Options
from ..wording import shown

ARGUMENT_SPEC: dict[str, Any] = {
    "regions": {"type": "list", "elements": "str", "required": True},
    "log_group_name": {"type": "str", "required": True},
    "log_group_regions": {"type": "list", "elements": "str", "default": []},
    "metric_namespace": {"type": "str", "required": True},
    "alarm_name": {"type": "str", "required": True},
    "rule_name": {"type": "str", "required": True},
    "topic_name": {"type": "str", "required": True},
    "queue_name": {"type": "str"},
    "subscriptions": {"type": "list", "elements": "dict", "default": []},
    "kms_key_arns": {"type": "list", "elements": "str", "default": [], "no_log": False},
}


class _Form(NamedTuple):
    """The form of a name."""

    pattern: re.Pattern[str]
    rule: str


# botocore shapes LogGroupName and MetricNamespace of CloudWatch Logs, AlarmName of CloudWatch, RuleName of
# EventBridge; the documentation of the members Name of SNS's CreateTopicInput and QueueName of SQS's
# CreateQueueRequest. The role creates no FIFO topic and no FIFO queue.
_FORMS = {
    "log_group_name": _Form(re.compile(r"[A-Za-z0-9._/#-]{1,512}"), "1 to 512 letters, digits and ._/#-"),
    "metric_namespace": _Form(re.compile(r"[^:*$]{1,255}"), "1 to 255 characters other than : * $"),
    "alarm_name": _Form(re.compile(r".{1,255}", re.DOTALL), "1 to 255 characters"),
    "rule_name": _Form(re.compile(r"[A-Za-z0-9._-]{1,64}"), "1 to 64 letters, digits and ._-"),
    "topic_name": _Form(re.compile(r"[A-Za-z0-9_-]{1,256}"), "1 to 256 letters, digits and _-"),
    "queue_name": _Form(re.compile(r"[A-Za-z0-9_-]{1,80}"), "1 to 80 letters, digits and _-"),
}
_KEY_ARN = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
# The documentation of the member Protocol of SNS's SubscribeInput.
_PROTOCOLS = frozenset(
    {"http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"}
)
_SUBSCRIPTIONS = "List mappings with protocol and endpoint."


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
    for text in options.strings("kms_key_arns"):
        if not _KEY_ARN.fullmatch(text):
            options.refuse("kms_key_arns", f"{shown(text)} is not the ARN of a KMS key.", "Use the full ARN.")
    options.check()


def _check_name(options: Options, option: str, name: str | None, form: _Form) -> None:
    if option == "queue_name" and not name:
        return
    if not form.pattern.fullmatch(name or ""):
        problem = f"{shown(name)} is not a valid {option.replace('_', ' ')}."
        options.refuse(option, problem, f"Use {form.rule}.")


def _check_subscriptions(options: Options, given: Iterable[Mapping[str, Any]]) -> None:
    for item in given:
        if not (item.get("protocol") and item.get("endpoint")):
            problem = f"{shown(item)} has no protocol or endpoint."
            options.refuse("subscriptions", problem, _SUBSCRIPTIONS)
        elif str(item["protocol"]) not in _PROTOCOLS:
            options.refuse(
                "subscriptions",
                f"{shown(item['protocol'])} is not a protocol of SNS.",
                f"Use one of {', '.join(sorted(_PROTOCOLS))}.",
            )
