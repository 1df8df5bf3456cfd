# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse what AWS would refuse, before any permission changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .. import _tags as tagging
from .._failures import Failure
from .._keys.encryption import default_key_failure
from .._model import Image, KeyState, PublicAccessBlock, Target
from .options import EMPTY_PURGE_REMEDY

# botocore shape GetImageBlockPublicAccessStateResult, ManagedBy: the account cannot change it.
_BY_POLICY = "The account cannot change that: share with accounts, or change the organization's policy."
_OWN_IMAGE_BLOCK = "Disable it in this region (DisableImageBlockPublicAccess) to make the image public."
_OWN_SNAPSHOT_BLOCK = "Disable it in this region (DisableSnapshotBlockPublicAccess)."


def check_ownership(image: Image, target: Target, account_id: str) -> Iterator[Failure]:
    """Refuse an image of another account: only its owner can read and change its permissions."""
    if image.owner_id != account_id:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "not_owner",
            f"{image.image_id} belongs to account {image.owner_id}; only its owner can share it.",
            f"Use credentials of {image.owner_id}, or share a copy that {account_id} owns.",
        )


def check_available(image: Image, target: Target) -> Iterator[Failure]:
    """Refuse an image that is not available: launch permissions cannot be added to it."""
    if image.state != "available":
        reason = f" ({image.state_reason})" if image.state_reason else ""
        remedies = {
            "disabled": "Restore it (golden.images.restore_ami), or share another image.",
            "pending": "Wait until it is available.",
        }
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "image_not_available",
            f"{image.image_id} is {image.state}{reason}.",
            remedies.get(image.state, "Share an image that is available."),
        )


def check_shareable(image: Image, keys: Iterable[KeyState], target: Target) -> Iterator[Failure]:
    """Refuse an image that is encrypted under an AWS managed key: it cannot be shared."""
    for key in keys:
        if key.key.aws_managed:
            yield default_key_failure(
                target,
                "ModifyImageAttribute",
                image.image_id,
                key.key.arn,
                "Copy it with a customer managed key (kms_key_id of ami_copy_regions) and share the copy.",
            )


def check_tag_count(image: Image, tags: Mapping[str, str], target: Target) -> Iterator[Failure]:
    """Refuse more tags than an image can have, those included that consumers cannot see."""
    for failure in tagging.check_tag_count("shared_tags", {**image.tags, **tags}):
        yield replace(failure, region=target.region)


def empty_purge_failure(target: Target) -> Failure:
    """Return the refusal of a purge without consumers other than the owner."""
    return Failure.at(
        target,
        "ModifyImageAttribute",
        "invalid_option",
        "purge_launch_permissions: without a consumer other than the owner, all accounts would lose access.",
        EMPTY_PURGE_REMEDY,
    )


def check_public_allowed(
    image: Image, image_block: PublicAccessBlock | None, target: Target
) -> Iterator[Failure]:
    """Refuse an image that AWS does not let be public; ``image_block`` is None if it was not read.

    EC2 User Guide, "Make your AMI publicly available for use in Amazon EC2", excludes encrypted volumes
    besides their snapshots, and so those that are created empty. "Use AMI watermarks to track and identify
    AMIs" excludes watermarks.
    """
    if any(device.encrypted for device in image.devices):
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "encrypted_image",
            f"{image.image_id} has encrypted volumes and cannot be public.",
            "Share it with accounts, or use an unencrypted image.",
        )
    if image.product_codes:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "product_code",
            f"{image.image_id} has a product code ({', '.join(image.product_codes)}): it cannot be public.",
            "Offer it through AWS Marketplace.",
        )
    if image.watermarks:
        keys = ", ".join(watermark.key for watermark in image.watermarks)
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "watermark",
            f"{image.image_id} has a watermark ({keys}): it cannot be public.",
            "Share it with accounts, or detach the watermark (DetachImageWatermark) if it may be public.",
        )
    if image_block is not None and image_block.is_on:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "block_public_access",
            f"Block public access for AMIs is on ({image_block}).",
            _BY_POLICY if image_block.by_policy else _OWN_IMAGE_BLOCK,
        )


def check_public_snapshots_allowed(
    snapshot_block: PublicAccessBlock | None, target: Target
) -> Iterator[Failure]:
    """Refuse public snapshots where they are blocked; ``snapshot_block`` is None if it was not read.

    EBS User Guide, "Block public access for Amazon EBS snapshots".
    """
    if snapshot_block is not None and snapshot_block.is_on:
        change = _BY_POLICY if snapshot_block.by_policy else _OWN_SNAPSHOT_BLOCK
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "block_public_access",
            f"Block public access for snapshots is on ({snapshot_block}).",
            f"{change} Or set share_snapshots: false.",
        )
