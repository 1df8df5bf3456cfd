# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evidence from the bulk reads: instances, launch templates, launch configurations, parameters, copies."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ..model import IMAGE_DATA_TYPE, RESOLVE
from .state import Evidence, OwnImage, unreadable

INSTANCE, TEMPLATE, CONFIGURATION = "instance", "launch_template", "launch_configuration"
PARAMETER, COPY, SNAPSHOT = "parameter", "running_copy", "snapshot"
GROUP, FLEET, SPOT_FLEET, SPOT_REQUEST = "auto_scaling_group", "fleet", "spot_fleet", "spot_request"
STORE_TASK, EXPORT_TASK = "store_task", "export_task"

# EC2 User Guide, "Amazon EC2 instance state changes": all states but terminated.
LIVING_STATES = ["pending", "running", "shutting-down", "stopping", "stopped"]
# A parameter holds an ID, a list of IDs, or a text with IDs in it, such as JSON.
_IMAGE_ID = re.compile(r"(?<![A-Za-z0-9])ami-(?:[0-9a-f]{17}|[0-9a-f]{8})(?![A-Za-z0-9])")


@dataclass(frozen=True)
class Instance:
    """An instance that DescribeInstances returns."""

    instance_id: str
    image_id: str
    state: str


@dataclass(frozen=True)
class TemplateVersion:
    """A version of a launch template. ``image`` is an image ID or ``resolve:ssm:`` and a parameter."""

    template_id: str
    version: int
    image: str
    snapshot_ids: tuple[str, ...] = ()
    template_name: str = ""

    def __str__(self) -> str:
        return f"{self.template_id} version {self.version}"


@dataclass(frozen=True)
class LaunchConfiguration:
    """A launch configuration, with the Auto Scaling groups that use it."""

    name: str
    image_id: str
    groups: tuple[str, ...] = ()
    snapshot_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """The latest value of an SSM parameter, or the one that ``NAME:VERSION`` or ``NAME:LABEL`` selects.

    ``version`` is the number of the version, 0 if it does not matter. ``data_type`` is ``aws:ec2:image`` if
    AWS validates that the value is an image.
    """

    name: str
    value: str
    version: int = 0
    data_type: str = "text"

    @property
    def may_have_labels(self) -> bool:
        """Whether earlier versions can name images by their labels: it is an image, and was changed."""
        is_image = self.data_type == IMAGE_DATA_TYPE or _IMAGE_ID.fullmatch(self.value) is not None
        return is_image and self.version > 1


@dataclass(frozen=True)
class Pin:
    """A version of a launch template, by number. ``template`` is its ID if ``by_id``, else its name."""

    template: str
    version: int
    by_id: bool = True

    def is_of(self, version: TemplateVersion) -> bool:
        """Whether it is this version."""
        template = version.template_id if self.by_id else version.template_name
        return (self.template, self.version) == (template, version.version)


@dataclass(frozen=True)
class Launcher:
    """An Auto Scaling group, EC2 Fleet, Spot Fleet request or Spot request, and what it names itself.

    ``images`` are IDs, or ``resolve:ssm:`` and a parameter. ``configuration`` is the group's launch
    configuration, empty if it has none.
    """

    kind: str
    name: str
    images: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    snapshot_ids: tuple[str, ...] = ()
    configuration: str = ""

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


@dataclass(frozen=True)
class ImageTask:
    """A task in progress that writes an image to S3: ``store_task`` or ``export_task``."""

    kind: str
    image_id: str
    name: str


@dataclass(frozen=True)
class BulkReads:
    """What can refer to images in one region."""

    instances: tuple[Instance, ...] = ()
    templates: tuple[TemplateVersion, ...] = ()
    configurations: tuple[LaunchConfiguration, ...] = ()
    parameters: tuple[Parameter, ...] = ()
    launchers: tuple[Launcher, ...] = ()
    tasks: tuple[ImageTask, ...] = ()

    @property
    def named_images(self) -> tuple[tuple[TemplateVersion | Launcher, str], ...]:
        """What launches instances, with each image ID or ``resolve:ssm:`` text that it names."""
        return (
            *((version, version.image) for version in self.templates),
            *((launcher, image) for launcher in self.launchers for image in launcher.images),
        )


def missing_pins(launchers: Iterable[Launcher], templates: Iterable[TemplateVersion]) -> tuple[Pin, ...]:
    """The versions that groups and fleets pin and that are not among the ``templates`` read so far."""
    known = tuple(templates)
    pins = dict.fromkeys(pin for launcher in launchers for pin in launcher.pins)
    return tuple(pin for pin in pins if not any(pin.is_of(version) for version in known))


def uses(bulk: BulkReads) -> dict[str, tuple[Evidence, ...]]:
    """Image ID to the evidence that it is used. A launch configuration counts even if no group uses it."""
    found: dict[str, list[Evidence]] = defaultdict(list)
    for instance in bulk.instances:
        if instance.state != "terminated":
            found[instance.image_id].append(Evidence(INSTANCE, instance.instance_id, instance.state))
    for version in bulk.templates:
        for image_id in _IMAGE_ID.findall(version.image):
            found[image_id].append(Evidence(TEMPLATE, version.template_id, f"version {version.version}"))
    for launcher in bulk.launchers:
        for image_id in dict.fromkeys(one for image in launcher.images for one in _IMAGE_ID.findall(image)):
            found[image_id].append(Evidence(launcher.kind, launcher.name))
    for image_id, evidence in _uses_of_one_image(bulk):
        found[image_id].append(evidence)
    for parameter in bulk.parameters:
        for image_id in dict.fromkeys(_IMAGE_ID.findall(parameter.value)):
            found[image_id].append(Evidence(PARAMETER, parameter.name))
    return {image_id: tuple(evidence) for image_id, evidence in found.items()}


def _uses_of_one_image(bulk: BulkReads) -> Iterator[tuple[str, Evidence]]:
    for configuration in bulk.configurations:
        groups = ", ".join(configuration.groups) or "no group"
        yield configuration.image_id, Evidence(CONFIGURATION, configuration.name, groups)
    for task in bulk.tasks:
        yield task.image_id, Evidence(task.kind, task.name)


def selectors(bulk: BulkReads) -> tuple[str, ...]:
    """The parameters of launches that bulk reads do not return: versions, labels, shared ones."""
    names = {parameter.name for parameter in bulk.parameters}
    named = (image.removeprefix(RESOLVE) for _user, image in bulk.named_images if image.startswith(RESOLVE))
    return tuple(dict.fromkeys(name for name in named if name not in names))


def unresolved(bulk: BulkReads) -> tuple[Evidence, ...]:
    """Launch templates, groups and fleets whose parameter could not be read: they may use any image."""
    missing = {RESOLVE + name for name in selectors(bulk)}
    return tuple(
        unreadable(
            str(user),
            f"{image} could not be resolved.",
            "Allow ssm:GetParameter for this parameter, or correct what launches from it.",
        )
        for user, image in bulk.named_images
        if image in missing
    )


def snapshot_uses(bulk: BulkReads) -> dict[str, tuple[str, ...]]:
    """Snapshot ID to the launch templates, configurations and fleets that create volumes from it."""
    found: dict[str, list[str]] = defaultdict(list)
    for version in bulk.templates:
        for snapshot_id in version.snapshot_ids:
            found[snapshot_id].append(f"launch template {version}")
    for launcher in bulk.launchers:
        for snapshot_id in launcher.snapshot_ids:
            found[snapshot_id].append(f"{launcher.kind.replace('_', ' ')} {launcher.name}")
    for configuration in bulk.configurations:
        for snapshot_id in configuration.snapshot_ids:
            found[snapshot_id].append(f"launch configuration {configuration.name}")
    return {snapshot_id: tuple(users) for snapshot_id, users in found.items()}


def running_copies(images: Iterable[tuple[str, OwnImage]]) -> dict[tuple[str, str], tuple[Evidence, ...]]:
    """(Region, image ID) to its pending copies. ``images`` are the (region, image) of all own images.

    A finished copy no longer needs its source (EC2 User Guide, "How Amazon EC2 AMI copy works").
    """
    found: dict[tuple[str, str], list[Evidence]] = defaultdict(list)
    for region, own in images:
        if own.source and own.image.state == "pending":
            found[own.source].append(Evidence(COPY, own.image.image_id, region))
    return {source: tuple(evidence) for source, evidence in found.items()}
