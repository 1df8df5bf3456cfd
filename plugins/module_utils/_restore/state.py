# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was read from AWS, and the tombstones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from .._cleanup.state import OwnSnapshot
from .._cleanup.tombstone import TombstoneHistory
from .._model import Image, ImageRef, PublicAccessBlock, Sharing, Target

# The previous state of an image that comes out of the Recycle Bin. Also the value of RESTORE_TAG until it is
# known whether the image lacks permissions.
RECYCLE_BIN = "recycle_bin"


@dataclass(frozen=True)
class ImageState:
    """An image as its owner can read it; ``image`` is None if it is deregistered.

    ``snapshots`` are its snapshots that exist, ``volume_permissions`` their createVolumePermission, which is
    not read if no permissions are restored. ``binned`` says whether the image is in the Recycle Bin,
    ``binned_snapshots`` which of its snapshots are. ``binned_at`` is when the image was moved there, also
    after it was restored in this run. ``binned_tags`` are its tags there without those of AWS, None if AWS
    returns no tag at all. ``image_block`` and ``snapshot_block`` are the states of block public access, None
    if they were not needed.
    """

    image: Image | None = None
    launch: Sharing = field(default_factory=Sharing)
    volume_permissions: Mapping[str, Sharing] = field(default_factory=dict)
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    binned: bool = False
    binned_at: datetime | None = None
    binned_tags: Mapping[str, str] | None = None
    binned_snapshots: tuple[str, ...] = ()
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None


@dataclass(frozen=True)
class RestoreState:
    """The images and their tombstones; ``unreadable`` has a warning for each text that is none."""

    account_id: str
    now: datetime
    images: Mapping[ImageRef, ImageState]
    histories: Mapping[ImageRef, TombstoneHistory] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def target(self, ref: ImageRef) -> Target:
        """Return the image's account and region."""
        return Target(self.account_id, ref.region)
