# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read images, their permissions, and the keys of those that are encrypted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.clients import Clients
from .._failures import Failure, TargetFailed
from .._fanout import map_parallel, side_by_side
from .._keys.access import consumers_without_access
from .._model import Image, KeyState, Sharing, Target
from .._regions import targets_in
from .options import ShareOptions
from .state import Shared

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient


def needs_source(options: ShareOptions) -> bool:
    """Whether a planned copy needs the devices of its source."""
    return options.source is not None and None in options.by_region.values()


def read_source(clients: Clients, options: ShareOptions, account_id: str) -> Image | None:
    """Return the source image of planned copies, None if it is not needed.

    Raises:
        TargetFailed: if it does not exist.
    """
    if options.source is None or not needs_source(options):
        return None
    image_id, region = options.source
    source = read.image(clients.ec2(region), image_id)
    if source is None:
        raise TargetFailed(errors.no_image(image_id, Target(account_id, region)))
    return source


def read_snapshots(ec2: EC2Client, snapshot_ids: Iterable[str], target: Target) -> Shared:
    """Read snapshots of the account without an image, with their permissions.

    Raises:
        TargetFailed: if one does not exist, or belongs to another account.
    """
    ids = sorted(set(snapshot_ids))
    missing = set(ids).difference(item.snapshot_id for item in read.snapshots(ec2, ids))
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
    return Shared.without_image(target.account_id, {item: read.volume_permissions(ec2, item) for item in ids})


def read_image(
    clients: Clients, options: ShareOptions, account_id: str, image_id: str, target: Target
) -> Shared:
    """Read an image with its permissions and those of its snapshots.

    Raises:
        TargetFailed: if the image does not exist.
    """
    ec2 = clients.ec2(target.region)
    image = (read.settled_image if options.present else read.image)(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    if image.owner_id != account_id:
        # Only its owner can read its attributes; the plan refuses it.
        return Shared(image)
    snapshot_ids = [
        snapshot_id
        for snapshot_id in (image.snapshot_ids if options.changes_snapshots else ())
        if not options.snapshot_ids or snapshot_id in options.snapshot_ids
    ]
    launch, *volume_permissions = side_by_side(
        [
            partial(read.launch_permissions, ec2, image_id),
            *(partial(read.volume_permissions, ec2, snapshot_id) for snapshot_id in snapshot_ids),
        ]
    )
    publishing = options.present and options.sharing.public
    return Shared(
        image,
        launch=launch,
        volume_permissions=dict(zip(snapshot_ids, volume_permissions, strict=True)),
        image_block=read.image_block(ec2) if publishing else None,
        snapshot_block=read.snapshot_block(ec2) if publishing and options.share_snapshots else None,
    )


def add_keys(
    clients: Clients, options: ShareOptions, images: Mapping[Target, Shared]
) -> Mapping[Target, Shared]:
    """Read the keys of the encrypted images, to warn of consumers that cannot use them.

    The task that found a copy has read its keys, which stay, and the one after it who can use them.
    """
    encrypted = [
        target
        for target, shared in images.items()
        if shared.exists and shared.image.encrypted and not options.has_usable_keys(target.region)
    ]
    if not (encrypted and options.present):
        return images

    def read_key_ids(target: Target) -> tuple[str, ...]:
        snapshots = read.snapshots(clients.ec2(target.region), images[target].image.snapshot_ids)
        # An associated key can give access that the snapshot's own key does not.
        key_ids = {item.kms_key_id for item in snapshots if item.kms_key_id and not item.associated_key_arns}
        return tuple(sorted(key_id for key_id in key_ids if not options.is_usable(key_id)))

    optional = targets_in(options.best_effort_regions, encrypted)
    key_ids, unread = map_parallel(encrypted, read_key_ids, optional=optional)
    # A client costs as much as ten requests.
    to_read = [target for target, ids in key_ids.items() if ids]
    clients.open("kms", [target.region for target in to_read])

    def read_keys(target: Target) -> tuple[KeyState, ...]:
        kms, account_id = clients.kms(target.region), target.account_id
        keys = [read_key(kms, account_id, key_id, options.sharing) for key_id in key_ids[target]]
        # Only its owner can read the grants and policy of another account's key.
        return tuple(key for key in keys if key.key.aws_managed or key.key.account_id == target.account_id)

    keys, failed = map_parallel(to_read, read_keys, optional=optional)
    problems = {
        target: errors.failure(exception, target, operation).text()
        for operation, exceptions in (("DescribeSnapshots", unread), ("DescribeKey", failed))
        for target, exception in exceptions.items()
    }
    return {
        target: replace(shared, keys=keys.get(target, ()), key_problem=problems.get(target))
        for target, shared in images.items()
    }


def read_key(kms: KMSClient, account_id: str, key_id: str, sharing: Sharing) -> KeyState:
    """Read a key with what shows whether all of ``sharing`` can use it: the grants may be enough.

    Of a key that is not of ``account_id``, grants and policy are missing: only its owner can read them.
    """
    key = KeyState(read.key(kms, key_id))
    if key.key.aws_managed or key.key.account_id != account_id or not sharing:
        return key
    key = replace(key, grants=read.grants(kms, key.key.arn))
    # The policy may give access that the grants do not, and that of AWS RAM access that the policy does not.
    for read_policy in (read.key_policy, read.key_policies):
        if consumers_without_access([key], sharing):
            key = replace(key, policy=read_policy(kms, key.key.arn))
    return key
