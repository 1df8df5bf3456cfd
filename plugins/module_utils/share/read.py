# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read an image and its permissions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.clients import Clients
from ..failures import Failure, TargetFailed
from ..model import Image, Sharing, Target
from .options import ShareOptions
from .state import Shared

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def needs_source(wanted: ShareOptions) -> bool:
    """Whether a planned copy needs the devices of its source."""
    return wanted.source_image_id is not None and None in wanted.by_region.values()


def read_source(clients: Clients, wanted: ShareOptions, account_id: str) -> Image | None:
    """The source image of planned copies, None if it is not needed.

    Raises:
        TargetFailed: if it does not exist.
    """
    if not needs_source(wanted) or wanted.source_region is None or wanted.source_image_id is None:
        return None
    source = read.image(clients.ec2(wanted.source_region), wanted.source_image_id)
    if source is None:
        raise TargetFailed(errors.no_image(wanted.source_image_id, Target(account_id, wanted.source_region)))
    return source


def read_snapshots(ec2: EC2Client, snapshot_ids: Iterable[str], target: Target) -> Shared:
    """Snapshots of the account without an image, with their permissions.

    Raises:
        TargetFailed: if one does not exist, or belongs to another account.
    """
    wanted = sorted(set(snapshot_ids))
    missing = set(wanted).difference(item.snapshot_id for item in read.snapshots(ec2, wanted))
    if missing:
        raise TargetFailed(
            Failure.at(
                target,
                "DescribeSnapshots",
                "snapshot_not_found",
                f"{', '.join(sorted(missing))} is not a snapshot of account {target.account_id}.",
                "Check the snapshot IDs and the region.",
            )
        )
    return Shared.without_image(
        target.account_id, {item: read.volume_permissions(ec2, item) for item in wanted}
    )


def read_image(
    clients: Clients, wanted: ShareOptions, account_id: str, image_id: str, target: Target
) -> Shared:
    """An image with its permissions and those of its snapshots.

    Raises:
        TargetFailed: if the image does not exist.
    """
    ec2 = clients.ec2(target.region)
    image = (read.settled_image if wanted.present else read.image)(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    if image.owner_id != account_id:
        # Only its owner can read its attributes; the plan refuses it.
        return Shared(image)
    volume_permissions: dict[str, Sharing] = {}
    if wanted.changes_snapshots:
        volume_permissions = {
            snapshot_id: read.volume_permissions(ec2, snapshot_id)
            for snapshot_id in image.snapshot_ids
            if not wanted.snapshot_ids or snapshot_id in wanted.snapshot_ids
        }
    publishing = wanted.present and wanted.sharing.public
    return Shared(
        image,
        launch=read.launch_permissions(ec2, image_id),
        volume_permissions=volume_permissions,
        image_block=read.image_block(ec2) if publishing else None,
        snapshot_block=read.snapshot_block(ec2) if publishing and wanted.share_snapshots else None,
    )
