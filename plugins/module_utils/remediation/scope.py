# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The scope of a remediation, if images or snapshots are given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .state import KEYS_OF_REGION, Audited, Place


@dataclass(frozen=True)
class Named:
    """An image or a snapshot to fix; its region is None if it was not given."""

    resource: str
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.resource} in {self.region}" if self.region else self.resource

    @property
    def is_snapshot(self) -> bool:
        """Whether it is a snapshot."""
        return self.resource.startswith("snap-")

    def places(self, audited: Audited) -> list[Place]:
        """Where the audit found it."""
        known = audited.volumes if self.is_snapshot else audited.images
        regions = [self.region] if self.region is not None else sorted(audited.regions)
        return [place for region in regions if (place := Place(region, self.resource)) in known]


@dataclass(frozen=True)
class Scope:
    """Images with their snapshots and keys, single snapshots with their keys, or everything (None).

    ``regions`` are those where what was given may be.
    """

    places: frozenset[Place] | None = None
    regions: frozenset[str | None] = field(default_factory=frozenset)

    @classmethod
    def of(cls, audited: Audited, named: Iterable[Named]) -> Scope:
        """The scope of what is given, or everything if nothing is given."""
        listed = list(named)
        if not listed:
            return cls()
        places = {place for one in listed for place in one.places(audited)}
        for image in [audited.images[place] for place in places if place in audited.images]:
            places.update(image.snapshots, image.keys)
        places |= {key for place in places for key in audited.keys_of.get(place, ())}
        unplaced = (one.region for one in listed if not one.places(audited))
        return cls(frozenset(places), frozenset((*(place.region for place in places), *unplaced)))

    def covers(self, place: Place) -> bool:
        """Whether a finding about ``place`` is in the scope."""
        if self.places is None or place in self.places:
            return True
        # What was given without a region may be in a region that could not be read.
        region_itself = place.resource == place.region
        return (region_itself or place.resource == KEYS_OF_REGION) and (
            place.region in self.regions or (region_itself and None in self.regions)
        )
