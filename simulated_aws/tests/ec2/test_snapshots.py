# SPDX-License-Identifier: GPL-3.0-or-later
"""Snapshots: visibility, permissions, and what prevents their deletion."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, ENCRYPTED_DISKS, KEYS, OWNER, STRANGER, TWO_DISKS, Clock, build, error_code

AWS_MANAGED = [{**TWO_DISKS[0], "encrypted": True}]


def snapshots(built: dict[str, Any], name: str = "golden") -> list[str]:
    return list(built["images"][name]["snapshot_ids"])


def permissions_of(ec2: Any, snapshot: str) -> list[dict[str, str]]:
    answer = ec2.describe_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    return list(answer["CreateVolumePermissions"])


def ids(answer: dict[str, Any]) -> list[str]:
    return [one["SnapshotId"] for one in answer["Snapshots"]]


def test_a_snapshot_has_its_size_key_and_tags(client: Any) -> None:
    built = build(images={"golden": {"devices": ENCRYPTED_DISKS, "snapshot_tags": {"a": "b"}}}, kms_keys=KEYS)
    first, second = client().describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [first["VolumeSize"], second["VolumeSize"]] == [8, 20]
    assert first["Encrypted"] is True
    assert first["KmsKeyId"] == built["kms_keys"]["golden"]["us-east-1"]
    assert (first["State"], first["Progress"], first["OwnerId"]) == ("completed", "100%", OWNER)
    assert first["Tags"] == [{"Key": "a", "Value": "b"}]


def test_a_snapshot_has_the_time_of_its_completion(client: Any, clock: Clock) -> None:
    """(botocore shape Snapshot, CompletionTime.)"""
    built = build(images={"golden": {"devices": TWO_DISKS}})
    SETTINGS.update({"copy_seconds": 10})
    ec2 = client(region="us-west-2")
    copied = ec2.copy_image(
        Name="copy", SourceImageId=built["images"]["golden"]["image_id"], SourceRegion="us-east-1"
    )
    (created,) = ec2.describe_images(ImageIds=[copied["ImageId"]])["Images"]
    pending = ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert [one.get("CompletionTime") for one in pending] == [None, None]
    clock.forward(seconds=60)
    for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        assert (one["CompletionTime"] - one["StartTime"]).total_seconds() == 10
    for one in client().describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        assert one["CompletionTime"] == one["StartTime"]
    assert created["State"] == "pending"


def test_a_new_snapshot_without_tags_has_an_empty_list_of_them(client: Any) -> None:
    """(EC2 Developer Guide, Use CreateSnapshot with a CLI.)"""
    ec2 = client()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=1)["VolumeId"]
    assert ec2.create_snapshot(VolumeId=volume)["Tags"] == []


@pytest.mark.parametrize(
    ("sharing", "caller", "visible"),
    [
        ({}, OWNER, True),
        ({}, CONSUMER, False),
        ({"accounts": ["consumer"]}, CONSUMER, False),
        ({"snapshot_accounts": ["consumer"]}, CONSUMER, True),
        ({"snapshot_accounts": ["consumer"]}, STRANGER, False),
    ],
)
def test_which_accounts_see_a_snapshot(
    client: Any, sharing: dict[str, Any], caller: str, visible: bool
) -> None:
    """A launch permission isn't one for snapshots (EC2 User Guide, Share an AMI with specific accounts)."""
    wanted = snapshots(build(images={"golden": {"sharing": sharing}}))
    ec2 = client(caller)
    assert ids(ec2.describe_snapshots()) == (wanted if visible else [])
    if visible:
        assert ids(ec2.describe_snapshots(SnapshotIds=wanted[:1])) == wanted[:1]
    else:
        assert error_code(ec2.describe_snapshots, SnapshotIds=wanted) == "InvalidSnapshot.NotFound"


@pytest.mark.parametrize(
    ("params", "count"),
    [
        ({"Filters": [{"Name": "tag:a", "Values": ["b"]}]}, 2),
        ({"Filters": [{"Name": "tag:a", "Values": ["c"]}]}, 0),
        ({"Filters": [{"Name": "status", "Values": ["completed"]}]}, 2),
        ({"Filters": [{"Name": "status", "Values": ["pending"]}]}, 0),
        ({"Filters": [{"Name": "volume-size", "Values": ["20"]}]}, 1),
        ({"Filters": [{"Name": "owner-id", "Values": [OWNER]}]}, 2),
        ({"Filters": [{"Name": "encrypted", "Values": ["true"]}]}, 0),
        ({"OwnerIds": ["self"]}, 2),
        ({"OwnerIds": [CONSUMER]}, 0),
        ({"OwnerIds": ["amazon"]}, 0),
        ({"RestorableByUserIds": ["self"]}, 2),
        ({"RestorableByUserIds": [CONSUMER]}, 2),
        ({"RestorableByUserIds": [STRANGER]}, 0),
        ({"RestorableByUserIds": ["all"]}, 0),
    ],
)
def test_scopes_and_filters(client: Any, params: dict[str, Any], count: int) -> None:
    """(botocore shape DescribeSnapshotsRequest.)"""
    build(images={"golden": {"snapshot_tags": {"a": "b"}, "sharing": {"snapshot_accounts": ["consumer"]}}})
    assert len(ids(client().describe_snapshots(**params))) == count


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"Filters": [{"Name": "color", "Values": ["red"]}]}, "InvalidParameterValue"),
        ({"SnapshotIds": ["snap-0123456789abcdef0"]}, "InvalidSnapshot.NotFound"),
        ({"SnapshotIds": ["golden"]}, "InvalidParameterValue"),
        ({"SnapshotIds": ["snap-0123456789abcdef0"], "MaxResults": 5}, "InvalidSnapshot.NotFound"),
        ({"MaxResults": 4}, "InvalidParameterValue"),
    ],
)
def test_errors(client: Any, params: dict[str, Any], code: str) -> None:
    build()
    assert error_code(client().describe_snapshots, **params) == code


def test_pages(client: Any) -> None:
    wanted = [
        one
        for image in build(images={f"golden-{one}": {} for one in range(4)})["images"].values()
        for one in image["snapshot_ids"]
    ]
    pages = (
        client()
        .get_paginator("describe_snapshots")
        .paginate(OwnerIds=["self"], PaginationConfig={"PageSize": 5})
    )
    assert [ids(page) for page in pages] == [wanted[:5], wanted[5:]]


@pytest.mark.parametrize(
    ("added", "removed"),
    [
        (
            {"CreateVolumePermission": {"Add": [{"UserId": CONSUMER}]}},
            {"CreateVolumePermission": {"Remove": [{"UserId": CONSUMER}]}},
        ),
        (
            {"Attribute": "createVolumePermission", "OperationType": "add", "UserIds": [CONSUMER]},
            {"Attribute": "createVolumePermission", "OperationType": "remove", "UserIds": [CONSUMER]},
        ),
    ],
)
def test_sharing_in_both_forms(client: Any, added: dict[str, Any], removed: dict[str, Any]) -> None:
    (snapshot, _) = snapshots(build())
    ec2 = client()
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, **added)
    assert permissions_of(ec2, snapshot) == [{"UserId": CONSUMER}]
    assert ids(client(CONSUMER).describe_snapshots(RestorableByUserIds=["self"])) == [snapshot]
    ec2.modify_snapshot_attribute(SnapshotId=snapshot, **removed)
    assert permissions_of(ec2, snapshot) == []


@pytest.mark.parametrize(
    ("devices", "params", "code"),
    [
        (TWO_DISKS, {"UserIds": ["12345678901"]}, "InvalidAMIAttributeItemValue"),
        (TWO_DISKS, {"GroupNames": ["everyone"]}, "InvalidAMIAttributeItemValue"),
        (TWO_DISKS, {"UserIds": [f"{one:012}" for one in range(501)]}, "InvalidParameterValue"),
        (TWO_DISKS, {}, "MissingParameter"),
        (TWO_DISKS, {"UserIds": [CONSUMER], "Attribute": "productCodes"}, "InvalidParameterValue"),
        (AWS_MANAGED, {"UserIds": [CONSUMER]}, "OperationNotPermitted"),
        (ENCRYPTED_DISKS, {"GroupNames": ["all"]}, "OperationNotPermitted"),
    ],
)
def test_rejected_changes(client: Any, devices: Any, params: dict[str, Any], code: str) -> None:
    """(botocore operation ModifySnapshotAttribute.)"""
    snapshot = snapshots(build(images={"golden": {"devices": devices}}, kms_keys=KEYS))[0]
    ec2 = client()
    call = {"SnapshotId": snapshot, "OperationType": "add", **params}
    assert error_code(ec2.modify_snapshot_attribute, **call) == code
    assert permissions_of(ec2, snapshot) == []


def test_adding_and_removing_at_once_is_rejected(client: Any) -> None:
    """(botocore operation ModifySnapshotAttribute: you cannot do both in a single operation.)"""
    (snapshot, _) = snapshots(build())
    change = {"Add": [{"UserId": CONSUMER}], "Remove": [{"UserId": STRANGER}]}
    code = error_code(client().modify_snapshot_attribute, SnapshotId=snapshot, CreateVolumePermission=change)
    assert code == "InvalidParameterCombination"


@pytest.mark.parametrize(
    ("sharing", "code"),
    [({}, "InvalidSnapshot.NotFound"), ({"snapshot_accounts": ["consumer"]}, "AuthFailure")],
)
@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("describe_snapshot_attribute", {"Attribute": "createVolumePermission"}),
        ("modify_snapshot_attribute", {"OperationType": "add", "UserIds": [STRANGER]}),
        ("reset_snapshot_attribute", {"Attribute": "createVolumePermission"}),
        ("delete_snapshot", {}),
    ],
)
def test_only_the_owner(
    client: Any, method: str, params: dict[str, Any], sharing: dict[str, Any], code: str
) -> None:
    (snapshot, _) = snapshots(build(images={"golden": {"sharing": sharing}}))
    assert error_code(getattr(client(CONSUMER), method), SnapshotId=snapshot, **params) == code


def test_reset_takes_all_permissions(client: Any) -> None:
    (snapshot, _) = snapshots(build(images={"golden": {"sharing": {"snapshot_accounts": ["consumer"]}}}))
    client().reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert permissions_of(client(), snapshot) == []


def test_public_snapshots_and_their_block(client: Any) -> None:
    """A block hides and keeps the permission (botocore operation EnableSnapshotBlockPublicAccess)."""
    (snapshot, _) = snapshots(build())
    ec2 = client()
    share = {"SnapshotId": snapshot, "OperationType": "add", "GroupNames": ["all"]}
    ec2.modify_snapshot_attribute(**share)
    assert ids(client(STRANGER).describe_snapshots(RestorableByUserIds=["all"])) == [snapshot]
    ec2.enable_snapshot_block_public_access(State="block-all-sharing")
    assert permissions_of(ec2, snapshot) == [{"Group": "all"}]
    assert ids(client(STRANGER).describe_snapshots()) == []
    ec2.reset_snapshot_attribute(SnapshotId=snapshot, Attribute="createVolumePermission")
    assert error_code(ec2.modify_snapshot_attribute, **share) == "OperationNotPermitted"
    assert ec2.disable_snapshot_block_public_access()["State"] == "unblocked"
    ec2.modify_snapshot_attribute(**share)


def test_a_snapshot_stays_shared_without_its_image(client: Any) -> None:
    """(botocore operation DeregisterImage: its snapshots are kept.)"""
    built = build()
    image = built["images"]["golden"]["image_id"]
    ec2 = client()
    copy = ec2.copy_image(Name="copy", SourceImageId=image, SourceRegion="us-east-1")["ImageId"]
    (described,) = ec2.describe_images(ImageIds=[copy])["Images"]
    copied, _ = (one["Ebs"]["SnapshotId"] for one in described["BlockDeviceMappings"])
    public, _ = snapshots(built)
    ec2.modify_snapshot_attribute(SnapshotId=copied, OperationType="add", UserIds=[STRANGER])
    ec2.modify_snapshot_attribute(SnapshotId=public, OperationType="add", GroupNames=["all"])
    for one in (copy, image):
        ec2.deregister_image(ImageId=one)
    own = {"OwnerIds": ["self"]}
    assert ids(ec2.describe_snapshots(**own, RestorableByUserIds=["all"])) == [public]
    by_copy = [{"Name": "description", "Values": ["Copied for DestinationAmi *"]}]
    assert copied in ids(ec2.describe_snapshots(**own, Filters=by_copy))
    assert public not in ids(ec2.describe_snapshots(**own, Filters=by_copy))
    assert permissions_of(ec2, copied) == [{"UserId": STRANGER}]
    assert copied in ids(client(STRANGER).describe_snapshots())


def test_a_registered_image_holds_its_snapshots(client: Any) -> None:
    """(EC2 API Reference, Error codes: InvalidSnapshot.InUse.)"""
    built = build()
    (snapshot, _) = snapshots(built)
    ec2 = client()
    assert error_code(ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidSnapshot.InUse"
    ec2.deregister_image(ImageId=built["images"]["golden"]["image_id"])
    ec2.delete_snapshot(SnapshotId=snapshot)
    assert error_code(ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidSnapshot.NotFound"


def test_a_deregistered_image_holds_its_snapshots_for_a_while(client: Any, clock: Clock) -> None:
    """(boto/boto#3019: the error is returned for up to a few minutes after the deregistration.)"""
    built = build()
    first, second = snapshots(built)
    image, ec2 = built["images"]["golden"]["image_id"], client()
    mapping = [{"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": second}}]
    derived = ec2.register_image(Name="derived", BlockDeviceMappings=mapping)["ImageId"]
    SETTINGS.update({"snapshot_in_use_seconds": 60})
    ec2.deregister_image(ImageId=image)
    clock.forward(seconds=59)
    with pytest.raises(ClientError, match=f"{first} is currently in use by {image}") as caught:
        ec2.delete_snapshot(SnapshotId=first)
    assert caught.value.response["Error"]["Code"] == "InvalidSnapshot.InUse"
    clock.forward(seconds=1)
    ec2.delete_snapshot(SnapshotId=first)
    assert error_code(ec2.delete_snapshot, SnapshotId=second) == "InvalidSnapshot.InUse"
    # It deletes them itself (botocore operation DeregisterImage).
    (result,) = ec2.deregister_image(ImageId=derived, DeleteAssociatedSnapshots=True)["DeleteSnapshotResults"]
    assert result == {"SnapshotId": second, "ReturnCode": "success"}


def test_a_copied_snapshot_gets_the_key_it_is_asked_for(client: Any) -> None:
    built = build(images={"golden": {"sharing": {"snapshot_accounts": ["consumer"]}}}, kms_keys=KEYS)
    (snapshot, _) = snapshots(built)
    west = client(region="us-west-2")
    copy = west.copy_snapshot(
        SourceRegion="us-east-1", SourceSnapshotId=snapshot, Encrypted=True, KmsKeyId="alias/golden"
    )["SnapshotId"]
    (seen,) = west.describe_snapshots(SnapshotIds=[copy])["Snapshots"]
    assert (seen["VolumeSize"], seen["KmsKeyId"]) == (8, built["kms_keys"]["golden"]["us-west-2"])
    strangers = client(STRANGER).copy_snapshot
    code = error_code(strangers, SourceRegion="us-east-1", SourceSnapshotId=snapshot)
    assert code == "InvalidSnapshot.NotFound"


def test_a_copy_of_a_snapshot_is_shown_as_one(client: Any) -> None:
    """It has a TransferType and an arbitrary volume ID (botocore shape Snapshot)."""
    (snapshot, _) = snapshots(build())
    ec2 = client()
    copy = ec2.copy_snapshot(
        SourceRegion="us-east-1",
        SourceSnapshotId=snapshot,
        Description="Created by CreateImage(i-1) for ami-1",
    )["SnapshotId"]
    shown = {one["SnapshotId"]: one for one in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]}
    assert (shown[copy]["TransferType"], shown[copy]["VolumeId"]) == ("standard", "vol-ffffffff")
    assert shown[copy]["Description"] == "Created by CreateImage(i-1) for ami-1"
    assert "TransferType" not in shown[snapshot]


def test_a_copied_snapshot_is_pending_until_the_copy_ends(client: Any, clock: Clock) -> None:
    """(EBS User Guide, Copy an Amazon EBS snapshot.)"""
    (snapshot, _) = snapshots(build())
    SETTINGS.update({"copy_seconds": 10})
    west = client(region="us-west-2")
    copy = west.copy_snapshot(SourceRegion="us-east-1", SourceSnapshotId=snapshot)["SnapshotId"]
    states = []
    for _ in range(2):
        clock.forward(seconds=6)
        (seen,) = west.describe_snapshots(SnapshotIds=[copy])["Snapshots"]
        states.append((seen["State"], seen["Progress"]))
    assert states == [("pending", "60%"), ("completed", "100%")]


def test_other_permissions_of_a_shared_snapshot_are_hidden(client: Any) -> None:
    """(botocore shape DescribeSnapshotsRequest, RestorableByUserIds: if you own the snapshots.)"""
    build(images={"golden": {"sharing": {"snapshot_accounts": ["consumer", "stranger"]}}})
    assert ids(client(CONSUMER).describe_snapshots(RestorableByUserIds=[STRANGER])) == []


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"KmsKeyId": "alias/golden"}, "InvalidParameterDependency"),
        ({"SourceSnapshotId": "snap-0123456789abcdef0"}, "InvalidSnapshot.NotFound"),
    ],
)
def test_rejected_copies(client: Any, params: dict[str, Any], code: str) -> None:
    """(botocore shape CopySnapshotRequest.)"""
    (snapshot, _) = snapshots(build())
    call = {"SourceRegion": "us-east-1", "SourceSnapshotId": snapshot, **params}
    assert error_code(client(region="us-west-2").copy_snapshot, **call) == code


def test_actions_on_moto_s_own_snapshots_are_invalid(client: Any) -> None:
    instance = {"InstanceId": "i-0123456789abcdef0"}
    assert error_code(client().create_snapshots, InstanceSpecification=instance) == "InvalidAction"


@pytest.mark.parametrize("change", ["add", "remove", "reset"])
def test_changed_permissions_may_be_read_only_after_a_while(client: Any, clock: Clock, change: str) -> None:
    """(boto/boto3#721, hashicorp/terraform#9891.)"""
    (snapshot, _) = snapshots(build(images={"golden": {"sharing": {"snapshot_accounts": ["consumer"]}}}))
    ec2 = client()
    SETTINGS.volume_permissions_visible_after_seconds = 20
    before = permissions_of(ec2, snapshot)
    call = {"SnapshotId": snapshot, "Attribute": "createVolumePermission"}
    if change == "reset":
        ec2.reset_snapshot_attribute(**call)
    else:
        users = [STRANGER] if change == "add" else [CONSUMER]
        ec2.modify_snapshot_attribute(**call, OperationType=change, UserIds=users)
    assert permissions_of(ec2, snapshot) == before
    clock.forward(seconds=20)
    assert len(permissions_of(ec2, snapshot)) == (2 if change == "add" else 0)
