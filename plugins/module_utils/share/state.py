# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``ami_share`` wants and sees: images and who may use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..model import Image, KeySeen, Sharing, Target
from ..plan import KNOWN_AFTER_APPLY


@dataclass(frozen=True)
class ShareWanted:
    """What the user asked ``ami_share`` for.

    ``images`` maps regions to image ids; None stands for a copy that check mode has only planned, a copy of
    ``source_image_id`` in ``source_region`` if that is known. If there are ``snapshot_ids``, nothing else
    changes.
    """

    images: Mapping[str, str | None]
    sharing: Sharing
    present: bool = True
    purge: bool = False
    allow_empty_purge: bool = False
    share_snapshots: bool = True
    snapshot_ids: frozenset[str] = frozenset()
    shared_tags: Mapping[str, str] = field(default_factory=dict)
    source_image_id: str | None = None
    source_region: str | None = None


@dataclass(frozen=True)
class Shared:
    """What one target's image looks like to its owner.

    ``volumes`` maps the snapshots to who may create volumes from them. The block public access states are
    None where nobody asked for public sharing. ``keys`` are those of its snapshots that belong to the
    account; ``key_problem`` says why they could not be read.
    """

    image: Image
    launch: Sharing = field(default_factory=Sharing)
    volumes: Mapping[str, Sharing] = field(default_factory=dict)
    image_block: str | None = None
    snapshot_block: str | None = None
    keys: tuple[KeySeen, ...] = ()
    key_problem: str | None = None
    exists: bool = True

    @classmethod
    def planned(cls, account_id: str, source: Image | None) -> Shared:
        """A copy that does not exist yet: the source's devices, shared with nobody."""
        devices = source.devices if source else ()
        image = Image(
            image_id=KNOWN_AFTER_APPLY, name="", owner_id=account_id, state="available", devices=devices
        )
        return cls(
            image, volumes={snapshot_id: Sharing() for snapshot_id in image.snapshot_ids}, exists=False
        )


@dataclass(frozen=True)
class ShareSeen:
    """What AWS said of every target."""

    account_id: str
    images: Mapping[Target, Shared]
