# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which snapshots go with an image, which were left behind, and until when the deleted can be restored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from ..model import Sharing
from ..tags import MARK_PREFIX
from .rules import BACKUP_TAG
from .sharing import only_by_snapshot
from .state import OwnImage, OwnSnapshot, RegionFacts, RetentionRule, SnapshotLook

# Written before images are deregistered on those of their snapshots that go with them: by it the next run
# finds what could not be deleted. Its value are images, with spaces between; the snapshot is of one of them.
SNAPSHOT_MARK = MARK_PREFIX + "cleanup-image-ids"

# Amazon Data Lifecycle Manager User Guide: what it makes for people's backups carries this tag.
LIFECYCLE_TAG = "aws:dlm:"
# What CreateImage and CopyImage write into the snapshots that they make.
_OF_IMAGE = re.compile(
    r"(?:Created by CreateImage\(i-[0-9a-f]+\) for|Copied for DestinationAmi) (ami-[0-9a-f]+)\b.*"
)

# Keys, and values or None for any.
Tags: TypeAlias = "tuple[tuple[str, str | None], ...]"


@dataclass(frozen=True)
class Fate:
    """What becomes of a snapshot of a deregistered image: it goes, or it is ``kept`` for a reason.

    The Recycle Bin keeps one that goes for ``retention_days``, in which AWS bills it as before.
    """

    snapshot_id: str
    kept: str = ""
    retention_days: int = 0


def fates(own: OwnImage, facts: RegionFacts, leaving: Collection[str]) -> tuple[Fate, ...]:
    """What becomes of the image's snapshots while the images ``leaving``, it included, are deregistered."""
    return tuple(_fate(snapshot_id, facts, leaving) for snapshot_id in own.image.snapshot_ids)


def blocks(own: OwnImage, facts: RegionFacts) -> Iterator[str]:
    """Why the image cannot be deregistered now, or not together with its snapshots.

    EC2 User Guide, "Protect an Amazon EC2 AMI from deregistration"; EBS User Guide, "Amazon EBS snapshot
    lock". Who has archived a snapshot wants to keep it.
    """
    if own.protection != "disabled":
        yield f"It is protected from deregistration ({own.protection})."
    for snapshot_id in own.image.snapshot_ids:
        snapshot = facts.snapshots.get(snapshot_id)
        if snapshot is None:
            yield f"Its snapshot {snapshot_id} could not be read."
        elif snapshot.locked:
            yield f"Its snapshot {snapshot_id} is locked ({snapshot.locked})."
        elif snapshot.archived:
            yield f"Its snapshot {snapshot_id} is archived."


def shared_snapshots(
    own: OwnImage,
    sharing: Sharing,
    looks: Mapping[str, SnapshotLook],
    include_shared: bool,
    deregisters: bool,
) -> Iterator[str]:
    """Why whom the image's snapshots are shared with stands against the next stage.

    Only a deregistration takes them away. What cannot be read cannot be written down either.
    """
    for snapshot_id in own.image.snapshot_ids:
        look = looks[snapshot_id]
        if look.unread:
            yield f"Who may use its snapshot {snapshot_id} could not be read: {look.unread}"
        elif deregisters and (who := only_by_snapshot(own, sharing, look, include_shared)):
            yield f"Its snapshot {snapshot_id} is shared with {', '.join(who)}; the image is not."


def marked_for(snapshot: OwnSnapshot) -> tuple[str, ...]:
    """The images of which it is one's snapshot and goes with it; none if it was to go with none."""
    return tuple(snapshot.tags.get(SNAPSHOT_MARK, "").split())


def leftovers(facts: RegionFacts, protect_tags: Tags) -> tuple[OwnSnapshot, ...]:
    """Snapshots of images that this collection deregistered, but whose own deletion failed.

    Those that came out of the Recycle Bin without their image look the same: a tag can protect them.
    """
    existing = {own.image.image_id for own in facts.images}
    return tuple(
        snapshot
        for snapshot in facts.snapshots.values()
        if _was_to_go(snapshot, existing)
        and not _is_protected(snapshot, protect_tags)
        and _deletable(snapshot, facts, marked_for(snapshot))
    )


def orphans(facts: RegionFacts, protect_tags: Tags) -> dict[str, tuple[OwnSnapshot, ...]]:
    """Former image to the snapshots that it has left, told by what AWS wrote into their descriptions.

    Backups that people make have descriptions of their own, or are tagged by the services that make them.
    """
    existing = {own.image.image_id for own in facts.images}
    found: dict[str, tuple[OwnSnapshot, ...]] = {}
    for snapshot in facts.snapshots.values():
        image_id = former_image(snapshot)
        if image_id is None or image_id in existing:
            continue
        if _was_to_go(snapshot, existing):
            # A leftover: it is deleted whether or not orphans are.
            continue
        if any(key.startswith((BACKUP_TAG, LIFECYCLE_TAG)) for key in snapshot.tags):
            continue
        if _is_protected(snapshot, protect_tags):
            continue
        if _deletable(snapshot, facts, (image_id,)):
            found[image_id] = (*found.get(image_id, ()), snapshot)
    return found


def former_image(snapshot: OwnSnapshot) -> str | None:
    """The image that AWS made the snapshot for; None if it was made for none."""
    match = _OF_IMAGE.fullmatch(snapshot.description)
    return match[1] if match else None


def recoverable_until(
    own: OwnImage, facts: RegionFacts, going: Collection[str], now: datetime
) -> datetime | None:
    """Until when Recycle Bin can give an image back with the snapshots that go; None if it cannot.

    EBS User Guide, "Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin": an image is
    lost with the first of its snapshots.
    """
    days = [_retained(facts.rules, "EC2_IMAGE", own.image.tags)]
    days += (_snapshot_retained(snapshot_id, facts) for snapshot_id in going)
    return now + timedelta(days=min(days)) if all(days) else None


def _fate(snapshot_id: str, facts: RegionFacts, leaving: Collection[str]) -> Fate:
    kept = "; ".join(_users(snapshot_id, facts, leaving))
    return Fate(snapshot_id, kept, 0 if kept else _snapshot_retained(snapshot_id, facts))


def _snapshot_retained(snapshot_id: str, facts: RegionFacts) -> int:
    tags = facts.snapshots[snapshot_id].tags if snapshot_id in facts.snapshots else {}
    return _retained(facts.rules, "EBS_SNAPSHOT", tags)


def _retained(rules: tuple[RetentionRule, ...], resource_type: str, tags: Mapping[str, str]) -> int:
    """For how many days something is kept: of several rules the longest counts, none is 0 days."""
    return max((rule.days for rule in rules if _matches(rule, resource_type, tags)), default=0)


def _matches(rule: RetentionRule, resource_type: str, tags: Mapping[str, str]) -> bool:
    if rule.resource_type != resource_type:
        return False
    if rule.tags:
        return any(tags.get(key) == value for key, value in rule.tags)
    return not any(tags.get(key) == value for key, value in rule.excluded)


def _was_to_go(snapshot: OwnSnapshot, existing: Collection[str]) -> bool:
    """Whether it was to go with an image, and one of those that this may have been is gone."""
    return any(image_id not in existing for image_id in marked_for(snapshot))


def _is_protected(snapshot: OwnSnapshot, protect_tags: Tags) -> bool:
    return any(key in snapshot.tags and value in (None, snapshot.tags[key]) for key, value in protect_tags)


def _deletable(snapshot: OwnSnapshot, facts: RegionFacts, former: Collection[str]) -> bool:
    # An image in the Recycle Bin is of no use without its snapshots.
    free = not snapshot.locked and not snapshot.archived and facts.binned.isdisjoint(former)
    return free and not any(_users(snapshot.snapshot_id, facts, ()))


def _users(snapshot_id: str, facts: RegionFacts, leaving: Collection[str]) -> Iterator[str]:
    for image_id in facts.images_with.get(snapshot_id, ()):
        if image_id not in leaving:
            yield f"image {image_id} uses it"
    for user in facts.snapshot_uses.get(snapshot_id, ()):
        yield f"{user} uses it"
