# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from .._failures import Failure
from .._model import Image, KeyState, PublicAccessBlock, Sharing, Target


@dataclass(frozen=True)
class Listed:
    """An owned image and the time of its last launch, if AWS returns one (botocore shape ``Image``)."""

    image: Image
    last_launched: str | None = None


# What could not be read, if it is the list of all shared parameters of a region.
SHARES_READ = "GetResourceShareAssociations"
IMAGE_BLOCK, SNAPSHOT_BLOCK = "GetImageBlockPublicAccessState", "GetSnapshotBlockPublicAccessState"


@dataclass(frozen=True)
class Problem:
    """Why something could not be read. ``code`` is the code of the finding."""

    code: str
    resource: str
    failure: Failure
    image_id: str | None = None

    @property
    def is_snapshots_key(self) -> bool:
        """Whether the key of a snapshot is unknown, so that it may be any key."""
        return self.code == "key_unreadable" and self.resource.startswith("snap-")

    @property
    def is_unused_snapshot(self) -> bool:
        """Whether snapshots that no image uses, or their permissions, are unknown."""
        return self.code == "unused_snapshots_unreadable" or (
            self.code == "snapshot_unreadable" and self.image_id is None
        )


@dataclass(frozen=True)
class SharedParameter:
    """A parameter of the account that a consumer has through AWS RAM that may not use every image.

    ``external`` are those of ``sharing`` that are outside of the organization. ``statuses`` are those of AWS
    by consumer.
    """

    name: str
    image_id: str
    sharing: Sharing
    external: frozenset[str] = frozenset()
    statuses: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RegionState:
    """What was read of a region. What could not be read is in ``problems`` and missing from the mappings.

    ``sharing`` is by image, ``volume_permissions`` by snapshot of an image, ``unused`` by snapshot that no
    image uses. ``key_of`` maps encrypted snapshots to the ARNs of their keys, ``associated_keys`` to those of
    additional keys that give access to their data. The block public access settings are None if they
    could not be read. ``parameters`` are empty unless they are selected.
    """

    images: tuple[Listed, ...] = ()
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    unused: Mapping[str, Sharing] = field(default_factory=dict)
    key_of: Mapping[str, str] = field(default_factory=dict)
    associated_keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    keys: Mapping[str, KeyState] = field(default_factory=dict)
    parameters: tuple[SharedParameter, ...] = ()
    problems: tuple[Problem, ...] = ()

    @property
    def deciding_problems(self) -> tuple[Problem, ...]:
        """Return the problems that findings depend on. Block public access counts only for what is public.

        Permissions that could not be read may be public.
        """
        unread = {problem.code for problem in self.problems}
        images = any(sharing.public for sharing in self.sharing.values()) or "image_unreadable" in unread
        volume_permissions = (*self.volume_permissions.values(), *self.unused.values())
        snapshots = any(sharing.public for sharing in volume_permissions) or bool(
            unread & {"snapshot_unreadable", "unused_snapshots_unreadable"}
        )
        matters = {IMAGE_BLOCK: images, SNAPSHOT_BLOCK: snapshots}
        return tuple(
            problem
            for problem in self.problems
            if problem.code != "block_public_access_unreadable" or matters.get(problem.resource, True)
        )

    @property
    def hides_public_snapshots(self) -> bool:
        """Whether snapshots that are shared with the public are private nevertheless.

        With ``block-all-sharing`` their permissions stay, but do not apply (botocore shape
        EnableSnapshotBlockPublicAccessRequest, State).
        """
        return self.snapshot_block is not None and self.snapshot_block.state == "block-all-sharing"

    def effective_volume(self, snapshot_id: str) -> Sharing:
        """Return who can use a snapshot: its permissions, without public access that does not apply."""
        sharing = self.volume_permissions.get(snapshot_id, Sharing())
        return replace(sharing, public=False) if self.hides_public_snapshots else sharing

    def key_arns(self, image: Image) -> list[str]:
        """Return the keys of an image that were read."""
        return sorted(
            {self.key_of[snapshot_id] for snapshot_id in image.snapshot_ids if snapshot_id in self.key_of}
        )

    def associated_key_arns(self, image: Image) -> list[str]:
        """Return the keys that are associated with the snapshots of an image."""
        return sorted(
            {arn for snapshot_id in image.snapshot_ids for arn in self.associated_keys.get(snapshot_id, ())}
        )


@dataclass(frozen=True)
class AuditState:
    """What was read of the account's regions at the time ``now``, and why other regions could not be read."""

    account_id: str
    now: datetime
    regions: Mapping[Target, RegionState] = field(default_factory=dict)
    unread: Mapping[Target, Failure] = field(default_factory=dict)
