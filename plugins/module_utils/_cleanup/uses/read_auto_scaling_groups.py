# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Auto Scaling groups that launch images, also those that an instance refresh has not finished yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..._aws import read
from ..._aws.answers import require_member
from ..._aws.errors import ClientError, code_of
from .read import Place, Read, Source
from .read_launchers import list_named_resources
from .users import Group

_KIND = "auto_scaling_group"
# Instance refreshes that can still launch instances (botocore shape InstanceRefreshStatus).
_REFRESHING = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")


def _read_groups(place: Place) -> Iterator[Group]:
    """Yield every group, with the images and the versions of launch templates that it names."""
    for page in place.client("autoscaling").get_paginator("describe_auto_scaling_groups").paginate():
        for item in page["AutoScalingGroups"]:
            yield Group(
                _KIND,
                item["AutoScalingGroupName"],
                *list_named_resources("DescribeAutoScalingGroups", _list_configurations(item)),
                configuration=item.get("LaunchConfigurationName", ""),
            )


def _read_refreshes(place: Place) -> Iterator[Group]:
    """Yield the groups whose instances are being refreshed, with what the refresh names.

    A group gets the desired configuration of a refresh once that has succeeded (botocore shape
    StartInstanceRefreshType, DesiredConfiguration). There is no call for all groups.
    """
    operation = "DescribeInstanceRefreshes"
    for group in place.by_kind[_KIND]:
        for item in _read_refreshes_of(place, group.name):
            # One without a status may still launch instances.
            if item.get("Status", "Pending") in _REFRESHING:
                desired = item.get("DesiredConfiguration", {})
                yield Group(
                    _KIND, group.name, *list_named_resources(operation, _list_configurations(desired))
                )


def _read_refreshes_of(place: Place, name: str) -> tuple[Mapping[str, Any], ...]:
    """Return the refreshes of a group; none if it was deleted since it was listed.

    For a group that does not exist, AWS returns a ValidationError (kubernetes-sigs/cluster-api-provider-aws
    #4662), the code of any invalid request: the group is gone if DescribeAutoScalingGroups does not return it
    either.
    """
    operation = "DescribeInstanceRefreshes"
    autoscaling = place.client("autoscaling")
    try:
        return tuple(
            item
            for page in read.pages(autoscaling.describe_instance_refreshes, AutoScalingGroupName=name)
            for item in require_member(page, "InstanceRefreshes", operation)
        )
    except ClientError as exception:
        if code_of(exception) == "ValidationError" and not _has_group(place, name):
            return ()
        raise


def _has_group(place: Place, name: str) -> bool:
    operation = "DescribeAutoScalingGroups"
    answer = place.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    return bool(require_member(answer, "AutoScalingGroups", operation))


def _list_configurations(item: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield what a group or a refresh launches: its launch template, and its mixed instances policy."""
    if "LaunchTemplate" in item:
        yield {"LaunchTemplateSpecification": item["LaunchTemplate"]}
    if "MixedInstancesPolicy" in item:
        yield item["MixedInstancesPolicy"].get("LaunchTemplate", {})


SOURCE = Source(
    _KIND,
    "in overrides of its mixed instances policy or of an instance refresh in progress",
    (
        Read(_read_groups, ("autoscaling:DescribeAutoScalingGroups",)),
        Read(_read_refreshes, ("autoscaling:DescribeInstanceRefreshes",)),
    ),
)
