# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads images, their snapshots and the Recycle Bin, and waits until what is restored can be used."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._aws import errors, read
from .._aws.answers import require_member
from .._aws.caller import check_default_region, identify_in_regions
from .._aws.clients import Clients
from .._aws.errors import AWS_ERRORS
from .._cleanup.read_regions import (
    can_be_restored,
    parse_archive_state,
    read_archiving_snapshots,
    read_binned_images,
)
from .._cleanup.snapshots import find_described_image
from .._cleanup.state import OwnSnapshot
from .._cleanup.tombstone import TombstoneHistory
from .._failures import ValidationError, invalid_option
from .._fanout import map_parallel, round_robin
from .._model import Image, ImageRef, PublicAccessBlock, Sharing, Target
from .._plan import batches
from .._tags import RESERVED_PREFIX, tag_map
from .options import RestoreOptions
from .read_tombstones import read_tombstones
from .state import ImageState, RestoreState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EBS User Guide, "Recover deleted AMIs from the Recycle Bin": a restored AMI can be used immediately. EC2 can
# still list it late (EC2 Developer Guide, "Eventual consistency"). The waiters therefore try for a minute.
_WAIT: Any = {"Delay": 3, "MaxAttempts": 20}


@dataclass(frozen=True)
class Region:
    """The images of a region and their snapshots that exist.

    If one of the images is missing, also the content of the Recycle Bin, and the tags of those of the images
    that are there. ``image_block`` and ``snapshot_block`` are as in ``ImageState``.
    """

    images: Mapping[str, Image] = field(default_factory=dict)
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    binned: Mapping[str, datetime | None] = field(default_factory=dict)
    binned_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    binned_snapshots: Mapping[str, str] = field(default_factory=dict)
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None


def read_state(clients: Clients, options: RestoreOptions) -> RestoreState:
    """Read every image, the Recycle Bin, and the tombstones."""
    _check_tombstone_file(options.tombstone_path)
    regions = sorted({ref.region for ref in options.images})
    caller = identify_in_regions(clients, {"images": regions})
    account_id = caller.account_id
    stores = {
        "tombstone_s3_uri": options.tombstone_s3_uri,
        "tombstone_ssm_path": options.tombstone_ssm_path,
    }
    check_default_region(clients, caller, stores)
    clients.open("ec2", regions)
    for operation in (read.IMAGE_PERMISSIONS, read.SNAPSHOT_PERMISSIONS):
        clients.rate_limited(operation).open("ec2", regions)
    histories, unreadable = read_tombstones(clients, options, account_id)
    refs = {region: [ref for ref in options.images if ref.region == region] for region in regions}

    def read_in_region(region: str) -> Region:
        of_images = {ref.image_id: histories.get(ref, TombstoneHistory()) for ref in refs[region]}
        return read_region(clients.ec2(region), options, account_id, of_images)

    by_region, failed = map_parallel(regions, read_in_region)
    if failed:
        raise ValidationError(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )

    def read_state_of(ref: ImageRef) -> ImageState:
        history = histories.get(ref, TombstoneHistory())
        return read_image(clients, options, account_id, ref, by_region[ref.region], history)

    images, unread = map_parallel(round_robin(refs.values()), read_state_of)
    if unread:
        raise ValidationError(
            errors.failure(exception, Target(account_id, ref.region), "DescribeImageAttribute")
            for ref, exception in unread.items()
        )
    return RestoreState(account_id, datetime.now(UTC), images, histories, unreadable)


def _check_tombstone_file(path: str | None) -> None:
    if path and not Path(path).is_file():
        message = f"tombstone_path: file {path} does not exist."
        raise ValidationError(
            [invalid_option("tombstone_path", message, "Set the file that ami_cleanup wrote.")]
        )


def get_client(clients: Clients, region: str, operation: str) -> EC2Client:
    """Return the client for an operation that reads permissions of all images or snapshots of a region."""
    return clients.rate_limited(operation).ec2(region)


def read_region(
    ec2: EC2Client, options: RestoreOptions, account_id: str, histories: Mapping[str, TombstoneHistory]
) -> Region:
    """Return all that is read of a region at once; ``histories`` has each image of the options."""
    named = read.named_images(ec2, histories)
    # A deregistered image may be listed for a while.
    images = {key: image for key, image in named.items() if image.state != "deregistered"}
    is_complete = histories.keys() <= images.keys()
    own = {
        image_id: history
        for image_id, history in histories.items()
        if image_id not in images or images[image_id].owner_id == account_id
    }
    snapshot_ids = dict.fromkeys(
        snapshot_id
        for image_id, history in own.items()
        for snapshot_id in _list_snapshot_ids(images.get(image_id), history)
    )
    public = [
        history.shared for history in own.values() if history.shared is not None and options.allow_public
    ]
    shares_image = any(shared.launch.public for shared in public)
    shares_snapshot = any(
        sharing.public for shared in public for sharing in shared.volume_permissions.values()
    )
    now = datetime.now(UTC)
    binned = {} if is_complete else dict(read_binned_images(ec2, now))
    # Only snapshots of disabled images can be archived (EBS User Guide, "Archive an Amazon EBS snapshot").
    is_disabled = any(image_id in own and image.state == "disabled" for image_id, image in images.items())
    archiving = read_archiving_snapshots(ec2) if is_disabled else ()
    return Region(
        images,
        binned=binned,
        binned_tags=_read_tags_in_bin(ec2, [image_id for image_id in histories if image_id in binned]),
        binned_snapshots={} if is_complete else _read_binned_snapshots(ec2, now),
        snapshots=_read_existing_snapshots(ec2, list(snapshot_ids), archiving),
        image_block=read.image_block(ec2) if shares_image else None,
        snapshot_block=read.snapshot_block(ec2) if shares_snapshot else None,
    )


def _list_snapshot_ids(image: Image | None, history: TombstoneHistory) -> tuple[str, ...]:
    """Return the snapshots of an image, by its last tombstone if it is deregistered."""
    if image is not None:
        return image.snapshot_ids
    return tuple(history.last.volume_permissions) if history.last else ()


def read_image(
    clients: Clients,
    options: RestoreOptions,
    account_id: str,
    ref: ImageRef,
    region: Region,
    history: TombstoneHistory,
) -> ImageState:
    image = region.images.get(ref.image_id)
    if image is not None and image.owner_id != account_id:
        # Only its owner can read its attributes. The plan refuses it.
        return ImageState(image)
    known = _list_snapshot_ids(image, history)
    state = ImageState(
        image,
        snapshots={
            snapshot_id: region.snapshots[snapshot_id]
            for snapshot_id in known
            if snapshot_id in region.snapshots
        },
        image_block=region.image_block,
        snapshot_block=region.snapshot_block,
    )
    if image is not None:
        return _add_permissions(clients, options, image, ref.region, state)
    # AWS does not list the snapshots of an image in the Recycle Bin. Without a tombstone they are found by
    # their descriptions, which have the image's ID.
    of_image = [
        key
        for key, text in region.binned_snapshots.items()
        if key in known or find_described_image(OwnSnapshot(key, text)) == ref.image_id
    ]
    return replace(
        state,
        binned=ref.image_id in region.binned,
        binned_at=region.binned.get(ref.image_id),
        binned_tags=region.binned_tags.get(ref.image_id),
        binned_snapshots=tuple(sorted(of_image)),
    )


def _add_permissions(
    clients: Clients, options: RestoreOptions, image: Image, region: str, state: ImageState
) -> ImageState:
    """Return an own image with its permissions and those of its snapshots."""
    launch, volume_permissions = Sharing(), {}
    # EC2 API Reference, DisableImage: a disabled image has no launch permissions.
    if image.state != "disabled":
        launch = read.launch_permissions(get_client(clients, region, read.IMAGE_PERMISSIONS), image.image_id)
    if options.restore_permissions:
        ec2 = get_client(clients, region, read.SNAPSHOT_PERMISSIONS)
        volume_permissions = {
            snapshot_id: read.volume_permissions(ec2, snapshot_id) for snapshot_id in state.snapshots
        }
    return replace(state, launch=launch, volume_permissions=volume_permissions)


def _read_binned_snapshots(ec2: EC2Client, after: datetime) -> dict[str, str]:
    """Return the descriptions, by ID, of the snapshots that stay in the Recycle Bin after this time."""
    pages = ec2.get_paginator("list_snapshots_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    operation = "ListSnapshotsInRecycleBin"
    return {
        require_member(item, "SnapshotId", operation): item.get("Description", "")
        for page in pages
        for item in require_member(page, "Snapshots", operation)
        if can_be_restored(item, after)
    }


def _read_tags_in_bin(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the tags of images in the Recycle Bin, without those of AWS.

    An image is missing if AWS returns no tag of it, which each image there has, or refuses to. DescribeImages
    does not return these images. That DescribeTags returns their tags is a conclusion: the console of the
    Recycle Bin needs it, and tags can be changed there.

    Source: EBS User Guide, "Recover deleted AMIs from the Recycle Bin", "Considerations for Recycle Bin".
    """
    try:
        return _read_tags(ec2, image_ids)
    except AWS_ERRORS:
        # Only a check needs them, which takes those of the tombstones instead: no reason not to restore.
        return {}


def _read_tags(ec2: EC2Client, image_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    tags_by_id: dict[str, dict[str, str]] = {}
    operation = "DescribeTags"
    for batch in batches(image_ids, read.FILTER_VALUES):
        pages = ec2.get_paginator("describe_tags").paginate(
            Filters=[{"Name": "resource-id", "Values": list(batch)}], PaginationConfig=read.PAGE
        )
        for page in pages:
            for item in require_member(page, "Tags", operation):
                tags = tags_by_id.setdefault(require_member(item, "ResourceId", operation), {})
                key = require_member(item, "Key", operation)
                if not key.startswith(RESERVED_PREFIX):
                    tags[key] = item.get("Value", "")
    return tags_by_id


def _read_existing_snapshots(
    ec2: EC2Client, snapshot_ids: Sequence[str], archiving: Collection[str] = ()
) -> dict[str, OwnSnapshot]:
    """Return those of the snapshots that exist and that the account owns, in any storage tier.

    A snapshot of ``archiving`` counts as archived.
    """
    snapshots = {}
    for batch in batches(snapshot_ids, read.FILTER_VALUES):
        # A filter: with SnapshotIds, one ID that does not exist would fail the whole call.
        pages = ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"],
            Filters=[{"Name": "snapshot-id", "Values": list(batch)}],
            PaginationConfig=read.PAGE,
        )
        for page in pages:
            for item in require_member(page, "Snapshots", "DescribeSnapshots"):
                snapshot_id = require_member(item, "SnapshotId", "DescribeSnapshots")
                archive = parse_archive_state(item)
                snapshots[snapshot_id] = OwnSnapshot(
                    snapshot_id=snapshot_id,
                    description=item.get("Description", ""),
                    tags=tag_map(item.get("Tags", [])),
                    archived=archive["archived"] or snapshot_id in archiving,
                    restored_until=archive["restored_until"],
                )
    return snapshots


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


def find_public_resources(ec2: EC2Client, resources: Iterable[str]) -> tuple[list[str], list[str]]:
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
