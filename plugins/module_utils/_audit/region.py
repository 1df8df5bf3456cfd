# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Compare what was read of a region with what is allowed, for the causes of findings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce

from .._keys import policy_statements as key_policy
from .._model import Image, Sharing, Target
from .keys import AuditedKey
from .options import AuditOptions
from .state import RegionState


@dataclass(frozen=True)
class AuditedImage:
    """An image whose launch permissions were read.

    ``sharing`` is who has them apart from the owner, ``not_allowed`` the part of it that is not allowed.
    """

    image: Image
    sharing: Sharing
    not_allowed: Sharing

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """Return the ID and the name, once for the thousands of findings about an image."""
        return f"{self.image_id} ({self.image.name})"

    @property
    def image_id(self) -> str:
        """Return the AMI ID."""
        return self.image.image_id


@dataclass(frozen=True)
class AuditedSnapshot:
    """A snapshot whose volume permissions were read.

    ``sharing`` is who has them apart from the owner, ``not_allowed`` the part of it that is not allowed.
    ``images`` use the snapshot, which may be shared with all that any of them may be shared with. Without an
    image, rules for images do not apply to it.
    """

    snapshot_id: str
    images: tuple[Image, ...]
    sharing: Sharing
    not_allowed: Sharing

    def __str__(self) -> str:
        return self._text

    @cached_property
    def _text(self) -> str:
        """Return the ID and the use, once for the thousands of findings about a snapshot."""
        use = f"a snapshot of {self.image_id}" if self.images else "which no image uses"
        return f"{self.snapshot_id}, {use}"

    @property
    def image_id(self) -> str | None:
        """Return the first image that uses the snapshot."""
        return self.images[0].image_id if self.images else None


@dataclass(frozen=True)
class AuditedRegion:
    """What was read of a region at the time ``now``, compared with what ``options`` allow."""

    options: AuditOptions
    target: Target
    current: RegionState
    now: datetime

    @cached_property
    def users(self) -> Mapping[str, list[Image]]:
        """Return the images that use each snapshot."""
        users: dict[str, list[Image]] = {}
        for listed in self.current.images:
            for snapshot_id in listed.image.snapshot_ids:
                users.setdefault(snapshot_id, []).append(listed.image)
        return users

    @cached_property
    def images(self) -> tuple[AuditedImage, ...]:
        """Return the images whose launch permissions were read."""
        return tuple(
            self._image(listed.image)
            for listed in self.current.images
            if listed.image.image_id in self.current.sharing
        )

    def _image(self, image: Image) -> AuditedImage:
        sharing = self.current.sharing[image.image_id].without(self.target.account_id)
        return AuditedImage(image, sharing, not_allowed(sharing, self.options.allowed_for(image)))

    @cached_property
    def snapshots(self) -> tuple[AuditedSnapshot, ...]:
        """Return the snapshots whose volume permissions were read. Those without an image are last."""
        permissions = self.current.volume_permissions
        of_images = (
            self._snapshot(snapshot_id, tuple(images), permissions[snapshot_id])
            for snapshot_id, images in self.users.items()
            if snapshot_id in permissions
        )
        unused = (
            self._snapshot(snapshot_id, (), volume) for snapshot_id, volume in self.current.unused.items()
        )
        return (*of_images, *unused)

    def _snapshot(self, snapshot_id: str, images: tuple[Image, ...], volume: Sharing) -> AuditedSnapshot:
        sharing = volume.without(self.target.account_id)
        if images:
            allowed = reduce(Sharing.__or__, map(self.options.allowed_for, images))
        else:
            allowed = self.options.allowed
        return AuditedSnapshot(snapshot_id, images, sharing, not_allowed(sharing, allowed))

    @cached_property
    def keys(self) -> tuple[AuditedKey, ...]:
        """Return the keys that encrypt images or are associated with their snapshots."""
        encrypted, associated = (
            self._by_key(self.current.key_arns),
            self._by_key(self.current.associated_key_arns),
        )
        return tuple(
            AuditedKey(
                self.options, self.target, self.current, key, encrypted.get(arn, []), associated.get(arn, [])
            )
            for arn, key in self.current.keys.items()
        )

    def _by_key(self, arns_of: Callable[[Image], list[str]]) -> dict[str, list[Image]]:
        images: dict[str, list[Image]] = {}
        for listed in self.current.images:
            for arn in arns_of(listed.image):
                images.setdefault(arn, []).append(listed.image)
        return images

    @property
    def own_keys(self) -> list[AuditedKey]:
        """Return the customer managed keys of the account. Only these can be read, and used by others."""
        return [key for key in self.keys if key.is_of_account and not key.key.aws_managed]


def not_allowed(sharing: Sharing, allowed: Sharing) -> Sharing:
    """Return the part of ``sharing`` that is not allowed. An organization includes its units."""
    unknown = sharing - allowed
    if not unknown.org_unit_arns:
        return unknown
    organizations = {key_policy.organization_id(arn) for arn in allowed.org_arns}
    units = (arn for arn in unknown.org_unit_arns if key_policy.unit_ids(arn)[0] not in organizations)
    return replace(unknown, org_unit_arns=frozenset(units))


def all_disabled(images: Iterable[Image]) -> bool:
    """Whether all images are disabled."""
    return all(image.state == "disabled" for image in images)
