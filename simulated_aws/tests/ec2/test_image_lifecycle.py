# SPDX-License-Identifier: GPL-3.0-or-later
"""Deregistering, disabling, deprecating and protecting images."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import CONSUMER, Clock, build, error_code, image_id, names

SHARED = {"sharing": {"accounts": ["consumer"]}}


def test_snapshots_stay_behind_unless_asked_for(client: Any) -> None:
    """(botocore operation DeregisterImage.)"""
    built = build(images={"kept": {}, "gone": {}})
    ec2 = client()
    answer = ec2.deregister_image(ImageId=image_id(built, "kept"))
    assert "DeleteSnapshotResults" not in answer
    answer = ec2.deregister_image(ImageId=image_id(built, "gone"), DeleteAssociatedSnapshots=True)
    deleted = built["images"]["gone"]["snapshot_ids"]
    assert answer["DeleteSnapshotResults"] == [
        {"SnapshotId": snapshot, "ReturnCode": "success"} for snapshot in deleted
    ]
    left = [snapshot["SnapshotId"] for snapshot in ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]]
    assert left == built["images"]["kept"]["snapshot_ids"]


def test_snapshots_of_another_image_are_skipped(client: Any) -> None:
    """(botocore operation DeregisterImage.)"""
    built = build()
    first, second = built["images"]["golden"]["snapshot_ids"]
    ec2 = client()
    ec2.register_image(
        Name="other",
        RootDeviceName="/dev/xvda",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": first}}],
    )
    answer = ec2.deregister_image(ImageId=image_id(built), DeleteAssociatedSnapshots=True)
    assert answer["DeleteSnapshotResults"] == [
        {"SnapshotId": first, "ReturnCode": "skipped"},
        {"SnapshotId": second, "ReturnCode": "success"},
    ]


def test_a_deregistered_image_is_unavailable_to_its_owner_and_unknown_to_others(client: Any) -> None:
    """(EC2 API Reference, Error codes: InvalidAMIID.Unavailable.)"""
    built = build(images={"golden": SHARED})
    ec2 = client()
    ec2.deregister_image(ImageId=image_id(built))
    assert error_code(ec2.deregister_image, ImageId=image_id(built)) == "InvalidAMIID.Unavailable"
    assert error_code(ec2.describe_images, ImageIds=[image_id(built)]) == "InvalidAMIID.NotFound"
    others = client(CONSUMER).describe_image_attribute
    code = error_code(others, ImageId=image_id(built), Attribute="launchPermission")
    assert code == "InvalidAMIID.NotFound"


def test_a_deregistered_image_is_listed_as_nothing_for_a_while(client: Any, clock: Clock) -> None:
    """(botocore operation DescribeImages: results are empty, and eventually an error.)"""
    SETTINGS.update({"deregistered_image_known_seconds": 60})
    built = build(images={"golden": SHARED})
    ec2 = client()
    ec2.deregister_image(ImageId=image_id(built))
    assert ec2.describe_images(ImageIds=[image_id(built)])["Images"] == []
    code = error_code(client(CONSUMER).describe_images, ImageIds=[image_id(built)])
    assert code == "InvalidAMIID.NotFound"
    clock.forward(seconds=61)
    assert error_code(ec2.describe_images, ImageIds=[image_id(built)]) == "InvalidAMIID.NotFound"


def test_a_deregistered_image_is_listed_as_nothing_while_it_has_instances(client: Any) -> None:
    built = build(images={"golden": SHARED})
    consumer = client(CONSUMER)
    run = consumer.run_instances(ImageId=image_id(built), MinCount=1, MaxCount=1)
    client().deregister_image(ImageId=image_id(built))
    assert consumer.describe_images(ImageIds=[image_id(built)])["Images"] == []
    consumer.terminate_instances(InstanceIds=[run["Instances"][0]["InstanceId"]])
    assert error_code(consumer.describe_images, ImageIds=[image_id(built)]) == "InvalidAMIID.NotFound"


def test_disabling_unshares_and_enabling_does_not_share_again(client: Any) -> None:
    """(botocore operations DisableImage and EnableImage.)"""
    built = build(images={"golden": SHARED})
    image, ec2 = image_id(built), client()
    ec2.disable_image(ImageId=image)
    (seen,) = ec2.describe_images(ImageIds=[image], IncludeDisabled=True)["Images"]
    assert seen["State"] == "disabled"
    assert names(client(CONSUMER).describe_images(IncludeDisabled=True)) == []
    ec2.enable_image(ImageId=image)
    assert names(ec2.describe_images(Owners=["self"])) == ["golden"]
    answer = ec2.describe_image_attribute(ImageId=image, Attribute="launchPermission")
    assert answer["LaunchPermissions"] == []


@pytest.mark.parametrize("method", ["disable_image", "enable_image"])
def test_only_a_finished_image_is_disabled_or_enabled(client: Any, method: str) -> None:
    built = build(images={"golden": {"state": "failed"}})
    assert error_code(getattr(client(), method), ImageId=image_id(built)) == "InvalidAMIID.Unavailable"


def test_a_deprecated_image_is_seen_by_its_owner_by_id_or_on_request(client: Any, clock: Any) -> None:
    """(EC2 User Guide, Deprecate an Amazon EC2 AMI.)"""
    built = build(images={"golden": SHARED})
    image, owner, consumer = image_id(built), client(), client(CONSUMER)
    owner.enable_image_deprecation(ImageId=image, DeprecateAt=clock.now() + timedelta(days=1))
    assert names(consumer.describe_images()) == ["golden"]
    clock.forward(days=2)
    assert names(owner.describe_images()) == ["golden"]
    assert names(consumer.describe_images()) == []
    assert names(consumer.describe_images(ImageIds=[image])) == ["golden"]
    assert names(consumer.describe_images(IncludeDeprecated=True)) == ["golden"]
    owner.disable_image_deprecation(ImageId=image)
    assert names(consumer.describe_images()) == ["golden"]


def test_seconds_of_a_deprecation_are_rounded(client: Any, clock: Any) -> None:
    """(botocore shape EnableImageDeprecationRequest, DeprecateAt.)"""
    clock.moment = clock.moment.replace(second=0, microsecond=0)
    ec2, image = client(), image_id(build())
    ec2.enable_image_deprecation(ImageId=image, DeprecateAt=clock.now() + timedelta(hours=1, seconds=31))
    (seen,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert seen["DeprecationTime"] == f"{clock.now() + timedelta(minutes=61):%Y-%m-%dT%H:%M:%S.000Z}"


@pytest.mark.parametrize(
    ("sharing", "days", "code"),
    [
        ({}, -1, "InvalidParameterValue"),
        ({}, 3649, None),
        ({}, 3660, "InvalidParameterValue"),
        ({"public": True}, 729, None),
        ({"public": True}, 740, "InvalidParameterValue"),
    ],
)
def test_limits_of_a_deprecation(
    client: Any, clock: Any, sharing: dict[str, Any], days: int, code: str | None
) -> None:
    """(botocore shape EnableImageDeprecationRequest, DeprecateAt.)"""
    image = image_id(build(images={"golden": {"sharing": sharing}}))
    call = {"ImageId": image, "DeprecateAt": clock.now() + timedelta(days=days)}
    if code:
        assert error_code(client().enable_image_deprecation, **call) == code
    else:
        client().enable_image_deprecation(**call)


def test_the_deprecation_of_a_public_image_is_not_canceled_or_postponed(client: Any, clock: Any) -> None:
    """(EC2 User Guide, Deprecate an Amazon EC2 AMI: note on public AMIs.)"""
    ec2, image = client(), image_id(build())
    ec2.disable_image_block_public_access()
    public: Any = [{"Group": "all"}]
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": public})
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert shown["DeprecationTime"] > f"{clock.now() + timedelta(days=729):%Y-%m-%d}"
    in_days = {days: clock.now() + timedelta(days=days) for days in (1, 2)}
    ec2.enable_image_deprecation(ImageId=image, DeprecateAt=in_days[1])
    later = {"ImageId": image, "DeprecateAt": in_days[2]}
    assert error_code(ec2.enable_image_deprecation, **later) == "OperationNotPermitted"
    assert error_code(ec2.disable_image_deprecation, ImageId=image) == "OperationNotPermitted"
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Remove": public})
    ec2.disable_image_deprecation(ImageId=image)
    (shown,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert "DeprecationTime" not in shown


def test_a_protected_image_stays(client: Any) -> None:
    """(botocore operation EnableImageDeregistrationProtection.)"""
    ec2, image = client(), image_id(build())
    ec2.enable_image_deregistration_protection(ImageId=image)
    (seen,) = ec2.describe_images(ImageIds=[image])["Images"]
    assert seen["DeregistrationProtection"] == "enabled-without-cooldown"
    assert error_code(ec2.deregister_image, ImageId=image) == "OperationNotPermitted"
    ec2.disable_image_deregistration_protection(ImageId=image)
    ec2.deregister_image(ImageId=image)


def test_a_cooldown_outlives_protection_by_a_day(client: Any, clock: Any) -> None:
    """(botocore shape EnableImageDeregistrationProtectionRequest, WithCooldown.)"""
    ec2, image = client(), image_id(build())
    ec2.enable_image_deregistration_protection(ImageId=image, WithCooldown=True)
    ec2.disable_image_deregistration_protection(ImageId=image)
    clock.forward(hours=23)
    assert error_code(ec2.deregister_image, ImageId=image) == "OperationNotPermitted"
    clock.forward(hours=1)
    ec2.deregister_image(ImageId=image)
