# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests to AWS, and the values that their responses become."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts, read
from ansible_collections.golden.images.plugins.module_utils._aws.errors import IncompleteAnswer
from ansible_collections.golden.images.plugins.module_utils._fanout import GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._model import (
    Device,
    Grant,
    Image,
    Key,
    PublicAccessBlock,
    ScanResults,
    Sharing,
    Snapshot,
    Watermark,
)
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.unit.clock import Clock
from tests.unit.examples import CONSUMER, MARK, ORG, OWNER, SOURCE_ID, SOURCE_REGION, UNIT
from tests.unit.wire import Wire

ALIVE = ("available", "pending")
BY_TAG = [{"Name": "tag:golden.images:source", "Values": [f"{SOURCE_REGION}/{SOURCE_ID}"]}]
BY_FIELD = [
    {"Name": "source-image-id", "Values": [SOURCE_ID]},
    {"Name": "source-image-region", "Values": [SOURCE_REGION]},
]

ARN = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd"
ROOT = f"arn:aws:iam::{CONSUMER}:root"
BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


def request_for(filters: list[dict[str, Any]], *owners: str) -> dict[str, Any]:
    """The request for images of owners, including disabled and deprecated ones, in pages."""
    return {
        "Filters": filters,
        "Owners": list(owners),
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
    }


def response(*images: dict[str, Any]) -> dict[str, Any]:
    return {"Images": list(images)}


def item(image_id: str, **members: Any) -> dict[str, Any]:
    return {"ImageId": image_id, "OwnerId": OWNER, "State": "available", "Name": "n", **members}


def tagged(image_id: str, **members: Any) -> dict[str, Any]:
    return item(image_id, Tags=[{"Key": key, "Value": value} for key, value in MARK.items()], **members)


def ids(images: tuple[Image, ...]) -> list[str]:
    return [image.image_id for image in images]


@pytest.mark.parametrize(
    ("arn", "partition"),
    [
        ("arn:aws:iam::111122223333:user/build", "aws"),
        ("arn:aws-cn:sts::111122223333:assumed-role/build/session", "aws-cn"),
    ],
)
def test_caller(sts: Wire, arn: str, partition: str) -> None:
    sts.expect("get_caller_identity", {}, {"UserId": "u", "Account": OWNER, "Arn": arn})
    assert read.caller(sts.client) == read.Caller(OWNER, partition)


def test_regions_include_those_that_are_not_enabled(ec2: Wire) -> None:
    listed = {"eu-west-1": "opt-in-not-required", "me-south-1": "not-opted-in"}
    ec2.expect(
        "describe_regions",
        {"AllRegions": True},
        {"Regions": [{"RegionName": name, "OptInStatus": status} for name, status in listed.items()]},
    )
    assert read.regions(ec2.client) == listed


def test_an_image_by_id(ec2: Wire) -> None:
    # Neither pages nor owners: DescribeImages rejects MaxResults together with IDs.
    ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID)))
    found = read.image(ec2.client, SOURCE_ID)
    assert found is not None
    assert found.image_id == SOURCE_ID


@pytest.mark.parametrize("code", ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"])
def test_an_image_that_does_not_exist_is_none(ec2: Wire, code: str) -> None:
    ec2.refuse("describe_images", BY_ID, code)
    assert read.image(ec2.client, SOURCE_ID) is None


def test_an_image_that_the_response_does_not_contain_is_none(ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, response())
    assert read.image(ec2.client, SOURCE_ID) is None


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def test_an_available_image_that_is_pending_or_not_found_for_a_while(ec2: Wire, clock: Clock) -> None:
    """(hashicorp/packer#2659, #3377.)"""
    ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID, State="pending")))
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID)))
    started = clock.now
    found = read.settled_image(ec2.client, SOURCE_ID)
    assert found is not None
    assert (found.image_id, found.state) == (SOURCE_ID, "available")
    assert clock.now == started + 4


@pytest.mark.parametrize("state", ["available", "failed", "disabled"])
def test_an_image_in_a_final_state_is_read_once(ec2: Wire, clock: Clock, state: str) -> None:
    ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID, State=state)))
    started = clock.now
    found = read.settled_image(ec2.client, SOURCE_ID)
    assert found is not None
    assert found.state == state
    assert clock.now == started


def test_an_image_that_stays_pending(ec2: Wire, clock: Clock) -> None:
    for _number in range(16):
        ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID, State="pending")))
    started = clock.now
    found = read.settled_image(ec2.client, SOURCE_ID)
    assert found is not None
    assert found.state == "pending"
    assert clock.now == started + read.SETTLING_TIMEOUT
    # A best-effort region is waited for until then, and until the last call is answered.
    assert clock.now - started == read.SETTLING_GRACE_PERIOD - GRACE_PERIOD


def test_an_image_that_was_just_created_is_not_found_for_a_while(ec2: Wire, clock: Clock) -> None:
    ec2.refuse("describe_images", BY_ID, "InvalidAMIID.NotFound")
    ec2.expect("describe_images", BY_ID, response())
    ec2.expect("describe_images", BY_ID, response(item(SOURCE_ID, State="pending")))
    started = clock.now
    found = read.visible_image(ec2.client, SOURCE_ID)
    assert found is not None
    assert (found.image_id, found.state) == (SOURCE_ID, "pending")
    assert clock.now == started + 4


def test_an_image_that_is_not_found_for_long_does_not_exist(ec2: Wire, clock: Clock) -> None:
    for _number in range(16):
        ec2.expect("describe_images", BY_ID, response())
    started = clock.now
    assert read.visible_image(ec2.client, SOURCE_ID) is None
    assert clock.now == started + read.SETTLING_TIMEOUT


@pytest.mark.parametrize("code", ["InvalidAMIID.Malformed", "UnauthorizedOperation", "RequestLimitExceeded"])
def test_another_error_of_an_image_is_raised(ec2: Wire, code: str) -> None:
    ec2.refuse("describe_images", BY_ID, code)
    with pytest.raises(ClientError, match=code):
        read.image(ec2.client, SOURCE_ID)


def test_all_pages_of_images_are_read(ec2: Wire) -> None:
    request = request_for([{"Name": "name", "Values": ["golden-*"]}], "self")
    ec2.expect("describe_images", request, {**response(item("ami-1")), "NextToken": "t1"})
    ec2.expect("describe_images", {**request, "NextToken": "t1"}, {**response(), "NextToken": "t2"})
    ec2.expect("describe_images", {**request, "NextToken": "t2"}, response(item("ami-2")))
    found = read.images(ec2.client, [{"Name": "name", "Values": ["golden-*"]}], ["self"])
    assert [image.image_id for image in found] == ["ami-1", "ami-2"]


def test_an_error_of_images_is_raised(ec2: Wire) -> None:
    ec2.refuse("describe_images", request_for([], "self"), "UnauthorizedOperation")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        read.images(ec2.client, [], ["self"])


def read_one(ec2: Wire, members: dict[str, Any]) -> Image:
    ec2.expect("describe_images", request_for([], "self"), response(members))
    (found,) = read.images(ec2.client, [], ["self"])
    return found


def test_a_full_image(ec2: Wire) -> None:
    found = read_one(
        ec2,
        {
            "ImageId": "ami-1",
            "OwnerId": OWNER,
            "State": "failed",
            "Name": "golden",
            "Description": "Golden",
            "CreationDate": "2026-01-01T00:00:00.000Z",
            "StateReason": {"Code": "Client.Error", "Message": "Given key ID is not accessible"},
            "SourceImageId": SOURCE_ID,
            "SourceImageRegion": SOURCE_REGION,
            "ProductCodes": [{"ProductCodeId": "abc", "ProductCodeType": "marketplace"}],
            "Tags": [{"Key": "role", "Value": "web"}],
            "RootDeviceName": "/dev/sda1",
            "RootDeviceType": "ebs",
            "EnaSupport": True,
            "BootMode": "uefi",
            "TpmSupport": "v2.0",
            "VirtualizationType": "hvm",
            "PlatformDetails": "Windows BYOL",
            "Platform": "windows",
            "ImdsSupport": "v2.0",
            "InstanceTypeSpecification": {
                "SupportedInstanceTypes": [{"InstanceType": "g5.*"}, {}],
                "UnsupportedInstanceTypes": [{"InstanceType": "g5.xlarge"}],
            },
            "BlockDeviceMappings": [
                {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": "snap-1", "Encrypted": True}},
                {"DeviceName": "/dev/sdb", "VirtualName": "ephemeral0"},
                {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 8}},
                {"DeviceName": "/dev/sdd", "NoDevice": ""},
            ],
        },
    )
    assert found == Image(
        image_id="ami-1",
        name="golden",
        owner_id=OWNER,
        state="failed",
        devices=(Device("/dev/sda1", "snap-1", True), Device("/dev/sdc", None, False, 8)),
        description="Golden",
        tags={"role": "web"},
        state_reason="Given key ID is not accessible",
        creation_date="2026-01-01T00:00:00.000Z",
        source_image_id=SOURCE_ID,
        source_region=SOURCE_REGION,
        product_codes=("abc",),
        root_device="/dev/sda1",
        root_device_type="ebs",
        ena_support=True,
        supported_types=("g5.*",),
        unsupported_types=("g5.xlarge",),
        boot_mode="uefi",
        platform="Windows BYOL",
        is_windows=True,
        virtualization="hvm",
        tpm_support="v2.0",
        imds_support="v2.0",
    )


def test_the_watermarks_and_the_scan_of_an_image(ec2: Wire) -> None:
    """(botocore shapes ImageWatermark and ScanResults.)"""
    then = datetime(2026, 11, 24, tzinfo=UTC)
    mark = {
        "WatermarkKey": f"{OWNER}:approved",
        "SourceImageRegion": "eu-west-1",
        "SourceImageCreationTime": then,
        "WatermarkCreationTime": then,
    }
    scan = {"HighestFindingSeverityLabel": "high", "FindingScanDate": then, "HighFixAvailableSince": then}
    found = read_one(ec2, item("ami-1", ImageWatermarks=[mark, {}], ScanResults=scan))
    assert found.watermarks == (
        Watermark(f"{OWNER}:approved", "eu-west-1", then, then),
        Watermark("", "", None, None),
    )
    assert found.scan == ScanResults(then, "high", {"High": then})


def test_an_image_with_required_members_only(ec2: Wire) -> None:
    found = read_one(ec2, {"ImageId": "ami-1", "OwnerId": OWNER, "State": "pending"})
    assert found == Image("ami-1", "", OWNER, "pending")


def test_an_image_created_from_an_instance_is_not_a_copy(ec2: Wire) -> None:
    found = read_one(
        ec2,
        item("ami-1", SourceInstanceId="i-1", SourceImageId=SOURCE_ID, SourceImageRegion=SOURCE_REGION),
    )
    assert (found.source_image_id, found.source_region) == (None, None)


def test_a_usable_copy_with_the_tag_needs_no_second_request(ec2: Wire) -> None:
    ec2.expect(
        "describe_images",
        request_for(BY_TAG, "self"),
        response(tagged("ami-1", State="pending"), tagged("ami-2", State="failed")),
    )
    assert ids(read.copies(ec2.client, SOURCE_ID, SOURCE_REGION, ALIVE)) == ["ami-1", "ami-2"]


@pytest.mark.parametrize(
    ("by_tag", "by_field", "expected"),
    [
        pytest.param([], [], [], id="none"),
        pytest.param([], [item("ami-a", SourceImageId=SOURCE_ID)], ["ami-a"], id="not by this collection"),
        pytest.param(
            [tagged("ami-f", State="failed")],
            [
                tagged("ami-f", State="failed", SourceImageId=SOURCE_ID),
                item("ami-a", SourceImageId=SOURCE_ID),
            ],
            ["ami-f", "ami-a"],
            id="a failed one with the tag and one without",
        ),
        pytest.param(
            [],
            [
                item("ami-i", SourceInstanceId="i-1", SourceImageId=SOURCE_ID),
                item("ami-a", SourceImageId=SOURCE_ID),
            ],
            ["ami-a"],
            id="not an image of an instance of the source",
        ),
    ],
)
def test_without_a_usable_copy_the_source_fields_are_searched(
    ec2: Wire, by_tag: list[dict[str, Any]], by_field: list[dict[str, Any]], expected: list[str]
) -> None:
    ec2.expect("describe_images", request_for(BY_TAG, "self"), response(*by_tag))
    ec2.expect("describe_images", request_for(BY_FIELD, "self"), response(*by_field))
    assert ids(read.copies(ec2.client, SOURCE_ID, SOURCE_REGION, ALIVE)) == expected


def snapshot_item(snapshot_id: str, **members: Any) -> dict[str, Any]:
    return {"SnapshotId": snapshot_id, "State": "completed", "Progress": "100%", **members}


def test_no_snapshots_need_no_request(ec2: Wire) -> None:
    # AWS returns all snapshots for an empty list of IDs.
    assert read.snapshots(ec2.client, ()) == ()


def test_snapshots(ec2: Wire) -> None:
    request = {
        "OwnerIds": ["self"],
        "Filters": [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}],
        "MaxResults": 1000,
    }
    key, completed = "arn:aws:kms:eu-west-1:111122223333:key/1", datetime(2026, 11, 24, tzinfo=UTC)
    ec2.expect(
        "describe_snapshots",
        request,
        {
            "Snapshots": [
                snapshot_item(
                    "snap-1", KmsKeyId=key, Tags=[{"Key": "role", "Value": "root"}], CompletionTime=completed
                ),
            ],
            "NextToken": "t",
        },
    )
    ec2.expect("describe_snapshots", {**request, "NextToken": "t"}, {"Snapshots": [snapshot_item("snap-2")]})
    assert read.snapshots(ec2.client, ["snap-1", "snap-2"]) == (
        Snapshot("snap-1", "completed", 100, key, {"role": "root"}, completed=completed),
        Snapshot("snap-2", "completed", 100),
    )


@pytest.mark.parametrize(
    ("count", "batches"),
    [(200, [200]), (201, [200, 1]), (600, [200, 200, 200])],
)
def test_many_snapshots_are_requested_in_batches(ec2: Wire, count: int, batches: list[int]) -> None:
    names = [f"snap-{number}" for number in range(count)]
    rest = list(names)
    for size in batches:
        batch, rest = rest[:size], rest[size:]
        ec2.expect(
            "describe_snapshots",
            {
                "OwnerIds": ["self"],
                "Filters": [{"Name": "snapshot-id", "Values": batch}],
                "MaxResults": 1000,
            },
            {"Snapshots": [snapshot_item(name) for name in batch]},
        )
    assert [snapshot.snapshot_id for snapshot in read.snapshots(ec2.client, names)] == names


def test_snapshots_that_are_shared_with_the_account(ec2: Wire) -> None:
    """(botocore operation DescribeSnapshots: self for snapshots with explicit permissions.)"""
    ec2.expect(
        "describe_snapshots",
        {
            "RestorableByUserIds": ["self"],
            "Filters": [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}],
            "MaxResults": 1000,
        },
        {"Snapshots": [snapshot_item("snap-2")]},
    )
    found = read.snapshots_shared_with(ec2.client, ["snap-1", "snap-2"])
    assert found == (Snapshot("snap-2", "completed", 100),)


def expect_visible(ec2: Wire, *snapshot_ids: str) -> None:
    listed = [snapshot_item(item) for item in snapshot_ids]
    ec2.expect("describe_snapshots", {"SnapshotIds": [*snapshot_ids]}, {"Snapshots": listed})


def refuse_snapshots(ec2: Wire, *snapshot_ids: str) -> None:
    ec2.refuse("describe_snapshots", {"SnapshotIds": [*snapshot_ids]}, "InvalidSnapshot.NotFound")


def test_visible_snapshots(ec2: Wire) -> None:
    # AWS returns all snapshots for an empty list of IDs.
    assert read.visible_snapshots(ec2.client, ()) == ()
    expect_visible(ec2, "snap-1", "snap-2")
    found = read.visible_snapshots(ec2.client, ["snap-1", "snap-2"])
    assert [snapshot.snapshot_id for snapshot in found] == ["snap-1", "snap-2"]


def test_the_keys_that_are_associated_with_a_snapshot(ec2: Wire) -> None:
    """botocore shape AssociatedKmsKey."""
    item = {**snapshot_item("snap-1"), "KmsKeyId": ARN, "AssociatedKmsKeys": [{"KmsKeyId": "arn:other"}, {}]}
    ec2.expect("describe_snapshots", {"SnapshotIds": ["snap-1"]}, {"Snapshots": [item]})
    (found,) = read.visible_snapshots(ec2.client, ["snap-1"])
    assert (found.kms_key_id, found.associated_key_arns) == (ARN, ("arn:other",))
    assert read.associated_key_arns({}) == ()


def test_one_invisible_snapshot_hides_no_other(ec2: Wire) -> None:
    refuse_snapshots(ec2, "snap-1", "snap-2", "snap-3")
    refuse_snapshots(ec2, "snap-1")
    expect_visible(ec2, "snap-2", "snap-3")
    found = read.visible_snapshots(ec2.client, ["snap-1", "snap-2", "snap-3"])
    assert [snapshot.snapshot_id for snapshot in found] == ["snap-2", "snap-3"]


def test_a_denied_read_of_snapshots_is_an_error(ec2: Wire) -> None:
    ec2.refuse("describe_snapshots", {"SnapshotIds": ["snap-1"]}, "UnauthorizedOperation")
    with pytest.raises(ClientError):
        read.visible_snapshots(ec2.client, ["snap-1"])


@pytest.mark.parametrize(
    ("progress", "percent"),
    [("0%", 0), ("42%", 42), ("100%", 100), ("", 0), ("100", 100), ("soon", 0)],
)
def test_progress_in_percent(ec2: Wire, progress: str, percent: int) -> None:
    ec2.expect(
        "describe_snapshots",
        {
            "OwnerIds": ["self"],
            "Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}],
            "MaxResults": 1000,
        },
        {"Snapshots": [snapshot_item("snap-1", State="pending", Progress=progress)]},
    )
    assert [snapshot.percent for snapshot in read.snapshots(ec2.client, ["snap-1"])] == [percent]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        pytest.param([], Sharing(), id="none"),
        pytest.param([{"Group": "all"}], Sharing(public=True), id="public"),
        pytest.param(
            [
                {"UserId": CONSUMER},
                {"UserId": "222222222222"},
                {"OrganizationArn": ORG},
                {"OrganizationalUnitArn": UNIT},
            ],
            Sharing(frozenset({CONSUMER, "222222222222"}), frozenset({ORG}), frozenset({UNIT})),
            id="accounts, organization and unit",
        ),
    ],
)
def test_launch_permissions(ec2: Wire, permissions: list[dict[str, str]], expected: Sharing) -> None:
    ec2.expect(
        "describe_image_attribute",
        {"ImageId": "ami-1", "Attribute": "launchPermission"},
        {"LaunchPermissions": permissions},
    )
    assert read.launch_permissions(ec2.client, "ami-1") == expected


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        pytest.param([], Sharing(), id="none"),
        pytest.param(
            [{"Group": "all"}, {"UserId": CONSUMER}], Sharing(frozenset({CONSUMER}), public=True), id="all"
        ),
    ],
)
def test_volume_permissions(ec2: Wire, permissions: list[dict[str, str]], expected: Sharing) -> None:
    ec2.expect(
        "describe_snapshot_attribute",
        {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"},
        {"CreateVolumePermissions": permissions},
    )
    assert read.volume_permissions(ec2.client, "snap-1") == expected


def test_permissions_by_operation(ec2: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "SETTLING_TIMEOUT", 0.0)
    monkeypatch.setattr(read, "_PROBABLY_GONE_TIMEOUT", 0.0)
    image = {"ImageId": "ami-1", "Attribute": "launchPermission"}
    snapshot = {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"}
    ec2.expect("describe_image_attribute", image, {"LaunchPermissions": [{"UserId": CONSUMER}]})
    ec2.expect("describe_snapshot_attribute", snapshot, {"CreateVolumePermissions": [{"Group": "all"}]})
    assert read.permissions(ec2.client, "DescribeImageAttribute", "ami-1") == Sharing(frozenset({CONSUMER}))
    assert read.permissions(ec2.client, "DescribeSnapshotAttribute", "snap-1") == Sharing(public=True)
    for _time in range(2):
        ec2.refuse("describe_snapshot_attribute", snapshot, "InvalidSnapshot.NotFound")
    gone = ("InvalidSnapshot.NotFound",)
    assert read.permissions(ec2.client, "DescribeSnapshotAttribute", "snap-1", gone) == Sharing()
    with pytest.raises(ClientError, match=r"InvalidSnapshot\.NotFound"):
        read.permissions(ec2.client, "DescribeSnapshotAttribute", "snap-1")


@pytest.mark.parametrize(
    ("operation", "request_of", "answer", "code"),
    [
        (
            "DescribeImageAttribute",
            {"ImageId": "ami-1", "Attribute": "launchPermission"},
            {"LaunchPermissions": [{"UserId": CONSUMER}]},
            "InvalidAMIID.NotFound",
        ),
        (
            "DescribeSnapshotAttribute",
            {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"},
            {"CreateVolumePermissions": [{"UserId": CONSUMER}]},
            "InvalidSnapshot.NotFound",
        ),
    ],
)
def test_the_permissions_of_what_is_new_are_read_again_for_a_while(
    ec2: Wire, clock: Clock, operation: str, request_of: dict[str, str], answer: dict[str, Any], code: str
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API".)"""
    resource_id, started = next(iter(request_of.values())), clock.now
    for _time in range(2):
        ec2.refuse(xform_name(operation), request_of, code)
    ec2.expect(xform_name(operation), request_of, answer)
    assert read.permissions(ec2.client, operation, resource_id, [code]) == Sharing(frozenset({CONSUMER}))
    assert clock.now == started + 4
    # What is not found although it was listed is probably deleted: that takes seconds.
    for _time in range(3):
        ec2.refuse(xform_name(operation), request_of, code)
    assert read.permissions(ec2.client, operation, resource_id, [code]) == Sharing()
    assert clock.now == started + 8
    for _time in range(16):
        ec2.refuse(xform_name(operation), request_of, code)
    with pytest.raises(ClientError):
        read.permissions(ec2.client, operation, resource_id)
    assert clock.now == started + 8 + read.SETTLING_TIMEOUT


GONE_REQUEST = {
    "Filters": [{"Name": "image-id", "Values": ["ami-1"]}],
    "IncludeDisabled": True,
    "IncludeDeprecated": True,
    "MaxResults": 1000,
    "Owners": ["self"],
}


@pytest.mark.parametrize(
    ("code", "state", "may_be", "is_gone"),
    [
        ("InvalidAMIID.NotFound", None, True, True),
        ("InvalidAMIID.Unavailable", "deregistered", True, True),
        ("InvalidAMIID.Unavailable", "pending", True, False),
        ("UnauthorizedOperation", None, False, False),
    ],
)
def test_an_image_that_is_gone(ec2: Wire, code: str, state: str | None, may_be: bool, is_gone: bool) -> None:
    refused = ClientError({"Error": {"Code": code}}, "DescribeImageAttribute")
    if may_be:
        images = [{"ImageId": "ami-1", "OwnerId": OWNER, "State": state}] if state else []
        ec2.expect("describe_images", GONE_REQUEST, {"Images": images})
    assert read.may_be_gone(refused) is may_be
    assert read.is_gone(ec2.client, "ami-1", refused) is is_gone


def test_an_image_that_cannot_be_read_is_not_gone(ec2: Wire) -> None:
    refused = ClientError({"Error": {"Code": "InvalidAMIID.NotFound"}}, "DescribeImageAttribute")
    ec2.refuse("describe_images", GONE_REQUEST, "RequestLimitExceeded")
    assert not read.is_gone(ec2.client, "ami-1", refused)
    assert not read.may_be_gone(ValueError("InvalidAMIID.NotFound"))


def test_missing_permissions_are_not_taken_as_none(ec2: Wire) -> None:
    """AWS returns an empty list (botocore's examples, DescribeSnapshotAttribute)."""
    ec2.expect("describe_image_attribute", {"ImageId": "ami-1", "Attribute": "launchPermission"})
    with pytest.raises(IncompleteAnswer, match="DescribeImageAttribute lacks LaunchPermissions"):
        read.launch_permissions(ec2.client, "ami-1")
    ec2.expect("describe_snapshot_attribute", {"SnapshotId": "snap-1", "Attribute": "createVolumePermission"})
    with pytest.raises(IncompleteAnswer, match="DescribeSnapshotAttribute lacks CreateVolumePermissions"):
        read.volume_permissions(ec2.client, "snap-1")


def test_block_public_access(ec2: Wire) -> None:
    ec2.expect(
        "get_image_block_public_access_state", {}, {"ImageBlockPublicAccessState": "block-new-sharing"}
    )
    by_policy = {"State": "unblocked", "ManagedBy": "declarative-policy"}
    ec2.expect("get_snapshot_block_public_access_state", {}, by_policy)
    assert read.image_block(ec2.client) == PublicAccessBlock("block-new-sharing")
    assert read.snapshot_block(ec2.client) == PublicAccessBlock("unblocked", "declarative-policy")


def test_the_snapshots_of_a_running_copy_are_found_by_tag(ec2: Wire) -> None:
    ec2.expect(
        "describe_snapshots",
        {
            "Filters": [*BY_TAG, {"Name": "status", "Values": ["pending"]}],
            "OwnerIds": ["self"],
            "MaxResults": 1000,
        },
        {"Snapshots": [snapshot_item("snap-1", State="pending", Progress="7%")]},
    )
    found = read.pending_snapshots(ec2.client, SOURCE_ID, SOURCE_REGION)
    assert [snapshot.percent for snapshot in found] == [7]


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


def metadata(**members: Any) -> dict[str, Any]:
    """An answer of DescribeKey, without the members that are None."""
    plain = {
        "Arn": ARN,
        "KeyId": "1234abcd",
        "KeyManager": "CUSTOMER",
        "KeySpec": "SYMMETRIC_DEFAULT",
        "KeyState": "Enabled",
        "KeyUsage": "ENCRYPT_DECRYPT",
    }
    merged = {**plain, **members}
    return {"KeyMetadata": {name: value for name, value in merged.items() if value is not None}}


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, Key(ARN), id="a plain key"),
        pytest.param({"KeyManager": "AWS"}, Key(ARN, aws_managed=True), id="aws/ebs"),
        pytest.param(
            {"KeyState": "PendingDeletion"}, Key(ARN, state="PendingDeletion"), id="pending deletion"
        ),
        pytest.param(
            {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY"},
            Key(ARN, spec="RSA_2048", usage="SIGN_VERIFY"),
            id="for signing",
        ),
        pytest.param(
            {"KeySpec": None, "CustomerMasterKeySpec": "HMAC_256", "KeyUsage": "GENERATE_VERIFY_MAC"},
            Key(ARN, spec="HMAC_256", usage="GENERATE_VERIFY_MAC"),
            id="with the old name of its spec only",
        ),
    ],
)
@pytest.mark.parametrize("named", ["alias/golden", "1234abcd", ARN])
def test_a_key_by_alias_id_or_arn(kms: Wire, named: str, members: dict[str, str], expected: Key) -> None:
    kms.expect("describe_key", {"KeyId": named}, metadata(**members))
    assert read.key(kms.client, named) == expected


@pytest.mark.parametrize("member", ["Arn", "KeyManager", "KeySpec", "KeyState", "KeyUsage"])
def test_a_key_without_what_decides_on_its_use(kms: Wire, member: str) -> None:
    """botocore shape KeyMetadata requires KeyId only."""
    kms.expect("describe_key", {"KeyId": ARN}, metadata(**{member: None}))
    with pytest.raises(IncompleteAnswer, match="DescribeKey lacks"):
        read.key(kms.client, ARN)


def test_a_key_that_may_be_described(kms: Wire) -> None:
    kms.expect("describe_key", {"KeyId": ARN}, metadata())
    assert read.may_describe_key(kms.client, ARN)


@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
def test_a_key_that_may_not_be_described(kms: Wire, code: str) -> None:
    kms.refuse("describe_key", {"KeyId": ARN}, code)
    assert not read.may_describe_key(kms.client, ARN)


def test_another_error_of_describe_key_is_raised(kms: Wire) -> None:
    kms.refuse("describe_key", {"KeyId": ARN}, "KMSInternalException")
    with pytest.raises(ClientError):
        read.may_describe_key(kms.client, ARN)


def test_the_owner_of_a_key_is_in_its_arn() -> None:
    assert Key(ARN).account_id == OWNER


def entry(grant_id: str, **members: Any) -> dict[str, Any]:
    return {
        "GrantId": grant_id,
        "Operations": ["Decrypt", "CreateGrant"],
        **({} if "GranteeServicePrincipal" in members else {"GranteePrincipal": ROOT}),
        **members,
    }


BOTH = frozenset({"Decrypt", "CreateGrant"})


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        pytest.param({}, Grant("g-1", ROOT, BOTH), id="without a name"),
        pytest.param({"Name": "golden-images:0"}, Grant("g-1", ROOT, BOTH, "golden-images:0"), id="named"),
        pytest.param(
            {"Constraints": {"EncryptionContextSubset": {"a": "b"}}},
            Grant("g-1", ROOT, BOTH, constrained=True),
            id="constrained",
        ),
        pytest.param({"IssuingAccount": ROOT}, Grant("g-1", ROOT, BOTH, issuer=ROOT), id="with its issuer"),
        pytest.param({"Constraints": {}}, Grant("g-1", ROOT, BOTH), id="empty constraints"),
        pytest.param(
            {"CreationDate": datetime(2026, 11, 1, tzinfo=UTC)},
            Grant("g-1", ROOT, BOTH, created=datetime(2026, 11, 1, tzinfo=UTC)),
            id="with its date",
        ),
        pytest.param(
            {"GranteePrincipal": "AROAEXAMPLE"}, Grant("g-1", "AROAEXAMPLE", BOTH), id="a deleted role"
        ),
        pytest.param(
            {
                "GranteeServicePrincipal": "ec2.amazonaws.com",
                "Constraints": {"SourceArn": "arn:aws:ec2:eu-west-1:111111111111:instance/i-1"},
            },
            Grant(
                "g-1",
                "ec2.amazonaws.com",
                BOTH,
                constrained=True,
                source_arn="arn:aws:ec2:eu-west-1:111111111111:instance/i-1",
            ),
            id="a service",
        ),
    ],
)
def test_a_grant(kms: Wire, members: dict[str, Any], expected: Grant) -> None:
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100}, {"Grants": [entry("g-1", **members)]})
    assert read.grants(kms.client, ARN) == (expected,)


@pytest.mark.parametrize(
    ("listed", "expected"),
    [pytest.param([], False, id="none"), pytest.param([entry("g-1")], True, id="the grant")],
)
def test_whether_a_grant_is_listed(kms: Wire, listed: list[dict[str, Any]], expected: bool) -> None:
    kms.expect("list_grants", {"KeyId": ARN, "GrantId": "g-1"}, {"Grants": listed})
    assert read.is_grant_listed(kms.client, ARN, "g-1") is expected


@pytest.mark.parametrize("member", ["GrantId", "Operations"])
def test_a_grant_that_cannot_be_judged(kms: Wire, member: str) -> None:
    """botocore shape GrantListEntry requires no member."""
    listed = {name: value for name, value in entry("g-1").items() if name != member}
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100}, {"Grants": [listed]})
    with pytest.raises(IncompleteAnswer, match=f"ListGrants lacks {member}"):
        read.grants(kms.client, ARN)


def test_all_pages_of_grants_are_read(kms: Wire) -> None:
    kms.expect(
        "list_grants",
        {"KeyId": ARN, "Limit": 100},
        {"Grants": [entry("g-1")], "Truncated": True, "NextMarker": "more"},
    )
    # KMS may return a page without grants before further pages.
    kms.expect(
        "list_grants",
        {"KeyId": ARN, "Limit": 100, "Marker": "more"},
        {"Grants": [], "Truncated": True, "NextMarker": "still"},
    )
    kms.expect("list_grants", {"KeyId": ARN, "Limit": 100, "Marker": "still"}, {"Grants": [entry("g-2")]})
    assert [grant.grant_id for grant in read.grants(kms.client, ARN)] == ["g-1", "g-2"]


def test_a_policy_is_the_unchanged_text(kms: Wire) -> None:
    text = '{ "Statement" :[]}\n'
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": text})
    assert read.key_policy(kms.client, ARN) == text


BY_RAM = {"KeyId": ARN, "PolicyName": "AWS_RAM"}
ONE, TWO = {"Sid": "one"}, {"Sid": "two"}


@pytest.mark.parametrize(
    ("default", "by_ram", "statements"),
    [
        ({"Id": "x", "Statement": [ONE]}, {"Statement": [TWO]}, [ONE, TWO]),
        ({"Id": "x", "Statement": ONE}, {"Statement": TWO}, [ONE, TWO]),
        ({"Id": "x", "Statement": []}, {"Statement": TWO}, [TWO]),
    ],
)
def test_the_policy_that_ram_manages_gives_access_too(
    kms: Wire, default: dict[str, Any], by_ram: dict[str, Any], statements: list[Any]
) -> None:
    """botocore operation GetKeyPolicy."""
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": json.dumps(default)})
    kms.expect("get_key_policy", BY_RAM, {"Policy": json.dumps(by_ram)})
    assert json.loads(read.key_policies(kms.client, ARN)) == {"Id": "x", "Statement": statements}


@pytest.mark.parametrize("code", ["NotFoundException", "ValidationException"])
def test_a_key_that_is_not_shared_through_ram_has_one_policy(kms: Wire, code: str) -> None:
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": ' {"Statement": []}'})
    kms.refuse("get_key_policy", BY_RAM, code)
    assert read.key_policies(kms.client, ARN) == ' {"Statement": []}'


def test_a_policy_of_ram_that_may_not_be_read_is_an_error(kms: Wire) -> None:
    kms.expect("get_key_policy", {"KeyId": ARN, "PolicyName": "default"}, {"Policy": '{"Statement": []}'})
    kms.refuse("get_key_policy", BY_RAM, "AccessDeniedException")
    with pytest.raises(ClientError):
        read.key_policies(kms.client, ARN)


@pytest.mark.parametrize("on", [True, False])
def test_encryption_by_default(ec2: Wire, on: bool) -> None:
    ec2.expect("get_ebs_encryption_by_default", {}, {"EbsEncryptionByDefault": on})
    assert read.encryption_by_default(ec2.client) is on


def test_the_default_key(ec2: Wire) -> None:
    ec2.expect("get_ebs_default_kms_key_id", {}, {"KmsKeyId": "alias/aws/ebs"})
    assert read.default_key_id(ec2.client) == "alias/aws/ebs"


def test_volumes_by_key(ec2: Wire) -> None:
    request = {"Filters": [{"Name": "encrypted", "Values": ["true"]}], "MaxResults": 1000}
    volumes = [{"VolumeId": f"vol-{number}", "KmsKeyId": key} for number, key in enumerate("aab")]
    ec2.expect("describe_volumes", request, {"Volumes": volumes[:1], "NextToken": "more"})
    ec2.expect("describe_volumes", {**request, "NextToken": "more"}, {"Volumes": volumes[1:]})
    assert read.volumes_by_key(ec2.client) == {"a": ("vol-0", "vol-1"), "b": ("vol-2",)}


KINDS = ("Snapshot", "Volume")
ENCRYPTED = {"Filters": [{"Name": "encrypted", "Values": ["true"]}], "MaxResults": 1000}


def test_snapshots_by_the_keys_that_encrypt_them_or_are_associated_with_them(ec2: Wire) -> None:
    request = {"OwnerIds": ["self"], **ENCRYPTED}
    both = {"SnapshotId": "snap-2", "KmsKeyId": "b", "AssociatedKmsKeys": [{"KmsKeyId": "a"}]}
    ec2.expect(
        "describe_snapshots",
        request,
        {"Snapshots": [{"SnapshotId": "snap-1", "KmsKeyId": "a"}], "NextToken": "more"},
    )
    ec2.expect("describe_snapshots", {**request, "NextToken": "more"}, {"Snapshots": [both]})
    assert read.snapshots_by_key(ec2.client) == {"a": ("snap-1", "snap-2"), "b": ("snap-2",)}


def test_an_encrypted_snapshot_without_a_key_is_a_failed_read(ec2: Wire) -> None:
    ec2.expect(
        "describe_snapshots", {"OwnerIds": ["self"], **ENCRYPTED}, {"Snapshots": [{"SnapshotId": "snap-1"}]}
    )
    with pytest.raises(IncompleteAnswer, match="KmsKeyId"):
        read.snapshots_by_key(ec2.client)


def test_what_is_in_the_recycle_bin(ec2: Wire) -> None:
    snapshots, volumes = ([{f"{one}Id": f"{one}-{number}"} for number in (1, 2)] for one in KINDS)
    request = {"MaxResults": 1000}
    ec2.expect("list_snapshots_in_recycle_bin", request, {"Snapshots": snapshots[:1], "NextToken": "more"})
    ec2.expect(
        "list_snapshots_in_recycle_bin", {**request, "NextToken": "more"}, {"Snapshots": snapshots[1:]}
    )
    assert read.binned_snapshot_ids(ec2.client) == ("Snapshot-1", "Snapshot-2")
    # botocore shape ListVolumesInRecycleBinRequest: at most 500 a page.
    request = {"MaxResults": 500}
    ec2.expect("list_volumes_in_recycle_bin", request, {"Volumes": volumes[:1], "NextToken": "more"})
    ec2.expect("list_volumes_in_recycle_bin", {**request, "NextToken": "more"}, {"Volumes": volumes[1:]})
    assert read.binned_volume_ids(ec2.client) == ("Volume-1", "Volume-2")


def test_own_snapshots_that_accounts_can_use(ec2: Wire) -> None:
    request = {"OwnerIds": ["self"], "RestorableByUserIds": sorted([CONSUMER, OWNER]), **ENCRYPTED}
    ec2.expect(
        "describe_snapshots",
        request,
        {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed", "KmsKeyId": "a"}]},
    )
    (found,) = read.snapshots_restorable_by(ec2.client, {OWNER, CONSUMER})
    assert (found.snapshot_id, found.kms_key_id) == ("snap-1", "a")
    assert read.snapshots_restorable_by(ec2.client, ()) == ()


def test_images_by_id_of_any_owner(ec2: Wire) -> None:
    request = {
        "Filters": [{"Name": "image-id", "Values": ["ami-1", "ami-2", "ami-3"]}],
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
    }
    ec2.expect("describe_images", request, {**response(item("ami-3")), "NextToken": "t1"})
    ec2.expect("describe_images", {**request, "NextToken": "t1"}, response(item("ami-1", OwnerId=CONSUMER)))
    found = read.named_images(ec2.client, ["ami-3", "ami-1", "ami-2", "ami-1"])
    assert {image_id: image.owner_id for image_id, image in found.items()} == {
        "ami-1": CONSUMER,
        "ami-3": OWNER,
    }


def test_no_request_for_images_has_more_values_than_a_filter_takes(ec2: Wire) -> None:
    ids = [f"ami-{number:03}" for number in range(201)]
    for values in (ids[:200], ids[200:]):
        request = {
            "Filters": [{"Name": "image-id", "Values": values}],
            "IncludeDisabled": True,
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        }
        ec2.expect("describe_images", request, response(*(item(one) for one in values)))
    assert [*read.named_images(ec2.client, reversed(ids))] == ids


def test_no_images_by_id_need_no_request(ec2: Wire) -> None:
    # AWS returns all images for an empty filter.
    assert read.named_images(ec2.client, []) == {}


def test_an_item_of_describe_images_as_an_image() -> None:
    assert read.image_of(item("ami-1", ImageAllowed=False, Architecture="arm64")) == Image(
        "ami-1", "n", OWNER, "available", architecture="arm64", allowed=False
    )


@pytest.mark.parametrize("member", ["ImageId", "OwnerId", "State"])
def test_an_image_without_what_decides_on_its_use(member: str) -> None:
    listed = {name: value for name, value in item("ami-1").items() if name != member}
    with pytest.raises(IncompleteAnswer, match=f"DescribeImages lacks {member}"):
        read.image_of(listed)


READS = {
    "describe_images": (lambda ec2: read.images(ec2, [], ["self"]), "Images"),
    "describe_regions": (read.regions, "Regions"),
    "describe_snapshots": (lambda ec2: read.snapshots(ec2, ["snap-1"]), "Snapshots"),
    "get_ebs_default_kms_key_id": (read.default_key_id, "KmsKeyId"),
    "get_ebs_encryption_by_default": (read.encryption_by_default, "EbsEncryptionByDefault"),
    "get_image_block_public_access_state": (read.image_block, "ImageBlockPublicAccessState"),
    "get_snapshot_block_public_access_state": (read.snapshot_block, "State"),
}


@pytest.mark.parametrize("method", READS)
def test_an_empty_answer_is_a_failed_read(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ec2 = Wire("ec2").client
    monkeypatch.setattr(ec2, "_make_api_call", lambda *_request: {})
    reader, member = READS[method]
    with pytest.raises(IncompleteAnswer, match=f"lacks {member}"):
        reader(ec2)


def test_pages_follow_the_token() -> None:
    answers = {None: {"Items": [1], "NextToken": "t"}, "t": {"Items": [2], "NextToken": ""}}
    asked = []

    def describe(**request: Any) -> dict[str, Any]:
        asked.append(request)
        return answers[request.get("NextToken")]

    assert [item for page in read.pages(describe, Group="web") for item in page["Items"]] == [1, 2]
    assert asked == [{"Group": "web"}, {"Group": "web", "NextToken": "t"}]
