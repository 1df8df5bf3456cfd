# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of ``ami_share`` with their permissions, as read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .._failures import Failure
from .._model import Image, KeyState, PublicAccessBlock, Sharing, Target
from .._plan import KNOWN_AFTER_APPLY


@dataclass(frozen=True)
class Shared:
    """One target's image and its permissions.

    ``volume_permissions`` maps snapshot IDs to their createVolumePermission. Block public access
    is None if public sharing is not wanted. ``keys`` are the keys of its snapshots that the account owns or
    AWS manages; ``key_problem`` says why they could not be read.
    """

    image: Image
    launch: Sharing = field(default_factory=Sharing)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None
    keys: tuple[KeyState, ...] = ()
    key_problem: str | None = None
    exists: bool = True

    @classmethod
    def without_image(cls, account_id: str, volume_permissions: Mapping[str, Sharing]) -> Shared:
        """Return the account's snapshots without an image, whose ID is empty."""
        return cls(
            Image(image_id="", name="", owner_id=account_id, state="available"),
            volume_permissions=volume_permissions,
        )

    @classmethod
    def planned(cls, account_id: str, source: Image | None) -> Shared:
        """Return a copy that does not exist yet: the source's devices, shared with no account."""
        devices = source.devices if source else ()
        image = Image(
            image_id=KNOWN_AFTER_APPLY, name="", owner_id=account_id, state="available", devices=devices
        )
        return cls(
            image,
            volume_permissions={snapshot_id: Sharing() for snapshot_id in image.snapshot_ids},
            exists=False,
        )


@dataclass(frozen=True)
class ShareState:
    """The image of every target; ``unread`` are the best-effort ones whose image could not be read."""

    account_id: str
    images: Mapping[Target, Shared]
    unread: Mapping[Target, Failure] = field(default_factory=dict)
