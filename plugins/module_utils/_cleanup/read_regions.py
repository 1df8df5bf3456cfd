# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a region in bulk: own images and snapshots, and what uses them there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import required, unless_gone
from .._model import ImageRef
from .._tags import tag_map
from .stages import parse
from .state import OwnImage, OwnSnapshot, RegionState, RetentionRule
from .uses.read import Attempts, Place, read_users
from .uses.read_all import IN_BULK
from .uses.users import snapshot_uses, unresolved, uses

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

    from .._aws.clients import Clients

# botocore shape Snapshot: only copies have TransferType, and a copy's volume ID is arbitrary. It is this one,
# also of copies that are older than TransferType.
_VOLUME_OF_COPIES = "vol-ffffffff"
# A snapshot that was restored from the archive is about to be used: it is kept for this time.
_RESTORED_FOR = timedelta(days=14)
_TIERS = "DescribeSnapshotTierStatus"
_ARCHIVING = "archival-in-progress"
_RESTORES = ("permanent-restore-in-progress", "permanent-restore-completed")
_BINNED = {"EC2_IMAGE": "images", "EBS_SNAPSHOT": "snapshots"}


def region(clients: Clients, name: str, *, tombstone_path: str | None = None) -> RegionState:
    """Read everything that can be read of a region in bulk.

    Tombstones below ``tombstone_path``, a path of Parameter Store in the home region, are no uses. What
    cannot be read of the uses counts as use of all images. Snapshots, their locks and the Recycle Bin show no
    use: without one of them, nothing can be deleted, and all else goes on.

    Raises:
        ClientError, BotoCoreError: the images cannot be read.
    """
    ec2 = clients.ec2(name)
    tombstones = tombstone_path if name == clients.default_region else None
    images = own_images(ec2, name)
    attempt = Attempts()
    users = read_users(Place(clients, name, tombstones), IN_BULK, attempt)
    deletions = Attempts()
    locks = dict(deletions("DescribeLockedSnapshots", lambda: snapshot_locks(ec2)))
    archiving = deletions("DescribeSnapshotTierStatus", lambda: unsettled_snapshots(ec2, datetime.now(UTC)))
    snapshots = deletions("DescribeSnapshots", lambda: own_snapshots(ec2, locks, archiving))
    binned = deletions("ListImagesInRecycleBin", lambda: binned_images(ec2))
    retention = Attempts()
    rules = retention("ListRules", lambda: retention_rules(clients.client("rbin", name)))
    return RegionState(
        images=images,
        uses=uses(users),
        unread=(*attempt.problems, *unresolved(users)),
        deletions_unread=tuple(deletions.problems),
        snapshots={one.snapshot_id: one for one in snapshots},
        snapshot_uses=snapshot_uses(users),
        rules=rules,
        rules_unread=tuple(retention.problems),
        binned=frozenset(dict(binned)),
    )


def own_images(ec2: EC2Client, region_name: str) -> tuple[OwnImage, ...]:
    """Every image that the account owns in the region, in any state."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, PaginationConfig=read.PAGE
    )
    return tuple(
        _own_image(item, region_name) for page in pages for item in required(page, "Images", "DescribeImages")
    )


def snapshot_locks(ec2: EC2Client) -> tuple[tuple[str, str], ...]:
    """Every locked snapshot of the account in the region, with the state and the end of its lock."""
    operation = "DescribeLockedSnapshots"
    return tuple(
        (required(item, "SnapshotId", operation), _lock(item))
        for page in read.pages(ec2.describe_locked_snapshots, MaxResults=read.PAGE["PageSize"])
        for item in required(page, "Snapshots", operation)
        # A lock in an unknown state is one.
        if item.get("LockState") != "expired"
    )


def archiving_snapshots(ec2: EC2Client) -> tuple[str, ...]:
    """The IDs of the account's snapshots in the region whose archival is in progress.

    Until it is complete, which takes hours, DescribeSnapshots shows them like any other (EBS User Guide,
    "Archive an Amazon EBS snapshot").
    """
    return tuple(required(item, "SnapshotId", _TIERS) for item in _tiered(ec2, [_ARCHIVING]))


def unsettled_snapshots(ec2: EC2Client, now: datetime) -> tuple[str, ...]:
    """The same, and those that are restored from the archive permanently, or were in the last 14 days.

    A restore counts from its start (botocore shape SnapshotTierStatus, LastTieringStartTime), and always if
    that is not known.
    """
    return tuple(
        required(item, "SnapshotId", _TIERS)
        for item in _tiered(ec2, [_ARCHIVING, *_RESTORES])
        if item.get("LastTieringOperationStatus") != "permanent-restore-completed"
        or now - item.get("LastTieringStartTime", now) < _RESTORED_FOR
    )


def _tiered(ec2: EC2Client, statuses: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """The tiers of the account's snapshots whose last archival or restore has one of the statuses."""
    pages = ec2.get_paginator("describe_snapshot_tier_status").paginate(
        Filters=[{"Name": "last-tiering-operation", "Values": list(statuses)}], PaginationConfig=read.PAGE
    )
    return (item for page in pages for item in required(page, "SnapshotTierStatuses", _TIERS))


def own_snapshots(
    ec2: EC2Client, locks: Mapping[str, str], archiving: Collection[str]
) -> tuple[OwnSnapshot, ...]:
    """Every snapshot that the account owns in the region.

    ``locks`` are by ID (``snapshot_locks``). A snapshot of ``archiving`` (``unsettled_snapshots``) counts as
    archived.
    """
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig=read.PAGE)
    return tuple(
        _own_snapshot(item, locks, archiving)
        for page in pages
        for item in required(page, "Snapshots", "DescribeSnapshots")
    )


def _own_snapshot(
    item: Mapping[str, Any], locks: Mapping[str, str], archiving: Collection[str]
) -> OwnSnapshot:
    snapshot_id = required(item, "SnapshotId", "DescribeSnapshots")
    archive = archive_of(item)
    return OwnSnapshot(
        snapshot_id=snapshot_id,
        description=item.get("Description", ""),
        tags=tag_map(item.get("Tags", [])),
        archived=archive["archived"] or snapshot_id in archiving,
        restored_until=archive["restored_until"],
        copied="TransferType" in item or item.get("VolumeId") == _VOLUME_OF_COPIES,
        locked=locks.get(snapshot_id, ""),
        kms_key_id=item.get("KmsKeyId"),
        associated_key_arns=read.associated_key_arns(item),
    )


def archive_of(item: Mapping[str, Any]) -> dict[str, Any]:
    """Whether a snapshot of DescribeSnapshots is archived, and until when restored, for ``OwnSnapshot``.

    The storage tier of a temporarily restored snapshot is ``standard`` (EBS User Guide, "View archived
    snapshots"); only RestoreExpiryTime shows that it is archived.
    """
    restored_until = item.get("RestoreExpiryTime")
    archived = item.get("StorageTier") == "archive" or restored_until is not None
    return {"archived": archived, "restored_until": restored_until}


def binned_images(ec2: EC2Client, after: datetime | None = None) -> tuple[tuple[str, datetime | None], ...]:
    """The images in the Recycle Bin, each with the time when it was moved there, None if AWS omits it.

    They can only be restored with their snapshots. With ``after``, those are left out that AWS deletes by
    then, and may list nevertheless.
    """
    pages = ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    operation = "ListImagesInRecycleBin"
    return tuple(
        (required(item, "ImageId", operation), item.get("RecycleBinEnterTime"))
        for page in pages
        for item in required(page, "Images", operation)
        if after is None or stays_in_bin(item, after)
    )


def stays_in_bin(item: Mapping[str, Any], after: datetime) -> bool:
    """Return whether what AWS lists in the Recycle Bin can be restored after this time.

    EBS User Guide, "Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin": not once its
    retention period has expired (botocore shape ImageRecycleBinInfo, RecycleBinExitTime).
    """
    exits: datetime | None = item.get("RecycleBinExitTime")
    return exits is None or exits > after


def retention_rules(rbin: Any) -> tuple[RetentionRule, ...]:
    """The region's Recycle Bin rules for images and snapshots that are in effect."""
    found = []
    for resource_type in _BINNED:
        for page in rbin.get_paginator("list_rules").paginate(ResourceType=resource_type):
            ids = (required(item, "Identifier", "ListRules") for item in required(page, "Rules", "ListRules"))
            rules = (_rule(rbin, one) for one in ids)
            # A rule without a status retains nothing that is counted on.
            found += [_retention_rule(rule) for rule in rules if rule.get("Status") == "available"]
    return tuple(found)


def _rule(rbin: Any, identifier: str) -> Mapping[str, Any]:
    """Return a rule with its tags, which ListRules lacks; empty if it was deleted since it was listed."""
    # botocore operation GetRule, errors.
    return unless_gone(lambda: rbin.get_rule(Identifier=identifier), ("ResourceNotFoundException",)) or {}


def _own_image(item: Mapping[str, Any], region_name: str) -> OwnImage:
    base = None
    if "SourceInstanceId" in item and "SourceImageId" in item:
        base = ImageRef(item.get("SourceImageRegion", region_name), item["SourceImageId"])
    return OwnImage(
        image=read.image_of(item),
        created=parse(item.get("CreationDate", "")),
        base=base,
        last_launched=parse(item.get("LastLaunchedTime", "")),
        protection=item.get("DeregistrationProtection", "disabled"),
        alias=item.get("ImageOwnerAlias", ""),
        described=item,
    )


def _retention_rule(rule: Mapping[str, Any]) -> RetentionRule:
    def tags(member: str) -> Iterable[tuple[str, str]]:
        return ((one["ResourceTagKey"], one.get("ResourceTagValue", "")) for one in rule.get(member, ()))

    return RetentionRule(
        required(rule, "ResourceType", "GetRule"),
        required(rule, "RetentionPeriod", "GetRule")["RetentionPeriodValue"],
        tuple(tags("ResourceTags")),
        tuple(tags("ExcludeResourceTags")),
    )


def _lock(item: Mapping[str, Any]) -> str:
    until: datetime | None = item.get("LockExpiresOn")
    state = str(item.get("LockState", "locked"))
    return f"{state} until {until:%Y-%m-%d}" if until else state
