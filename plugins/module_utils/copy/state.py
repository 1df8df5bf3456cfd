# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a copy to many regions, and what AWS says of them: all that its planning rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..failures import Failure
from ..keys.encryption import Encryption
from ..model import ConsumerRole, Image, Key, Snapshot, Target
from .access import Lacking

# botocore shape Image, ImageState. A deregistered image only lends its id to the client token.
ALIVE = frozenset({"available", "pending", "transient"})
DEAD = frozenset({"error", "failed", "invalid"})


@dataclass(frozen=True)
class CopyWanted:
    """What the user asked ``ami_copy_regions`` for.

    ``source_images`` maps each region to a source of its own, in that region, instead of one for all; None
    stands for one that check mode has only planned. ``account_ids`` are those that are to own the copies;
    if none is named it is the account whose credentials are used. With ``assume_source_ready`` the sources
    are taken to be available and open to all of them.
    """

    source_region: str
    regions: tuple[str, ...]
    source_image_id: str | None = None
    source_filters: Mapping[str, Any] = field(default_factory=dict)
    source_owners: tuple[str, ...] = ("self",)
    source_images: Mapping[str, str | None] = field(default_factory=dict)
    account_ids: tuple[str, ...] = ()
    consumer_role: ConsumerRole | None = None
    assume_source_ready: bool = False
    best_effort_regions: frozenset[str] = frozenset()
    name: str | None = None
    description: str | None = None
    tags: Mapping[str, str] | None = None
    copy_tags: bool = False
    snapshot_tags: Mapping[str, str] | None = None
    purge_tags: bool = False
    completion_duration_minutes: int | None = None
    encryption: Encryption = field(default_factory=Encryption)
    wait: bool = True
    wait_timeout: int = 10800

    def source_region_of(self, region: str) -> str:
        """Where the source of a region's copies is."""
        return region if self.source_images else self.source_region


@dataclass(frozen=True)
class CopySeen:
    """What AWS said: the source, and in each target every own image that may be its copy.

    ``account_id`` and ``partition`` are those of the credentials. ``sources`` are the sources by region where
    each has its own, of which ``source`` is then one. ``lacking`` is what owners of future copies may not yet
    do with the source. ``snapshots`` are those of the copies, where their tags or keys matter. ``keys`` are
    the keys that are named for the targets, or the default ones where that is allowed;
    ``encrypted_by_default`` are targets without one in which AWS would encrypt all the same. ``unread`` are
    the best-effort targets that could not be read.
    """

    account_id: str
    source: Image
    copies: Mapping[Target, tuple[Image, ...]]
    snapshots: Mapping[Target, tuple[Snapshot, ...]] = field(default_factory=dict)
    keys: Mapping[Target, Key] = field(default_factory=dict)
    encrypted_by_default: frozenset[Target] = frozenset()
    unread: tuple[Failure, ...] = ()
    partition: str = "aws"
    sources: Mapping[str, Image] = field(default_factory=dict)
    lacking: Mapping[Target, Lacking] = field(default_factory=dict)

    def source_of(self, target: Target) -> Image:
        """The image that this target's is to be a copy of."""
        return self.sources.get(target.region, self.source)

    def snapshots_of(self, target: Target, image: Image) -> tuple[Snapshot, ...]:
        """Those snapshots of an image that were read."""
        return tuple(
            item for item in self.snapshots.get(target, ()) if item.snapshot_id in image.snapshot_ids
        )

    def including(self, parts: Iterable[CopySeen]) -> CopySeen:
        """The same with what was seen of other targets, for the same sources."""
        found = [self, *parts]
        return replace(
            self,
            copies={target: images for part in found for target, images in part.copies.items()},
            snapshots={target: items for part in found for target, items in part.snapshots.items()},
            keys={target: key for part in found for target, key in part.keys.items()},
            encrypted_by_default=frozenset(item for part in found for item in part.encrypted_by_default),
            unread=tuple(failure for part in found for failure in part.unread),
        )

    def is_source(self, target: Target, source_region: str) -> bool:
        """Whether the source itself is the image of this target."""
        return target == Target(self.source_of(target).owner_id, source_region)
