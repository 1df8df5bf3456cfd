# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of a copy to many regions, and what AWS says of them: all that its planning rests on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..failures import Failure
from ..model import Image, Key, Snapshot, Target
from .keys import Encryption

# botocore shape Image, ImageState. A deregistered image only lends its id to the client token.
ALIVE = frozenset({"available", "pending", "transient"})
DEAD = frozenset({"error", "failed", "invalid"})


@dataclass(frozen=True)
class CopyWanted:
    """What the user asked ``ami_copy_regions`` for."""

    source_region: str
    regions: tuple[str, ...]
    source_image_id: str | None = None
    source_filters: Mapping[str, Any] = field(default_factory=dict)
    source_owners: tuple[str, ...] = ("self",)
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


@dataclass(frozen=True)
class CopySeen:
    """What AWS said: the source, and in each target every own image that may be its copy.

    ``snapshots`` are those of the copies, where their tags or keys matter. ``keys`` are the keys that are
    named for the targets, or the default ones where that is allowed; ``encrypted_by_default`` are targets
    without one in which AWS would encrypt all the same. ``unread`` are the best-effort targets that could
    not be read.
    """

    account_id: str
    source: Image
    copies: Mapping[Target, tuple[Image, ...]]
    snapshots: Mapping[Target, tuple[Snapshot, ...]] = field(default_factory=dict)
    keys: Mapping[Target, Key] = field(default_factory=dict)
    encrypted_by_default: frozenset[Target] = frozenset()
    unread: tuple[Failure, ...] = ()

    def snapshots_of(self, target: Target, image: Image) -> tuple[Snapshot, ...]:
        """Those snapshots of an image that were read."""
        return tuple(
            item for item in self.snapshots.get(target, ()) if item.snapshot_id in image.snapshot_ids
        )

    def __or__(self, other: CopySeen) -> CopySeen:
        """All that was seen of two sets of targets, for one source."""
        return CopySeen(
            self.account_id,
            self.source,
            copies={**self.copies, **other.copies},
            snapshots={**self.snapshots, **other.snapshots},
            keys={**self.keys, **other.keys},
            encrypted_by_default=self.encrypted_by_default | other.encrypted_by_default,
            unread=self.unread + other.unread,
        )

    def is_source(self, target: Target, source_region: str) -> bool:
        """Whether the source itself is the image of this target."""
        return target == Target(self.source.owner_id, source_region)
