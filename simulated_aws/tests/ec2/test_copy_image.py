# SPDX-License-Identifier: GPL-3.0-or-later
"""CopyImage: parameters, errors, and final states."""

from __future__ import annotations

import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.ec2 import deferred_checks
from simulated_aws.ec2.actions import copy_image
from simulated_aws.ec2.state import StateReason
from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, ENCRYPTED_DISKS, KEYS, STRANGER, TWO_DISKS, build, error_code, image_id, names

SHARED = {"sharing": {"accounts": ["consumer"], "snapshot_accounts": ["consumer"]}}


@pytest.fixture
def west(client: Any) -> Any:
    """The owner in the destination Region."""
    return client(region="us-west-2")


def source(built: dict[str, Any]) -> dict[str, Any]:
    return {"Name": "copy", "SourceRegion": "us-east-1", "SourceImageId": image_id(built)}


def one(ec2: Any, copy: str) -> dict[str, Any]:
    (image,) = ec2.describe_images(ImageIds=[copy])["Images"]
    return dict(image)


def test_a_copy_runs_by_the_clock(west: Any, clock: Any) -> None:
    built = build(images={"golden": {"tags": {"a": "b"}, "sharing": {"accounts": ["consumer"]}}})
    SETTINGS.update({"copy_seconds_by_region": {"us-west-2": 100}})
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "s", "Value": "1"}]}]
    copy = west.copy_image(**source(built), Description="d", TagSpecifications=tags)["ImageId"]
    assert re.fullmatch("ami-[0-9a-f]{17}", copy)

    clock.forward(seconds=37)
    image = one(west, copy)
    assert image["State"] == "pending"
    assert [device["Ebs"].get("SnapshotId") for device in image["BlockDeviceMappings"]] == [None, None]
    snapshots = west.describe_snapshots(Filters=[{"Name": "tag:s", "Values": ["1"]}])["Snapshots"]
    assert [(made["State"], made["Progress"], made["VolumeSize"]) for made in snapshots] == [
        ("pending", "37%", 8),
        ("pending", "37%", 20),
    ]

    clock.forward(seconds=63)
    image = one(west, copy)
    assert image["State"] == "available"
    assert [device["Ebs"]["SnapshotId"] for device in image["BlockDeviceMappings"]] == [
        made["SnapshotId"] for made in snapshots
    ]
    assert (image["Name"], image["Description"]) == ("copy", "d")
    assert (image["SourceImageId"], image["SourceImageRegion"]) == (image_id(built), "us-east-1")
    assert image["Architecture"] == "x86_64"
    assert "Tags" not in image
    done = west.describe_snapshots(SnapshotIds=[snapshots[0]["SnapshotId"]])["Snapshots"][0]
    assert (done["State"], done["Progress"]) == ("completed", "100%")
    # EC2 User Guide, Copy an Amazon EC2 AMI: launch permissions aren't copied.
    permissions = west.describe_image_attribute(ImageId=copy, Attribute="launchPermission")
    assert permissions["LaunchPermissions"] == []


@pytest.mark.usefixtures("clock")
def test_a_pending_image_may_list_its_snapshots(west: Any) -> None:
    SETTINGS.update({"copy_seconds": 10, "pending_image_lists_snapshots": True})
    image = one(west, west.copy_image(**source(build()))["ImageId"])
    assert image["State"] == "pending"
    assert all("SnapshotId" in device["Ebs"] for device in image["BlockDeviceMappings"])


def test_a_copy_fails_on_order(west: Any, clock: Any) -> None:
    built = build()
    rule = {"region": "us-west-2", "code": "Client.InternalError", "message": "out of luck", "times": 1}
    SETTINGS.update({"copy_seconds": 10, "copy_failures": [rule]})
    first = west.copy_image(**source(built))["ImageId"]
    second = west.copy_image(**source(built))["ImageId"]
    assert one(west, first)["State"] == "pending"
    clock.forward(seconds=10)
    failed = one(west, first)
    assert failed["State"] == "failed"
    assert failed["StateReason"] == {"Code": "Client.InternalError", "Message": "out of luck"}
    assert one(west, second)["State"] == "available"
    errors = west.describe_snapshots(Filters=[{"Name": "status", "Values": ["error"]}])["Snapshots"]
    assert [made["StateMessage"] for made in errors] == ["out of luck"] * 2


def test_a_veto_makes_a_copy_fail(west: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    built = build(images={"golden": {"devices": ENCRYPTED_DISKS}}, kms_keys=KEYS)
    seen: list[deferred_checks.CopyAttempt] = []

    def failing_check(attempt: deferred_checks.CopyAttempt) -> StateReason:
        seen.append(attempt)
        return StateReason("Client.InternalError", "no")

    monkeypatch.setattr(copy_image, "COPY_CHECKS", [failing_check])
    copy = west.copy_image(**source(built), Encrypted=True, KmsKeyId="alias/golden")["ImageId"]
    assert one(west, copy)["State"] == "failed"
    keys = built["kms_keys"]["golden"]
    assert seen[0].kms_key_id == keys["us-west-2"]
    assert [snapshot.kms_key_id for snapshot in seen[0].snapshots] == [keys["us-east-1"]] * 2


@pytest.mark.parametrize("key", ["alias/none", "arn:aws:kms:us-east-1:111111111111:alias/golden"])
def test_an_unusable_key_fails_only_later(west: Any, key: str) -> None:
    """The key is of the destination and authenticated later (botocore shape CopyImageRequest, KmsKeyId)."""
    copy = west.copy_image(**source(build(kms_keys=KEYS)), Encrypted=True, KmsKeyId=key)["ImageId"]
    image = one(west, copy)
    assert image["State"] == "failed"
    assert "key" in image["StateReason"]["Message"]


@pytest.mark.parametrize(
    ("devices", "params", "by_default", "key"),
    [
        (TWO_DISKS, {}, False, None),
        (TWO_DISKS, {}, True, "aws/ebs"),
        (TWO_DISKS, {"Encrypted": False}, True, "aws/ebs"),
        (TWO_DISKS, {"Encrypted": True}, False, "aws/ebs"),
        (TWO_DISKS, {"Encrypted": True, "KmsKeyId": "alias/golden"}, False, "golden"),
        (ENCRYPTED_DISKS, {}, False, "aws/ebs"),
        (ENCRYPTED_DISKS, {"Encrypted": True, "KmsKeyId": "alias/golden"}, False, "golden"),
    ],
)
def test_encryption(
    west: Any, devices: Any, params: dict[str, Any], by_default: bool, key: str | None
) -> None:
    """(EC2 User Guide, Use encryption with EBS-backed AMIs: image-copying scenarios.)"""
    built = build(images={"golden": {"devices": devices}}, kms_keys=KEYS)
    if by_default:
        west.enable_ebs_encryption_by_default()
    copy = west.copy_image(**source(built), **params)["ImageId"]
    encrypted = [device["Ebs"]["Encrypted"] for device in one(west, copy)["BlockDeviceMappings"]]
    snapshots = west.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    expected = {
        None: None,
        "aws/ebs": west.get_ebs_default_kms_key_id()["KmsKeyId"],
        "golden": built["kms_keys"]["golden"]["us-west-2"],
    }[key]
    assert encrypted == [key is not None] * 2
    assert [snapshot.get("KmsKeyId") for snapshot in snapshots] == [expected] * 2


@pytest.mark.parametrize(
    ("params", "key"), [({}, None), ({"Encrypted": True, "KmsKeyId": "alias/golden"}, "golden")]
)
def test_an_empty_volume_stays_empty(client: Any, west: Any, params: dict[str, Any], key: str | None) -> None:
    """Only snapshots are encrypted (botocore shapes EbsBlockDevice and CopyImageRequest, Encrypted)."""
    built = build(kms_keys=KEYS)
    (snapshot, _) = built["images"]["golden"]["snapshot_ids"]
    blank = {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 5, "Encrypted": True}}
    root = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}
    registered = client().register_image(Name="with a blank disk", BlockDeviceMappings=[root, blank])
    (shown,) = client().describe_images(ImageIds=[registered["ImageId"]])["Images"]
    call = {**source(built), "SourceImageId": registered["ImageId"], **params}
    copied = one(west, west.copy_image(**call)["ImageId"])
    assert copied["BlockDeviceMappings"][1] == shown["BlockDeviceMappings"][1]
    assert copied["BlockDeviceMappings"][1]["Ebs"].items() >= blank["Ebs"].items()
    assert "SnapshotId" not in copied["BlockDeviceMappings"][1]["Ebs"]
    assert copied["BlockDeviceMappings"][0]["Ebs"]["Encrypted"] is (key is not None)
    (copy,) = west.describe_snapshots(OwnerIds=["self"])["Snapshots"]
    assert copy.get("KmsKeyId") == (built["kms_keys"][key]["us-west-2"] if key else None)


@pytest.mark.parametrize(
    ("wanted", "tags"),
    [
        ({}, {}),
        ({"CopyImageTags": True}, {"a": "1", "b": "2"}),
        (
            {"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "b", "Value": "3"}]}]},
            {"b": "3"},
        ),
        (
            {
                "CopyImageTags": True,
                "TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "b", "Value": "3"}]}],
            },
            {"a": "1", "b": "3"},
        ),
    ],
)
def test_tags(west: Any, wanted: dict[str, Any], tags: dict[str, str]) -> None:
    built = build(
        images={"golden": {"tags": {"a": "1", "b": "2", "aws:x": "4"}, "snapshot_tags": {"c": "5"}}}
    )
    image = one(west, west.copy_image(**source(built), **wanted)["ImageId"])
    assert {tag["Key"]: tag["Value"] for tag in image.get("Tags", [])} == tags
    assert not any("Tags" in snapshot for snapshot in west.describe_snapshots(OwnerIds=["self"])["Snapshots"])


def test_of_a_shared_image_only_shared_tags_are_copied(client: Any) -> None:
    """(botocore shape CopyImageRequest, CopyImageTags.)"""
    built = build(images={"golden": {**SHARED, "tags": {"a": "1", "ec2:SharedTag/b": "2"}}})
    ec2 = client(CONSUMER)
    copy = ec2.copy_image(**source(built), CopyImageTags=True)["ImageId"]
    assert one(ec2, copy)["Tags"] == [{"Key": "ec2:SharedTag/b", "Value": "2"}]


@pytest.mark.parametrize(
    ("sharing", "code"),
    [
        ({}, "InvalidAMIID.NotFound"),
        ({"snapshot_accounts": ["consumer"]}, "InvalidAMIID.NotFound"),
        ({"accounts": ["consumer"]}, "InvalidRequest"),
        ({"accounts": ["consumer"], "snapshot_accounts": ["consumer"]}, None),
    ],
)
def test_a_copy_across_accounts_needs_image_and_snapshots(
    client: Any, sharing: dict[str, Any], code: str | None
) -> None:
    """(EC2 User Guide, Copy an Amazon EC2 AMI: permission for the storage that backs it.)"""
    built = build(images={"golden": {"sharing": sharing}})
    ec2 = client(CONSUMER)
    if code:
        assert error_code(ec2.copy_image, **source(built)) == code
    else:
        copy = ec2.copy_image(**source(built))["ImageId"]
        assert one(ec2, copy)["OwnerId"] == CONSUMER


def test_every_snapshot_counts(client: Any) -> None:
    built = build(images={"golden": SHARED})
    last = built["images"]["golden"]["snapshot_ids"][-1]
    client().reset_snapshot_attribute(SnapshotId=last, Attribute="createVolumePermission")
    assert error_code(client(CONSUMER).copy_image, **source(built)) == "InvalidRequest"


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"Name": "x" * 129}, "InvalidAMIName.Malformed"),
        ({"Name": "golden:web"}, "InvalidAMIName.Malformed"),
        ({"Description": "x" * 256}, "InvalidParameterValue"),
        ({"SourceRegion": "us-middle-1"}, "InvalidParameterValue"),
        ({"SourceRegion": "cn-north-1"}, "InvalidParameterValue"),
        ({"SourceRegion": "ap-east-1"}, "InvalidParameterValue"),
        ({"SourceRegion": "eu-west-1"}, "InvalidAMIID.NotFound"),
        ({"SourceImageId": "golden"}, "InvalidAMIID.Malformed"),
        ({"KmsKeyId": "alias/golden"}, "InvalidParameterDependency"),
        ({"SnapshotCopyCompletionDurationMinutes": 10}, "InvalidParameterValue"),
        ({"SnapshotCopyCompletionDurationMinutes": 20}, "InvalidParameterValue"),
        ({"SnapshotCopyCompletionDurationMinutes": 2895}, "InvalidParameterValue"),
        ({"ClientToken": "x" * 129}, "InvalidParameterValue"),
        ({"ClientToken": "xä"}, "InvalidParameterValue"),
        ({"Description": "Golden – web"}, "InvalidParameterValue"),
        (
            {"TagSpecifications": [{"ResourceType": "volume", "Tags": [{"Key": "a", "Value": ""}]}]},
            "InvalidParameterValue",
        ),
        (
            {"TagSpecifications": [{"ResourceType": "image", "Tags": [{"Key": "aws:a", "Value": ""}]}]},
            "InvalidParameterValue",
        ),
        ({"DryRun": True}, "DryRunOperation"),
    ],
)
def test_errors(west: Any, changed: dict[str, Any], code: str) -> None:
    built = build(not_opted_in_regions=["ap-east-1"])
    assert error_code(west.copy_image, **{**source(built), **changed}) == code
    assert names(west.describe_images(Owners=["self"])) == []


def test_an_image_of_the_marketplace_is_copied_within_its_account_only(client: Any, west: Any) -> None:
    """(EC2 User Guide, Copy an AMI: an image with a billing product code that another account shares.)

    The message is that of AWS for images from AWS Marketplace and those created from them.
    """
    built = build(images={"golden": {**SHARED, "product_codes": ["abc123"]}})
    copy = west.copy_image(**source(built))["ImageId"]
    assert one(west, copy)["ProductCodes"] == [{"ProductCodeId": "abc123", "ProductCodeType": "marketplace"}]
    with pytest.raises(ClientError, match="Images from AWS Marketplace cannot be copied") as refused:
        client(CONSUMER, region="us-west-2").copy_image(**source(built))
    assert refused.value.response["Error"]["Code"] == "InvalidRequest"


def test_an_available_copy_may_be_pending_again(west: Any, clock: Any) -> None:
    """(hashicorp/packer#2659; EC2 Developer Guide, Eventual consistency.)"""
    built = build()
    SETTINGS.update({"image_settles_after_seconds": 20})
    copy = west.copy_image(**source(built))["ImageId"]

    def states() -> list[str]:
        return [image["State"] for image in west.describe_images(ImageIds=[copy])["Images"]]

    share = {"ImageId": copy, "LaunchPermission": {"Add": [{"UserId": CONSUMER}]}}
    again = {"Name": "again", "SourceImageId": copy, "SourceRegion": "us-west-2"}
    assert states() == ["available"]
    assert states() == ["pending"]
    assert error_code(west.modify_image_attribute, **share) == "InvalidAMIID.Unavailable"
    assert error_code(west.copy_image, **again) == "InvalidAMIID.Unavailable"
    clock.forward(seconds=20)
    assert states() == ["available"]
    west.modify_image_attribute(**share)
    assert west.copy_image(**again)["ImageId"]


def test_a_copy_of_an_encrypted_image_is_encrypted(west: Any) -> None:
    """(botocore shape CopyImageRequest, Encrypted; the error of hashicorp/packer#6789.)"""
    built = build(images={"golden": {"devices": [*TWO_DISKS[:1], {**TWO_DISKS[1], "encrypted": True}]}})
    assert error_code(west.copy_image, **source(built), Encrypted=False) == "InvalidRequest"


@pytest.mark.parametrize("state", ["pending", "failed", "disabled"])
def test_only_an_available_image_is_copied(west: Any, state: str) -> None:
    built = build(images={"golden": {"state": state}})
    assert error_code(west.copy_image, **source(built)) == "InvalidAMIID.Unavailable"


def test_the_completion_duration_is_returned(west: Any) -> None:
    """(EBS User Guide, Time-based copies for Amazon EBS snapshots and EBS-backed AMIs.)"""
    west.copy_image(**source(build()), SnapshotCopyCompletionDurationMinutes=30)
    for snapshot in west.describe_snapshots(OwnerIds=["self"])["Snapshots"]:
        assert (snapshot["TransferType"], snapshot["CompletionDurationMinutes"]) == ("time-based", 30)


def test_a_token_repeats_a_copy(west: Any, client: Any) -> None:
    """(EC2 Developer Guide, Ensuring idempotency in Amazon EC2 API requests.)"""
    built = build(images={"golden": SHARED})
    call = {**source(built), "ClientToken": "t-1"}
    copy = west.copy_image(**call)["ImageId"]
    assert west.copy_image(**call)["ImageId"] == copy
    assert error_code(west.copy_image, **{**call, "Name": "other"}) == "IdempotentParameterMismatch"
    assert len(west.describe_images(Owners=["self"])["Images"]) == 1
    assert west.copy_image(**{**call, "ClientToken": "t-2"})["ImageId"] != copy
    # A token is the account's and the Region's.
    assert client(region="eu-west-1").copy_image(**call)["ImageId"] != copy
    assert client(CONSUMER, "us-west-2").copy_image(**call)["ImageId"] != copy


def test_a_token_outlives_its_image(west: Any) -> None:
    SETTINGS.update({"copy_failures": [{"region": "*"}]})
    call = {**source(build()), "ClientToken": "t-1"}
    copy = west.copy_image(**call)["ImageId"]
    assert one(west, copy)["State"] == "failed"
    assert west.copy_image(**call)["ImageId"] == copy
    west.deregister_image(ImageId=copy)
    assert west.copy_image(**call)["ImageId"] == copy
    assert names(west.describe_images(Owners=["self"])) == []


def test_copies_at_once_have_a_quota(west: Any, clock: Any) -> None:
    """(EC2 User Guide, How Amazon EC2 AMI copy works: 300 per destination Region.)"""
    built = build()
    SETTINGS.update({"copy_seconds": 10})
    for _ in range(300):
        west.copy_image(**source(built))
    assert error_code(west.copy_image, **source(built)) == "ResourceLimitExceeded"
    clock.forward(seconds=10)
    west.copy_image(**source(built))


def test_deregistering_a_pending_copy_cancels_it(west: Any, clock: Any) -> None:
    """(EC2 User Guide, Stop a pending Amazon EC2 AMI copy operation.)"""
    SETTINGS.update({"copy_seconds": 10})
    copy = west.copy_image(**source(build()))["ImageId"]
    west.deregister_image(ImageId=copy)
    clock.forward(seconds=10)
    assert names(west.describe_images(Owners=["self"])) == []
    assert west.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []


@pytest.mark.parametrize("rejects", [False, True])
def test_duplicate_names_are_a_setting(west: Any, rejects: bool) -> None:
    """AWS documents neither."""
    built = build()
    SETTINGS.update({"copy_rejects_duplicate_names": rejects})
    west.copy_image(**source(built))
    if rejects:
        assert error_code(west.copy_image, **source(built)) == "InvalidAMIName.Duplicate"
    else:
        west.copy_image(**source(built))


def test_a_stranger_cannot_see_a_copy(client: Any, west: Any) -> None:
    copy = west.copy_image(**source(build()))["ImageId"]
    call = client(STRANGER, "us-west-2").describe_images
    assert error_code(call, ImageIds=[copy]) == "InvalidAMIID.NotFound"
