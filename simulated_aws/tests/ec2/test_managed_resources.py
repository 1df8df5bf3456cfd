# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and launch templates that AWS services manage."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.settings import SETTINGS

from .conftest import build, image_id

ONE = {"MinCount": 1, "MaxCount": 1}
EKS = {"Principal": "eks.amazonaws.com"}


@pytest.fixture
def image() -> str:
    return image_id(build(images={"golden": {}}))


def instances(client: Any, **params: Any) -> list[tuple[str, bool]]:
    pages = client().get_paginator("describe_instances").paginate(**params)
    found = [one for page in pages for each in page["Reservations"] for one in each["Instances"]]
    return [(one["InstanceId"], one.get("Operator", {}).get("Managed", False)) for one in found]


def test_managed_instances_are_hidden_unless_they_are_asked_for(client: Any, image: str) -> None:
    """(botocore shape DescribeInstancesRequest, IncludeManagedResources.)"""
    (own,) = client().run_instances(ImageId=image, **ONE)["Instances"]
    (managed,) = client().run_instances(ImageId=image, Operator=EKS, **ONE)["Instances"]
    assert managed["Operator"] == {"Managed": True, "HiddenByDefault": True, **EKS}
    assert instances(client) == [(own["InstanceId"], False)]
    both = [(own["InstanceId"], False), (managed["InstanceId"], True)]
    assert instances(client, IncludeManagedResources=True) == both
    # GetManagedResourceVisibility: an account can show them by default.
    SETTINGS.managed_resource_visibility = "visible"
    assert instances(client) == both


def test_managed_launch_templates_are_hidden_unless_they_are_asked_for(client: Any, image: str) -> None:
    """(botocore shape DescribeLaunchTemplateVersionsRequest, IncludeManagedResources.)"""
    ec2 = client()
    ec2.create_launch_template(LaunchTemplateName="own", LaunchTemplateData={"ImageId": image})
    ec2.create_launch_template(LaunchTemplateName="eks", LaunchTemplateData={"ImageId": image}, Operator=EKS)

    def names(**params: Any) -> list[str]:
        found = ec2.describe_launch_template_versions(Versions=["$Latest"], **params)
        return [one["LaunchTemplateName"] for one in found["LaunchTemplateVersions"]]

    assert names() == ["own"]
    assert names(IncludeManagedResources=True) == ["own", "eks"]


def test_managed_volumes_are_hidden_unless_they_are_asked_for(client: Any, image: str) -> None:
    """(botocore shape DescribeVolumesRequest, IncludeManagedResources.)"""
    ec2 = client()
    (instance,) = ec2.run_instances(ImageId=image, Operator=EKS, **ONE)["Instances"]
    zone = {"AvailabilityZone": instance["Placement"]["AvailabilityZone"], "Size": 1}
    own = ec2.create_volume(**zone)["VolumeId"]
    managed = ec2.create_volume(**zone, Operator=EKS)["VolumeId"]
    of_instance = {mapping["Ebs"]["VolumeId"] for mapping in instance["BlockDeviceMappings"]}

    def volumes(**params: Any) -> dict[str, bool]:
        pages = ec2.get_paginator("describe_volumes").paginate(**params)
        return {one["VolumeId"]: one["Operator"]["Managed"] for page in pages for one in page["Volumes"]}

    assert volumes() == {own: False}
    assert volumes(IncludeManagedResources=True) == {
        own: False,
        **dict.fromkeys((managed, *of_instance), True),
    }
    SETTINGS.managed_resource_visibility = "visible"
    assert volumes().keys() == {own, managed, *of_instance}
