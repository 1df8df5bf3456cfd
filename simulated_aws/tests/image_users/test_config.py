# SPDX-License-Identifier: GPL-3.0-or-later
"""An aggregator of AWS Config shows the instances that recorders have recorded (botocore service config)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

NAMED = {"ConfigurationAggregatorName": "all"}
HOME = "us-east-1"
COUNTS = (
    "SELECT accountId, awsRegion, COUNT(*) WHERE resourceType = 'AWS::EC2::Instance' "
    "GROUP BY accountId, awsRegion"
)
SELECTED = "accountId, resourceId, configuration.imageId, configuration.state.name, tags"


def record(aws: SimulatedAws, account: str, *types: str) -> Any:
    """The client of an account that records resources of these types, of all without any."""
    config = aws.client("config", account, HOME)
    role = f"arn:aws:iam::{aws.account_id(account)}:role/config"
    group: dict[str, Any] = (
        {"resourceTypes": list(types), "allSupported": False} if types else {"allSupported": True}
    )
    config.put_configuration_recorder(
        ConfigurationRecorder={"name": "default", "roleARN": role, "recordingGroup": group}
    )
    config.put_delivery_channel(DeliveryChannel={"name": "default", "s3BucketName": "config"})
    config.start_configuration_recorder(ConfigurationRecorderName="default")
    return config


def launch(aws: SimulatedAws, account: str, image_id: str) -> str:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "web"}]}]
    answer = aws.client("ec2", account, HOME).run_instances(
        ImageId=image_id, InstanceType="t3.micro", MinCount=1, MaxCount=1, TagSpecifications=tags
    )
    found: str = answer["Instances"][0]["InstanceId"]
    return found


@pytest.fixture
def config(aws: SimulatedAws) -> Any:
    """The account of the aggregator, which records instances and has another account as a source."""
    client = record(aws, "owner")
    accounts = [aws.account_id("owner"), aws.account_id("consumer")]
    sources = [{"AccountIds": accounts, "AwsRegions": [HOME]}]
    client.put_configuration_aggregator(**NAMED, AccountAggregationSources=sources)
    return client


def select(config: Any, query: str) -> list[dict[str, Any]]:
    """The results of a query."""
    pages = config.get_paginator("select_aggregate_resource_config").paginate(**NAMED, Expression=query)
    return [json.loads(row) for page in pages for row in page["Results"]]


def statuses(config: Any) -> dict[str, str]:
    pages = config.get_paginator("describe_configuration_aggregator_sources_status").paginate(**NAMED)
    return {
        one["SourceId"]: one["LastUpdateStatus"]
        for page in pages
        for one in page["AggregatedSourceStatusList"]
    }


def test_recorded_instances_of_an_image_are_selected(aws: SimulatedAws, config: Any, image_id: str) -> None:
    first, second = launch(aws, "owner", image_id), launch(aws, "owner", image_id)
    query = (
        f"SELECT {SELECTED} WHERE resourceType = 'AWS::EC2::Instance' "
        f"AND configuration.imageId IN ('ami-00000000', '{image_id}')"
    )
    found = select(config, query)
    owner = aws.account_id("owner")
    assert {row["resourceId"] for row in found} == {first, second}
    assert found[0]["accountId"] == owner
    assert found[0]["configuration"]["imageId"] == image_id
    assert found[0]["tags"] == [{"key": "Owner", "value": "web", "tag": "Owner=web"}]
    assert select(config, query.replace(image_id, "ami-00000001")) == []
    assert select(config, COUNTS) == [{"COUNT(*)": 2, "accountId": owner, "awsRegion": HOME}]
    aws.client("ec2", "owner", HOME).terminate_instances(InstanceIds=[first])
    assert [row["resourceId"] for row in select(config, query)] == [second]


def test_a_source_must_authorize_the_aggregator_and_record_instances(
    aws: SimulatedAws, config: Any, image_id: str
) -> None:
    owner, consumer = aws.account_id("owner"), aws.account_id("consumer")
    aws.client("ec2", "owner", HOME).modify_image_attribute(
        ImageId=image_id, LaunchPermission={"Add": [{"UserId": consumer}]}
    )
    launch(aws, "consumer", image_id)
    assert statuses(config) == {owner: "SUCCEEDED", consumer: "FAILED"}
    source = record(aws, "consumer", "AWS::S3::Bucket")
    source.put_aggregation_authorization(AuthorizedAccountId=owner, AuthorizedAwsRegion=HOME)
    assert statuses(config) == {owner: "SUCCEEDED", consumer: "SUCCEEDED"}
    assert select(config, COUNTS) == []
    record(aws, "consumer")
    assert [row["accountId"] for row in select(config, COUNTS)] == [consumer]


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"ConfigurationAggregatorName": "other"}, "NoSuchConfigurationAggregatorException"),
        ({"Expression": "SELECT *"}, "InvalidExpressionException"),
        ({"Expression": f"{COUNTS}{' ' * 4096}"}, "ValidationException"),
        ({"Limit": 101}, "InvalidLimitException"),
        ({"NextToken": "token"}, "InvalidNextTokenException"),
    ],
)
def test_refusals(config: Any, request_: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError, match=code):
        config.select_aggregate_resource_config(**{**NAMED, "Expression": COUNTS, **request_})
