# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what names images that it launches: Auto Scaling groups, fleets and Spot requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from ..aws import read
from ..aws.answers import required
from ..aws.errors import ClientError, code_of
from .usage import FLEET, GROUP, SPOT_FLEET, SPOT_REQUEST, Launcher, Pin

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# Instance refreshes that can still launch instances (botocore shape InstanceRefreshStatus).
_REFRESHING = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
# How the states of fleets begin that launch no more instances (botocore shapes FleetStateCode, BatchState).
_ENDED = ("deleted", "cancelled", "failed")
# The states of Spot requests that launch no more instances (botocore shape SpotInstanceState). A disabled
# request waits until its stopped instance is started.
_CLOSED = ("closed", "cancelled", "failed")


def groups(autoscaling: Any) -> tuple[Launcher, ...]:
    """Every Auto Scaling group, with the images and the versions of launch templates that it names."""
    return tuple(
        Launcher(
            GROUP,
            item["AutoScalingGroupName"],
            *_named("DescribeAutoScalingGroups", _configurations(item)),
            configuration=item.get("LaunchConfigurationName", ""),
        )
        for page in autoscaling.get_paginator("describe_auto_scaling_groups").paginate()
        for item in page["AutoScalingGroups"]
    )


def refreshes(autoscaling: Any, of_groups: tuple[Launcher, ...]) -> tuple[Launcher, ...]:
    """The groups whose instances are being refreshed, with what the refresh names: it may not be theirs yet.

    A group gets the desired configuration of a refresh once that has succeeded (botocore shape
    StartInstanceRefreshType, DesiredConfiguration). There is no call for all groups.
    """
    operation = "DescribeInstanceRefreshes"
    return tuple(
        Launcher(GROUP, group.name, *_named(operation, _configurations(item.get("DesiredConfiguration", {}))))
        for group in of_groups
        for item in _refreshes(autoscaling, group.name)
        # One without a status may still launch instances.
        if item.get("Status", "Pending") in _REFRESHING
    )


def _refreshes(autoscaling: Any, name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the refreshes of a group; none if it was deleted since it was listed.

    For a group that does not exist, AWS returns a ValidationError (kubernetes-sigs/cluster-api-provider-aws
    #4662), the code of any invalid request: the group is gone if DescribeAutoScalingGroups does not return it
    either.
    """
    operation = "DescribeInstanceRefreshes"
    try:
        return tuple(
            item
            for page in read.pages(autoscaling.describe_instance_refreshes, AutoScalingGroupName=name)
            for item in required(page, "InstanceRefreshes", operation)
        )
    except ClientError as exception:
        if code_of(exception) == "ValidationError" and not _exists(autoscaling, name):
            return ()
        raise


def _exists(autoscaling: Any, name: str) -> bool:
    operation = "DescribeAutoScalingGroups"
    answer = autoscaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return bool(required(answer, "AutoScalingGroups", operation))


def fleets(ec2: EC2Client) -> tuple[Launcher, ...]:
    """Every EC2 Fleet that can launch instances.

    Fleets of type instant are not listed (botocore shape DescribeFleetsRequest, FleetIds): they launch once.
    One without a state can launch instances.
    """
    operation = "DescribeFleets"
    return tuple(
        Launcher(
            FLEET,
            required(item, "FleetId", operation),
            *_named(operation, item.get("LaunchTemplateConfigs", ())),
        )
        for page in ec2.get_paginator("describe_fleets").paginate(PaginationConfig=read.PAGE)
        for item in required(page, "Fleets", operation)
        if not item.get("FleetState", "").startswith(_ENDED)
    )


def spot_fleets(ec2: EC2Client) -> tuple[Launcher, ...]:
    """Every Spot Fleet request that can launch instances, which one without a state can."""
    operation = "DescribeSpotFleetRequests"
    return tuple(
        Launcher(
            SPOT_FLEET,
            required(item, "SpotFleetRequestId", operation),
            *_named(operation, _spot_configurations(item)),
        )
        for page in ec2.get_paginator("describe_spot_fleet_requests").paginate(PaginationConfig=read.PAGE)
        for item in required(page, "SpotFleetRequestConfigs", operation)
        if not item.get("SpotFleetRequestState", "").startswith(_ENDED)
    )


def spot_requests(ec2: EC2Client) -> tuple[Launcher, ...]:
    """Every Spot request that can launch instances.

    A persistent one stays without its instance, and launches another one when there is capacity again, until
    it expires or is canceled (EC2 User Guide, "Spot Instance request states"). One without a state can launch
    instances.
    """
    operation = "DescribeSpotInstanceRequests"
    return tuple(
        Launcher(
            SPOT_REQUEST,
            required(item, "SpotInstanceRequestId", operation),
            *_named(operation, [item.get("LaunchSpecification", {})]),
        )
        for page in ec2.get_paginator("describe_spot_instance_requests").paginate(PaginationConfig=read.PAGE)
        for item in required(page, "SpotInstanceRequests", operation)
        if item.get("State", "open") not in _CLOSED
    )


def _spot_configurations(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a Spot Fleet launches: its launch specifications, as overrides, and its launch templates."""
    config = required(item, "SpotFleetRequestConfig", "DescribeSpotFleetRequests")
    yield {"Overrides": config.get("LaunchSpecifications", ())}
    yield from config.get("LaunchTemplateConfigs", ())


def _configurations(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a group or a refresh launches: its launch template, and its mixed instances policy."""
    if "LaunchTemplate" in item:
        yield {"LaunchTemplateSpecification": item["LaunchTemplate"]}
    if "MixedInstancesPolicy" in item:
        yield item["MixedInstancesPolicy"].get("LaunchTemplate", {})


def _named(operation: str, configurations: Any) -> tuple[tuple[str, ...], tuple[Pin, ...], tuple[str, ...]]:
    """The images, pinned versions and snapshots that launch template configurations of an answer name."""
    images: list[str] = []
    pins: list[Pin] = []
    snapshots: list[str] = []
    for configuration in configurations:
        overrides = configuration.get("Overrides", ())
        for one in (configuration, *overrides):
            specification = one.get("LaunchTemplateSpecification", {})
            # Bulk reads return the latest and the default version of every launch template.
            version = specification.get("Version", "")
            if version.isdigit():
                template_id = specification.get("LaunchTemplateId")
                template = template_id or required(specification, "LaunchTemplateName", operation)
                pins.append(Pin(template, int(version), template_id is not None))
            if one.get("ImageId"):
                images.append(one["ImageId"])
            ebs = (mapping.get("Ebs", {}) for mapping in one.get("BlockDeviceMappings", ()))
            snapshots += (mapped["SnapshotId"] for mapped in ebs if mapped.get("SnapshotId"))
    return tuple(dict.fromkeys(images)), tuple(dict.fromkeys(pins)), tuple(dict.fromkeys(snapshots))
