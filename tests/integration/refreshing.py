# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto Scaling groups with instances of an image, and what these run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from simulated_aws.client import SimulatedAws

from . import publishing
from .fixture import Fixture

TYPE = {"InstanceType": "t3.micro"}


def add_template(
    aws: SimulatedAws, account: str, region: str, *images: str, name: str = "web", **data: Any
) -> None:
    """A launch template with a version for each image, of which the last one is the default."""
    ec2 = aws.client("ec2", account, region)
    for number, image in enumerate(images, start=1):
        version = {"LaunchTemplateName": name, "LaunchTemplateData": {**TYPE, "ImageId": image, **data}}
        if number == 1:
            ec2.create_launch_template(**version)
        else:
            ec2.create_launch_template_version(**version)
            ec2.modify_launch_template(LaunchTemplateName=name, DefaultVersion=str(number))


def add_group(
    aws: SimulatedAws,
    account: str,
    region: str,
    name: str,
    first: str,
    then: str | None = None,
    *,
    template: str = "web",
    size: int = 2,
    mixed: bool = False,
) -> None:
    """A group whose instances a version has launched, and that ``then`` has another one."""
    autoscaling = aws.client("autoscaling", account, region)
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName=name,
        AvailabilityZones=[f"{region}a"],
        MinSize=size,
        MaxSize=size,
        **_launches(template, first, mixed),
    )
    if then is not None:
        autoscaling.update_auto_scaling_group(AutoScalingGroupName=name, **_launches(template, then, mixed))


def _launches(template: str, version: str, mixed: bool) -> dict[str, Any]:
    specification = {"LaunchTemplateName": template, "Version": version}
    if not mixed:
        return {"LaunchTemplate": specification}
    overrides = [{"InstanceType": "t3.micro"}]
    launch = {"LaunchTemplateSpecification": specification, "Overrides": overrides}
    return {"MixedInstancesPolicy": {"LaunchTemplate": launch}}


def view(aws: SimulatedAws, account: str, region: str, name: str) -> Mapping[str, Any]:
    """A group as AWS shows it."""
    autoscaling = aws.client("autoscaling", account, region)
    found = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    return dict(found[0])


def instance_ids(aws: SimulatedAws, account: str, region: str, name: str) -> list[str]:
    """The instances of a group."""
    return sorted(one["InstanceId"] for one in view(aws, account, region, name)["Instances"])


def images_of(aws: SimulatedAws, account: str, region: str, name: str) -> dict[str, int]:
    """The number of instances of a group by image."""
    ids = instance_ids(aws, account, region, name)
    if not ids:
        return {}
    answer = aws.client("ec2", account, region).describe_instances(InstanceIds=ids)
    instances = [one for reservation in answer["Reservations"] for one in reservation["Instances"]]
    return dict(Counter(one["ImageId"] for one in instances))


def refreshes(aws: SimulatedAws, account: str, region: str, name: str) -> list[Mapping[str, Any]]:
    """The refreshes of a group, the newest first."""
    autoscaling = aws.client("autoscaling", account, region)
    return list(autoscaling.describe_instance_refreshes(AutoScalingGroupName=name)["InstanceRefreshes"])


def releases(fixture: Fixture) -> tuple[dict[str, str], dict[str, str]]:
    """An earlier and a new image by region, shared with the consumer, whose role the owner can assume."""
    publishing.with_role(fixture)
    old, new = (publishing.golden_images(fixture, name) for name in ("2026.10", "2026.11"))
    return old, new
