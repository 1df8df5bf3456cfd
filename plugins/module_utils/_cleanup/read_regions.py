# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a region in bulk: own images and snapshots, and what uses them there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from .._aws import read
from .._aws.answers import require_member, unless_gone
from .._fanout import side_by_side
from .._model import ImageRef
from .._tags import tag_map
from .stages import parse_time
from .state import OwnImage, OwnSnapshot, RegionState, RetentionRule
from .uses.read import Attempts, Place, read_users
from .uses.read_all import IN_BULK
from .uses.users import list_snapshot_uses, list_unresolved, list_uses

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


def read_region(
    clients: Clients, name: str, *, tombstone_path: str | None = None, threads: int = 1
) -> RegionState:
    """Read everything of a region that can be read in bulk, at the same time on so many threads.

    Tombstones below ``tombstone_path``, a path of Parameter Store in the home region, are no uses. What
    cannot be read of the uses counts as use of all images. Snapshots, their locks and the Recycle Bin show no
    use: without one of them, nothing can be deleted, and all else goes on.

    Raises:
        ClientError, BotoCoreError: the images cannot be read.
    """
    ec2 = clients.ec2(name)
    place = Place(clients, name, tombstone_path if name == clients.default_region else None)
    # First: what begins to use one of these images from now on is a use that is read.
    images = read_own_images(ec2, name)
    uses, deletions, retention = Attempts(), Attempts(), Attempts()
    users, (snapshots, binned), rules = side_by_side(
        (
            # The other two have a thread each.
            partial(read_users, place, IN_BULK, uses, max(1, threads - 2)),
            partial(_read_deletions, ec2, deletions),
            lambda: retention("ListRules", lambda: read_retention_rules(clients.client("rbin", name))),
        ),
        min(3, threads),
    )
    return RegionState(
        images=images,
        uses=list_uses(users),
        unread=(*uses.problems, *list_unresolved(users)),
        deletions_unread=tuple(deletions.problems),
        snapshots={snapshot.snapshot_id: snapshot for snapshot in snapshots},
        snapshot_uses=list_snapshot_uses(users),
        rules=rules,
        rules_unread=tuple(retention.problems),
        binned=frozenset(binned),
    )


def _read_deletions(ec2: EC2Client, attempt: Attempts) -> tuple[tuple[OwnSnapshot, ...], tuple[str, ...]]:
    """Return the snapshots of a region, and the images in its Recycle Bin."""
    # An archival that ends after it was listed shows in the snapshots, which are read later.
    locks = dict(attempt("DescribeLockedSnapshots", lambda: read_snapshot_locks(ec2)))
    archiving = attempt(
        "DescribeSnapshotTierStatus", lambda: read_unsettled_snapshots(ec2, datetime.now(UTC))
    )
    snapshots = attempt("DescribeSnapshots", lambda: read_own_snapshots(ec2, locks, archiving))
    binned = attempt("ListImagesInRecycleBin", lambda: read_binned_images(ec2))
    return snapshots, tuple(image_id for image_id, _entered in binned)


def read_own_images(ec2: EC2Client, region_name: str) -> tuple[OwnImage, ...]:
    """Return every image of the account in the region, in any state."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, PaginationConfig=read.PAGE
    )
    return tuple(
        parse_own_image(item, region_name)
        for page in pages
        for item in require_member(page, "Images", "DescribeImages")
    )


def read_snapshot_locks(ec2: EC2Client) -> tuple[tuple[str, str], ...]:
    """Return the ID of each locked snapshot, with the state and the end of its lock."""
    operation = "DescribeLockedSnapshots"
    return tuple(
        (require_member(item, "SnapshotId", operation), _render_lock(item))
        for page in read.pages(ec2.describe_locked_snapshots, MaxResults=read.PAGE["PageSize"])
        for item in require_member(page, "Snapshots", operation)
        # A lock in an unknown state is one.
        if item.get("LockState") != "expired"
    )


def read_archiving_snapshots(ec2: EC2Client) -> tuple[str, ...]:
    """Return the IDs of the account's snapshots that are being archived.

    Until it is complete, which takes hours, DescribeSnapshots shows them like any other (EBS User Guide,
    "Archive an Amazon EBS snapshot").
    """
    return tuple(require_member(item, "SnapshotId", _TIERS) for item in _read_tiers(ec2, [_ARCHIVING]))


def read_unsettled_snapshots(ec2: EC2Client, now: datetime) -> tuple[str, ...]:
    """Return the snapshots being archived, and those restored permanently in the last 14 days or now.

    A restore counts from its start (botocore shape SnapshotTierStatus, LastTieringStartTime), and always if
    that is not known.
    """
    return tuple(
        require_member(item, "SnapshotId", _TIERS)
        for item in _read_tiers(ec2, [_ARCHIVING, *_RESTORES])
        if item.get("LastTieringOperationStatus") != "permanent-restore-completed"
        or now - item.get("LastTieringStartTime", now) < _RESTORED_FOR
    )


def _read_tiers(ec2: EC2Client, statuses: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    """Yield the tiers of the snapshots whose last archival or restore has one of the statuses."""
    pages = ec2.get_paginator("describe_snapshot_tier_status").paginate(
        Filters=[{"Name": "last-tiering-operation", "Values": list(statuses)}], PaginationConfig=read.PAGE
    )
    return (item for page in pages for item in require_member(page, "SnapshotTierStatuses", _TIERS))


def read_own_snapshots(
    ec2: EC2Client, locks: Mapping[str, str], archiving: Collection[str]
) -> tuple[OwnSnapshot, ...]:
    """Return every snapshot of the account in the region.

    ``locks`` are by ID (``read_snapshot_locks``). A snapshot of ``archiving`` counts as archived
    (``read_unsettled_snapshots``).
    """
    pages = ec2.get_paginator("describe_snapshots").paginate(OwnerIds=["self"], PaginationConfig=read.PAGE)
    return tuple(
        _parse_snapshot(item, locks, archiving)
        for page in pages
        for item in require_member(page, "Snapshots", "DescribeSnapshots")
    )


def _parse_snapshot(
    item: Mapping[str, Any], locks: Mapping[str, str], archiving: Collection[str]
) -> OwnSnapshot:
    snapshot_id = require_member(item, "SnapshotId", "DescribeSnapshots")
    archive = parse_archive_state(item)
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


def parse_archive_state(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return whether a snapshot is archived, and until when it is restored, for ``OwnSnapshot``.

    The storage tier of a temporarily restored snapshot is ``standard`` (EBS User Guide, "View archived
    snapshots"); only RestoreExpiryTime shows that it is archived.
    """
    restored_until = item.get("RestoreExpiryTime")
    archived = item.get("StorageTier") == "archive" or restored_until is not None
    return {"archived": archived, "restored_until": restored_until}


def read_binned_images(
    ec2: EC2Client, after: datetime | None = None
) -> tuple[tuple[str, datetime | None], ...]:
    """Return the images in the Recycle Bin, each with the time it was moved there or None.

    They can only be restored with their snapshots. ``after`` leaves out the images that AWS deletes by then,
    which it may still list.
    """
    pages = ec2.get_paginator("list_images_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    operation = "ListImagesInRecycleBin"
    return tuple(
        (require_member(item, "ImageId", operation), item.get("RecycleBinEnterTime"))
        for page in pages
        for item in require_member(page, "Images", operation)
        if after is None or can_be_restored(item, after)
    )


def can_be_restored(item: Mapping[str, Any], after: datetime) -> bool:
    """Whether an item that AWS lists in the Recycle Bin can be restored after this time.

    EBS User Guide, "Recover deleted Amazon EBS snapshots and EBS-backed AMIs with Recycle Bin": not once its
    retention period has expired (botocore shape ImageRecycleBinInfo, RecycleBinExitTime).
    """
    exits: datetime | None = item.get("RecycleBinExitTime")
    return exits is None or exits > after


def read_retention_rules(rbin: Any) -> tuple[RetentionRule, ...]:
    """Return the Recycle Bin rules for images and snapshots in effect."""
    retention = []
    for resource_type in _BINNED:
        for page in rbin.get_paginator("list_rules").paginate(ResourceType=resource_type):
            ids = (
                require_member(item, "Identifier", "ListRules")
                for item in require_member(page, "Rules", "ListRules")
            )
            rules = (_read_rule(rbin, rule_id) for rule_id in ids)
            # A rule without a status retains nothing that is counted on.
            retention += [_parse_rule(rule) for rule in rules if rule.get("Status") == "available"]
    return tuple(retention)


def _read_rule(rbin: Any, identifier: str) -> Mapping[str, Any]:
    """Return a rule with its tags, which ListRules lacks; empty if it has been deleted."""
    # botocore operation GetRule, errors.
    return unless_gone(lambda: rbin.get_rule(Identifier=identifier), ("ResourceNotFoundException",)) or {}


def parse_own_image(item: Mapping[str, Any], region_name: str) -> OwnImage:
    """Return the image in an item of DescribeImages."""
    base = None
    if "SourceInstanceId" in item and "SourceImageId" in item:
        base = ImageRef(item.get("SourceImageRegion", region_name), item["SourceImageId"])
    return OwnImage(
        image=read.image_of(item),
        created=parse_time(item.get("CreationDate", "")),
        base=base,
        last_launched=parse_time(item.get("LastLaunchedTime", "")),
        protection=item.get("DeregistrationProtection", "disabled"),
        alias=item.get("ImageOwnerAlias", ""),
        described=item,
    )


def _parse_rule(rule: Mapping[str, Any]) -> RetentionRule:
    def tags(member: str) -> Iterable[tuple[str, str]]:
        return ((tag["ResourceTagKey"], tag.get("ResourceTagValue", "")) for tag in rule.get(member, ()))

    return RetentionRule(
        require_member(rule, "ResourceType", "GetRule"),
        require_member(rule, "RetentionPeriod", "GetRule")["RetentionPeriodValue"],
        tuple(tags("ResourceTags")),
        tuple(tags("ExcludeResourceTags")),
    )


def _render_lock(item: Mapping[str, Any]) -> str:
    until: datetime | None = item.get("LockExpiresOn")
    state = str(item.get("LockState", "locked"))
    return f"{state} until {until:%Y-%m-%d}" if until else state
