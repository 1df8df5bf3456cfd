# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read Auto Scaling groups, what they launch, what their instances run, and their refreshes.

Errors are botocore's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._aws import read
from .._aws.accounts import AssumedAccounts
from .._aws.answers import require_member
from .._aws.attempts import repeat_until
from .._aws.clients import Clients
from .._aws.errors import ClientError, code_of
from .._aws.parameters import read_by_arn
from .._failures import Failure, ValidationError
from .._model import Image, Target
from .._option import is_image_id
from .._plan import batches
from .state import DEFAULT, Group, GroupInstance, InstanceRefresh, TemplateVersion

SERVICES = ("autoscaling", "ec2", "ssm")
"""The services whose clients are needed."""
READ_GROUPS, READ_REFRESHES = "DescribeAutoScalingGroups", "DescribeInstanceRefreshes"
_READ_VERSIONS = "DescribeLaunchTemplateVersions"
_READ_INSTANCES = "DescribeInstances"
# botocore shape AutoScalingGroupNamesType: the names of one request.
_NAMES = 50
# botocore shape DescribeInstanceRefreshesType: the largest page.
_REFRESHES_PAGE = 100
# botocore shape AutoScalingGroup: where a group registers its instances.
_TRAFFIC = ("LoadBalancerNames", "TargetGroupARNs", "TrafficSources")
_LATEST = "$Latest"
# The first botocore whose model of Auto Scaling has Operator, the newest of the members of a group that say
# what is refused. An older one drops it, and 1.41.0 also the images of overrides, instances and root volumes.
_BOTOCORE = "1.43.66"
# EC2 API Reference, "Error codes for the Amazon EC2 API": a template or a version that does not exist.
_MISSING = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
)


def require_botocore(autoscaling: Any) -> None:
    """Refuse a botocore that leaves out of AWS's responses why a group is not to be refreshed.

    Raises:
        ValidationError: it is older.
    """
    answer = autoscaling.meta.service_model.operation_model(READ_GROUPS).output_shape
    if "Operator" not in answer.members["AutoScalingGroups"].member.members:
        raise ValidationError(
            [
                Failure(
                    message=f"botocore {_BOTOCORE} or newer is required: an older one does not show which "
                    "groups an AWS service manages, and which have images of their own.",
                    remedy="Update botocore and boto3.",
                    error_code="botocore_too_old",
                    action=READ_GROUPS,
                )
            ]
        )


def read_image(accounts: AssumedAccounts, own_id: str, target: Target, image_id: str) -> Image | None:
    """Return an image as a target sees it, None if it does not, with its tags if ``own_id`` owns it."""
    with accounts.as_account(target.account_id) as clients:
        image = read.image(clients.ec2(target.region), image_id)
    if image is None or image.owner_id != own_id or target.account_id == own_id:
        return image
    # Only the owner sees the tag of a recalled image.
    with accounts.as_account(own_id) as clients:
        return read.image(clients.ec2(target.region), image_id)


def read_groups(clients: Clients, target: Target, names: Sequence[str]) -> dict[str, Group]:
    """Return those of the named groups that exist in a target, by name."""
    autoscaling, ec2 = clients.client("autoscaling", target.region), clients.ec2(target.region)
    return {
        name: _add_images(ec2, replace(group, active=_read_active(autoscaling, name)))
        for name, group in read_launches(clients, target, names).items()
    }


def read_launches(clients: Clients, target: Target, names: Sequence[str]) -> dict[str, Group]:
    """Return the same groups with what they launch, without their refreshes and the images of instances."""
    autoscaling = clients.client("autoscaling", target.region)
    paginator = autoscaling.get_paginator("describe_auto_scaling_groups")
    items = [
        item
        for batch in batches(names, _NAMES)
        for page in paginator.paginate(AutoScalingGroupNames=list(batch))
        for item in require_member(page, "AutoScalingGroups", READ_GROUPS)
    ]
    return {item["AutoScalingGroupName"]: _read_group(clients, target, item) for item in items}


def _read_group(clients: Clients, target: Target, item: Mapping[str, Any]) -> Group:
    policy = item.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    specification = item.get("LaunchTemplate") or policy.get("LaunchTemplateSpecification", {})
    version = specification.get("Version") or DEFAULT
    launched, default = _read_versions(clients, target, specification, version)
    template_id = specification.get("LaunchTemplateId", "")
    return Group(
        name=item["AutoScalingGroupName"],
        template_id=template_id,
        version=version,
        launched=launched,
        default=default,
        instances=tuple(_parse_instance(instance, template_id) for instance in item.get("Instances", ())),
        is_mixed=bool(policy),
        has_own_images=any(
            "LaunchTemplateSpecification" in override or "ImageId" in override
            for override in policy.get("Overrides", ())
        ),
        configuration=item.get("LaunchConfigurationName", ""),
        is_being_deleted=bool(item.get("Status")),
        operator=item.get("Operator", {}).get("Principal", ""),
        desired_capacity=item["DesiredCapacity"],
        # -1 stands for none (botocore shape InstanceMaintenancePolicy).
        min_healthy=_positive(item.get("InstanceMaintenancePolicy", {}).get("MinHealthyPercentage")),
        max_healthy=_positive(item.get("InstanceMaintenancePolicy", {}).get("MaxHealthyPercentage")),
        is_balanced=any(item.get(name) for name in _TRAFFIC),
        has_warm_pool="WarmPoolConfiguration" in item,
        tags=frozenset(tag.get("Key", "") for tag in item.get("Tags", ())),
        suspended=frozenset(one.get("ProcessName", "") for one in item.get("SuspendedProcesses", ())),
    )


def _read_versions(
    clients: Clients, target: Target, specification: Mapping[str, Any], version: str
) -> tuple[TemplateVersion | None, TemplateVersion | None]:
    """Return the version of a launch template, and its default version; None if they do not exist."""
    if not specification:
        return None, None
    paginator = clients.ec2(target.region).get_paginator("describe_launch_template_versions")
    pages = paginator.paginate(
        LaunchTemplateId=require_member(specification, "LaunchTemplateId", READ_GROUPS),
        Versions=[*dict.fromkeys((version, DEFAULT))],
    )
    try:
        items = [
            item for page in pages for item in require_member(page, "LaunchTemplateVersions", _READ_VERSIONS)
        ]
    except ClientError as exception:
        if code_of(exception) in _MISSING:
            return None, None
        raise
    by_number = {int(require_member(item, "VersionNumber", _READ_VERSIONS)): item for item in items}
    default = next((number for number, item in by_number.items() if item.get("DefaultVersion")), None)
    number = {DEFAULT: default, _LATEST: max(by_number, default=None)}.get(version)
    if version.isdigit():
        number = int(version)
    read_versions = {
        one: _parse_version(clients, target, by_number[one])
        for one in dict.fromkeys((number, default))
        if one in by_number
    }
    return read_versions.get(number or 0), read_versions.get(default or 0)


def _parse_version(clients: Clients, target: Target, item: Mapping[str, Any]) -> TemplateVersion:
    """Return a version with its image; that of a parameter is the one that launches resolve it to now."""
    number = int(require_member(item, "VersionNumber", _READ_VERSIONS))
    version = TemplateVersion(number, require_member(item, "LaunchTemplateData", _READ_VERSIONS))
    image_id = str(version.data.get("ImageId") or "")
    if version.parameter:
        # botocore shape GetParametersRequest, Names: also NAME:VERSION, NAME:LABEL and ARNs.
        parameter = read_by_arn(clients.ssm(target.region), version.parameter)
        image_id = parameter.value if parameter and not parameter.not_an_image() else ""
    return replace(version, image_id=image_id if is_image_id(image_id) else "")


def _parse_instance(item: Mapping[str, Any], template_id: str) -> GroupInstance:
    template = item.get("LaunchTemplate", {})
    version = str(template.get("Version", ""))
    is_same = bool(template_id) and template.get("LaunchTemplateId") == template_id
    return GroupInstance(
        item["InstanceId"],
        item["LifecycleState"],
        item["ProtectedFromScaleIn"],
        # Only after a refresh that has replaced its root volume (botocore shape Instance of Auto Scaling).
        item.get("ImageId", ""),
        int(version) if is_same and version.isdigit() else None,
        int(item.get("WeightedCapacity", 1)),
    )


def _positive(number: int | None) -> int | None:
    return number if number is not None and number > 0 else None


def _add_images(ec2: Any, group: Group) -> Group:
    """Return the group, whose instances have the images that EC2 returns.

    EC2 may not return at once an instance that was just launched (EC2 Developer Guide, "Eventual consistency
    in the Amazon EC2 API"): it is read again for a while.
    """
    return repeat_until(
        lambda: _add_images_once(ec2, group),
        lambda current: not current.unread,
        read.SETTLING_TIMEOUT,
        read.SETTLING_INTERVAL,
    )


def _add_images_once(ec2: Any, group: Group) -> Group:
    ids = [instance.instance_id for instance in group.instances if not instance.image_id]
    paginator = ec2.get_paginator("describe_instances")
    images = {
        require_member(instance, "InstanceId", _READ_INSTANCES): instance.get("ImageId", "")
        for batch in batches(ids, read.FILTER_VALUES)
        # A filter: an ID that does not exist any more would refuse the request.
        for page in paginator.paginate(Filters=[{"Name": "instance-id", "Values": list(batch)}])
        for reservation in require_member(page, "Reservations", _READ_INSTANCES)
        for instance in require_member(reservation, "Instances", _READ_INSTANCES)
    }
    return replace(
        group,
        instances=tuple(
            replace(instance, image_id=instance.image_id or images.get(instance.instance_id, ""))
            for instance in group.instances
        ),
    )


def _read_active(autoscaling: Any, name: str) -> InstanceRefresh | None:
    """Return the refresh of a group that has not ended; a group has one at a time.

    AWS returns those of six weeks, in an order that is not documented.
    """
    pages = read.pages(
        autoscaling.describe_instance_refreshes, AutoScalingGroupName=name, MaxRecords=_REFRESHES_PAGE
    )
    return next((refresh for refresh in _parse_refreshes(pages) if not refresh.has_ended), None)


def read_refresh(autoscaling: Any, name: str, refresh_id: str) -> InstanceRefresh:
    """Return a refresh of a group; one that AWS does not return yet is pending."""
    answer = autoscaling.describe_instance_refreshes(
        AutoScalingGroupName=name, InstanceRefreshIds=[refresh_id]
    )
    found = (one for one in _parse_refreshes([answer]) if one.refresh_id == refresh_id)
    return next(found, InstanceRefresh(refresh_id))


def _parse_refreshes(pages: Any) -> Iterator[InstanceRefresh]:
    for page in pages:
        for item in require_member(page, "InstanceRefreshes", READ_REFRESHES):
            yield InstanceRefresh(
                require_member(item, "InstanceRefreshId", READ_REFRESHES),
                item.get("Status", "Pending"),
                item.get("StatusReason", ""),
                item.get("PercentageComplete"),
                item.get("InstancesToUpdate"),
                item.get("DesiredConfiguration", {}),
                item.get("Strategy", "Rolling"),
                item.get("Preferences", {}).get("AutoRollback", False),
            )
