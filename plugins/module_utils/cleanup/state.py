# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What retiring images has to know: own images, their snapshots, and what speaks for their being in use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from ..model import Grant, Image, ImageRef, Sharing


@dataclass(frozen=True)
class OwnImage:
    """An image that the account owns, with what DescribeImages says beyond ``Image``.

    ``base`` is the image that the instance was started from which this one was made of; of a copy it is None
    and ``image`` names the source. ``last_launched`` is None if no launch was ever reported, ``alias`` is
    AWS's own name for an owner (``aws-backup-vault``), if it has one. ``described`` is AWS's whole
    answer, ready for JSON.
    """

    image: Image
    created: datetime
    base: ImageRef | None = None
    last_launched: datetime | None = None
    protection: str = "disabled"
    alias: str = ""
    described: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def source(self) -> ImageRef | None:
        """The image that this one is a copy of."""
        if self.image.source_image_id and self.image.source_region:
            return ImageRef(self.image.source_region, self.image.source_image_id)
        return None

    @property
    def snapshot_sizes(self) -> Mapping[str, int]:
        """The sizes, in GiB, of the volumes made of each snapshot; of empty volumes there is none.

        Snapshots hold changed blocks only, so that each is as large as this at most.
        """
        volumes = [mapping.get("Ebs", {}) for mapping in self.described.get("BlockDeviceMappings", ())]
        return {one["SnapshotId"]: one.get("VolumeSize", 0) for one in volumes if "SnapshotId" in one}

    @property
    def size_gib(self) -> int:
        """The sizes of its snapshots together, at most."""
        return sum(self.snapshot_sizes.values())


@dataclass(frozen=True)
class OwnSnapshot:
    """A snapshot that the account owns; ``locked`` says until when, empty if it is not locked.

    ``kms_key_id`` is the ARN of the key that it is encrypted under, None if it is not.
    """

    snapshot_id: str
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    archived: bool = False
    locked: str = ""
    kms_key_id: str | None = None


@dataclass(frozen=True)
class Evidence:
    """One reason to take an image for used: what was found, and where.

    ``firm`` is False where something could not be read, which counts as use for now but proves none.
    """

    kind: str
    subject: str
    detail: str = ""
    firm: bool = True

    def as_result(self) -> dict[str, str]:
        """The evidence as verdicts list it."""
        return {"detail": self.detail, "kind": self.kind, "subject": self.subject}


UNREADABLE = "unreadable"


def unreadable(subject: str, reason: str) -> Evidence:
    """What could not be read (denied, throttled, not ready) counts as use."""
    return Evidence(UNREADABLE, subject, reason, firm=False)


@dataclass(frozen=True)
class RetentionRule:
    """A Recycle Bin rule (botocore service ``rbin``, shape ``GetRuleResponse``).

    A rule without ``tags`` is for the whole region, but for what has one of ``excluded``.
    """

    resource_type: str
    days: int
    tags: tuple[tuple[str, str], ...] = ()
    excluded: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class RegionFacts:
    """What one region's bulk reads say.

    ``uses`` maps image ids to evidence; ``unread`` is what could not be read there and so speaks for every
    image. ``snapshot_uses`` maps snapshot ids to what other than an own image needs them. ``binned`` are the
    images in the Recycle Bin.
    """

    images: tuple[OwnImage, ...] = ()
    uses: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)
    unread: tuple[Evidence, ...] = ()
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    snapshot_uses: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: tuple[RetentionRule, ...] = ()
    binned: frozenset[str] = frozenset()

    @cached_property
    def images_with(self) -> Mapping[str, tuple[str, ...]]:
        """Snapshot id to the own images that it is part of."""
        found: dict[str, tuple[str, ...]] = {}
        for own in self.images:
            for snapshot_id in own.image.snapshot_ids:
                found[snapshot_id] = (*found.get(snapshot_id, ()), own.image.image_id)
        return found


@dataclass(frozen=True)
class UsageReport:
    """A report of other accounts' use (botocore shape ``ImageUsageReport``).

    ``account_ids`` are those that it was asked for, none meaning all; ``used_by`` maps accounts to how many
    things of theirs name the image.
    """

    state: str
    created: datetime
    resource_types: frozenset[str] = frozenset()
    account_ids: frozenset[str] = frozenset()
    used_by: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class CloserLook:
    """What was read of one image alone, since the bulk reads spoke for nothing.

    ``report`` is the newest usage report. ``consumers`` maps the accounts that were looked into by a role of
    theirs to what was found there.
    """

    references: tuple[Evidence, ...] = ()
    sharing: Sharing = field(default_factory=Sharing)
    unread: tuple[Evidence, ...] = ()
    report: UsageReport | None = None
    consumers: Mapping[str, tuple[Evidence, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class SnapshotLook:
    """Who may make volumes of a snapshot; ``unread`` is why that is not known, empty if it is."""

    sharing: Sharing = field(default_factory=Sharing)
    unread: str = ""


@dataclass(frozen=True)
class KeyLook:
    """What was read of a key under which snapshots go.

    ``grants`` are this collection's. ``sharing`` maps those images under the key that may stay to all with
    whom they or their snapshots are shared. ``unread`` is what could not be read of all this.
    """

    grants: tuple[Grant, ...] = ()
    sharing: Mapping[str, Sharing] = field(default_factory=dict)
    unread: tuple[str, ...] = ()
