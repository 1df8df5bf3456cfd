# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scope of a remediation, if images or snapshots are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .state import KEYS_OF_REGION, Audited, Resource


@dataclass(frozen=True)
class Named:
    """An image or a snapshot to fix; its region is None if it was not given."""

    resource_id: str
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.resource_id} in {self.region}" if self.region else self.resource_id

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot."""
        return self.resource_id.startswith("snap-")

    def resources(self, audited: Audited) -> list[Resource]:
        """What the audit found: in each region, unless one was given."""
        known = audited.volume_permissions if self.is_snapshot else audited.images
        regions = [self.region] if self.region is not None else sorted(audited.regions)
        return [resource for region in regions if (resource := Resource(region, self.resource_id)) in known]


@dataclass(frozen=True)
class Scope:
    """Images with their snapshots and keys, single snapshots with their keys, or everything (None).

    ``regions`` are those where what was given may be.
    """

    resources: frozenset[Resource] | None = None
    regions: frozenset[str | None] = field(default_factory=frozenset)

    @classmethod
    def of(cls, audited: Audited, named: Iterable[Named]) -> Scope:
        """The scope of what is given, or everything if nothing is given."""
        listed = list(named)
        if not listed:
            return cls()
        resources = {resource for one in listed for resource in one.resources(audited)}
        for image in [audited.images[resource] for resource in resources if resource in audited.images]:
            resources.update(image.snapshots, image.keys)
        resources |= {key for resource in resources for key in audited.keys_of.get(resource, ())}
        unknown = (one.region for one in listed if not one.resources(audited))
        return cls(frozenset(resources), frozenset((*(resource.region for resource in resources), *unknown)))

    def covers(self, resource: Resource) -> bool:
        """Whether a finding about ``resource`` is in the scope."""
        if self.resources is None or resource in self.resources:
            return True
        # What was given without a region may be in a region that could not be read.
        region_itself = resource.resource_id == resource.region
        return (region_itself or resource.resource_id == KEYS_OF_REGION) and (
            resource.region in self.regions or (region_itself and None in self.regions)
        )
