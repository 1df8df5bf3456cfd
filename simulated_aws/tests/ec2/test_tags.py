# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags on images and snapshots, beside the tags of moto's resources."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, build, error_code, image_id


def tags(**pairs: str) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in pairs.items()]


def described(ec2: Any, **filters: str) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    wanted = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in filters.items()]
    for tag in ec2.describe_tags(Filters=wanted)["Tags"]:
        found.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return found


def test_several_resources_at_once(client: Any) -> None:
    built = build()
    image, snapshots = image_id(built), built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    everything = [image, *snapshots, vpc]
    ec2.create_tags(Resources=everything, Tags=tags(a="1", b="2"))
    assert described(ec2) == {one: {"a": "1", "b": "2"} for one in everything}
    assert described(ec2, resource_type="image") == {image: {"a": "1", "b": "2"}}
    ec2.delete_tags(Resources=everything, Tags=[{"Key": "a"}])
    assert described(ec2, resource_id="snap-*") == {one: {"b": "2"} for one in snapshots}
    assert described(ec2, key="b", resource_id=vpc) == {vpc: {"b": "2"}}
    assert ec2.describe_images(ImageIds=[image])["Images"][0]["Tags"] == tags(b="2")


@pytest.mark.parametrize(
    ("deleted", "left"),
    [
        ({"Tags": [{"Key": "a"}]}, {"b": "2"}),
        ({"Tags": [{"Key": "a", "Value": "1"}]}, {"b": "2"}),
        ({"Tags": [{"Key": "a", "Value": "9"}]}, {"a": "1", "b": "2"}),
        ({"Tags": [{"Key": "a", "Value": ""}]}, {"a": "1", "b": "2"}),
        ({}, {}),
    ],
)
def test_deleting(client: Any, deleted: dict[str, Any], left: dict[str, str]) -> None:
    """(botocore shape DeleteTagsRequest, Tags.)"""
    image = image_id(build(images={"golden": {"tags": {"a": "1", "b": "2"}}}))
    client().delete_tags(Resources=[image], **deleted)
    assert client().describe_images(ImageIds=[image])["Images"][0].get("Tags", []) == tags(**left)


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (tags(**{"aws:a": "1"}), "InvalidParameterValue"),
        (tags(a="\x01"), "InvalidParameterValue"),
        (tags(**{"\x01": "a"}), "InvalidParameterValue"),
        (tags(**{"x" * 129: "1"}), "InvalidParameterValue"),
        (tags(a="x" * 257), "InvalidParameterValue"),
        ([*tags(a="1"), *tags(a="2")], "InvalidParameterValue"),
        (tags(**{f"k{number}": "1" for number in range(50)}), "TagLimitExceeded"),
        (tags(**{f"k{number}": "1" for number in range(49)}), None),
    ],
)
def test_limits(client: Any, wanted: list[dict[str, str]], code: str | None) -> None:
    """(EC2 User Guide, Tag your Amazon EC2 resources: tag restrictions.)"""
    image = image_id(build(images={"golden": {"tags": {"present": "1"}}}))
    ec2 = client()
    if code:
        assert error_code(ec2.create_tags, Resources=[image], Tags=wanted) == code
        assert described(ec2) == {image: {"present": "1"}}
    else:
        ec2.create_tags(Resources=[image], Tags=wanted)
        assert len(described(ec2)[image]) == 50


@pytest.mark.parametrize(
    ("sharing", "code"), [({}, "InvalidAMIID.NotFound"), ({"accounts": ["consumer"]}, "AuthFailure")]
)
@pytest.mark.parametrize("method", ["create_tags", "delete_tags"])
def test_only_the_owner(client: Any, sharing: dict[str, Any], code: str, method: str) -> None:
    image = image_id(build(images={"golden": {"sharing": sharing}}))
    assert error_code(getattr(client(CONSUMER), method), Resources=[image], Tags=tags(a="1")) == code


def test_one_unknown_resource_stops_all(client: Any) -> None:
    built = build()
    resources = [image_id(built), "snap-0123456789abcdef0"]
    code = error_code(client().create_tags, Resources=resources, Tags=tags(a="1"))
    assert code == "InvalidSnapshot.NotFound"
    assert described(client()) == {}


@pytest.mark.parametrize("malformed", ["", "golden", "ami-golden", "snap-1", "ami-12345678 ami-87654321"])
@pytest.mark.parametrize("method", ["create_tags", "delete_tags"])
def test_a_malformed_id_of_any_resource(client: Any, method: str, malformed: str) -> None:
    """(EC2 API Reference, Error codes: InvalidID.)"""
    image = image_id(build())
    resources = [image, malformed]
    assert error_code(getattr(client(), method), Resources=resources, Tags=tags(a="1")) == "InvalidID"


def test_the_tagging_api_sees_images(client: Any) -> None:
    image = image_id(build(images={"golden": {"tags": {"a": "1"}}}))
    client().describe_vpcs()
    found = client(service="resourcegroupstaggingapi").get_resources(ResourceTypeFilters=["ec2:image"])
    assert [one["ResourceARN"] for one in found["ResourceTagMappingList"]] == [
        f"arn:aws:ec2:us-east-1::image/{image}"
    ]
