# SPDX-License-Identifier: GPL-3.0-or-later
"""RunInstances: client tokens, pending instances, instance types, and terminated instances."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, TWO_DISKS, Clock, build, error_code, image_id

ONE = {"MinCount": 1, "MaxCount": 1}


def states(ec2: Any) -> list[str]:
    reservations = ec2.describe_instances()["Reservations"]
    return [one["State"]["Name"] for reservation in reservations for one in reservation["Instances"]]


def test_a_client_token_launches_once(client: Any) -> None:
    """(EC2 Developer Guide, Ensuring idempotency in Amazon EC2 API requests.)"""
    ec2 = client()
    call = {"ImageId": image_id(build()), "ClientToken": "t-1", **ONE}
    first, second = (ec2.run_instances(**call)["Instances"][0]["InstanceId"] for _ in range(2))
    assert first == second
    assert error_code(ec2.run_instances, **call, InstanceType="t3.nano") == "IdempotentParameterMismatch"
    assert error_code(ec2.run_instances, **{**call, "ClientToken": "t" * 65}) == "InvalidParameterValue"
    ec2.terminate_instances(InstanceIds=[first])
    assert ec2.run_instances(**call)["Instances"][0]["InstanceId"] == first
    assert states(ec2) == ["terminated"]
    token = [{"Name": "client-token", "Values": ["t-1"]}]
    assert len(ec2.describe_instances(Filters=token)["Reservations"]) == 1


def test_an_instance_is_pending_until_it_runs(client: Any, clock: Clock) -> None:
    """(EC2 User Guide, Instance lifecycle.)"""
    ec2 = client()
    image = image_id(build())
    SETTINGS.launch_seconds = 20
    ids = [ec2.run_instances(ImageId=image, **ONE)["Instances"][0]["InstanceId"] for _ in range(2)]
    assert states(ec2) == ["pending", "pending"]
    ec2.terminate_instances(InstanceIds=ids[:1])
    clock.forward(seconds=20)
    assert states(ec2) == ["terminated", "running"]


@pytest.mark.parametrize(
    ("architecture", "instance_type", "fits"),
    [
        ("x86_64", "t3.nano", True),
        ("arm64", "t4g.nano", True),
        ("arm64", "t3.nano", False),
        ("x86_64", "t9", False),
    ],
)
def test_a_type_fits_the_architecture_of_an_image(
    client: Any, architecture: str, instance_type: str, fits: bool
) -> None:
    """(EC2 User Guide, Find an AMI: the architecture has to match; EC2 API Reference, Error codes.)"""
    image = image_id(build(images={"golden": {"architecture": architecture}}))
    call = {"ImageId": image, "InstanceType": instance_type, **ONE}
    if fits:
        assert client().run_instances(**call)["Instances"][0]["InstanceType"] == instance_type
    else:
        assert error_code(client().run_instances, **call) == "InvalidParameterValue"


def specification(supported: list[str], unsupported: list[str]) -> dict[str, Any]:
    return {
        "SupportedInstanceTypes": [{"InstanceType": one} for one in supported],
        "UnsupportedInstanceTypes": [{"InstanceType": one} for one in unsupported],
    }


@pytest.mark.parametrize(
    ("supported", "unsupported", "fits"),
    [
        ([], [], True),
        (["t3.*"], [], True),
        (["g5.*"], [], False),
        ([], ["*nano"], False),
        (["t3.*"], ["t3.nano"], False),
    ],
)
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_image_may_list_the_types_that_it_supports(
    client: Any, supported: list[str], unsupported: list[str], fits: bool, dry_run: bool
) -> None:
    """(botocore operation ReplaceImageInstanceTypeSpecification.)"""
    ec2 = client()
    image = image_id(build())
    wanted = {"SupportedInstanceTypes": supported, "UnsupportedInstanceTypes": unsupported}
    ec2.replace_image_instance_type_specification(ImageId=image, InstanceTypeSpecification=wanted)
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert shown.get("InstanceTypeSpecification", specification([], [])) == specification(
        supported, unsupported
    )
    launch = {"ImageId": image, "InstanceType": "t3.nano", **ONE}
    if not fits:
        assert error_code(ec2.run_instances, **launch, DryRun=dry_run) == "InvalidParameterCombination"
        ec2.replace_image_instance_type_specification(ImageId=image)
    assert len(ec2.run_instances(**launch)["Instances"]) == 1


@pytest.mark.parametrize("types", [["a**"], ["t3.*", "t3.*"], ["t" * 25], ["t3 nano"], ["t3.a"] * 101])
def test_specifications_that_are_not_valid(client: Any, types: list[str]) -> None:
    """(botocore shape InstanceTypeSpecificationRequest.)"""
    call = {"ImageId": image_id(build()), "InstanceTypeSpecification": {"SupportedInstanceTypes": types}}
    method = client().replace_image_instance_type_specification
    assert error_code(method, **call) == "InvalidParameterValue"
    assert error_code(client(CONSUMER).replace_image_instance_type_specification, **call) == (
        "InvalidAMIID.NotFound"
    )


@pytest.mark.parametrize(("ena", "code"), [(True, None), (False, "InvalidParameterCombination")])
def test_most_types_need_ena(client: Any, ena: bool, code: str | None) -> None:
    """(hashicorp/terraform#19763.)"""
    (snapshot, _) = build()["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    root = {"DeviceName": "/dev/sda1", "Ebs": {"SnapshotId": snapshot}}
    image = ec2.register_image(
        Name="other",
        Architecture="x86_64",
        VirtualizationType="hvm",
        EnaSupport=ena,
        BlockDeviceMappings=[root],
    )["ImageId"]
    launch = {"ImageId": image, "InstanceType": "t3.nano", **ONE}
    if code:
        assert error_code(ec2.run_instances, **launch) == code
    else:
        assert len(ec2.run_instances(**launch)["Instances"]) == 1


@pytest.mark.parametrize("asked", [True, False])
def test_volumes_that_are_to_end_with_an_instance_do(client: Any, asked: bool) -> None:
    """The request overrides the image's mapping (EC2 User Guide, Block device mappings)."""
    disks = [{**disk, "delete_on_termination": False} for disk in TWO_DISKS]
    image = image_id(build(images={"golden": {"devices": disks, "sharing": {"accounts": ["consumer"]}}}))
    ec2 = client(CONSUMER)
    ended = [{"DeviceName": disk["device_name"], "Ebs": {"DeleteOnTermination": True}} for disk in disks]
    changes = {"BlockDeviceMappings": ended} if asked else {}
    (instance,) = ec2.run_instances(ImageId=image, **changes, **ONE)["Instances"]
    ec2.terminate_instances(InstanceIds=[instance["InstanceId"]])
    assert len(ec2.describe_volumes()["Volumes"]) == (0 if asked else 2)


def test_what_has_ended_can_be_ended_again_and_stays_as_it_was(client: Any) -> None:
    """(botocore operation TerminateInstances: each call succeeds.)"""
    image = image_id(build())
    ec2 = client()
    nic = {"DeviceIndex": 0, "DeleteOnTermination": True}
    ids = [
        ec2.run_instances(ImageId=image, NetworkInterfaces=[nic], **ONE)["Instances"][0]["InstanceId"]
        for _ in range(2)
    ]
    ec2.terminate_instances(InstanceIds=ids[:1])
    ended = ec2.terminate_instances(InstanceIds=ids)["TerminatingInstances"]
    assert {one["InstanceId"] for one in ended} == {*ids}
    assert states(ec2) == ["terminated", "terminated"]
    assert ec2.describe_network_interfaces()["NetworkInterfaces"] == []
