# SPDX-License-Identifier: GPL-3.0-or-later
"""Instance refreshes: what AWS refuses, and the replacement of a group's instances.

A refresh is performed when it is read after the time in the settings: half of the instances are replaced at
half of the time, the others at its end.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from moto.autoscaling.exceptions import AutoscalingClientError
from moto.autoscaling.models import FakeAutoScalingGroup, InstanceState

from ..ec2 import state
from ..ec2.access import Caller
from ..ec2.errors import Ec2Error
from ..ec2.launch import launchable_image
from ..settings import SETTINGS

_ACTIVE = ("Pending", "InProgress", "Cancelling", "RollbackInProgress", "Baking")
_FOLLOWING = ("$Latest", "$Default")
_PARAMETER = "resolve:ssm:"
_LONGEST_BAKE = 172_800
_MOST_ALARMS = 10
# Auto Scaling User Guide, "How suspended processes affect other processes": a refresh waits without these.
_PROCESSES = frozenset({"InstanceRefresh", "Launch", "Terminate"})


class StrictInstanceState(InstanceState):
    """moto's instance of a group, with the version of the template that the group had when it joined it.

    moto shows the default version of the template for all instances.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.launched_by = current_version(self.auto_scaling_group)

    @property
    def launch_template(self) -> dict[str, Any] | None:
        """The template and the number of its version."""
        shown = super().launch_template
        return shown and self.launched_by and {**shown, "Version": str(self.launched_by[1])}


def current_version(group: FakeAutoScalingGroup) -> tuple[str, int] | None:
    """Return the template and the version number that a group launches; None for a launch configuration."""
    template = group.ec2_launch_template
    if template is None:
        return None
    return template.id, int(template.get_version(group.launch_template_version).number)


@dataclass
class Refresh:
    """An instance refresh of a group (botocore shape InstanceRefresh)."""

    group: Any
    preferences: Mapping[str, Any]
    desired: Mapping[str, Any]
    started: datetime
    refresh_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "InProgress"
    reason: str = ""
    ended: datetime | None = None
    halfway: bool = False
    _saved: str = ""
    _left: list[Any] = field(default_factory=list)
    _total: int = 0

    def begin(self) -> None:
        """Choose the instances to replace."""
        self._saved = self.group.launch_template_version if self.group.ec2_launch_template else ""
        self._left = [instance for instance in self.group.instance_states if self._is_replaced(instance)]
        self._total = len(self._left)

    @property
    def is_active(self) -> bool:
        """Whether it can still launch instances."""
        return self.status in _ACTIVE

    def _wanted(self) -> str:
        return (
            str(_specification(self.desired).get("Version") or self._saved) if self.desired else self._saved
        )

    def _is_replaced(self, instance: InstanceState) -> bool:
        """Whether a refresh replaces an instance (botocore shape RefreshPreferences).

        An instance that makes AWS wait for an hour makes this refresh fail.
        """
        if instance.lifecycle_state == "Standby":
            return bool(self.preferences.get("StandbyInstances", "Wait") == "Terminate")
        if instance.protected_from_scale_in:
            return bool(self.preferences.get("ScaleInProtectedInstances", "Wait") == "Refresh")
        if not self.preferences.get("SkipMatching"):
            return True
        template = self.group.ec2_launch_template
        version = (template.id, int(template.get_version(self._wanted()).number))
        return bool(getattr(instance, "launched_by", None) != version)

    def _waits_for(self) -> str:
        for instance in self.group.instance_states:
            is_standby = instance.lifecycle_state == "Standby"
            if is_standby and self.preferences.get("StandbyInstances", "Wait") == "Wait":
                return "instances in Standby"
            behavior = self.preferences.get("ScaleInProtectedInstances", "Wait")
            if instance.protected_from_scale_in and behavior == "Wait":
                return "instances protected from scale in"
        return ""

    def _is_paused(self) -> bool:
        return any(one["ProcessName"] in _PROCESSES for one in self.group.suspended_processes)

    def _cannot_launch(self, version: str | None = None) -> bool:
        """Whether the group's account cannot launch the image: AWS terminates instances before it tries."""
        template = self.group.ec2_launch_template
        if template is None:
            return False
        backend = self.group.autoscaling_backend
        image_id = template.get_version(version or self._wanted()).image_id
        try:
            launchable_image(Caller(backend.account_id, backend.region_name), image_id)
        except Ec2Error:
            return True
        return False

    def advance(self) -> None:
        """Do what the refresh has done by now."""
        if not self.is_active or self._is_paused():
            return
        passed = (state.now() - self.started).total_seconds()
        if passed * 2 < SETTINGS.instance_refresh_seconds:
            return
        if not self.halfway:
            self.halfway = True
            self._replace((self._total + 1) // 2)
        fails = self.group.name in SETTINGS.instance_refresh_failures or self._cannot_launch()
        waits = self._waits_for()
        if passed < SETTINGS.instance_refresh_seconds:
            return
        self.ended = state.now()
        if fails or waits:
            self.status = "Failed"
            self.reason = f"Waited an hour for {waits}." if waits else "Instances failed health checks."
            if self._cannot_launch():
                self.reason = "Instances could not be launched."
            if self.preferences.get("AutoRollback"):
                self.status = "RollbackSuccessful"
                self._left = [one for one in self.group.instance_states if one.launched_by != self._before()]
                self.group.launch_template_version = self._saved
                self._replace(len(self._left), self._saved)
            return
        self._replace(len(self._left))
        self.status = "Successful"
        if self.desired:
            self._save()

    def _before(self) -> tuple[str, int]:
        template = self.group.ec2_launch_template
        return template.id, int(template.get_version(self._saved).number)

    def _replace(self, count: int, version: str | None = None) -> None:
        """Terminate instances and launch others with the version."""
        old, self._left = self._left[:count], self._left[count:]
        group = self.group
        # Scaling may have ended some of them.
        old = [instance for instance in old if instance in group.instance_states]
        if not old:
            return
        group.instance_states = [one for one in group.instance_states if one not in old]
        group.ec2_backend.terminate_instances([one.instance_id for one in old])
        if self._cannot_launch(version):
            return
        if group.ec2_launch_template:
            group.launch_template_version = version or self._wanted()
        group.replace_autoscaling_group_instances(len(old), group.get_propagated_tags())
        if group.ec2_launch_template:
            group.launch_template_version = self._saved

    def _save(self) -> None:
        """Save the desired configuration in the group (botocore shape StartInstanceRefreshType)."""
        group, specification = self.group, _specification(self.desired)
        version = specification.get("Version") or "$Default"
        group.launch_template_version = version
        if policy := self.desired.get("MixedInstancesPolicy"):
            group.mixed_instances_policy = {**policy}
        else:
            group.provided_launch_template_version = version

    def view(self) -> dict[str, Any]:
        """Return it as DescribeInstanceRefreshes shows it."""
        left = len(self._left) if self.status != "Successful" else 0
        shown: dict[str, Any] = {
            "AutoScalingGroupName": self.group.name,
            "InstanceRefreshId": self.refresh_id,
            "StartTime": self.started,
            "Status": self.status,
            "PercentageComplete": 100 * (self._total - left) // self._total if self._total else 100,
            "InstancesToUpdate": left,
            "Preferences": {**self.preferences},
            "Strategy": "Rolling",
        }
        if self.desired:
            shown["DesiredConfiguration"] = {**self.desired}
        if self.ended:
            shown["EndTime"] = self.ended
        if self.reason:
            shown["StatusReason"] = self.reason
        return shown


def start(group: Any, preferences: Mapping[str, Any], desired: Mapping[str, Any]) -> Refresh:
    """Return a new refresh of the group, or refuse it."""
    _require_possible(group, preferences, desired)
    started = Refresh(group, preferences, desired, state.now())
    started.begin()
    return started


def _specification(desired: Mapping[str, Any]) -> Mapping[str, Any]:
    policy = desired.get("MixedInstancesPolicy", {}).get("LaunchTemplate", {})
    specification: Mapping[str, Any] = desired.get("LaunchTemplate") or policy.get(
        "LaunchTemplateSpecification", {}
    )
    return specification


def _require_possible(group: Any, preferences: Mapping[str, Any], desired: Mapping[str, Any]) -> None:
    """Refuse what AWS refuses; except for the first one, only the refusal is documented, not its message.

    botocore shape RefreshPreferences; for the first hashicorp/terraform-provider-aws#29830, for parameters
    Auto Scaling User Guide, "Use AWS Systems Manager parameters instead of AMI IDs in launch templates".
    """
    rolls_back, skips = preferences.get("AutoRollback"), preferences.get("SkipMatching")
    if rolls_back and not desired:
        raise _invalid(
            "The AutoRollback parameter cannot be set to true when the DesiredConfiguration parameter is "
            "empty. Set AutoRollback to false or specify a desired configuration and try again."
        )
    template = group.ec2_launch_template
    if template is None and skips and not desired:
        raise _invalid("SkipMatching cannot be used with a launch configuration.")
    if template is not None:
        saved = group.launch_template_version
        image = str(template.get_version(saved).image_id)
        if rolls_back and saved in _FOLLOWING:
            raise _invalid(f"AutoRollback is not supported for a group with the version {saved}.")
        if image.startswith(_PARAMETER) and (rolls_back or skips or desired):
            raise _invalid("The launch template of the group uses a parameter instead of an AMI ID.")
        if desired:
            template.get_version(_specification(desired).get("Version") or "$Default")
    _require_values(preferences)


def _require_values(preferences: Mapping[str, Any]) -> None:
    """Refuse values out of their ranges (botocore shapes RefreshPreferences, AlarmSpecification)."""
    lowest, highest = preferences.get("MinHealthyPercentage"), preferences.get("MaxHealthyPercentage")
    if lowest is not None and not 0 <= lowest <= 100:
        raise _invalid("MinHealthyPercentage must be from 0 to 100.")
    if highest is not None:
        if not 100 <= highest <= 200:
            raise _invalid("MaxHealthyPercentage must be from 100 to 200.")
        if lowest is None or highest - lowest > 100:
            raise _invalid("MaxHealthyPercentage needs a MinHealthyPercentage at most 100 below it.")
    if not 0 <= preferences.get("BakeTime", 0) <= _LONGEST_BAKE:
        raise _invalid(f"BakeTime must be from 0 to {_LONGEST_BAKE}.")
    if len(preferences.get("AlarmSpecification", {}).get("Alarms", ())) > _MOST_ALARMS:
        raise _invalid(f"At most {_MOST_ALARMS} alarms can be specified.")


def _invalid(message: str) -> AutoscalingClientError:
    return AutoscalingClientError("ValidationError", message)
