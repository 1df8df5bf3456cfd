# SPDX-License-Identifier: GPL-3.0-or-later

"""What is asked of AWS, and what is made of its answers."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import read
from ansible_collections.golden.images.plugins.module_utils.model import Device, Image, Sharing, Snapshot
from botocore.exceptions import ClientError

from tests.unit.examples import CONSUMER, MARK, ORG, OWNER, SOURCE_ID, SOURCE_REGION, UNIT
from tests.unit.wire import Wire

ALIVE = ("available", "pending")
BY_MARK = [{"Name": "tag:golden.images:source", "Values": [f"{SOURCE_REGION}/{SOURCE_ID}"]}]
BY_FIELD = [
    {"Name": "source-image-id", "Values": [SOURCE_ID]},
    {"Name": "source-image-region", "Values": [SOURCE_REGION]},
]


BY_ID = {"ImageIds": [SOURCE_ID], "IncludeDisabled": True, "IncludeDeprecated": True}


def asked(filters: list[dict[str, Any]], *owners: str) -> dict[str, Any]:
    """The request for somebody's images: disabled and deprecated ones too, a page at a time."""
    return {
        "Filters": filters,
        "Owners": list(owners),
        "IncludeDisabled": True,
        "IncludeDeprecated": True,
        "MaxResults": 1000,
    }


def answered(*images: dict[str, Any]) -> dict[str, Any]:
    return {"Images": list(images)}


def item(image_id: str, **members: Any) -> dict[str, Any]:
    return {"ImageId": image_id, "OwnerId": OWNER, "State": "available", "Name": "n", **members}


def marked(image_id: str, **members: Any) -> dict[str, Any]:
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


def test_regions_that_are_not_enabled_are_listed_too(ec2: Wire) -> None:
    listed = {"eu-west-1": "opt-in-not-required", "me-south-1": "not-opted-in"}
    ec2.expect(
        "describe_regions",
        {"AllRegions": True},
        {"Regions": [{"RegionName": name, "OptInStatus": status} for name, status in listed.items()]},
    )
    assert read.regions(ec2.client) == listed


def test_an_image_by_id(ec2: Wire) -> None:
    # Neither pages nor owners: an id is one image, and DescribeImages refuses MaxResults beside ids.
    ec2.expect("describe_images", BY_ID, answered(item(SOURCE_ID)))
    found = read.image(ec2.client, SOURCE_ID)
    assert found is not None
    assert found.image_id == SOURCE_ID


@pytest.mark.parametrize("code", ["InvalidAMIID.NotFound", "InvalidAMIID.Unavailable"])
def test_an_image_that_aws_does_not_know_is_none(ec2: Wire, code: str) -> None:
    ec2.refuse("describe_images", BY_ID, code)
    assert read.image(ec2.client, SOURCE_ID) is None


def test_an_image_that_aws_leaves_out_is_none(ec2: Wire) -> None:
    ec2.expect("describe_images", BY_ID, answered())
    assert read.image(ec2.client, SOURCE_ID) is None


@pytest.mark.parametrize("code", ["InvalidAMIID.Malformed", "UnauthorizedOperation", "RequestLimitExceeded"])
def test_another_error_about_an_image_is_the_callers(ec2: Wire, code: str) -> None:
    ec2.refuse("describe_images", BY_ID, code)
    with pytest.raises(ClientError, match=code):
        read.image(ec2.client, SOURCE_ID)


def test_all_pages_of_images_are_read(ec2: Wire) -> None:
    request = asked([{"Name": "name", "Values": ["golden-*"]}], "self")
    ec2.expect("describe_images", request, {**answered(item("ami-1")), "NextToken": "t1"})
    ec2.expect("describe_images", {**request, "NextToken": "t1"}, {**answered(), "NextToken": "t2"})
    ec2.expect("describe_images", {**request, "NextToken": "t2"}, answered(item("ami-2")))
    found = read.images(ec2.client, [{"Name": "name", "Values": ["golden-*"]}], ["self"])
    assert [image.image_id for image in found] == ["ami-1", "ami-2"]


def test_an_error_of_aws_is_the_callers(ec2: Wire) -> None:
    ec2.refuse("describe_images", asked([], "self"), "UnauthorizedOperation")
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        read.images(ec2.client, [], ["self"])


def read_one(ec2: Wire, members: dict[str, Any]) -> Image:
    ec2.expect("describe_images", asked([], "self"), answered(members))
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
        devices=(Device("/dev/sda1", "snap-1", True), Device("/dev/sdc", None, False)),
        description="Golden",
        tags={"role": "web"},
        state_reason="Given key ID is not accessible",
        creation_date="2026-01-01T00:00:00.000Z",
        source_image_id=SOURCE_ID,
        source_region=SOURCE_REGION,
        product_codes=("abc",),
    )


def test_an_image_of_which_aws_says_little(ec2: Wire) -> None:
    found = read_one(ec2, {"ImageId": "ami-1", "OwnerId": OWNER, "State": "pending"})
    assert found == Image("ami-1", "", OWNER, "pending")


def test_an_image_made_from_an_instance_is_no_copy(ec2: Wire) -> None:
    found = read_one(
        ec2,
        item("ami-1", SourceInstanceId="i-1", SourceImageId=SOURCE_ID, SourceImageRegion=SOURCE_REGION),
    )
    assert (found.source_image_id, found.source_region) == (None, None)


def test_a_usable_copy_with_the_mark_needs_no_second_look(ec2: Wire) -> None:
    ec2.expect(
        "describe_images",
        asked(BY_MARK, "self"),
        answered(marked("ami-1", State="pending"), marked("ami-2", State="failed")),
    )
    assert ids(read.copies(ec2.client, SOURCE_ID, SOURCE_REGION, ALIVE)) == ["ami-1", "ami-2"]


@pytest.mark.parametrize(
    ("by_mark", "by_field", "expected"),
    [
        pytest.param([], [], [], id="none"),
        pytest.param([], [item("ami-a", SourceImageId=SOURCE_ID)], ["ami-a"], id="somebody else's"),
        pytest.param(
            [marked("ami-f", State="failed")],
            [
                marked("ami-f", State="failed", SourceImageId=SOURCE_ID),
                item("ami-a", SourceImageId=SOURCE_ID),
            ],
            ["ami-f", "ami-a"],
            id="an own dead one and somebody else's",
        ),
        pytest.param(
            [],
            [
                item("ami-i", SourceInstanceId="i-1", SourceImageId=SOURCE_ID),
                item("ami-a", SourceImageId=SOURCE_ID),
            ],
            ["ami-a"],
            id="not one made from an instance of the source",
        ),
    ],
)
def test_without_a_usable_copy_the_source_fields_are_asked_for(
    ec2: Wire, by_mark: list[dict[str, Any]], by_field: list[dict[str, Any]], expected: list[str]
) -> None:
    ec2.expect("describe_images", asked(BY_MARK, "self"), answered(*by_mark))
    ec2.expect("describe_images", asked(BY_FIELD, "self"), answered(*by_field))
    assert ids(read.copies(ec2.client, SOURCE_ID, SOURCE_REGION, ALIVE)) == expected


def snapshot_item(snapshot_id: str, **members: Any) -> dict[str, Any]:
    return {"SnapshotId": snapshot_id, "State": "completed", "Progress": "100%", **members}


def test_no_snapshots_are_no_question(ec2: Wire) -> None:
    # An empty list of ids would mean all.
    assert read.snapshots(ec2.client, ()) == ()


def test_snapshots(ec2: Wire) -> None:
    request = {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}], "MaxResults": 1000}
    key = "arn:aws:kms:eu-west-1:111122223333:key/1"
    ec2.expect(
        "describe_snapshots",
        request,
        {
            "Snapshots": [
                snapshot_item("snap-1", KmsKeyId=key, Tags=[{"Key": "role", "Value": "root"}]),
            ],
            "NextToken": "t",
        },
    )
    ec2.expect("describe_snapshots", {**request, "NextToken": "t"}, {"Snapshots": [snapshot_item("snap-2")]})
    assert read.snapshots(ec2.client, ["snap-1", "snap-2"]) == (
        Snapshot("snap-1", "completed", 100, key, {"role": "root"}),
        Snapshot("snap-2", "completed", 100),
    )


@pytest.mark.parametrize(
    ("count", "batches"),
    [(200, [200]), (201, [200, 1]), (600, [200, 200, 200])],
)
def test_many_snapshots_are_asked_for_in_parts(ec2: Wire, count: int, batches: list[int]) -> None:
    names = [f"snap-{number}" for number in range(count)]
    rest = list(names)
    for size in batches:
        batch, rest = rest[:size], rest[size:]
        ec2.expect(
            "describe_snapshots",
            {"Filters": [{"Name": "snapshot-id", "Values": batch}], "MaxResults": 1000},
            {"Snapshots": [snapshot_item(name) for name in batch]},
        )
    assert [snapshot.snapshot_id for snapshot in read.snapshots(ec2.client, names)] == names


@pytest.mark.parametrize(
    ("progress", "percent"),
    [("0%", 0), ("42%", 42), ("100%", 100), ("", 0), ("100", 100), ("soon", 0)],
)
def test_progress_in_percent(ec2: Wire, progress: str, percent: int) -> None:
    ec2.expect(
        "describe_snapshots",
        {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}], "MaxResults": 1000},
        {"Snapshots": [snapshot_item("snap-1", State="pending", Progress=progress)]},
    )
    assert [snapshot.percent for snapshot in read.snapshots(ec2.client, ["snap-1"])] == [percent]


@pytest.mark.parametrize(
    ("permissions", "expected"),
    [
        pytest.param([], Sharing(), id="nobody"),
        pytest.param([{"Group": "all"}], Sharing(public=True), id="everybody"),
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
        pytest.param([], Sharing(), id="nobody"),
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


def test_permissions_that_aws_leaves_out_are_nobody(ec2: Wire) -> None:
    ec2.expect("describe_image_attribute", {"ImageId": "ami-1", "Attribute": "launchPermission"})
    assert read.launch_permissions(ec2.client, "ami-1") == Sharing()


def test_block_public_access(ec2: Wire) -> None:
    ec2.expect(
        "get_image_block_public_access_state", {}, {"ImageBlockPublicAccessState": "block-new-sharing"}
    )
    ec2.expect("get_snapshot_block_public_access_state", {}, {"State": "unblocked"})
    assert read.image_block_state(ec2.client) == "block-new-sharing"
    assert read.snapshot_block_state(ec2.client) == "unblocked"


def test_the_own_snapshots_of_a_running_copy_are_found_by_the_mark(ec2: Wire) -> None:
    ec2.expect(
        "describe_snapshots",
        {
            "Filters": [*BY_MARK, {"Name": "status", "Values": ["pending"]}],
            "OwnerIds": ["self"],
            "MaxResults": 1000,
        },
        {"Snapshots": [snapshot_item("snap-1", State="pending", Progress="7%")]},
    )
    found = read.pending_snapshots(ec2.client, SOURCE_ID, SOURCE_REGION)
    assert [snapshot.percent for snapshot in found] == [7]
