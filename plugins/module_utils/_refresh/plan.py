# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the instance refreshes of groups: a pure function of the options and of the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._failures import Failure
from .._listing import count, join_texts
from .._model import Image, Target
from .._plan import Action, Plan, TargetPlan, names_of
from .checks import (
    desired_configuration,
    refuse_group,
    refuse_image,
    refuse_many,
    refuse_missing,
    refuse_outage,
)
from .options import IGNORE, REFRESH, TERMINATE, RefreshOptions
from .state import STANDBY, Group, GroupInstance, InstanceRefresh, RefreshState

START = "StartInstanceRefresh"
# The tag of a group of a capacity provider (Amazon ECS Developer Guide, "Auto Scaling group capacity
# providers"). ECS supports instance refreshes (there, "Safely stop Amazon ECS workloads running on EC2
# instances").
_OF_ECS = "AmazonECSManaged"


@dataclass(frozen=True)
class GroupPlan:
    """What is done with a group: refused, waited for (``active``), refreshed (``start``), or nothing.

    ``devices`` are those of the image. ``replaced`` are the instances that a refresh replaces, and ``kept``
    those that it leaves without the image.
    """

    target: Target
    group: Group
    image_id: str
    devices: frozenset[str] = frozenset()
    refusal: Failure | None = None
    active: InstanceRefresh | None = None
    start: Action | None = None
    replaced: tuple[GroupInstance, ...] = ()
    kept: tuple[GroupInstance, ...] = ()

    @property
    def name(self) -> str:
        """Return the name of the group."""
        return self.group.name

    @property
    def is_work(self) -> bool:
        """Whether a refresh is started or waited for."""
        return self.start is not None or self.active is not None

    @property
    def launched_number(self) -> int | None:
        """Return the version that the group launches now, None without one."""
        return self.group.launched.number if self.group.launched else None

    @property
    def changes_version(self) -> bool:
        """Whether the refresh changes the version of the launch template that the group has."""
        return bool(desired_configuration(self.group, self.image_id))

    @property
    def rolls_back(self) -> bool:
        """Whether AWS rolls the refresh back if it fails."""
        if self.active:
            return self.active.rolls_back
        return bool(self.start and self.start.parameters["Preferences"].get("AutoRollback"))

    @property
    def version(self) -> str:
        """Return the version of the launch template that the group has once the refresh has succeeded."""
        default = self.group.default
        return str(default.number) if default and self.changes_version else self.group.version


@dataclass(frozen=True)
class RefreshPlan(Plan):
    """The plans of all groups that exist.

    ``missing`` are failures of names that no group has. ``excess`` is the failure of more groups than the
    user allows. In check mode it stops nothing, so that the groups are shown. ``absent`` are warnings of
    names that only some places have.
    """

    groups: tuple[GroupPlan, ...] = ()
    missing: tuple[Failure, ...] = ()
    excess: tuple[Failure, ...] = ()
    absent: tuple[str, ...] = ()
    check_mode: bool = False

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings, first those about groups that not all places have."""
        return (*self.absent, *super().warnings)

    @property
    def refusals(self) -> tuple[Failure, ...]:
        """Return the failures that stop the plan."""
        return (*self.missing, *super().refusals, *(() if self.check_mode else self.excess))

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return the failures that fail the task but stop nothing."""
        return self.excess if self.check_mode else ()


def plan(options: RefreshOptions, current: RefreshState) -> RefreshPlan:
    """Plan the refresh of each named group whose instances do not all run the image."""
    images = options.targets()
    groups = tuple(
        plan_group(
            options, target, of_target[name], images[target], _list_devices(current.images.get(target))
        )
        for target, of_target in current.groups.items()
        for name in sorted(of_target)
    )
    number = sum(plan.is_work for plan in groups)
    return RefreshPlan(
        targets=tuple(
            _plan_target(options, current, target, [plan for plan in groups if plan.target == target])
            for target in current.groups
        ),
        groups=groups,
        missing=tuple(refuse_missing(options, current.groups)),
        excess=tuple(refuse_many(options, number)),
        absent=tuple(_list_absent(options, current)),
        check_mode=options.check_mode,
    )


def _list_devices(image: Image | None) -> frozenset[str]:
    return frozenset(device.name for device in image.devices) if image else frozenset()


def _list_absent(options: RefreshOptions, current: RefreshState) -> Iterator[str]:
    places = names_of(current.groups)
    for name in options.auto_scaling_groups:
        absent = [places[target] for target, groups in current.groups.items() if name not in groups]
        if 0 < len(absent) < len(places):
            yield (
                f"Group {name} does not exist in {len(absent)} of {len(places)} accounts and regions, where "
                f"nothing is replaced: {join_texts(absent, 3)}."
            )


def plan_group(
    options: RefreshOptions,
    target: Target,
    group: Group,
    image_id: str,
    devices: frozenset[str] = frozenset(),
) -> GroupPlan:
    """Plan one group, whose launches and instances are to be of the image with these devices."""
    members = [instance for instance in group.instances if instance.is_in_group]
    kept = tuple(one for one in members if one.image_id != image_id and _is_kept(options, one))
    refusal = refuse_group(options, target, group, image_id, devices)
    if refusal:
        return GroupPlan(target, group, image_id, devices, refusal=refusal, kept=kept)
    if group.active:
        return GroupPlan(target, group, image_id, devices, active=group.active, kept=kept)
    desired = desired_configuration(group, image_id)
    if not desired and all(one.image_id == image_id or one in kept for one in members):
        return GroupPlan(target, group, image_id, devices, kept=kept)
    launched = group.default if desired else group.launched
    number = launched.number if launched else None
    skips = options.skip_matching and _can_skip(group)
    replaced = tuple(
        one for one in members if not _is_kept(options, one) and not (skips and one.version == number)
    )
    if refusal := refuse_outage(options, target, group, replaced):
        return GroupPlan(target, group, image_id, devices, refusal=refusal, kept=kept)
    start = Action(target, START, _build_request(options, group, desired), group.name, "autoscaling")
    return GroupPlan(target, group, image_id, devices, start=start, replaced=replaced, kept=kept)


def _can_skip(group: Group) -> bool:
    """Whether AWS can skip instances of the version that is launched.

    Not while the launch template has a parameter in place of an AMI ID (Auto Scaling User Guide, "Use AWS
    Systems Manager parameters instead of AMI IDs in launch templates").
    """
    return not (group.launched and group.launched.parameter)


def _is_kept(options: RefreshOptions, instance: GroupInstance) -> bool:
    """Whether a refresh leaves an instance as it is."""
    if instance.state == STANDBY:
        return options.standby_instances != TERMINATE
    return instance.is_protected and options.scale_in_protected_instances != REFRESH


def _build_request(options: RefreshOptions, group: Group, desired: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of StartInstanceRefresh (botocore shape ``StartInstanceRefreshType``).

    AWS refuses AutoRollback without a desired configuration, for groups that launch ``$Latest`` or
    ``$Default``, and for those that launch from a parameter (shape ``RefreshPreferences``). An instance that
    becomes protected, or goes to Standby, after the plan was made stays as it is.
    """
    preferences: dict[str, Any] = {
        "ScaleInProtectedInstances": (options.scale_in_protected_instances or IGNORE).capitalize(),
        "StandbyInstances": (options.standby_instances or IGNORE).capitalize(),
        "SkipMatching": options.skip_matching and _can_skip(group),
    }
    if desired and options.auto_rollback:
        preferences["AutoRollback"] = True
    if options.alarms:
        preferences["AlarmSpecification"] = {"Alarms": list(options.alarms)}
    numbers = {
        "BakeTime": options.bake_time,
        "InstanceWarmup": options.instance_warmup,
        "MaxHealthyPercentage": options.max_healthy_percentage,
        "MinHealthyPercentage": options.min_healthy_percentage,
    }
    preferences |= {name: number for name, number in numbers.items() if number is not None}
    request: dict[str, Any] = {"AutoScalingGroupName": group.name, "Preferences": preferences}
    return {**request, "DesiredConfiguration": desired} if desired else request


def _plan_target(
    options: RefreshOptions, current: RefreshState, target: Target, groups: list[GroupPlan]
) -> TargetPlan:
    starts = [plan for plan in groups if plan.start]
    active = [plan.name for plan in groups if plan.active]
    left = [plan.name for plan in groups if not plan.is_work and not plan.refusal]
    image = current.images.get(target)
    problems = refuse_image(target, groups[0].image_id, image, active) if groups else ()
    is_work = any(plan.is_work for plan in groups)
    return TargetPlan(
        target,
        tuple(plan.start for plan in starts if plan.start),
        before={"auto_scaling_groups": {plan.name: _describe_before(plan) for plan in starts}},
        after={"auto_scaling_groups": {plan.name: _describe_after(plan) for plan in starts}},
        warnings=(
            *_warn_of_image(problems if not is_work else (), left),
            *_list_warnings(options, groups),
        ),
        refusals=(*(problems if is_work else ()), *(plan.refusal for plan in groups if plan.refusal)),
    )


def _warn_of_image(problems: Sequence[Failure], left: Sequence[str]) -> Iterator[str]:
    """Yield why the image should not be launched by groups of which nothing is replaced."""
    for problem in problems:
        if left:
            yield f"{problem.message} The next launches of {join_texts(left)} are of it."


def _describe_before(plan: GroupPlan) -> dict[str, Any]:
    return {"images": count_images(plan.group), "launch_template_version": plan.group.version}


def _describe_after(plan: GroupPlan) -> dict[str, Any]:
    kept = Counter(instance.image_id or "unknown" for instance in plan.kept)
    members = sum(count_images(plan.group).values())
    images = {**kept, plan.image_id: members - kept.total()}
    return {"images": dict(sorted(images.items())), "launch_template_version": plan.version}


def count_images(group: Group) -> dict[str, int]:
    """Return the number of instances of a group by image, ``unknown`` for what EC2 does not return."""
    images = Counter(one.image_id or "unknown" for one in group.instances if one.is_in_group)
    return dict(sorted(images.items()))


def _explain_again(options: RefreshOptions, group: Group) -> str:
    if not _can_skip(group):
        return "because the group launches from a parameter"
    if not options.skip_matching:
        return "because skip_matching is false"
    return "because they are not of the version that the group launches"


def warn_of_terminating(plan: GroupPlan) -> Iterator[str]:
    """Yield a warning of instances without the image that do not count any more, and still run."""
    names = [one.instance_id for one in plan.group.terminating if one.image_id != plan.image_id]
    if names:
        yield (
            f"{count(len(names), 'instance')} of group {plan.name} without the image may run until their "
            f"termination is completed: {join_texts(names)}."
        )


def _list_warnings(options: RefreshOptions, groups: list[GroupPlan]) -> Iterator[str]:
    without = [plan.name for plan in groups if plan.start and not plan.rolls_back]
    if options.auto_rollback and without:
        yield (
            f"AWS cannot roll back {join_texts(without)}: a refresh that fails leaves instances of both "
            "images. Only one that changes a fixed version of the launch template is rolled back."
        )
    for plan in groups:
        again = [one for one in plan.replaced if one.image_id == plan.image_id]
        if again:
            yield (
                f"AWS also replaces {count(len(again), 'instance')} of group {plan.name} with the image, "
                f"{_explain_again(options, plan.group)}."
            )
        if plan.start and _OF_ECS in plan.group.tags:
            yield (
                f"Group {plan.name} belongs to a capacity provider of ECS: tasks are only moved before their "
                "instance is terminated if managed instance draining is on."
            )
        if plan.group.has_warm_pool and not plan.is_work:
            yield f"The warm pool of group {plan.name} was not looked at: it may have another image."
        yield from warn_of_terminating(plan)
        if plan.kept and not (plan.refusal or plan.active):
            yield (
                f"Group {plan.name} keeps {count(len(plan.kept), 'instance')} without the image, in Standby "
                f"or protected from scale in: {join_texts([one.instance_id for one in plan.kept])}."
            )
