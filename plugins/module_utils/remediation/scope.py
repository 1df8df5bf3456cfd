# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which findings a remedy is about, if images or snapshots are named."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from .state import KEYS_OF_REGION, Audited, Place


@dataclass(frozen=True)
class Named:
    """An image or a snapshot that is to be repaired; its region is None if nobody said it."""

    resource: str
    region: str | None = None

    def __str__(self) -> str:
        return f"{self.resource} in {self.region}" if self.region else self.resource

    def places(self, audited: Audited) -> list[Place]:
        """Where it was seen."""
        known = audited.images if self.resource.startswith("ami-") else audited.volumes
        regions = [self.region] if self.region is not None else sorted(audited.regions)
        return [place for region in regions if (place := Place(region, self.resource)) in known]


@dataclass(frozen=True)
class Scope:
    """Images with their snapshots and keys, single snapshots with their keys, or all that there is (None).

    ``regions`` are those where what was named may be, as far as anybody knows.
    """

    places: frozenset[Place] | None = None
    regions: frozenset[str | None] = field(default_factory=frozenset)

    @classmethod
    def of(cls, audited: Audited, named: Iterable[Named]) -> Scope:
        """What is named; without anything all that there is."""
        listed = list(named)
        if not listed:
            return cls()
        places = {place for one in listed for place in one.places(audited)}
        for image in [audited.images[place] for place in places if place in audited.images]:
            places.update(image.snapshots, image.keys)
        places |= {audited.key_of[place] for place in places if place in audited.key_of}
        unplaced = (one.region for one in listed if not one.places(audited))
        return cls(frozenset(places), frozenset((*(place.region for place in places), *unplaced)))

    def covers(self, place: Place) -> bool:
        """Whether a finding is about something of it."""
        if self.places is None or place in self.places:
            return True
        # A region that could not be read may hide what was named anywhere.
        region_itself = place.resource == place.region
        return (region_itself or place.resource == KEYS_OF_REGION) and (
            place.region in self.regions or (region_itself and None in self.regions)
        )
