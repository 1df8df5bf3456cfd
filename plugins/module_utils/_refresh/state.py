# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The state of Auto Scaling groups: what they launch, and what their instances run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .._model import RESOLVE, Image, Target

DEFAULT = "$Default"
"""The version that a group without one launches (botocore shape LaunchTemplateSpecification, Version)."""
# botocore shape InstanceRefreshStatus.
_RUNNING = ("Pending", "InProgress", "Baking")
_ENDED = ("Successful", "Failed", "Cancelled", "RollbackFailed", "RollbackSuccessful")
# botocore shape LifecycleState: instances that leave the group, and those of its warm pool.
_NOT_IN_GROUP = ("Terminat", "Detach", "Warmed:")
IN_SERVICE, STANDBY, _TERMINATING = "InService", "Standby", "Terminating:"


@dataclass(frozen=True)
class TemplateVersion:
    """A version of a launch template, and the AMI ID that it launches now, empty if that is not known.

    Its text leaves ``data`` out, because user data may hold secrets (botocore shape ``LaunchTemplateData``).
    """

    number: int
    data: Mapping[str, Any] = field(repr=False)
    image_id: str = ""

    @property
    def parameter(self) -> str:
        """Return the parameter that it takes its image from, empty if it has an AMI ID."""
        named = str(self.data.get("ImageId") or "")
        return named.removeprefix(RESOLVE) if named.startswith(RESOLVE) else ""


@dataclass(frozen=True)
class InstanceRefresh:
    """An instance refresh (botocore shape ``InstanceRefresh``).

    ``percent`` and ``to_update``, the number of instances that are left, are None if AWS does not return
    them. ``rolls_back`` is whether AWS rolls it back if it fails. A status that AWS does not return, or a new
    one, counts as one in progress.
    """

    refresh_id: str
    status: str = "Pending"
    reason: str = ""
    percent: int | None = None
    to_update: int | None = None
    desired: Mapping[str, Any] = field(default_factory=dict)
    strategy: str = "Rolling"
    rolls_back: bool = False

    @property
    def has_ended(self) -> bool:
        """Whether it replaces no more instances, and does not roll back any more."""
        return self.status in _ENDED

    @property
    def goes_forward(self) -> bool:
        """Whether it is in progress, and neither cancelled nor rolled back."""
        return self.status in _RUNNING

    @property
    def launches(self) -> bool:
        """Whether it may still launch instances of the image: not once all have been replaced."""
        return self.goes_forward and self.status != "Baking"


@dataclass(frozen=True)
class GroupInstance:
    """An instance of a group. ``image_id`` is empty if EC2 does not return it.

    ``version`` is that of the launch template that has launched it, None if it was another template, a launch
    configuration, or if it was attached to the group. ``weight`` is what it counts of the desired capacity.
    """

    instance_id: str
    state: str = IN_SERVICE
    is_protected: bool = False
    image_id: str = ""
    version: int | None = None
    weight: int = 1

    @property
    def is_in_group(self) -> bool:
        """Whether it counts for the group's capacity, or will."""
        return not self.state.startswith(_NOT_IN_GROUP)


@dataclass(frozen=True)
class Group:
    """An Auto Scaling group (botocore shape ``AutoScalingGroup``).

    ``version`` is that of its launch template as the group has it, such as ``$Latest``. ``launched`` is what
    this stands for now, and ``default`` the default version; both are None if they do not exist.
    ``configuration`` is its launch configuration, and ``operator`` the AWS service that alone can change the
    group, both empty without one. ``has_own_images`` is whether overrides of its mixed instances policy have
    images or launch templates. ``active`` is the refresh that has not ended. ``min_healthy`` and
    ``max_healthy`` are those of its instance maintenance policy, None without one. ``is_balanced`` is whether
    it registers its instances with a load balancer, target group or other traffic source. ``tags`` are the
    keys.
    """

    name: str
    template_id: str = ""
    version: str = DEFAULT
    launched: TemplateVersion | None = None
    default: TemplateVersion | None = None
    instances: tuple[GroupInstance, ...] = ()
    active: InstanceRefresh | None = None
    is_mixed: bool = False
    has_own_images: bool = False
    configuration: str = ""
    is_being_deleted: bool = False
    operator: str = ""
    suspended: frozenset[str] = frozenset()
    desired_capacity: int = 0
    min_healthy: int | None = None
    max_healthy: int | None = None
    is_balanced: bool = False
    has_warm_pool: bool = False
    tags: frozenset[str] = frozenset()

    @property
    def has_number(self) -> bool:
        """Whether it launches a fixed version."""
        return self.version.isdigit()

    @property
    def terminating(self) -> tuple[GroupInstance, ...]:
        """Return the instances that a lifecycle hook or policy keeps running while they leave the group."""
        return tuple(one for one in self.instances if one.state.startswith(_TERMINATING))

    @property
    def unread(self) -> tuple[GroupInstance, ...]:
        """Return the instances whose image EC2 does not return."""
        return tuple(one for one in self.instances if one.is_in_group and not one.image_id)


@dataclass(frozen=True)
class RefreshState:
    """The named groups that exist, by account and region, and by name.

    ``images`` are the images of places with groups: None is one that the account does not see. Those of the
    account of the credentials have their tags.
    """

    account_id: str
    partition: str
    groups: Mapping[Target, Mapping[str, Group]]
    images: Mapping[Target, Image | None] = field(default_factory=dict)
