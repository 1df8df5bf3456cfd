# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeInstanceImageMetadata: instances with their images, also deregistered and unshared ones."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

CONSUMER = "222222222222"


@pytest.fixture
def launched(aws: SimulatedAws, image_id: str) -> str:
    """An instance of the shared image in the consumer's account."""
    aws.client("ec2", "owner").modify_image_attribute(
        ImageId=image_id, LaunchPermission={"Add": [{"UserId": CONSUMER}]}
    )
    answer = aws.client("ec2", "consumer").run_instances(
        ImageId=image_id,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": [{"Key": "Owner", "Value": "web"}]}],
    )
    found: str = answer["Instances"][0]["InstanceId"]
    return found


def metadata(aws: SimulatedAws, account: str = "consumer", **request: Any) -> list[dict[str, Any]]:
    """What the account sees."""
    answer = aws.client("ec2", account).describe_instance_image_metadata(**request)
    found: list[dict[str, Any]] = answer["InstanceImageMetadata"]
    return found


def test_an_instance_shows_its_image(aws: SimulatedAws, image_id: str, launched: str) -> None:
    (found,) = metadata(aws)
    assert found["InstanceId"] == launched
    assert found["State"]["Name"] == "running"
    assert found["Tags"] == [{"Key": "Owner", "Value": "web"}]
    image = found["ImageMetadata"]
    assert (image["ImageId"], image["OwnerId"], image["State"]) == (image_id, "012345678901", "available")
    assert image["Name"] == "golden"
    assert metadata(aws, "owner") == []


@pytest.mark.usefixtures("launched")
def test_an_image_that_is_not_shared_any_more_is_still_shown(aws: SimulatedAws, image_id: str) -> None:
    owner, consumer = aws.client("ec2", "owner"), aws.client("ec2", "consumer")
    owner.modify_image_attribute(ImageId=image_id, LaunchPermission={"Remove": [{"UserId": CONSUMER}]})
    assert metadata(aws)[0]["ImageMetadata"]["Name"] == "golden"
    owner.attach_image_watermark(ImageId=image_id, WatermarkName="approved")
    owner.deregister_image(ImageId=image_id)
    assert consumer.describe_images(ImageIds=[image_id])["Images"] == []
    image = metadata(aws)[0]["ImageMetadata"]
    assert (image["State"], image["OwnerId"]) == ("deregistered", "012345678901")
    assert image["ImageWatermarks"][0]["SourceImageId"] == image_id


def test_filters_and_ids(aws: SimulatedAws, launched: str) -> None:
    def filtered(name: str, *values: str) -> list[str]:
        found = metadata(aws, Filters=[{"Name": name, "Values": list(values)}])
        return [one["InstanceId"] for one in found]

    assert filtered("instance-state-name", "running", "stopped") == [launched]
    assert filtered("instance-state-name", "stopped") == []
    assert filtered("owner-id", "012345678901") == [launched]
    assert filtered("tag:Owner", "web") == [launched]
    assert [one["InstanceId"] for one in metadata(aws, InstanceIds=[launched])] == [launched]
    with pytest.raises(ClientError, match=r"InvalidInstanceID\.NotFound"):
        metadata(aws, "owner", InstanceIds=[launched])
    with pytest.raises(ClientError, match="InvalidParameterValue"):
        filtered("no-such-filter", "x")


@pytest.mark.usefixtures("launched")
def test_pages(aws: SimulatedAws, image_id: str) -> None:
    consumer = aws.client("ec2", "consumer")
    consumer.run_instances(ImageId=image_id, InstanceType="t3.micro", MinCount=6, MaxCount=6)
    pages = consumer.get_paginator("describe_instance_image_metadata").paginate(
        PaginationConfig={"PageSize": 5}
    )
    assert [len(page["InstanceImageMetadata"]) for page in pages] == [5, 2]


def test_what_a_service_manages_and_hides_is_not_listed(
    aws: SimulatedAws, image_id: str, launched: str
) -> None:
    aws.client("ec2", "consumer").run_instances(
        ImageId=image_id,
        InstanceType="t3.micro",
        MinCount=1,
        MaxCount=1,
        Operator={"Principal": "eks.amazonaws.com"},
    )
    assert [one["InstanceId"] for one in metadata(aws)] == [launched]
