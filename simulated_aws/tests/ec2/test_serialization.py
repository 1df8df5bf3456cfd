# SPDX-License-Identifier: GPL-3.0-or-later
"""The query protocol in both directions, and the dispatch of requests to actions."""

from __future__ import annotations

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.parsers import create_parser
from hypothesis import given
from hypothesis import strategies as st

from simulated_aws.ec2 import patch_moto, serialization
from simulated_aws.ec2.actions import ACTIONS
from simulated_aws.ec2.errors import Ec2Error
from simulated_aws.ec2.fast_path import HANDLERS, NEEDS_MOTO_BACKEND
from simulated_aws.http.fast_path import FastPathRequest

from .conftest import build, image_id


def parsed(action: str, document: bytes, status: int = 200) -> dict[str, Any]:
    shape: Any = serialization.service_model().operation_model(action).output_shape
    response = {"body": document, "status_code": status, "headers": {}}
    return dict(create_parser("ec2").parse(response, shape))


def answer(**params: str) -> tuple[int, dict[str, Any]]:
    request = FastPathRequest("111111111111", "us-east-1", params, "request-id")
    status, document = HANDLERS["ec2", params["Action"]](request)
    return status, parsed(params["Action"], document, status)


def test_requests_are_read_under_the_names_of_boto3() -> None:
    flat = {
        "Action": "CopyImage",
        "Version": "2016-11-15",
        "SourceImageId": "ami-1",
        "SourceRegion": "us-east-1",
        "Name": "copy",
        "Encrypted": "true",
        "SnapshotCopyCompletionDurationMinutes": "30",
        "TagSpecification.1.ResourceType": "image",
        "TagSpecification.1.Tag.2.Key": "b",
        "TagSpecification.1.Tag.1.Key": "a",
        "TagSpecification.1.Tag.1.Value": "1.2",
    }
    assert serialization.read("CopyImage", flat) == {
        "SourceImageId": "ami-1",
        "SourceRegion": "us-east-1",
        "Name": "copy",
        "Encrypted": True,
        "SnapshotCopyCompletionDurationMinutes": 30,
        "TagSpecifications": [
            {"ResourceType": "image", "Tags": [{"Key": "a", "Value": "1.2"}, {"Key": "b"}]}
        ],
    }


def test_items_are_in_the_order_of_their_numbers() -> None:
    flat = {f"ImageId.{number}": str(number) for number in (10, 9, 2, 1)}
    assert serialization.read("DescribeImages", flat)["ImageIds"] == ["1", "2", "9", "10"]


@pytest.mark.parametrize(
    ("action", "flat", "code"),
    [
        ("DescribeImageAttribute", {"ImageId": "ami-1"}, "MissingParameter"),
        ("DescribeImages", {"MaxResults": "many"}, "InvalidParameterValue"),
        ("DescribeImages", {"IncludeDisabled": "maybe"}, "InvalidParameterValue"),
        ("DescribeImages", {"ImageId": "ami-1"}, "InvalidParameterValue"),
        ("DescribeImages", {"ImageId.x": "ami-1"}, "InvalidParameterValue"),
        ("DescribeImages", {"ImageId": "ami-1", "ImageId.1": "ami-1"}, "MalformedQueryString"),
        ("DescribeImages", {"MaxResults.1": "5"}, "InvalidParameterValue"),
        ("EnableImageDeprecation", {"ImageId": "ami-1", "DeprecateAt": "soon"}, "InvalidParameterValue"),
        ("DescribeImageAttribute", {"ImageId.1": "a", "Attribute": "description"}, "InvalidParameterValue"),
    ],
)
def test_malformed_requests(action: str, flat: dict[str, str], code: str) -> None:
    with pytest.raises(Ec2Error) as caught:
        serialization.read(action, flat)
    assert caught.value.code == code


def test_ten_thousand_accounts_are_read_in_a_moment() -> None:
    flat = {f"LaunchPermission.Add.{one}.UserId": f"{one:012}" for one in range(1, 10_001)}
    started = time.process_time()
    read = serialization.read("ModifyImageAttribute", {"ImageId": "ami-1", **flat})
    assert time.process_time() - started < 1
    assert len(read["LaunchPermission"]["Add"]) == 10_000


@given(st.text(st.characters(codec="utf-8", categories=["L", "M", "N", "P", "S", "Zs"])), st.booleans())
def test_botocore_reads_what_is_written(text: str, public: bool) -> None:
    images = [
        {"Name": text, "Public": public, "BlockDeviceMappings": [{"Ebs": {"VolumeSize": 8}}], "Tags": []}
    ]
    document = serialization.write("DescribeImages", {"NextToken": None, "Images": images}, "request-id")
    read = parsed("DescribeImages", document)
    assert read["Images"] == images
    assert read["ResponseMetadata"]["RequestId"] == "request-id"


def test_moments_are_utc_in_milliseconds() -> None:
    moment = datetime(2026, 11, 24, 17, 0, 0, 123456, tzinfo=UTC) + timedelta(0)
    assert serialization.timestamp(moment) == "2026-11-24T17:00:00.123Z"


def test_a_name_that_aws_does_not_have_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        serialization.write("DescribeImages", {"Pictures": []}, "request-id")


def test_errors_are_xml_documents() -> None:
    status, document = answer(Action="DescribeImages", **{"ImageId.1": "<golden> & co"})
    assert status == 400
    assert document["Error"] == {
        "Code": "InvalidAMIID.Malformed",
        "Message": 'Invalid id: "<golden> & co" (expecting "ami-...")',
    }


def test_every_action_is_one_of_ec2() -> None:
    assert set(ACTIONS) <= set(serialization.service_model().operation_names)
    assert {name for _, name in HANDLERS} == {*ACTIONS, "RunInstances"} - NEEDS_MOTO_BACKEND


def test_callers_at_once_lose_nothing(client: Any) -> None:
    image = image_id(build())
    accounts = [f"{number:012}" for number in range(1, 401)]

    def share(account: str) -> None:
        answer(
            Action="ModifyImageAttribute",
            ImageId=image,
            **{"LaunchPermission.Add.1.UserId": account},
        )

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(share, accounts))
    finally:
        sys.setswitchinterval(interval)
    described = client().describe_image_attribute(ImageId=image, Attribute="launchPermission")
    assert sorted(entry["UserId"] for entry in described["LaunchPermissions"]) == accounts


def test_installing_twice_is_installing_once(client: Any) -> None:
    made = client().create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    patch_moto()
    assert client().describe_vpcs(VpcIds=[made])["Vpcs"]
