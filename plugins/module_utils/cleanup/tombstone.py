# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what retiring an image has written down of it (the shape: ``cleanup_tombstone``)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..model import Device, ImageRef, Sharing
from .stages import DISABLE


@dataclass(frozen=True)
class Tombstone:
    """What was written down of an image before a stage, as far as restoring it needs that.

    ``state`` is the image's at that time. ``volumes`` maps its snapshots to who could make volumes of them,
    ``deleted`` are those that were to go with it.
    """

    ref: ImageRef
    account_id: str
    written_at: str
    stage: str
    state: str = "available"
    name: str = ""
    launch: Sharing = field(default_factory=Sharing)
    volumes: Mapping[str, Sharing] = field(default_factory=dict)
    deleted: frozenset[str] = frozenset()
    devices: tuple[Device, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)
    deprecation_time: str | None = None
    product_codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buried:
    """All tombstones of one image, the oldest first."""

    tombstones: tuple[Tombstone, ...] = ()

    @property
    def last(self) -> Tombstone | None:
        """What is known of the image now that it is retired."""
        return self.tombstones[-1] if self.tombstones else None

    @property
    def shared(self) -> Tombstone | None:
        """The last that knows with whom the image was shared.

        One written while the image was disabled does not: AWS had taken its permissions (EC2 API Reference,
        DisableImage).
        """
        knowing = [one for one in self.tombstones if one.state != "disabled"]
        return knowing[-1] if knowing else None

    @property
    def state(self) -> str:
        """In which state the last stage left the image, or put it into the Recycle Bin."""
        if self.last is None:
            return "available"
        return "disabled" if self.last.stage == DISABLE else self.last.state


def read_tombstone(text: str) -> Tombstone | None:
    """The tombstone that a text is; None if it is none, as a line that a killed run has half written."""
    try:
        return _tombstone(json.loads(text))
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def by_image(tombstones: Iterable[Tombstone], account_id: str) -> dict[ImageRef, Buried]:
    """The account's tombstones by image. The same one may have been kept in several places."""
    found: dict[ImageRef, dict[tuple[str, str], Tombstone]] = {}
    for one in tombstones:
        if one.account_id == account_id:
            found.setdefault(one.ref, {})[one.written_at, one.stage] = one
    return {ref: Buried(tuple(of[key] for key in sorted(of))) for ref, of in found.items()}


def _tombstone(record: Mapping[str, Any]) -> Tombstone:
    image, snapshots = record["image"], record["snapshots"]
    return Tombstone(
        ref=ImageRef(record["region"], record["image_id"]),
        account_id=record["account_id"],
        written_at=record["written_at"],
        stage=record["stage"],
        state=image["State"],
        name=record["name"],
        launch=_sharing(record["launch_permissions"]),
        volumes={
            one["snapshot_id"]: _sharing(one["volume_permissions"]) for one in snapshots if one["snapshot_id"]
        },
        deleted=frozenset(one["snapshot_id"] for one in snapshots if one["deleted"]),
        devices=tuple(Device(one["device_name"], one["snapshot_id"], one["encrypted"]) for one in snapshots),
        tags=dict(record["tags"]),
        deprecation_time=image.get("DeprecationTime"),
        product_codes=tuple(one["ProductCodeId"] for one in image.get("ProductCodes", ())),
    )


def _sharing(permissions: Mapping[str, Any]) -> Sharing:
    return Sharing(
        account_ids=frozenset(permissions["account_ids"]),
        org_arns=frozenset(permissions.get("org_arns", ())),
        org_unit_arns=frozenset(permissions.get("org_unit_arns", ())),
        public=permissions["public"],
    )
