# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS would refuse of a change of an image's permissions, found before anything is changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from .. import tags as tagging
from ..failures import Failure
from ..model import Image, KeySeen, Target


def check_ownership(image: Image, target: Target, account_id: str) -> Iterator[Failure]:
    """Only an image's owner sees and changes its permissions."""
    if image.owner_id != account_id:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "not_owner",
            f"{image.image_id} belongs to account {image.owner_id}; only its owner can share it.",
            f"Run with credentials of {image.owner_id}, or share a copy that {account_id} owns.",
        )


def check_available(image: Image, target: Target) -> Iterator[Failure]:
    """Launch permissions can be given only while the image is available."""
    if image.state != "available":
        reason = f" ({image.state_reason})" if image.state_reason else ""
        waiting = image.state == "pending"
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "image_not_available",
            f"{image.image_id} is {image.state}{reason}.",
            "Wait until it is available." if waiting else "Share an image that is available.",
        )


def check_shareable(image: Image, keys: Iterable[KeySeen], target: Target) -> Iterator[Failure]:
    """An image under a key that AWS manages stays in its account.

    EBS User Guide, "Share an Amazon EBS snapshot": none under the default AWS-managed key can be.
    """
    for key in keys:
        if key.key.aws_managed:
            yield Failure.at(
                target,
                "ModifyImageAttribute",
                "default_key",
                f"{image.image_id} is encrypted under {key.key.arn}, which AWS manages: it cannot be shared.",
                "Copy it under a customer-managed key (kms_key_id of ami_copy_regions) and share the copy.",
            )


def check_tag_count(image: Image, tags: Mapping[str, str], target: Target) -> Iterator[Failure]:
    """An image holds so many tags and no more, those that consumers cannot see included."""
    for failure in tagging.check_tag_count("shared_tags", {**image.tags, **tags}):
        yield replace(failure, region=target.region)


def empty_purge_failure(target: Target) -> Failure:
    """An exact list that names nobody, or only the owner, withdraws the image from everybody."""
    return Failure.at(
        target,
        "ModifyImageAttribute",
        "invalid_option",
        "purge_launch_permissions: with nobody but the owner named, all others would lose access.",
        "Name who keeps it, or set allow_empty_purge: true.",
    )


def check_public_allowed(image: Image, image_block: str | None, target: Target) -> Iterator[Failure]:
    """What a public AMI may not be: EC2 User Guide, "Make your AMI publicly available for use in Amazon EC2".

    ``image_block`` is None where it does not matter.
    """
    if image.encrypted:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "encrypted_image",
            f"{image.image_id} has encrypted snapshots and cannot be public.",
            "Share it with accounts, or make an unencrypted image.",
        )
    if image.product_codes:
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "product_code",
            f"{image.image_id} has a product code ({', '.join(image.product_codes)}): it cannot be public.",
            "Offer it through AWS Marketplace.",
        )
    if image_block not in (None, "unblocked"):
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "block_public_access",
            f"Block public access for AMIs is on ({image_block}).",
            "Turn it off in this region (DisableImageBlockPublicAccess) if the image really is to be public.",
        )


def check_public_snapshots_allowed(snapshot_block: str | None, target: Target) -> Iterator[Failure]:
    """EBS User Guide, "Block public access for Amazon EBS snapshots"; None where it does not matter."""
    if snapshot_block not in (None, "unblocked"):
        yield Failure.at(
            target,
            "ModifyImageAttribute",
            "block_public_access",
            f"Block public access for snapshots is on ({snapshot_block}).",
            "Turn it off in this region (DisableSnapshotBlockPublicAccess), or set share_snapshots: false.",
        )
