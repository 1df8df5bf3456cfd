# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse groups whose instances cannot safely be replaced by those of the image."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._failures import Failure
from .._listing import count, join_texts
from .._model import Image, Target
from .._tags import refuse_recalled
from .options import RefreshOptions
from .state import IN_SERVICE, STANDBY, Group, GroupInstance, InstanceRefresh, TemplateVersion

GROUPS = "auto_scaling_groups"
"""The option that names the groups."""
REMOVE = f"Remove it from {GROUPS}, or run without that account or region."
"""The remedy for a group that cannot be refreshed in one place: the option names it in all."""
# Auto Scaling User Guide, "How suspended processes affect other processes": without Launch, Terminate or
# InstanceRefresh, a refresh waits, and replaces instances whenever these are resumed. Without
# AddToLoadBalancer, no load balancer gets the new instances; without HealthCheck, none counts as unhealthy.
_NEEDED_PROCESSES = frozenset({"AddToLoadBalancer", "HealthCheck", "InstanceRefresh", "Launch", "Terminate"})
# Tags of groups whose instances the service itself replaces, with the launch template that it writes (Amazon
# EKS User Guide, "Understand each phase of node updates": it drains a node first; AWS Elastic Beanstalk
# Developer Guide, "Tagging resources in your environments").
_SERVICES = {"eks:nodegroup-name": "Amazon EKS", "elasticbeanstalk:environment-id": "AWS Elastic Beanstalk"}
_SEPARATELY = "for this group only, run its account and region separately"
_DISKS = "BlockDeviceMappings"
_ALL = 100
_PUBLISH = "Publish the image first (ami_publish, with the launch template in launch_templates)"


def refuse_group(
    options: RefreshOptions, target: Target, group: Group, image_id: str, devices: Collection[str]
) -> Failure | None:
    """Return why a group is refused: the first reason, None without one. ``devices`` are the image's."""
    reasons = (
        _refuse_kind(target, group),
        refuse_launches(target, group, image_id, devices),
        refuse_active(target, group, image_id),
        refuse_instances(options, target, group, image_id),
    )
    return next((reason for reason in reasons if reason), None)


def _refuse(target: Target, group: Group, code: str, problem: str, remedy: str) -> Failure:
    message = f"Group {group.name} in account {target.account_id} {problem}"
    return Failure.at(target, GROUPS, code, message, remedy)


def _refuse_kind(target: Target, group: Group) -> Failure | None:
    """Return why no group of this kind, or in this state, is refreshed."""
    problem, remedy = "", REMOVE
    if group.is_being_deleted:
        problem = "is being deleted."
    elif group.operator:
        # botocore shape Operator of Auto Scaling: only it can change the group.
        problem = f"is managed by {group.operator}, which alone can change it."
        remedy = f"Replace its instances with that service. {REMOVE}"
    elif services := sorted(service for tag, service in _SERVICES.items() if tag in group.tags):
        problem = f"is managed by {services[0]}."
        remedy = f"Replace its instances with that service. {REMOVE}"
    elif group.configuration:
        problem = f"launches from the launch configuration {group.configuration}."
        remedy = "Move it to a launch template, or replace its instances yourself."
    elif group.has_own_images:
        problem = "has overrides with an image or a launch template of their own."
        remedy = "Replace its instances yourself: which of them are to run the image is not known."
    elif stopped := sorted(group.suspended & _NEEDED_PROCESSES - _unused_processes(group)):
        problem = f"has suspended processes that a refresh needs: {', '.join(stopped)}."
        remedy = "Resume them (aws autoscaling resume-processes)."
    return _refuse(target, group, "group_not_refreshable", problem, remedy) if problem else None


def _unused_processes(group: Group) -> frozenset[str]:
    return frozenset() if group.is_balanced else frozenset({"AddToLoadBalancer"})


def refuse_launches(target: Target, group: Group, image_id: str, devices: Collection[str]) -> Failure | None:
    """Return why the next launches of the group would not be of the image."""
    code, launched, default = "other_image_launched", group.launched, group.default
    if launched is None:
        problem = f"has no launch template with the version {group.version}."
        remedy = "Set one that exists in the group."
        return _refuse(target, group, "launch_template_not_found", problem, remedy)
    if launched.image_id == image_id:
        return None
    launches = f"launches {_render_image(launched)}, and not {image_id}: version {group.version} of"
    problem = f"{launches} {group.template_id}."
    if not group.has_number:
        return _refuse(target, group, code, problem, f"{_PUBLISH}, then rerun.")
    if default is None or default.image_id != image_id:
        remedy = f"{_PUBLISH}, which makes it the default version, then rerun."
        return _refuse(target, group, code, problem, remedy)
    set_version = f"Set version {default.number} in the group, then rerun."
    if group.is_mixed:
        # Auto Scaling resets all parameters of a policy that a desired configuration does not have (Auto
        # Scaling User Guide, "Use an instance refresh with skip matching"), and botocore may not know all.
        problem = f"{problem} It has a mixed instances policy, whose version is not changed here."
        return _refuse(target, group, code, problem, set_version)
    if launched.parameter or default.parameter:
        # Auto Scaling User Guide, "Use AWS Systems Manager parameters instead of AMI IDs in launch
        # templates": such a group cannot have a desired configuration.
        problem = f"{problem} A refresh cannot change the version of a group that launches from a parameter."
        return _refuse(target, group, code, problem, set_version)
    if names := find_differing_data(launched, default, devices):
        problem = (
            f"{problem} Version {default.number} has the image, and differs in more: {join_texts(names, 5)}."
        )
        return _refuse(target, group, "launch_template_versions_differ", problem, set_version)
    return None


def refuse_going_on(target: Target, group: Group, image_id: str, refresh_id: str) -> Failure | None:
    """Return why a refresh in progress launches another image, None if it does not."""
    launched = group.launched
    if launched and launched.image_id == image_id:
        return None
    launches = _render_image(launched) if launched else "no version that exists"
    problem = f"launches {launches} now, and not {image_id}, and so does its refresh {refresh_id}."
    remedy = f"Cancel it now: {cancel_command(target, group.name)}. {_PUBLISH}, then rerun."
    return _refuse(target, group, "other_image_launched", problem, remedy)


def cancel_command(target: Target, name: str) -> str:
    """Return the command that cancels the refresh of a group, and with which credentials."""
    return (
        f"aws autoscaling cancel-instance-refresh --auto-scaling-group-name {name} --region {target.region}, "
        f"with credentials of account {target.account_id}"
    )


def _render_image(version: TemplateVersion) -> str:
    if version.parameter:
        return f"{version.image_id or 'no image'} from the parameter {version.parameter}"
    return version.image_id or "no image of its own"


def find_differing_data(one: TemplateVersion, other: TemplateVersion, devices: Collection[str]) -> list[str]:
    """Return the parameters in which two versions differ beside the image and the snapshots of its devices.

    Values are left out, because they can be secrets, such as ``UserData``.
    """
    names = {**one.data, **other.data}.keys() - {"ImageId", _DISKS}
    first, second = (
        {disk.get("DeviceName"): disk for disk in of.data.get(_DISKS, ())} for of in (one, other)
    )
    is_same = all(
        _is_same_disk(first.get(name, {}), second.get(name, {}))
        if name in devices
        else first.get(name) == second.get(name)
        for name in {**first, **second}
    )
    different = [name for name in sorted(names) if one.data.get(name) != other.data.get(name)]
    return different if is_same else sorted([*different, _DISKS])


def _is_same_disk(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether mappings of a device of the image differ at most in a snapshot that one of them has.

    ami_publish leaves out the snapshot of the earlier image, and a mapping with nothing else.
    """
    if all("SnapshotId" in disk.get("Ebs", {}) for disk in (one, other)):
        return one == other
    return _without_snapshot(one) == _without_snapshot(other)


def _without_snapshot(disk: Mapping[str, Any]) -> dict[str, Any]:
    ebs = {name: value for name, value in disk.get("Ebs", {}).items() if name != "SnapshotId"}
    others = {name: value for name, value in disk.items() if name not in ("DeviceName", "Ebs")}
    return {**others, **({"Ebs": ebs} if ebs else {})}


def refuse_active(target: Target, group: Group, image_id: str) -> Failure | None:
    """Return why a refresh in progress is not waited for, None without one or a reason."""
    active = group.active
    if active is None or is_same_work(group, image_id, active):
        return None
    problem = f"has another instance refresh, {active.refresh_id}, with the status {active.status}."
    remedy = f"Wait until it has ended, or cancel it ({cancel_command(target, group.name)}), then rerun."
    return _refuse(target, group, "instance_refresh_in_progress", problem, remedy)


def is_same_work(group: Group, image_id: str, active: InstanceRefresh) -> bool:
    """Whether a refresh in progress replaces instances by those that this task would have launched.

    An earlier run of this task may have started it. Nothing in it says who has.
    """
    wanted = desired_configuration(group, image_id)
    is_same = _identify(active.desired) == _identify(wanted) if wanted else not active.desired
    return active.goes_forward and active.strategy == "Rolling" and is_same


def _identify(desired: Mapping[str, Any]) -> tuple[Any, Any]:
    template = desired.get("LaunchTemplate", {})
    return template.get("LaunchTemplateId"), template.get("Version")


def desired_configuration(group: Group, image_id: str) -> dict[str, Any]:
    """Return the desired configuration of a refresh; empty if the group launches the image as it is.

    It is the default version of the launch template, for a group with the number of another one. AWS saves
    it in the group once the refresh has succeeded (botocore shape StartInstanceRefreshType): a group that
    follows ``$Latest`` or ``$Default`` would get a fixed version.
    """
    launched, default = group.launched, group.default
    if launched is None or default is None or not group.has_number or launched.image_id == image_id:
        return {}
    return {"LaunchTemplate": {"LaunchTemplateId": group.template_id, "Version": str(default.number)}}


def refuse_instances(options: RefreshOptions, target: Target, group: Group, image_id: str) -> Failure | None:
    """Return why the instances are not replaced.

    Their images are not all known, or AWS makes a refresh wait for some of them: by default for an hour, and
    fails then (botocore shape RefreshPreferences).
    """
    if group.active:
        return None
    if group.unread:
        # Unknown is no reason to replace an instance, and no proof that it runs the image.
        problem = f"has {count(len(group.unread), 'instance')} whose image EC2 does not return: "
        problem = f"{problem}{_ids(group.unread)}."
        remedy = (
            "Rerun once they have been launched. Take one that does not exist any more out of the group (aws "
            "autoscaling terminate-instance-in-auto-scaling-group)."
        )
        return _refuse(target, group, "instances_unreadable", problem, remedy)
    old = [instance for instance in group.instances if instance.is_in_group and instance.image_id != image_id]
    standby = [instance for instance in old if instance.state == STANDBY]
    protected = [instance for instance in old if instance.state != STANDBY and instance.is_protected]
    kinds = (
        (options.standby_instances, standby, "in Standby", "standby_instances", "terminate"),
        (
            options.scale_in_protected_instances,
            protected,
            "protected from scale in",
            "scale_in_protected_instances",
            "refresh",
        ),
    )
    for choice, instances, kind, name, replaces in kinds:
        if instances and choice is None:
            problem = f"has {count(len(instances), 'instance')} {kind} without the image: {_ids(instances)}."
            remedy = f"Set {name} to ignore, which keeps them, or to {replaces}, which replaces them, too"
            remedy = f"{remedy}; {_SEPARATELY}."
            return _refuse(target, group, "instances_protected", problem, remedy)
    return None


def refuse_outage(
    options: RefreshOptions, target: Target, group: Group, replaced: Sequence[GroupInstance]
) -> Failure | None:
    """Return why a refresh would leave the group without any instance for a while, unless that is accepted.

    Without a maximum, AWS terminates an instance and launches its replacement at the same time (botocore
    shape RefreshPreferences, MaxHealthyPercentage), also the only one, and at once all whose weight is the
    desired capacity or more (Auto Scaling User Guide, instance refreshes, limitations). With an explicit one,
    it launches first if both bounds cannot be honored otherwise. Whether the maximum of a group's policy is
    explicit is not documented: one of 100 is taken as none, and one above it leaves room to launch first.
    """
    lowest, highest = options.min_healthy_percentage, options.max_healthy_percentage
    is_accepted = lowest is not None and lowest < _ALL
    stays = lowest if lowest is not None else group.min_healthy or 0
    launches_first = highest is not None or (stays > 0 and (group.max_healthy or 0) > _ALL)
    if launches_first or is_accepted:
        return None
    last = [one for one in replaced if one.state == IN_SERVICE and one.weight >= group.desired_capacity]
    if not last or not group.desired_capacity:
        return None
    problem = f"would have no instance for a while: AWS terminates {_ids(last)} before another one runs."
    remedy = (
        "Set min_healthy_percentage to 100 and max_healthy_percentage to 110, to launch before that, or only "
        "min_healthy_percentage, to 90 as AWS does, to accept it; "
        f"{_SEPARATELY}."
    )
    return _refuse(target, group, "group_would_be_empty", problem, remedy)


def _ids(instances: Sequence[GroupInstance]) -> str:
    return join_texts([instance.instance_id for instance in instances])


def refuse_image(
    target: Target, image_id: str, image: Image | None, refreshed: Sequence[str] = ()
) -> tuple[Failure, ...]:
    """Return why instances of the image would not start, or must not: AWS would terminate others first.

    ``refreshed`` are the names of groups whose refreshes in progress launch it.
    """
    problems = _refuse_image(target, image_id, image)
    if not refreshed:
        return problems
    commands = "; ".join(cancel_command(target, name) for name in refreshed)
    return tuple(
        replace(
            problem,
            message=f"{problem.message} A refresh of {join_texts(refreshed)} in progress launches it.",
            remedy=f"Cancel the refresh now: {commands}. {problem.remedy}",
        )
        for problem in problems
    )


def _refuse_image(target: Target, image_id: str, image: Image | None) -> tuple[Failure, ...]:
    if image is None:
        message = f"{image_id} does not exist or is not visible to account {target.account_id}."
        remedy = "Share it with the account (ami_share), or correct the AMI ID: each region has its own."
        return (Failure.at(target, "DescribeImages", "image_not_found", message, remedy),)
    if image.state != "available":
        message = f"{image_id} is {image.state}."
        remedy = "Wait until it is available, or use another image."
        return (Failure.at(target, "DescribeImages", "image_not_available", message, remedy),)
    return refuse_recalled(image_id, image.tags, target, "DescribeImages")


def refuse_missing(
    options: RefreshOptions, groups: Mapping[Target, Mapping[str, Group]]
) -> Iterator[Failure]:
    """Yield a failure for each named group that exists in no account and region."""
    for name in options.auto_scaling_groups:
        if not any(name in of_target for of_target in groups.values()):
            yield Failure(
                f"{GROUPS}: there is no group {name} in these accounts and regions.",
                "Correct the name, which is case-sensitive, the accounts or the regions.",
                "group_not_found",
                GROUPS,
            )


def refuse_many(options: RefreshOptions, number: int) -> Iterator[Failure]:
    """Yield a failure if more groups would be refreshed than the user allows."""
    if number > options.max_groups:
        yield Failure(
            f"max_groups: the instances of {count(number, 'group')} would be replaced, more than "
            f"{options.max_groups}.",
            f"Check the groups in check mode, then set max_groups to {number}, or name fewer groups.",
            "too_many_groups",
            "max_groups",
        )
