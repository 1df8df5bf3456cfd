# SPDX-License-Identifier: GPL-3.0-or-later
"""RegisterImage and CreateImage, and their snapshots."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONSUMER, ENCRYPTED_DISKS, KEYS, STRANGER, build, error_code, image_id


def mapping(snapshot: str, name: str = "/dev/xvda", **ebs: Any) -> dict[str, Any]:
    return {"DeviceName": name, "Ebs": {"SnapshotId": snapshot, **ebs}}


def test_a_registered_image_is_what_was_registered(client: Any) -> None:
    built = build(images={"golden": {"devices": ENCRYPTED_DISKS}}, kms_keys=KEYS)
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    made = ec2.register_image(
        Name="other",
        Description="d",
        Architecture="arm64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        EnaSupport=True,
        BootMode="uefi",
        ImdsSupport="v2.0",
        BlockDeviceMappings=[
            mapping(first),
            mapping(second, "/dev/sdb", VolumeSize=30, VolumeType="gp3", DeleteOnTermination=False),
            {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 5, "Encrypted": False}},
            {"DeviceName": "/dev/sdd", "VirtualName": "ephemeral0"},
        ],
        TagSpecifications=[{"ResourceType": "image", "Tags": [{"Key": "a", "Value": "b"}]}],
    )["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[made])["Images"]
    assert (image["Architecture"], image["RootDeviceName"]) == ("arm64", "/dev/xvda")
    assert (image["EnaSupport"], image["BootMode"], image["ImdsSupport"]) == (True, "uefi", "v2.0")
    assert (image["Description"], image["Tags"]) == ("d", [{"Key": "a", "Value": "b"}])
    root, data, blank, ephemeral = image["BlockDeviceMappings"]
    assert (root["Ebs"]["VolumeSize"], root["Ebs"]["Encrypted"]) == (8, True)
    assert (data["Ebs"]["VolumeSize"], data["Ebs"]["DeleteOnTermination"]) == (30, False)
    assert (blank["Ebs"]["VolumeSize"], "SnapshotId" in blank["Ebs"]) == (5, False)
    assert ephemeral["VirtualName"] == "ephemeral0"


def test_defaults_are_those_of_aws(client: Any) -> None:
    """(botocore shape RegisterImageRequest, Architecture and VirtualizationType.)"""
    (first, _) = build()["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    made = ec2.register_image(Name="other", BlockDeviceMappings=[mapping(first, "/dev/sda1")])["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[made])["Images"]
    assert (image["Architecture"], image["VirtualizationType"]) == ("i386", "paravirtual")
    assert image["RootDeviceName"] == "/dev/sda1"


@pytest.mark.parametrize(
    ("ebs", "changed", "code"),
    [
        ({}, {"Name": "golden"}, "InvalidAMIName.Duplicate"),
        ({}, {"Name": "a:b"}, "InvalidAMIName.Malformed"),
        ({}, {"Description": "x" * 256}, "InvalidParameterValue"),
        ({}, {"RootDeviceName": "/dev/sda1"}, "InvalidBlockDeviceMapping"),
        ({}, {"BlockDeviceMappings": []}, "InvalidBlockDeviceMapping"),
        ({"VolumeSize": 7}, {}, "InvalidBlockDeviceMapping"),
        ({"Encrypted": True}, {}, "InvalidBlockDeviceMapping"),
        ({"SnapshotId": "snap-0123456789abcdef0"}, {}, "InvalidSnapshot.NotFound"),
        (
            {},
            {"TagSpecifications": [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_errors(client: Any, ebs: dict[str, Any], changed: dict[str, Any], code: str) -> None:
    (first, _) = build()["images"]["golden"]["snapshot_ids"]
    call = {
        "Name": "other",
        "RootDeviceName": "/dev/xvda",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": first, **ebs}}],
        **changed,
    }
    assert error_code(client().register_image, **call) == code


def test_only_own_snapshots_make_an_image(client: Any) -> None:
    built = build(images={"golden": {"sharing": {"snapshot_accounts": ["consumer"]}}})
    (first, _) = built["images"]["golden"]["snapshot_ids"]
    call = {"Name": "other", "RootDeviceName": "/dev/xvda", "BlockDeviceMappings": [mapping(first)]}
    assert error_code(client(CONSUMER).register_image, **call) == "AuthFailure"
    assert error_code(client(STRANGER).register_image, **call) == "InvalidSnapshot.NotFound"


def test_an_image_of_an_instance_has_all_its_disks(client: Any) -> None:
    built = build(images={"golden": {"devices": ENCRYPTED_DISKS}}, kms_keys=KEYS)
    ec2 = client()
    instance = ec2.run_instances(ImageId=image_id(built), MinCount=1, MaxCount=1)["Instances"][0][
        "InstanceId"
    ]
    tags = [
        {"ResourceType": kind, "Tags": [{"Key": "made", "Value": kind}]} for kind in ("image", "snapshot")
    ]
    made = ec2.create_image(InstanceId=instance, Name="other", TagSpecifications=tags)["ImageId"]
    (image,) = ec2.describe_images(ImageIds=[made])["Images"]
    assert [(one["DeviceName"], one["Ebs"]["VolumeSize"]) for one in image["BlockDeviceMappings"]] == [
        ("/dev/xvda", 8),
        ("/dev/sdb", 20),
    ]
    assert image["SourceInstanceId"] == instance
    assert (image["SourceImageId"], image["SourceImageRegion"]) == (image_id(built), "us-east-1")
    assert image["Tags"] == [{"Key": "made", "Value": "image"}]
    ids = [one["Ebs"]["SnapshotId"] for one in image["BlockDeviceMappings"]]
    for snapshot in ec2.describe_snapshots(SnapshotIds=ids)["Snapshots"]:
        assert snapshot["KmsKeyId"] == built["kms_keys"]["golden"]["us-east-1"]
        assert snapshot["Tags"] == [{"Key": "made", "Value": "snapshot"}]


@pytest.mark.parametrize(
    ("method", "params", "code"),
    [
        (
            "create_image",
            {"InstanceId": "i-0123456789abcdef0", "Name": "other"},
            "InvalidInstanceID.NotFound",
        ),
        ("create_snapshot", {"VolumeId": "vol-0123456789abcdef0"}, "InvalidVolume.NotFound"),
    ],
)
def test_errors_of_moto_stay_errors(client: Any, method: str, params: dict[str, str], code: str) -> None:
    assert error_code(getattr(client(), method), **params) == code


def test_a_snapshot_of_a_volume(client: Any) -> None:
    ec2 = client()
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=3, Encrypted=True)
    tags = [{"ResourceType": "snapshot", "Tags": [{"Key": "a", "Value": "b"}]}]
    made = ec2.create_snapshot(VolumeId=volume["VolumeId"], Description="d", TagSpecifications=tags)
    assert (made["VolumeId"], made["VolumeSize"], made["Description"]) == (volume["VolumeId"], 3, "d")
    assert (made["KmsKeyId"], made["Tags"]) == (volume["KmsKeyId"], [{"Key": "a", "Value": "b"}])
    again = ec2.create_volume(AvailabilityZone="us-east-1a", SnapshotId=made["SnapshotId"])
    assert (again["Size"], again["KmsKeyId"]) == (3, volume["KmsKeyId"])
