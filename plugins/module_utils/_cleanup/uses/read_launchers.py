# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the configurations of groups and fleets launch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._aws.answers import require_member
from ..._tags import tag_map
from .users import Pin

# How the states of fleets begin that launch no more instances (botocore shapes FleetStateCode, BatchState).
ENDED = ("deleted", "cancelled", "failed")


class NamedResources(NamedTuple):
    """The resources that a launcher names, in the order of the fields of ``User``."""

    images: tuple[str, ...]
    pins: tuple[Pin, ...]
    snapshot_ids: tuple[str, ...]


def list_named_resources(operation: str, configurations: Iterable[Mapping[str, Any]]) -> NamedResources:
    """Return the images, pinned versions and snapshots of launch template configurations in an answer."""
    images: list[str] = []
    pins: list[Pin] = []
    snapshots: list[str] = []
    for configuration in configurations:
        overrides = configuration.get("Overrides", ())
        for launch in (configuration, *overrides):
            specification = launch.get("LaunchTemplateSpecification", {})
            # Bulk reads return the latest and the default version of every launch template.
            version = specification.get("Version", "")
            if version.isdigit():
                template_id = specification.get("LaunchTemplateId")
                template = template_id or require_member(specification, "LaunchTemplateName", operation)
                pins.append(Pin(template, int(version), template_id is not None))
            if launch.get("ImageId"):
                images.append(launch["ImageId"])
            snapshots += list_mapped_snapshots(launch)
    return NamedResources(
        tuple(dict.fromkeys(images)), tuple(dict.fromkeys(pins)), tuple(dict.fromkeys(snapshots))
    )


def find_name(item: Mapping[str, Any]) -> str:
    """Return the tag ``Name`` of a resource, which the console shows as its name; empty without one."""
    return tag_map(item.get("Tags", ())).get("Name", "")


def list_mapped_snapshots(launch: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the snapshots that a launch creates volumes from."""
    ebs = (mapping.get("Ebs", {}) for mapping in launch.get("BlockDeviceMappings", ()))
    return tuple(volume["SnapshotId"] for volume in ebs if volume.get("SnapshotId"))
