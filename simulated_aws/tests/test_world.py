# SPDX-License-Identifier: GPL-3.0-or-later
"""The dump of all resources."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .conftest import FIXTURE


def named(aws: SimulatedAws, kind: str) -> dict[str, dict[str, Any]]:
    return {one["name"]: one for one in aws.world() if one["kind"] == kind}


def test_an_image_and_its_snapshot_are_shown_with_permissions_and_tags(
    aws: SimulatedAws, image_id: str
) -> None:
    ec2 = aws.client("ec2", "owner")
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"UserId": "222222222222"}]})
    ec2.create_tags(Resources=[image_id], Tags=[{"Key": "role", "Value": "web"}])
    image = named(aws, "image")[image_id]
    assert (image["account_id"], image["region"]) == (FIXTURE["accounts"]["owner"], "us-east-1")
    assert (image["permissions"], image["tags"]) == (["UserId=222222222222"], {"role": "web"})
    (snapshot_id,) = image["snapshots"].values()
    assert named(aws, "snapshot")[snapshot_id]["permissions"] == []


def test_settings_are_shown_that_a_run_can_lose(aws: SimulatedAws, image_id: str) -> None:
    ec2, ssm, sqs = (aws.client(service, "owner") for service in ("ec2", "ssm", "sqs"))
    deprecated = datetime.now(UTC) + timedelta(days=30)
    ec2.enable_image_deprecation(ImageId=image_id, DeprecateAt=deprecated)
    ssm.put_parameter(
        Name="/a", Value="b", Type="String", Tier="Advanced", Tags=[{"Key": "team", "Value": "web"}]
    )
    sqs.create_queue(QueueName="q", Attributes={"MessageRetentionPeriod": "1209600"})
    assert named(aws, "image")[image_id]["deprecated_in_days"] == 30
    parameter = named(aws, "parameter")["/a:1"]
    assert (parameter["tier"], parameter["tags"]) == ("Advanced", {"team": "web"})
    assert named(aws, "queue")["q"]["retention_seconds"] == 1209600


def test_it_shows_at_once_what_reads_show_later(aws: SimulatedAws, image_id: str) -> None:
    aws.update_settings(launch_permissions_visible_after_seconds=60, copy_seconds=0)
    ec2 = aws.client("ec2", "owner")
    ec2.modify_image_attribute(ImageId=image_id, LaunchPermission={"Add": [{"UserId": "222222222222"}]})
    read = ec2.describe_image_attribute(ImageId=image_id, Attribute="launchPermission")
    assert read["LaunchPermissions"] == []
    assert named(aws, "image")[image_id]["permissions"] == ["UserId=222222222222"]


def test_keys_are_shown_with_policy_and_grants(aws: SimulatedAws) -> None:
    kms = aws.client("kms", "owner")
    arn = kms.create_key()["KeyMetadata"]["Arn"]
    grantee = "arn:aws:iam::222222222222:root"
    kms.create_grant(KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt"], Name="mine")
    key = named(aws, "key")[arn]
    assert key["grants"] == [[grantee, "mine", "Decrypt"]]
    assert key["policy"]["Statement"]


@pytest.mark.parametrize(
    ("service", "method", "parameters", "kind", "name"),
    [
        ("ssm", "put_parameter", {"Name": "/a", "Value": "b", "Type": "String"}, "parameter", "/a:1"),
        (
            "ec2",
            "create_launch_template",
            {
                "LaunchTemplateName": "web",
                "LaunchTemplateData": {"InstanceType": "t3.micro", "UserData": "bHM="},
            },
            "launch template",
            "web:1",
        ),
        ("sns", "create_topic", {"Name": "t"}, "topic", "t"),
        ("sqs", "create_queue", {"QueueName": "q"}, "queue", "q"),
        ("events", "put_rule", {"Name": "r", "EventPattern": json.dumps({"source": ["a"]})}, "rule", "r"),
        (
            "cloudwatch",
            "put_metric_alarm",
            {
                "AlarmName": "a",
                "Namespace": "n",
                "MetricName": "m",
                "Statistic": "Sum",
                "Period": 60,
                "EvaluationPeriods": 1,
                "Threshold": 0,
                "ComparisonOperator": "GreaterThanThreshold",
            },
            "alarm",
            "a",
        ),
    ],
)
def test_other_resources_are_shown(
    aws: SimulatedAws, service: str, method: str, parameters: dict[str, Any], kind: str, name: str
) -> None:
    assert named(aws, kind) == {}
    getattr(aws.client(service, "owner"), method)(**parameters)
    assert list(named(aws, kind)) == [name]


def test_log_filters_objects_instances_and_usage_reports_are_shown(aws: SimulatedAws, image_id: str) -> None:
    logs = aws.client("logs", "owner")
    logs.create_log_group(logGroupName="g")
    transformation = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    logs.put_metric_filter(
        logGroupName="g", filterName="f", filterPattern="x", metricTransformations=[transformation]
    )
    s3 = aws.client("s3", "owner")
    s3.create_bucket(Bucket="kept")
    s3.put_object(Bucket="kept", Key="a/b", Body=b"text")
    (instance,) = aws.client("ec2", "owner").run_instances(ImageId=image_id, MinCount=1, MaxCount=1)[
        "Instances"
    ]
    report = aws.client("ec2", "owner").create_image_usage_report(
        ImageId=image_id, ResourceTypes=[{"ResourceType": "ec2:Instance"}]
    )["ReportId"]
    assert named(aws, "usage report")[report]["image"] == image_id
    assert list(named(aws, "metric filter")) == ["f"]
    assert named(aws, "object")["kept/a/b"]["body"] == "text"
    assert named(aws, "instance")[instance["InstanceId"]]["image"] == image_id
