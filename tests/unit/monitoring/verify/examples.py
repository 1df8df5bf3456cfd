# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role monitor wants in a region."""

from __future__ import annotations

from typing import Any

from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.options import (
    MonitoringVerifyOptions,
)
from ansible_collections.golden.images.plugins.module_utils._monitoring.verify.state import (
    Attributes,
    Resource,
    Trail,
)

from tests.unit.examples import as_read

REGION, ACCOUNT = "eu-west-1", "111122223333"
TOPIC_ARN = f"arn:aws:sns:{REGION}:{ACCOUNT}:sharing"
POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "Rule", "Action": "sns:Publish"}]}
QUEUE_POLICY = {"Version": "2012-10-17", "Statement": [{"Sid": "Rule", "Action": "sqs:SendMessage"}]}
EMAIL = ("email", "security@example.org")
PATTERN = {
    "source": ["aws.ec2", "aws.kms"],
    "detail": {
        "errorCode": [{"exists": False}],
        "$or": [{"eventSource": ["ec2.amazonaws.com"]}, {"$or": [{"eventSource": ["kms.amazonaws.com"]}]}],
    },
}
TRAIL_ARN = f"arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all"
LOG_GROUP_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:trail:*"

TOPIC = Resource("topic", "sharing")
FILTER = Resource("metric filter", "all")
ALARM = Resource("alarm", "AMI sharing")
QUEUE = Resource("queue", "events")
RULE = Resource("rule", "changes")

AS_WANTED: dict[Resource, Attributes | None] = {
    TOPIC: {
        "policy": POLICY,
        "encryption": None,
        "subscriptions": [EMAIL],
        "pending": [],
        "unsubscribed": [],
    },
    FILTER: {"pattern": "{ $.a = 1 }", "metric": {"name": "Sharing", "namespace": "Custom/EC2"}},
    ALARM: {
        "AlarmName": "AMI sharing",
        "Threshold": 0.0,
        "AlarmActions": [TOPIC_ARN],
        "ActionsEnabled": True,
    },
    QUEUE: {"policy": QUEUE_POLICY, "encryption": None},
    RULE: {
        "state": "ENABLED",
        "event pattern": PATTERN,
        "targets": [{"id": "topic", "arn": TOPIC_ARN}],
    },
}
"""What AWS has if all is as it should be."""


TRAIL = Trail(TRAIL_ARN, True, (REGION, ACCOUNT, "trail"), None, {"EventSelectors": [{}]})
"""A trail that logs all calls of the region and delivers them to the log group."""


def wanted(**changes: Any) -> MonitoringVerifyOptions:
    given: dict[str, Any] = {
        "topic_arn": TOPIC_ARN,
        "topic_policy": POLICY,
        "subscriptions": [{"protocol": "email", "endpoint": "security@example.org"}],
        "log_group_name": "trail",
        "metric_namespace": "Custom/EC2",
        "metric_filters": [{"name": "all", "metric": "Sharing", "pattern": "{ $.a = 1 }"}],
        "alarm_name": "AMI sharing",
        "alarm": {"Threshold": 0, "AlarmActions": [TOPIC_ARN], "ActionsEnabled": True},
        "queue_name": "events",
        "queue_policy": QUEUE_POLICY,
        "rule_name": "changes",
        "event_pattern": PATTERN,
        "targets": [{"id": "topic", "arn": TOPIC_ARN}],
        **changes,
    }
    return MonitoringVerifyOptions.read(as_read(MonitoringVerifyOptions.argument_spec(), given), False)
