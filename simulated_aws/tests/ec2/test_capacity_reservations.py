# SPDX-License-Identifier: GPL-3.0-or-later
"""Launches into capacity reservations, which are for one instance type and platform."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import build, error_code, image_id

FULL = "ReservationCapacityExceeded"


@pytest.mark.parametrize("by_template", [True, False])
@pytest.mark.parametrize(
    ("platform", "preference", "instance_type", "code"),
    [
        ("Linux/UNIX", None, "t3.micro", "DryRunOperation"),
        ("Linux/UNIX", None, "t3.small", FULL),
        ("SUSE Linux", None, "t3.micro", FULL),
        ("Linux/UNIX", "capacity-reservations-only", "t3.micro", "DryRunOperation"),
        ("SUSE Linux", "capacity-reservations-only", "t3.micro", FULL),
        ("SUSE Linux", "open", "t3.micro", "DryRunOperation"),
    ],
)
def test_a_reservation_takes_instances_of_its_type_and_platform(
    client: Any, platform: str, preference: str | None, instance_type: str, code: str, by_template: bool
) -> None:
    """(EC2 User Guide, Capacity Reservations; hashicorp/terraform-provider-aws#32458.)"""
    ec2 = client()
    made = ec2.create_capacity_reservation(
        InstanceType="t3.micro", InstancePlatform=platform, InstanceCount=1, AvailabilityZone="us-east-1a"
    )["CapacityReservation"]
    target = {"CapacityReservationTarget": {"CapacityReservationId": made["CapacityReservationId"]}}
    launch: dict[str, Any] = {
        "ImageId": image_id(build()),
        "InstanceType": instance_type,
        "CapacityReservationSpecification": {"CapacityReservationPreference": preference}
        if preference
        else target,
    }
    if by_template:
        ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=launch)
        launch = {"LaunchTemplate": {"LaunchTemplateName": "web"}}
    request = {**launch, "MinCount": 1, "MaxCount": 1}
    assert error_code(ec2.run_instances, DryRun=True, **request) == code
    if code == FULL:
        assert error_code(ec2.run_instances, **request) == code


def test_an_image_has_the_platform_of_the_fixture(client: Any) -> None:
    """(botocore shape Image: Platform is blank for others than Windows.)"""
    ec2 = client()
    built = build(images={name: {"platform_details": name} for name in ("Windows BYOL", "Ubuntu Pro")})
    images = {name: image_id(built, name) for name in ("Windows BYOL", "Ubuntu Pro")}
    found = {one["ImageId"]: one for one in ec2.describe_images(ImageIds=[*images.values()])["Images"]}
    windows, linux = (found[one] for one in images.values())
    assert (windows["Platform"], windows["PlatformDetails"]) == ("windows", "Windows BYOL")
    assert (linux.get("Platform"), linux["PlatformDetails"]) == (None, "Ubuntu Pro")
