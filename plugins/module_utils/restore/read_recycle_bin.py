# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the Recycle Bin, and waits until what is restored from it can be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..aws import read
from ..aws.answers import required
from ..aws.errors import AWS_ERRORS
from ..cleanup.read_regions import archive_of, stays_in_bin
from ..cleanup.state import OwnSnapshot
from ..plan import batches
from ..tags import RESERVED_PREFIX, tag_map

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EBS User Guide, "Recover deleted AMIs from the Recycle Bin": a restored AMI can be used immediately. EC2 can
# still list it late (EC2 Developer Guide, "Eventual consistency"). The waiters therefore try for a minute.
_WAIT: Any = {"Delay": 3, "MaxAttempts": 20}


def binned_snapshots(ec2: EC2Client, after: datetime) -> dict[str, str]:
    """The IDs of the snapshots that stay in the Recycle Bin after this time, with their descriptions."""
    pages = ec2.get_paginator("list_snapshots_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    operation = "ListSnapshotsInRecycleBin"
    return {
        required(item, "SnapshotId", operation): item.get("Description", "")
        for page in pages
        for item in required(page, "Snapshots", operation)
        if stays_in_bin(item, after)
    }


def binned_tags(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """The tags of images in the Recycle Bin, without those of AWS.

    An image is missing if AWS returns no tag of it, which each image there has, or refuses to. DescribeImages
    does not return these images. That DescribeTags returns their tags is a conclusion: the console of the
    Recycle Bin needs it, and tags can be changed there.

    Source: EBS User Guide, "Recover deleted AMIs from the Recycle Bin", "Considerations for Recycle Bin".
    """
    try:
        return _binned_tags(ec2, image_ids)
    except AWS_ERRORS:
        # Only a check needs them, which takes those of the tombstones instead: no reason not to restore.
        return {}


def _binned_tags(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    operation = "DescribeTags"
    for batch in batches(image_ids, read.FILTER_VALUES):
        pages = ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "resource-id", "Values": list(batch)}], PaginationConfig=read.PAGE
        )
        for page in pages:
            for item in required(page, "Tags", operation):
                tags = found.setdefault(required(item, "ResourceId", operation), {})
                key = required(item, "Key", operation)
                if not key.startswith(RESERVED_PREFIX):
                    tags[key] = item.get("Value", "")
    return found


def existing_snapshots(
    ec2: EC2Client, snapshot_ids: Sequence[str], archiving: Collection[str] = ()
) -> dict[str, OwnSnapshot]:
    """Those of the snapshots that exist and that the account owns, in any storage tier.

    A snapshot of ``archiving`` counts as archived.
    """
    found = {}
    for batch in batches(snapshot_ids, read.FILTER_VALUES):
        # A filter: with SnapshotIds, one ID that does not exist would fail the whole call.
        pages = ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"],
            Filters=[{"Name": "snapshot-id", "Values": list(batch)}],
            PaginationConfig=read.PAGE,
        )
        for page in pages:
            for item in required(page, "Snapshots", "DescribeSnapshots"):
                snapshot_id = required(item, "SnapshotId", "DescribeSnapshots")
                archive = archive_of(item)
                found[snapshot_id] = OwnSnapshot(
                    snapshot_id=snapshot_id,
                    description=item.get("Description", ""),
                    tags=tag_map(item.get("Tags", [])),
                    archived=archive["archived"] or snapshot_id in archiving,
                    restored_until=archive["restored_until"],
                )
    return found


def wait_for_snapshots(ec2: EC2Client, snapshot_ids: Sequence[str]) -> None:
    """Wait until restored snapshots are complete, which restoring their image requires.

    Source: EBS User Guide, "Considerations for Recycle Bin".

    Raises:
        WaiterError: they are not complete after a minute.
    """
    by_id: Any = [{"Name": "snapshot-id", "Values": list(snapshot_ids)}]
    ec2.get_waiter("snapshot_completed").wait(OwnerIds=["self"], Filters=by_id, WaiterConfig=_WAIT)


def wait_for_image(ec2: EC2Client, image_id: str) -> None:
    """Wait until EC2 lists a restored image.

    Raises:
        WaiterError: it is not listed after a minute.
    """
    ec2.get_waiter("image_exists").wait(
        ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True, WaiterConfig=_WAIT
    )


def wait_until_available(ec2: EC2Client, image_id: str) -> None:
    """Wait until an enabled image is available, which sharing it requires.

    Raises:
        WaiterError: it is not available after a minute.
    """
    ec2.get_waiter("image_available").wait(
        ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True, WaiterConfig=_WAIT
    )


def public_resources(ec2: EC2Client, resources: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return which images and snapshots are public, and which of them could not be read."""
    public, unread = [], []
    for resource in resources:
        of_image = resource.startswith("ami-")
        operation = read.IMAGE_PERMISSIONS if of_image else read.SNAPSHOT_PERMISSIONS
        try:
            if read.permissions(ec2, operation, resource).public:
                public.append(resource)
        except AWS_ERRORS:
            unread.append(resource)
    return public, unread
