# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Evaluates the images that other accounts share: their age, and whether their keys can be used."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .. import _denial as denial
from .._keys.access import other_access
from .._model import ENABLED_STATES, Target, time_of
from .options import SharedInfoOptions
from .state import OwnKeyAccess, RegionKeys, SharedImage, SharedInfoState

# Required to launch or copy an encrypted image.
REQUIRED = ("CreateGrant", "Decrypt")

NOT_CHECKED = "check_key_access is false."


def images_of_others(images: Iterable[SharedImage], account_id: str) -> tuple[SharedImage, ...]:
    """Return the images of other accounts: the account may share its own with its own organization."""
    return tuple(image for image in images if image.owner_id != account_id)


def results(options: SharedInfoOptions, current: SharedInfoState) -> list[dict[str, Any]]:
    """Return every image as the module does, sorted by region, name and age, the oldest first."""
    return [
        _result(options, current, target, image)
        for target in sorted(current.images)
        for image in sorted(
            current.images[target], key=lambda image: (image.name, image.creation_date or "", image.image_id)
        )
    ]


def not_found(options: SharedInfoOptions, current: SharedInfoState) -> tuple[str, ...]:
    """Return a warning for each of ``image_ids`` that is in none of the regions that were read."""
    known = {image.image_id for images in current.images.values() for image in images}
    return tuple(
        f"{image_id} was not found among matching images that other accounts share with {current.account_id}."
        for image_id in options.image_ids
        if image_id not in known
    )


def key_access(image: SharedImage, keys: RegionKeys) -> tuple[str, str]:
    """Return whether these credentials can use the keys of an image, and why: ``not_needed|yes|no|unknown``.

    ``yes`` if KMS denies no operation that was tried with any of the keys; ``no`` if a key is not enabled, or
    an explicit deny denies Decrypt with it, unless another key is associated with the snapshot. Other denials
    are ``unknown``: policies may allow an operation only to AWS services, or through EC2 (KMS Developer
    Guide, "kms:GrantIsForAWSResource", "kms:ViaService"), and EC2 calls them in a launch.
    """
    if not image.encrypted:
        return "not_needed", "No snapshot is encrypted."
    if keys.problem:
        return "unknown", keys.problem
    known = ((keys.of_snapshot[item], item) for item in image.encrypted_snapshots if item in keys.of_snapshot)
    evaluations = dict.fromkeys(_evaluate(*item, keys) for item in sorted(known))
    if denials := [reason for access, reason in evaluations if access == "no"]:
        return "no", " ".join(denials)
    unknown = [reason for access, reason in evaluations if access == "unknown"]
    hidden = [item for item in image.encrypted_snapshots if item not in keys.of_snapshot]
    if hidden or not evaluations:
        which = ", ".join(hidden) or "the image's snapshots"
        unknown.append(f"The key of {which} cannot be read, because it is not shared with the account.")
    if unknown:
        return "unknown", " ".join(unknown)
    return "yes", "KMS allows these credentials every operation that launching and copying need."


def _evaluate(arn: str, snapshot_id: str, keys: RegionKeys) -> tuple[str, str]:
    """Return the access to a snapshot under a key, and why; the keys associated with it are not tried."""
    access, reason = _evaluate_key(arn, keys.access[arn])
    if access == "no" and snapshot_id in keys.undecided:
        return "unknown", f"{reason} {other_access(keys.undecided[snapshot_id])}"
    return access, reason


def _evaluate_key(arn: str, key: OwnKeyAccess) -> tuple[str, str]:
    if key.problem:
        return "unknown", f"{arn}: {key.problem}"
    if key.state is not None and key.state not in ENABLED_STATES:
        return "no", f"{arn} is in the state {key.state}."
    if key.unusable:
        return "no", f"The state of {arn} permits no use: {key.unusable}"
    missing = [operation for operation in REQUIRED if operation in key.denied]
    if "Decrypt" in missing:
        message = key.denied["Decrypt"]
        reason = f"KMS denies these credentials {' and '.join(missing)} with {arn}"
        why = denial.read_denial(message)
        if why is not None and why.explicit:
            return "no", f"{reason}{denial.describe(message)}."
        return "unknown", (
            f"{reason} in direct calls{denial.describe(message)}. A launch still works if policies "
            "allow it through EC2 only (kms:ViaService), which a dry run cannot show: ami_launch_probe can."
        )
    if missing:
        reason = (
            f"KMS denies these credentials CreateGrant with {arn} in a direct call. A launch still works if "
            "the key policy allows it to AWS services (kms:GrantIsForAWSResource), which a dry run "
            "cannot show: ami_launch_probe can."
        )
        return "unknown", reason
    if key.denied:
        reason = (
            f"KMS allows these credentials {' and '.join(REQUIRED)} with {arn}, but denies "
            f"{', '.join(key.denied)}, which AWS documents as required, too."
        )
        return "unknown", reason
    return "yes", ""


def _result(
    options: SharedInfoOptions, current: SharedInfoState, target: Target, image: SharedImage
) -> dict[str, Any]:
    keys = current.keys.get(target, RegionKeys())
    if not options.check_key_access:
        keys = RegionKeys(problem=NOT_CHECKED)
    access, reason = key_access(image, keys)
    deprecation = time_of(image.deprecation_time)
    creation = time_of(image.creation_date)
    return {
        "age_days": None if creation is None else max(0, (current.now - creation).days),
        "architecture": image.architecture,
        "creation_date": image.creation_date,
        "deprecated": deprecation is not None and deprecation <= current.now,
        "deprecation_time": image.deprecation_time,
        "description": image.description,
        "encrypted": image.encrypted,
        "image_id": image.image_id,
        "image_owner_alias": image.owner_alias,
        "key_access": access,
        "key_access_reason": reason,
        "kms_key_arns": keys.arns_of(image),
        "name": image.name,
        "owner_id": image.owner_id,
        "platform_details": image.platform,
        "product_codes": list(image.product_codes),
        "public": image.public,
        "region": target.region,
        "snapshot_ids": list(image.snapshot_ids),
        "state": image.state,
        "tags": dict(sorted(image.tags.items())),
    }
