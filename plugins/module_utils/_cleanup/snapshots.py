# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The snapshots that are deleted with an image or were left behind, and until when it can be restored."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

from .._tags import OWN_TAG_PREFIX
from .managed import find_manager
from .options import Tags
from .rules import find_protecting_keys
from .sharing import find_unchecked_sharing, name_principals
from .state import Evidence, ImageUsage, OwnImage, OwnSnapshot, RegionState, RetentionRule, SnapshotUsage

# The tag that is written on snapshots before their images are deregistered. By this tag the next run finds
# snapshots that could not be deleted. Its value is a list of image IDs, separated by spaces; the snapshot
# belongs to at least one of them.
SNAPSHOT_TAG = OWN_TAG_PREFIX + "cleanup-image-ids"

PROTECTED = "It is protected from deregistration"
"""The beginning of the reason why an image stays that EC2 protects; the state of the protection follows."""
# The descriptions that CreateImage and CopyImage give to the snapshots that they create.
_BY_CREATE_IMAGE = "Created by CreateImage("
_OF_IMAGE = re.compile(
    rf"(?:{re.escape(_BY_CREATE_IMAGE)}i-[0-9a-f]+\) for|Copied for DestinationAmi) (ami-[0-9a-f]+)\b.*"
)

# Image ID to its uses, whether or not the image exists.
Uses: TypeAlias = Mapping[str, tuple[Evidence, ...]]


@dataclass(frozen=True)
class SnapshotDecision:
    """The decision on a snapshot of a deregistered image.

    It is deleted unless there is a ``keep_reason``. The Recycle Bin retains a deleted one for
    ``retention_days``; during these, AWS bills it as before.
    """

    snapshot_id: str
    keep_reason: str = ""
    retention_days: int = 0


def decide_snapshots(
    own: OwnImage, region_state: RegionState, deregistering: Collection[str], uses: Uses
) -> tuple[SnapshotDecision, ...]:
    """Return the decisions on the image's snapshots; ``deregistering`` includes the image."""
    return tuple(
        _decide_snapshot(snapshot_id, region_state, deregistering, uses)
        for snapshot_id in own.image.snapshot_ids
    )


def list_marketplace_blockers(own: OwnImage) -> Iterator[str]:
    """Yield why an image with a product code is deprecated at most.

    AWS Marketplace assigns a code to all images that are submitted to it, and images that were created from
    instances of these contain it, too (AWS Marketplace Seller Guide, "AMI-based products"). So a code does
    not show whether the image is for sale.
    """
    if own.image.product_codes:
        codes = ", ".join(own.image.product_codes)
        yield (
            f"It has an AWS Marketplace product code ({codes}), so it is deprecated at most. Such images "
            "may be offered on AWS Marketplace. If this one is not, disable and deregister it yourself."
        )


def list_unread_blockers(
    own: OwnImage, region_state: RegionState, usage: Mapping[str, SnapshotUsage], deregisters: bool
) -> Iterator[Evidence]:
    """Yield the failed reads that block the image's next stage; ``usage`` is by snapshot ID.

    Both stages need the permissions of its snapshots, which the tombstone records. What shows whether its
    snapshots can be deleted is needed for its deregistration only; if that is unread, they were not read.
    """
    if deregisters and region_state.deletions_unread:
        yield from region_state.deletions_unread
        return
    for snapshot_id in own.image.snapshot_ids:
        if usage[snapshot_id].unread:
            yield Evidence.unreadable(
                "DescribeSnapshotAttribute", f"{snapshot_id}: {usage[snapshot_id].unread}"
            )


def list_deregistration_blockers(
    own: OwnImage, region_state: RegionState, protect_tags: Tags
) -> Iterator[str]:
    """Yield why the image or one of its snapshots cannot be removed now.

    EC2 User Guide, "Protect an Amazon EC2 AMI from deregistration"; EBS User Guide, "Amazon EBS snapshot
    lock". An archived snapshot could be deleted, but was archived to be kept.
    """
    if own.protection != "disabled":
        yield f"{PROTECTED} ({own.protection})."
    for snapshot_id in own.image.snapshot_ids:
        snapshot = region_state.snapshots.get(snapshot_id)
        if snapshot is None:
            # Unless snapshots could not be read, which blocks the deregistration by itself.
            if not region_state.deletions_unread:
                yield f"Its snapshot {snapshot_id} was not found."
        elif snapshot.locked:
            yield f"Its snapshot {snapshot_id} is locked ({snapshot.locked})."
        elif snapshot.archived:
            yield f"Its snapshot {snapshot_id} {_describe_archive_state(snapshot)}."
        for key in find_protecting_keys(snapshot.tags, protect_tags) if snapshot else ():
            yield f"The tag {key} protects its snapshot {snapshot_id}."


def _describe_archive_state(snapshot: OwnSnapshot) -> str:
    if until := snapshot.restored_until:
        return f"is archived, and temporarily restored until {until:%Y-%m-%d}"
    return "is archived, is being archived, or was restored from the archive in the last 14 days"


def list_sharing_blockers(
    own: OwnImage,
    image: ImageUsage,
    usage: Mapping[str, SnapshotUsage],
    has_only_reports: bool,
) -> Iterator[str]:
    """Yield why the sharing of snapshots blocks the deregistration; ``usage`` is by snapshot ID."""
    for snapshot_id in own.image.snapshot_ids:
        if sharing := find_unchecked_sharing(own, image, usage[snapshot_id], has_only_reports):
            yield (
                f"Its snapshot {snapshot_id} is shared with {name_principals(sharing)}, and their use of it "
                "was not checked: unshare the snapshot first."
            )


def list_marked_images(snapshot: OwnSnapshot) -> tuple[str, ...]:
    """Return the images in the snapshot's mark, with one of which it is deleted."""
    return tuple(snapshot.tags.get(SNAPSHOT_TAG, "").split())


def find_leftovers(
    region_state: RegionState, existing: Collection[str], protect_tags: Tags, uses: Uses
) -> tuple[OwnSnapshot, ...]:
    """Return the snapshots that this collection could not delete with their images.

    ``existing`` are the IDs of the own images of all regions: a copy of a snapshot can have its mark.
    Snapshots that were restored from the Recycle Bin without their image look the same: a tag can protect
    these. So do snapshots that any other principal marked by a tag.
    """
    return tuple(
        snapshot
        for snapshot in region_state.snapshots.values()
        if _is_leftover(snapshot, existing)
        and not any(find_protecting_keys(snapshot.tags, protect_tags))
        and _is_deletable(snapshot, region_state, uses)
    )


def find_orphans(
    region_state: RegionState, existing: Collection[str], protect_tags: Tags, uses: Uses
) -> dict[str, tuple[OwnSnapshot, ...]]:
    """Return the orphan snapshots by deregistered image, recognized by AWS's descriptions.

    Backups have other descriptions, or the tags of the service that manages them. A copy of a snapshot can
    have its description, and so name an image that it is not of. CreateImage makes no copies; a copy of what
    CopyImage made looks like it, and can name an image of another region: ``existing`` are the IDs of the own
    images of all regions.
    """
    by_image: dict[str, tuple[OwnSnapshot, ...]] = {}
    for snapshot in region_state.snapshots.values():
        image_id = find_described_image(snapshot)
        if image_id is None or image_id in existing:
            continue
        if snapshot.copied and snapshot.description.startswith(_BY_CREATE_IMAGE):
            continue
        if _is_leftover(snapshot, existing):
            # A leftover: it is deleted even if orphans are not.
            continue
        if any(find_protecting_keys(snapshot.tags, protect_tags)):
            continue
        if _is_deletable(snapshot, region_state, uses):
            by_image[image_id] = (*by_image.get(image_id, ()), snapshot)
    return by_image


def find_described_image(snapshot: OwnSnapshot) -> str | None:
    """Return the image that the snapshot was created for by its description, None for others."""
    match = _OF_IMAGE.fullmatch(snapshot.description)
    return match[1] if match else None


def list_named_images(snapshot: OwnSnapshot) -> tuple[str, ...]:
    """Return the images that the snapshot's description and mark name, existing or not.

    Instances, launch templates and parameters can name such an image after it is deregistered. The
    snapshot then is what is left to register it again, and what EC2 restores root volumes of the instances
    from (EC2 User Guide, "Replace a root volume": to the launch state).
    """
    described = find_described_image(snapshot)
    return tuple(dict.fromkeys((*([described] if described else ()), *list_marked_images(snapshot))))


def find_recovery_end(
    own: OwnImage, region_state: RegionState, snapshots: Iterable[SnapshotDecision], now: datetime
) -> datetime | None:
    """Return until when the Recycle Bin can restore the image, None if never or unsure.

    EBS User Guide, "Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin": only images
    with an EBS root are retained, and an image cannot be restored once one of its snapshots is gone. A kept
    snapshot stays for an image in the Recycle Bin only if the snapshot names that image.
    """
    if own.described.get("RootDeviceType") != "ebs":
        return None
    days = [_find_retention(region_state.rules, "EC2_IMAGE", own.image.tags)]
    for snapshot in snapshots:
        own_snapshot = region_state.snapshots.get(snapshot.snapshot_id)
        if not snapshot.keep_reason:
            days.append(snapshot.retention_days)
        elif own_snapshot is None or own.image.image_id not in list_named_images(own_snapshot):
            return None
    return now + timedelta(days=min(days)) if all(days) else None


def _decide_snapshot(
    snapshot_id: str, region_state: RegionState, deregistering: Collection[str], uses: Uses
) -> SnapshotDecision:
    keep_reason = "; ".join(_list_keep_reasons(snapshot_id, region_state, deregistering, uses))
    return SnapshotDecision(
        snapshot_id, keep_reason, 0 if keep_reason else _find_snapshot_retention(snapshot_id, region_state)
    )


def _find_snapshot_retention(snapshot_id: str, region_state: RegionState) -> int:
    tags = region_state.snapshots[snapshot_id].tags if snapshot_id in region_state.snapshots else {}
    return _find_retention(region_state.rules, "EBS_SNAPSHOT", tags)


def _find_retention(rules: tuple[RetentionRule, ...], resource_type: str, tags: Mapping[str, str]) -> int:
    """Return the days of the longest matching rule of the Recycle Bin, 0 without one."""
    return max((rule.days for rule in rules if _is_rule_for(rule, resource_type, tags)), default=0)


def _is_rule_for(rule: RetentionRule, resource_type: str, tags: Mapping[str, str]) -> bool:
    if rule.resource_type != resource_type:
        return False
    if rule.tags:
        return any(tags.get(key) == value for key, value in rule.tags)
    return not any(tags.get(key) == value for key, value in rule.excluded)


def _is_leftover(snapshot: OwnSnapshot, existing: Collection[str]) -> bool:
    """Whether it was marked to be deleted with an image, and an image of its mark is gone.

    The mark also names images of other snapshots that were marked with it. So a snapshot is no leftover if
    the image that AWS created it for exists: a copy of a snapshot keeps its mark.
    """
    return find_described_image(snapshot) not in existing and any(
        image_id not in existing for image_id in list_marked_images(snapshot)
    )


def _is_deletable(snapshot: OwnSnapshot, region_state: RegionState, uses: Uses) -> bool:
    # An image in the Recycle Bin can only be restored with its snapshots.
    free = (
        not snapshot.locked
        and not snapshot.archived
        and region_state.binned.isdisjoint(list_named_images(snapshot))
    )
    return free and not any(_list_keep_reasons(snapshot.snapshot_id, region_state, (), uses))


def _list_keep_reasons(
    snapshot_id: str, region_state: RegionState, deregistering: Collection[str], uses: Uses
) -> Iterator[str]:
    snapshot = region_state.snapshots.get(snapshot_id)
    service = find_manager(snapshot.tags) if snapshot else None
    if service:
        yield f"{service} manages it"
    for image_id in region_state.images_with.get(snapshot_id, ()):
        if image_id not in deregistering:
            yield f"image {image_id} uses it"
    for user in region_state.snapshot_uses.get(snapshot_id, ()):
        yield f"{user} uses it"
    for image_id in list_named_images(snapshot) if snapshot else ():
        if image_id in region_state.binned:
            # It can only be restored with its snapshots (EBS User Guide, "Considerations for Recycle Bin").
            yield f"image {image_id} in the Recycle Bin needs it"
        elif image_id in uses:
            yield f"{uses[image_id][0].label} uses its image {image_id}"
