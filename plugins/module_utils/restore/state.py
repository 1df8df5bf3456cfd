# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What restoring retired images has to know: what is wanted, what is there, and what was written down."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..cleanup.stages import DISABLE, STAGE_TAGS
from ..cleanup.state import OwnSnapshot
from ..cleanup.tombstone import TombstoneHistory
from ..model import Image, ImageRef, Sharing, Target
from ..tags import OWN_TAG_PREFIX

# On an image that is being restored, from the moment it can be launched until all of it is back: by it a run
# after one that was interrupted knows that permissions are missing. Its value is the tombstone's time.
RESTORE_TAG = OWN_TAG_PREFIX + "restoring"
# An image with one of these has lost its permissions, even if it can be launched.
UNSHARED_TAGS = (STAGE_TAGS[DISABLE], RESTORE_TAG)


@dataclass(frozen=True)
class TombstonePlaces:
    """Where tombstones may be: a file, ``s3://bucket/folder``, a path of parameters."""

    path: str | None = None
    s3_uri: str | None = None
    ssm_path: str | None = None

    def __bool__(self) -> bool:
        return bool(self.path or self.s3_uri or self.ssm_path)

    def named(self) -> str:
        """All of them, for a message."""
        return ", ".join(one for one in (self.path, self.s3_uri, self.ssm_path) if one)


@dataclass(frozen=True)
class RestoreWanted:
    """Which images, and where what is known of them is. ``accounts`` are those that the user named."""

    images: tuple[ImageRef, ...]
    places: TombstonePlaces = field(default_factory=TombstonePlaces)
    restore_permissions: bool = True
    allow_public: bool = False
    accounts: Mapping[ImageRef, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """An image as AWS shows it to its owner; ``image`` is None if it is deregistered.

    ``snapshots`` are those behind it that exist, ``volumes`` who may make volumes of them. ``binned`` and
    ``binned_snapshots`` are what of it is in the Recycle Bin. The states of block public access are None
    where they do not matter.
    """

    image: Image | None = None
    launch: Sharing = field(default_factory=Sharing)
    volumes: Mapping[str, Sharing] = field(default_factory=dict)
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    binned: bool = False
    binned_snapshots: tuple[str, ...] = ()
    image_block: str | None = None
    snapshot_block: str | None = None


@dataclass(frozen=True)
class RestoreSeen:
    """What AWS said of each image, and what was written down of it.

    ``unreadable`` says what among the tombstones is none.
    """

    account_id: str
    images: Mapping[ImageRef, Found]
    histories: Mapping[ImageRef, TombstoneHistory] = field(default_factory=dict)
    unreadable: tuple[str, ...] = ()

    def target(self, ref: ImageRef) -> Target:
        """Where the image is."""
        return Target(self.account_id, ref.region)


def has_lost_permissions(image: Image) -> bool:
    """Whether AWS has taken the image's permissions, and nothing has put all of them back since."""
    return image.state == "disabled" or any(mark in image.tags for mark in UNSHARED_TAGS)
