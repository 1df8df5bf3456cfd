# SPDX-License-Identifier: GPL-3.0-or-later
"""DescribeImages: visibility of images, and each part of the request (botocore operation DescribeImages)."""

from __future__ import annotations

import re
from typing import Any

import pytest

from simulated_aws.ec2.actions import describe_images, describe_snapshots, regions, tags
from simulated_aws.ec2.serialization import service_model
from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, ENCRYPTED_DISKS, KEYS, OWNER, STRANGER, build, error_code, image_id, names

ORGANIZATION = {
    "management_account": "management",
    "units": {"workloads": {"accounts": ["owner"], "units": {"prod": {"accounts": ["consumer"]}}}},
}
ACCOUNTS = {"owner": OWNER, "consumer": CONSUMER, "stranger": STRANGER, "management": "100000000001"}


def test_an_image_keeps_its_devices(client: Any) -> None:
    built = build(
        images={"golden": {"devices": ENCRYPTED_DISKS, "description": "d", "tags": {"a": "b"}}}, kms_keys=KEYS
    )
    (image,) = client().describe_images(ImageIds=[image_id(built)])["Images"]
    assert [
        (
            device["DeviceName"],
            device["Ebs"]["SnapshotId"],
            device["Ebs"]["VolumeSize"],
            device["Ebs"]["Encrypted"],
        )
        for device in image["BlockDeviceMappings"]
    ] == [
        ("/dev/xvda", built["images"]["golden"]["snapshot_ids"][0], 8, True),
        ("/dev/sdb", built["images"]["golden"]["snapshot_ids"][1], 20, True),
    ]
    assert image["OwnerId"] == OWNER
    assert image["Description"] == "d"
    assert image["Architecture"] == "x86_64"
    assert image["Public"] is False
    assert image["DeregistrationProtection"] == "disabled"
    assert image["Tags"] == [{"Key": "a", "Value": "b"}]
    assert "ImageOwnerAlias" not in image


@pytest.mark.parametrize(
    ("sharing", "caller", "visible"),
    [
        ({}, OWNER, True),
        ({}, CONSUMER, False),
        ({"accounts": ["consumer"]}, CONSUMER, True),
        ({"accounts": ["consumer"]}, STRANGER, False),
        ({"organization": True}, CONSUMER, True),
        ({"organization": True}, STRANGER, False),
        ({"units": ["workloads/prod"]}, CONSUMER, True),
        ({"units": ["workloads"]}, CONSUMER, True),
        ({"units": ["workloads"]}, "100000000001", False),
        ({"public": True}, STRANGER, True),
    ],
)
def test_which_accounts_see_an_image(
    client: Any, sharing: dict[str, Any], caller: str, visible: bool
) -> None:
    """An OU share covers nested OUs (EC2 User Guide, Share an AMI with organizations or OUs)."""
    built = build(accounts=ACCOUNTS, organization=ORGANIZATION, images={"golden": {"sharing": sharing}})
    ec2 = client(caller)
    assert names(ec2.describe_images()) == (["golden"] if visible else [])
    if visible:
        assert names(ec2.describe_images(ImageIds=[image_id(built)])) == ["golden"]
    else:
        assert error_code(ec2.describe_images, ImageIds=[image_id(built)]) == "InvalidAMIID.NotFound"


@pytest.mark.parametrize(
    ("users", "seen"),
    [
        (["self"], ["direct", "by-org", "by-ou"]),
        ([CONSUMER], ["direct", "by-org", "by-ou"]),
        (["all"], ["public"]),
        (["self", "all"], ["direct", "by-org", "by-ou", "public"]),
        ([STRANGER], ["strangers"]),
    ],
)
def test_executable_users(client: Any, users: list[str], seen: list[str]) -> None:
    """`self` and the own ID count organizations and OUs, another ID doesn't (ExecutableUsers)."""
    build(
        accounts=ACCOUNTS,
        organization=ORGANIZATION,
        images={
            "direct": {"sharing": {"accounts": ["consumer"]}},
            "by-org": {"sharing": {"organization": True}},
            "by-ou": {"sharing": {"units": ["workloads"]}},
            "public": {"sharing": {"public": True}},
            "strangers": {"sharing": {"accounts": ["stranger"], "public": True}},
            "own": {"account": "consumer"},
        },
    )
    found = names(client(CONSUMER).describe_images(ExecutableUsers=users))
    assert found == (seen if "all" not in users else [*seen, "strangers"])


@pytest.mark.parametrize(
    ("owners", "seen"),
    [(["self"], ["own"]), ([OWNER], ["shared"]), (["self", OWNER], ["shared", "own"]), (["amazon"], [])],
)
def test_owners(client: Any, owners: list[str], seen: list[str]) -> None:
    build(
        images={
            "shared": {"sharing": {"accounts": ["consumer"]}},
            "own": {"account": "consumer"},
            "hidden": {},
        }
    )
    assert names(client(CONSUMER).describe_images(Owners=owners)) == seen


def test_owners_hold_for_ids_too(client: Any) -> None:
    built = build(images={"golden": {"sharing": {"public": True}}})
    assert names(client(CONSUMER).describe_images(ImageIds=[image_id(built)], Owners=["self"])) == []


@pytest.mark.parametrize(
    ("name", "values", "seen"),
    [
        ("name", ["web-*"], ["web-1", "web-2"]),
        ("name", ["web-?"], ["web-1", "web-2"]),
        ("name", ["WEB-1"], []),
        ("name", ["db\\*"], []),
        ("name", ["data", "web-2"], ["web-2", "data"]),
        ("tag:Release", ["1"], ["web-1"]),
        ("tag:Release", ["*"], ["web-1", "web-2"]),
        ("tag-key", ["Release"], ["web-1", "web-2"]),
        ("state", ["disabled"], ["web-2"]),
        ("description", ["the * base"], ["data"]),
        ("owner-id", [OWNER], ["web-1", "web-2", "data"]),
        ("owner-alias", ["amazon"], []),
        ("is-public", ["true"], ["data"]),
        ("is-public", ["false"], ["web-1", "web-2"]),
        ("architecture", ["arm64"], ["data"]),
        ("block-device-mapping.volume-size", ["20"], ["web-1", "web-2"]),
        ("block-device-mapping.encrypted", ["true"], []),
        ("root-device-type", ["ebs"], ["web-1", "web-2", "data"]),
    ],
)
def test_filters(client: Any, name: str, values: list[str], seen: list[str]) -> None:
    """Wildcards and case (EC2 User Guide, Find your Amazon EC2 resources); names (Filters)."""
    one_disk = [{"device_name": "/dev/xvda", "size": 8}]
    build(
        images={
            "web-1": {"tags": {"Release": "1"}},
            "web-2": {"tags": {"Release": "2"}, "state": "disabled"},
            "data": {
                "architecture": "arm64",
                "description": "the data base",
                "sharing": {"public": True},
                "devices": one_disk,
            },
        }
    )
    found = client().describe_images(
        Owners=["self"], IncludeDisabled=True, Filters=[{"Name": name, "Values": values}]
    )
    assert names(found) == seen


@pytest.mark.parametrize(
    ("operation", "known"),
    [
        ("DescribeImages", describe_images.FILTERS),
        ("DescribeSnapshots", describe_snapshots.FILTERS),
        ("DescribeTags", tags.FILTERS),
        ("DescribeRegions", regions.FILTERS),
    ],
)
def test_every_filter_is_one_of_aws(operation: str, known: dict[str, Any]) -> None:
    """(botocore shapes of the requests, Filters.)"""
    request: Any = service_model().operation_model(operation).input_shape
    documented = set(re.findall(r"<code>([a-z.-]+)</code>\s*[-–]", request.members["Filters"].documentation))
    assert set(known) <= documented


def test_filters_by_id_and_snapshot_and_all_must_match(client: Any) -> None:
    built = build(images={"one": {}, "two": {}})
    snapshot = built["images"]["two"]["snapshot_ids"][1]
    by_snapshot = {"Name": "block-device-mapping.snapshot-id", "Values": [snapshot]}
    by_id = {"Name": "image-id", "Values": [image_id(built, "one")]}
    ec2 = client()
    assert names(ec2.describe_images(Filters=[by_snapshot])) == ["two"]
    assert names(ec2.describe_images(Filters=[by_id])) == ["one"]
    assert names(ec2.describe_images(Filters=[by_id, by_snapshot])) == []


def test_filters_by_the_source_of_a_copy(client: Any) -> None:
    built = build()
    west = client(region="us-west-2")
    west.copy_image(Name="copy", SourceImageId=image_id(built), SourceRegion="us-east-1")
    for name, value in (("source-image-id", image_id(built)), ("source-image-region", "us-east-1")):
        assert names(west.describe_images(Filters=[{"Name": name, "Values": [value]}])) == ["copy"]
        assert names(west.describe_images(Filters=[{"Name": name, "Values": ["other"]}])) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Filters": [{"Name": "color", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"Filters": [{"Name": "name"}]}, "InvalidParameterValue"),
        ({"ImageIds": ["ami-0123456789abcdef0"]}, "InvalidAMIID.NotFound"),
        ({"ImageIds": ["golden"]}, "InvalidAMIID.Malformed"),
        ({"Filters": [{"Name": "name", "Values": ["*"]}] * 51}, "FilterLimitExceeded"),
        ({"Filters": [{"Name": "name", "Values": ["*"] * 201}]}, "FilterLimitExceeded"),
        ({"Owners": ["me"]}, "InvalidUserID.Malformed"),
        ({"MaxResults": 4}, "InvalidParameterValue"),
        ({"MaxResults": 1001}, "InvalidParameterValue"),
        ({"MaxResults": 5, "NextToken": "b29wcw=="}, "InvalidNextToken"),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_errors(client: Any, params: dict[str, Any], code: str) -> None:
    build()
    assert error_code(client().describe_images, **params) == code


def test_pages_and_ids_exclude_each_other(client: Any) -> None:
    """(EC2 Developer Guide, Pagination.)"""
    built = build()
    params = {"MaxResults": 5, "ImageIds": [image_id(built)]}
    assert error_code(client().describe_images, **params) == "InvalidParameterCombination"


def test_pages(client: Any) -> None:
    wanted = [f"golden-{number:02}" for number in range(12)]
    build(images={name: {} for name in wanted})
    ec2 = client()
    pages = ec2.get_paginator("describe_images").paginate(Owners=["self"], PaginationConfig={"PageSize": 5})
    assert [names(page) for page in pages] == [wanted[:5], wanted[5:10], wanted[10:]]


def test_a_page_begins_where_the_last_ended_whatever_was_deregistered(client: Any) -> None:
    built = build(images={f"golden-{number}": {} for number in range(7)})
    ec2 = client()
    first = ec2.describe_images(Owners=["self"], MaxResults=5)
    ec2.deregister_image(ImageId=image_id(built, "golden-4"))
    second = ec2.describe_images(Owners=["self"], MaxResults=5, NextToken=first["NextToken"])
    assert names(second) == ["golden-5", "golden-6"]
    assert "NextToken" not in second


def test_others_see_only_shared_tags(client: Any) -> None:
    """(botocore shape CopyImageRequest, CopyImageTags.)"""
    tagged = {"Cost": "1", "ec2:SharedTag/Release": "2"}
    build(images={"golden": {"tags": tagged, "sharing": {"accounts": ["consumer"]}}})
    ec2 = client(CONSUMER)
    (image,) = ec2.describe_images()["Images"]
    assert image["Tags"] == [{"Key": "ec2:SharedTag/Release", "Value": "2"}]
    assert "DeregistrationProtection" not in image
    assert names(ec2.describe_images(Filters=[{"Name": "tag:Cost", "Values": ["1"]}])) == []


def test_disabled_images_are_asked_for(client: Any) -> None:
    """(botocore operation DisableImage.)"""
    build(images={"golden": {"state": "disabled"}})
    assert names(client().describe_images(Owners=["self"])) == []
    assert names(client().describe_images(Owners=["self"], IncludeDisabled=True)) == ["golden"]


def test_a_new_image_may_be_unknown_for_a_while(client: Any, clock: Any) -> None:
    """(EC2 Developer Guide, Eventual consistency in the Amazon EC2 API.)"""
    built = build()
    SETTINGS.update({"image_visible_after_seconds": 5})
    west = client(region="us-west-2")
    copy = west.copy_image(Name="copy", SourceImageId=image_id(built), SourceRegion="us-east-1")["ImageId"]
    assert error_code(west.describe_images, ImageIds=[copy]) == "InvalidAMIID.NotFound"
    assert names(west.describe_images(Owners=["self"])) == []
    clock.forward(seconds=5)
    assert names(west.describe_images(ImageIds=[copy])) == ["copy"]
