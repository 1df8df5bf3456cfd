# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances: which images an account can launch."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.ec2 import deferred_checks, launch
from simulated_aws.ec2.state import StateReason
from simulated_aws.settings import SETTINGS

from .conftest import (
    CONSUMER,
    ENCRYPTED_DISKS,
    KEYS,
    OWNER,
    Clock,
    build,
    error_code,
    image_id,
    names,
)

ONE = {"MinCount": 1, "MaxCount": 1}


@pytest.mark.parametrize(
    ("content", "caller", "code"),
    [
        ({}, OWNER, None),
        ({}, CONSUMER, "AuthFailure"),
        ({"sharing": {"accounts": ["consumer"]}}, CONSUMER, None),
        ({"sharing": {"public": True}}, CONSUMER, None),
        ({"state": "pending"}, OWNER, "InvalidAMIID.Unavailable"),
        ({"state": "failed"}, OWNER, "InvalidAMIID.Unavailable"),
        ({"state": "disabled"}, OWNER, "InvalidAMIID.Unavailable"),
    ],
)
def test_which_images_an_account_can_launch(
    client: Any, content: dict[str, Any], caller: str, code: str | None
) -> None:
    """(EC2 API Reference, Error codes: InvalidAMIID.Unavailable; for AuthFailure hashicorp/otto#68.)"""
    image = image_id(build(images={"golden": content}))
    call = client(caller).run_instances
    assert error_code(call, ImageId=image, DryRun=True, **ONE) == (code or "DryRunOperation")
    if code:
        assert error_code(call, ImageId=image, **ONE) == code
    else:
        (instance,) = call(ImageId=image, **ONE)["Instances"]
        assert instance["ImageId"] == image


def test_what_is_missing_for_a_launch_is_in_the_message(client: Any) -> None:
    """(Orange-Cyberdefense/GOAD#304; EC2 API Reference, Error codes: InvalidAMIID.NotFound.)"""
    image, ec2 = image_id(build()), client(CONSUMER)
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.run_instances(ImageId=image, DryRun=True, **ONE)
    assert caught.value.response["Error"] == {
        "Code": "AuthFailure",
        "Message": f"Not authorized for images: [{image}]",
    }
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    code = error_code(ec2.run_instances, ImageId="ami-0123456789abcdef0", DryRun=True, **ONE)
    assert code == "InvalidAMIID.NotFound"


def test_an_account_notices_a_launch_permission_later_than_the_owner_reads_it(
    client: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """(EC2 Developer Guide, "Eventual consistency in the Amazon EC2 API".)"""
    monkeypatch.setattr(SETTINGS, "permissions_reach_accounts_after_seconds", 5.0)
    image, owner, consumer = image_id(build()), client(), client(CONSUMER)
    (snapshot, _other) = _snapshots(owner, image)
    permission = {"Add": [{"UserId": CONSUMER}]}
    owner.modify_image_attribute(ImageId=image, LaunchPermission=permission)
    owner.modify_snapshot_attribute(SnapshotId=snapshot, CreateVolumePermission=permission)
    answer = owner.describe_image_attribute(ImageId=image, Attribute="launchPermission")
    assert answer["LaunchPermissions"] == [{"UserId": CONSUMER}]

    def codes() -> tuple[str, ...]:
        return (
            error_code(consumer.describe_images, ImageIds=[image]),
            error_code(consumer.describe_snapshots, SnapshotIds=[snapshot]),
            error_code(consumer.run_instances, ImageId=image, DryRun=True, **ONE),
        )

    clock.forward(seconds=4)
    assert codes() == ("InvalidAMIID.NotFound", "InvalidSnapshot.NotFound", "AuthFailure")
    clock.forward(seconds=1)
    assert names(consumer.describe_images(ImageIds=[image])) == ["golden"]
    assert len(consumer.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"]) == 1
    assert error_code(consumer.run_instances, ImageId=image, DryRun=True, **ONE) == "DryRunOperation"
    owner.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": [{"UserId": CONSUMER}]})
    assert names(consumer.describe_images(ImageIds=[image])) == ["golden"]
    clock.forward(seconds=5)
    assert error_code(consumer.describe_images, ImageIds=[image]) == "InvalidAMIID.NotFound"


def test_a_dry_run_ends_with_precondition_failed(client: Any) -> None:
    ec2 = client()
    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.run_instances(ImageId=image_id(build()), DryRun=True, **ONE)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_a_deregistered_image_is_unavailable(client: Any) -> None:
    image = image_id(build())
    client().deregister_image(ImageId=image)
    assert error_code(client().run_instances, ImageId=image, **ONE) == "InvalidAMIID.Unavailable"


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_launch_template_is_checked_too(client: Any, dry_run: bool) -> None:
    image = image_id(build())
    ec2 = client(CONSUMER)
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    call = {"LaunchTemplate": {"LaunchTemplateName": "web"}, "DryRun": dry_run, **ONE}
    assert error_code(ec2.run_instances, **call) == "AuthFailure"
    client().modify_image_attribute(ImageId=image, OperationType="add", UserIds=[CONSUMER])
    if dry_run:
        assert error_code(ec2.run_instances, **call) == "DryRunOperation"
    else:
        assert ec2.run_instances(**call)["Instances"][0]["ImageId"] == image


def test_an_image_may_be_named_by_a_parameter(client: Any) -> None:
    """(EC2 User Guide, Reference AMIs using Systems Manager parameters.)"""
    image = image_id(build())
    client(service="ssm").put_parameter(Name="/golden/web", Value=image, Type="String")
    (instance,) = client().run_instances(ImageId="resolve:ssm:/golden/web", **ONE)["Instances"]
    assert instance["ImageId"] == image
    code = error_code(client().run_instances, ImageId="resolve:ssm:/golden/db", **ONE)
    assert code == "InvalidParameterValue"


def test_volumes_are_those_of_the_image_and_of_the_request(client: Any) -> None:
    both_accounts = [f"arn:aws:iam::{one}:root" for one in (OWNER, CONSUMER)]
    statement = {"Effect": "Allow", "Principal": {"AWS": both_accounts}, "Action": "kms:*", "Resource": "*"}
    keys = {"golden": {**KEYS["golden"], "policy": {"Statement": [statement]}}}
    image = image_id(build(images={"golden": {"devices": ENCRYPTED_DISKS}}, kms_keys=keys))
    client().modify_image_attribute(ImageId=image, OperationType="add", UserIds=[CONSUMER])
    ec2 = client(CONSUMER)
    added = [
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 40}},
        {"DeviceName": "/dev/sdc", "Ebs": {"VolumeSize": 5}},
    ]
    ec2.run_instances(ImageId=image, BlockDeviceMappings=added, **ONE)
    volumes = ec2.describe_volumes()["Volumes"]
    assert [(volume["Size"], volume["Encrypted"]) for volume in volumes] == [
        (8, True),
        (40, True),
        (5, False),
    ]
    # EBS User Guide, Share the KMS key: a consumer's volumes are under the consumer's key.
    assert volumes[0]["KmsKeyId"] == ec2.get_ebs_default_kms_key_id()["KmsKeyId"]


def test_a_request_can_keep_the_volumes_of_a_terminated_instance(client: Any) -> None:
    """(botocore shape EbsBlockDevice, DeleteOnTermination.)"""
    ec2 = client()
    kept = [
        {"DeviceName": "/dev/xvda", "Ebs": {"DeleteOnTermination": False}},
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 40}},
    ]
    call = ec2.run_instances(ImageId=image_id(build()), BlockDeviceMappings=kept, **ONE)
    (instance,) = call["Instances"]
    ends = {one["DeviceName"]: one["Ebs"]["DeleteOnTermination"] for one in instance["BlockDeviceMappings"]}
    assert ends == {"/dev/xvda": False, "/dev/sdb": True}
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert [one["Size"] for one in ec2.describe_volumes()["Volumes"]] == [8]


def test_an_instance_store_volume_is_no_volume(client: Any) -> None:
    """(botocore shape BlockDeviceMapping, VirtualName.)"""
    ec2 = client()
    added = [{"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"}]
    (instance,) = ec2.run_instances(ImageId=image_id(build()), BlockDeviceMappings=added, **ONE)["Instances"]
    assert [one["DeviceName"] for one in instance["BlockDeviceMappings"]] == ["/dev/xvda", "/dev/sdb"]


def test_a_volume_of_no_device_of_the_image_has_a_size(client: Any) -> None:
    """(botocore shape EbsBlockDevice, VolumeSize.)"""
    call = {"ImageId": image_id(build()), **ONE}
    disk = {"Ebs": {"VolumeType": "gp3"}}
    client().run_instances(BlockDeviceMappings=[{"DeviceName": "/dev/sdb", **disk}], **call)
    added = [{"DeviceName": "/dev/sdc", **disk}]
    assert error_code(client().run_instances, BlockDeviceMappings=added, **call) == "MissingParameter"


def test_a_veto_terminates_the_instance(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """EC2 accepts a launch without rights to the key (EC2 User Guide, Troubleshoot instance launches)."""
    image = image_id(build())
    seen: list[deferred_checks.LaunchAttempt] = []

    def failing_check(attempt: deferred_checks.LaunchAttempt) -> StateReason:
        seen.append(attempt)
        return StateReason("Client.InternalError", "Client.InternalError: Client error on launch")

    monkeypatch.setattr(launch, "LAUNCH_CHECKS", [failing_check])
    ec2 = client()
    (launched,) = ec2.run_instances(ImageId=image, **ONE)["Instances"]
    assert launched["State"]["Name"] == "pending"
    (reservation,) = ec2.describe_instances()["Reservations"]
    assert reservation["Instances"][0]["State"]["Name"] == "terminated"
    assert reservation["Instances"][0]["StateReason"]["Code"] == "Client.InternalError"
    assert (seen[0].account_id, seen[0].image.id, len(seen[0].snapshots)) == (OWNER, image, 2)


def _snapshots(ec2: Any, image: str) -> list[str]:
    (found,) = ec2.describe_images(ImageIds=[image])["Images"]
    return [mapping["Ebs"]["SnapshotId"] for mapping in found["BlockDeviceMappings"]]


@pytest.mark.parametrize("by_template", [False, True])
def test_the_root_device_keeps_the_images_snapshot(client: Any, by_template: bool) -> None:
    """(EC2 API Reference, Error codes: InvalidBlockDeviceMapping; message as reported from real launches.)"""
    built = build(images={"golden": {}, "old": {}})
    image, ec2 = image_id(built), client()
    own, old = _snapshots(ec2, image), _snapshots(ec2, image_id(built, "old"))

    def launch(*mappings: tuple[str, str]) -> dict[str, Any]:
        disks = [{"DeviceName": name, "Ebs": {"SnapshotId": snapshot}} for name, snapshot in mappings]
        data = {"ImageId": image, "BlockDeviceMappings": disks}
        if not by_template:
            return data
        made = ec2.create_launch_template(LaunchTemplateName=f"t{len(mappings)}", LaunchTemplateData=data)
        return {"LaunchTemplate": {"LaunchTemplateId": made["LaunchTemplate"]["LaunchTemplateId"]}}

    with pytest.raises(ec2.exceptions.ClientError) as caught:
        ec2.run_instances(**launch(("/dev/xvda", old[0])), **ONE)
    assert caught.value.response["Error"] == {
        "Code": "InvalidBlockDeviceMapping",
        "Message": "snapshotId cannot be modified on root device",
    }
    # Its own snapshot is none other, and another device may have any.
    (instance,) = ec2.run_instances(**launch(("/dev/xvda", own[0]), ("/dev/sdb", old[1])), **ONE)["Instances"]
    assert instance["ImageId"] == image


def test_a_volume_is_not_smaller_than_its_snapshot(client: Any) -> None:
    """(EC2 API Reference, Error codes: InvalidBlockDeviceMapping; scylladb/scylladb#6999.)"""
    image, ec2 = image_id(build()), client()
    for size, code in ((7, "InvalidBlockDeviceMapping"), (8, None)):
        disks = [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": size}}]
        call = {"ImageId": image, "BlockDeviceMappings": disks, **ONE}
        if code:
            assert error_code(ec2.run_instances, **call) == code
        else:
            assert ec2.run_instances(**call)["Instances"][0]["ImageId"] == image
