# SPDX-License-Identifier: GPL-3.0-or-later
"""Watermarks of images (EC2 User Guide, Use AMI watermarks to track and identify AMIs)."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, OWNER, build, error_code, image_id, names

PUBLIC = {"LaunchPermission": {"Add": [{"Group": "all"}]}}
KEY = f"{OWNER}:approved"


def marks(ec2: Any, image: str) -> list[str]:
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    return [one["WatermarkKey"] for one in shown.get("ImageWatermarks", [])]


def test_a_watermark_says_where_it_was_attached(client: Any) -> None:
    """(botocore shape ImageWatermark.)"""
    image, ec2 = image_id(build()), client()
    assert ec2.attach_image_watermark(ImageId=image, WatermarkName="approved")["WatermarkKey"] == KEY
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    (mark,) = shown["ImageWatermarks"]
    created = mark.pop("WatermarkCreationTime")
    assert created >= mark["SourceImageCreationTime"]
    assert shown["CreationDate"].startswith(f"{mark.pop('SourceImageCreationTime'):%Y-%m-%dT%H:%M:%S}")
    assert mark == {"WatermarkKey": KEY, "SourceImageId": image, "SourceImageRegion": "us-east-1"}


def test_copies_carry_it_also_into_other_accounts(client: Any) -> None:
    sharing = {"accounts": ["consumer"], "snapshot_accounts": ["consumer"]}
    image = image_id(build(images={"golden": {"watermarks": ["approved"], "sharing": sharing}}))
    west = client(CONSUMER, "us-west-2")
    copy = west.copy_image(Name="copy", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
    assert marks(west, copy) == [KEY]
    client().detach_image_watermark(ImageId=image, WatermarkKey=KEY)
    assert (marks(client(), image), marks(west, copy)) == ([], [KEY])


def test_an_image_of_an_instance_inherits_it(client: Any) -> None:
    image, ec2 = image_id(build(images={"golden": {"watermarks": ["approved"]}})), client()
    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    made = ec2.create_image(InstanceId=instance["InstanceId"], Name="made")["ImageId"]
    assert marks(ec2, made) == [KEY]


def test_a_watermarked_image_cannot_be_made_public(client: Any) -> None:
    """(The guide: Not available on public AMIs. The code is a conclusion.)"""
    image, ec2 = image_id(build(images={"golden": {"watermarks": ["approved"]}})), client()
    ec2.disable_image_block_public_access()
    assert error_code(ec2.modify_image_attribute, ImageId=image, **PUBLIC) == "OperationNotPermitted"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": CONSUMER}]})
    assert marks(client(CONSUMER), image) == [KEY]
    ec2.detach_image_watermark(ImageId=image, WatermarkKey=KEY)
    ec2.modify_image_attribute(ImageId=image, **PUBLIC)


@pytest.mark.parametrize(
    ("content", "name", "code"),
    [
        ({"sharing": {"public": True}}, "approved", "OperationNotPermitted"),
        ({"watermarks": [f"mark-{one}" for one in range(5)]}, "approved", "ResourceLimitExceeded"),
        ({"watermarks": [f"mark-{one}" for one in range(5)]}, "mark-0", None),
        ({}, "a:b:c", "InvalidParameterValue"),
    ],
)
def test_what_can_be_attached(client: Any, content: dict[str, Any], name: str, code: str | None) -> None:
    """(The guide; the codes are conclusions.)"""
    image, ec2 = image_id(build(images={"golden": content})), client()
    if code:
        assert error_code(ec2.attach_image_watermark, ImageId=image, WatermarkName=name) == code
    else:
        ec2.attach_image_watermark(ImageId=image, WatermarkName=name)


def test_only_the_owner_attaches_and_detaches(client: Any) -> None:
    image = image_id(build(images={"golden": {"sharing": {"accounts": ["consumer"]}}}))
    theirs = client(CONSUMER)
    assert error_code(theirs.attach_image_watermark, ImageId=image, WatermarkName="mine") == "AuthFailure"
    assert error_code(theirs.detach_image_watermark, ImageId=image, WatermarkKey=KEY) == "AuthFailure"
    client().detach_image_watermark(ImageId=image, WatermarkKey=KEY)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("image-watermark.watermark-key", "*:approved"),
        ("image-watermark.source-image-region", "us-east-1"),
        ("image-watermark.watermark-creation-time", "20*"),
    ],
)
def test_images_can_be_filtered_by_watermark(client: Any, name: str, value: str) -> None:
    """(botocore shape DescribeImagesRequest, Filters.)"""
    build(images={"golden": {"watermarks": ["approved"]}, "other": {}})
    found = client().describe_images(Filters=[{"Name": name, "Values": [value]}])
    assert names(found) == ["golden"]
