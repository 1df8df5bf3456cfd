# SPDX-License-Identifier: GPL-3.0-or-later
"""Spot Instance requests, which moto implements."""

from __future__ import annotations

from typing import Any

from .conftest import build, image_id


def test_a_persistent_request_outlives_its_instance(client: Any) -> None:
    """(EC2 User Guide, Spot Instance request states; botocore shape SpotInstanceRequest, ValidUntil.)"""
    image, ec2 = image_id(build()), client()
    (made,) = ec2.request_spot_instances(
        Type="persistent", LaunchSpecification={"ImageId": image, "InstanceType": "t3.micro"}
    )["SpotInstanceRequests"]
    (shown,) = ec2.describe_spot_instance_requests(MaxResults=1000)["SpotInstanceRequests"]
    ec2.terminate_instances(InstanceIds=[shown["InstanceId"]])
    (shown,) = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert (shown["State"], shown["Type"]) == ("active", "persistent")
    assert shown["LaunchSpecification"]["ImageId"] == image
    assert shown["SpotInstanceRequestId"] == made["SpotInstanceRequestId"]
    ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[made["SpotInstanceRequestId"]])
    listed = ec2.describe_spot_instance_requests()["SpotInstanceRequests"]
    assert all(one["State"] == "cancelled" for one in listed)
