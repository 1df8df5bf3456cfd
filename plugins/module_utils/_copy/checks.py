# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check the source and the regions before anything is changed: refuse everything that AWS would refuse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from .._failures import Failure, invalid_option
from .._keys.encryption import default_key_failure
from .._model import Image, Target
from .._regions import check_region, refuse_partition
from .._tags import refuse_recalled
from .access import (
    PRODUCT_CODE_REMEDY,
    CopyPrincipal,
    MissingAccess,
    already_granted,
    check_access,
    missing_access,
    only_within_account,
)
from .options import CopyOptions
from .state import CopyState


def check_regions(
    options: CopyOptions, known: Mapping[str, str], partition: str, partition_of: Mapping[str, str]
) -> tuple[Failure, ...]:
    """Return one refusal for each region that cannot be copied to.

    ``known`` maps the partition's regions to their opt-in status (DescribeRegions with AllRegions),
    ``partition_of`` maps the regions of all partitions to the partition's name.
    """
    failures = []
    source_regions = () if options.source_images else (options.first_source_region,)
    for option, regions in (("source_region", source_regions), ("regions", options.regions)):
        for region in dict.fromkeys(regions):
            if regions.count(region) > 1:
                failures.append(
                    invalid_option(option, f"{option}: '{region}' is listed twice.", "List each region once.")
                )
            if region not in known and partition_of.get(region, partition) != partition:
                # botocore operation CopyImage: "use CreateStoreImageTask instead".
                remedy = (
                    "CopyImage does not copy between partitions. Remove the region, or carry the image there "
                    "through S3 (CreateStoreImageTask, CreateRestoreImageTask)."
                )
                failures.append(refuse_partition(option, region, partition_of[region], partition, remedy))
            else:
                failures.extend(check_region(option, region, known))
    return tuple(failures)


def check_source(
    account_id: str, source: Image, source_region: str, unreadable_snapshots: tuple[str, ...]
) -> tuple[Failure, ...]:
    """Return the refusals of a source that was recalled, or that AWS would refuse to copy.

    ``unreadable_snapshots`` are its snapshots that this account cannot see. A copy of another account's image
    needs createVolumePermission on each of them (EC2 User Guide, "Copy an Amazon EC2 AMI").
    """
    missing = MissingAccess(snapshot_ids=unreadable_snapshots)
    target = Target(account_id, source_region)
    not_shared = check_access(target, source, source_region, missing)
    return (
        *refuse_recalled(source.image_id, source.tags, target, "source_image_id"),
        *check_state(source, source_region),
        *(replace(failure, action="source_image_id", account_id=None) for failure in not_shared),
    )


def check_root_device(target: Target, source: Image, source_region: str) -> tuple[Failure, ...]:
    """Return the refusal of a source that is stored in S3, not in snapshots.

    CopyImage then creates buckets and writes objects with the caller's S3 permissions (EC2 User Guide, "Grant
    permissions to copy Amazon EC2 AMIs"). This collection shares, encrypts and removes snapshots only.
    """
    if source.root_device_type != "instance-store":
        return ()
    return (
        Failure.at(
            target,
            "CopyImage",
            "instance_store_image",
            f"{source.image_id} in {source_region} has an instance store root volume: its data is in S3, not "
            "in snapshots. Such images are not copied.",
            "Select an image with an EBS root volume (RootDeviceType ebs).",
        ),
    )


def check_consumers(options: CopyOptions, account_id: str, source: Image) -> tuple[Failure, ...]:
    """Return a refusal if the copies of ``account_id`` cannot be copied into other accounts."""
    if not source.product_codes or not {*options.consumer_account_ids} - {account_id}:
        return ()
    return (
        Failure(
            f"consumer_account_ids: copies of {source.image_id} cannot be copied into other accounts: "
            f"{only_within_account(source)}",
            PRODUCT_CODE_REMEDY,
            "product_code",
            "consumer_account_ids",
        ),
    )


def missing_access_of(options: CopyOptions, current: CopyState, target: Target) -> MissingAccess | None:
    """Return what the account of ``target`` lacks to copy the source; None if its access was not read."""
    reader = options.reader_of(target)
    view = current.source_access.get(reader)
    if view is None:
        return None
    keys = current.source_keys.get(reader.region, ())
    principal = CopyPrincipal(reader.account_id, view.role_arn)
    missing = missing_access(current.source_of(target), keys, principal, view)
    permissions = current.source_permissions.get(reader.region)
    if not missing or permissions is None:
        return missing
    return replace(missing, already_granted=already_granted(missing, permissions, keys, principal))


def check_copies(current: CopyState, target: Target) -> tuple[Failure, ...]:
    """Return the refusals of a release whose copy in the target was recalled, whatever the copy's state is.

    The source may be another account's, whose tags only its owner sees (EC2 User Guide, "Tag your Amazon EC2
    resources"). A new copy would bring the release back.
    """
    return tuple(
        with_account(failure, target, current.account_id)
        for image in current.copies[target]
        for failure in refuse_recalled(image.image_id, image.tags, target, "CopyImage")
    )


def check_shareable(current: CopyState, target: Target, image: Image) -> Iterator[Failure]:
    """Yield a refusal if an existing image, which will be shared, is encrypted under an AWS managed key."""
    for arn in current.aws_managed_keys.get(target, ()):
        yield default_key_failure(
            target,
            "CopyImage",
            image.image_id,
            arn,
            "Set a customer managed key in kms_key_id and reencrypt_source: true, to share a copy instead.",
        )


def check_state(source: Image, source_region: str) -> tuple[Failure, ...]:
    """Return a refusal if the source is not available: still pending, failed or disabled."""
    if source.state == "available":
        return ()
    reason = f" ({source.state_reason})" if source.state_reason else ""
    return (
        invalid_option(
            "source_image_id",
            f"The source image {source.image_id} in {source_region} is {source.state}{reason}.",
            "Only an available image can be copied. Wait until it is available, or select another.",
        ),
    )


def with_account(failure: Failure, target: Target, own_account_id: str) -> Failure:
    """Return the failure of a target. The message names another account, which AWS's seldom do."""
    if target.account_id == own_account_id or target.account_id in failure.message:
        return failure
    return replace(
        failure, account_id=target.account_id, message=f"Account {target.account_id}: {failure.message}"
    )
