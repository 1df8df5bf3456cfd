# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Judges what other accounts share with this one: how old it is, and whether its keys let this account in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ..failures import Failure
from ..model import Target
from ..regions import select_regions

# EC2 launches and copies nothing encrypted without these.
INDISPENSABLE = ("CreateGrant", "Decrypt")
# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot", as calls: ReEncrypt needs both of
# ReEncryptFrom and ReEncryptTo.
OPERATIONS = ("DescribeKey", *INDISPENSABLE, "GenerateDataKeyWithoutPlaintext", "ReEncrypt")

NOT_ASKED = "check_key_access is false."


@dataclass(frozen=True)
class SharedInfoWanted:
    """What is looked for. Without regions in all that are opted in to; None of ``owners`` is anybody."""

    executable_users: tuple[str, ...]
    owners: tuple[str, ...] = ()
    image_ids: tuple[str, ...] = ()
    filters: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    regions: tuple[str, ...] = ()
    include_deprecated: bool = True
    check_key_access: bool = True


@dataclass(frozen=True)
class SharedImage:
    """An image of another account as DescribeImages shows it (botocore shape ``Image``).

    ``encrypted_snapshots`` are those behind its encrypted volumes.
    """

    image_id: str
    owner_id: str
    name: str = ""
    owner_alias: str | None = None
    state: str = "available"
    description: str = ""
    architecture: str = ""
    platform: str | None = None
    creation_date: str | None = None
    deprecation_time: str | None = None
    public: bool = False
    encrypted: bool = False
    snapshot_ids: tuple[str, ...] = ()
    encrypted_snapshots: tuple[str, ...] = ()
    product_codes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OwnKeyAccess:
    """What these credentials may do with a key.

    ``state`` is the key's, None if it may not be told; ``refused`` are those of ``OPERATIONS`` that KMS
    refuses; ``problem`` says why it could not be found out.
    """

    state: str | None = None
    refused: tuple[str, ...] = ()
    problem: str | None = None


@dataclass(frozen=True)
class KeysSeen:
    """The keys of a region's images: which snapshot is under which, and what came of trying them.

    A snapshot that is not shared with the account is missing. ``problem`` says why nothing was found out.
    """

    of_snapshot: Mapping[str, str] = field(default_factory=dict)
    tried: Mapping[str, OwnKeyAccess] = field(default_factory=dict)
    problem: str | None = None


@dataclass(frozen=True)
class SharedInfoSeen:
    """What was found in the regions that could be read, at the time ``now``, and why others could not."""

    account_id: str
    now: datetime
    images: Mapping[Target, tuple[SharedImage, ...]]
    keys: Mapping[Target, KeysSeen] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()


def regions_to_read(
    wanted: SharedInfoWanted, known: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[Failure, ...]]:
    """The regions to look in, and why those named cannot all be looked in.

    ``known`` maps the partition's regions to their opt-in status (DescribeRegions with AllRegions).
    """
    return select_regions(wanted.regions, known)


def of_others(images: Iterable[SharedImage], account_id: str) -> tuple[SharedImage, ...]:
    """Without the account's own images, which it may share with its own organization."""
    return tuple(image for image in images if image.owner_id != account_id)


def results(wanted: SharedInfoWanted, seen: SharedInfoSeen) -> list[dict[str, Any]]:
    """Every image as the module returns it, by region, then by name, the oldest first."""
    return [
        _result(wanted, seen, target, image)
        for target in sorted(seen.images)
        for image in sorted(
            seen.images[target], key=lambda image: (image.name, image.creation_date or "", image.image_id)
        )
    ]


def not_found(wanted: SharedInfoWanted, seen: SharedInfoSeen) -> tuple[str, ...]:
    """A warning for each of ``image_ids`` that is in none of the regions that were read."""
    found = {image.image_id for images in seen.images.values() for image in images}
    return tuple(
        f"No image {image_id} that fits and that another account shares with {seen.account_id} was found."
        for image_id in wanted.image_ids
        if image_id not in found
    )


def key_access(image: SharedImage, keys: KeysSeen) -> tuple[str, str]:
    """Whether these credentials may use the keys of an image, and why: ``not_needed|yes|no|unknown``.

    ``yes`` only if KMS allows, for every key, every operation that AWS's documentation names; ``no`` if for
    any it refuses what nothing works without.
    """
    if not image.encrypted:
        return "not_needed", "No volume is encrypted."
    if keys.problem:
        return "unknown", keys.problem
    verdicts = [_verdict(arn, keys.tried[arn]) for arn in key_ids(image, keys)]
    if refusals := [reason for verdict, reason in verdicts if verdict == "no"]:
        return "no", " ".join(refusals)
    doubts = [reason for verdict, reason in verdicts if verdict == "unknown"]
    hidden = [one for one in image.encrypted_snapshots if one not in keys.of_snapshot]
    if hidden or not verdicts:
        which = ", ".join(hidden) or "what is behind its volumes"
        doubts.append(f"AWS does not tell the key of {which}, which is not shared with the account.")
    if doubts:
        return "unknown", " ".join(doubts)
    return "yes", "KMS allows these credentials all that launching and copying need."


def key_ids(image: SharedImage, keys: KeysSeen) -> list[str]:
    """The ARNs of the keys that are known of an image, each once."""
    return sorted({keys.of_snapshot[one] for one in image.encrypted_snapshots if one in keys.of_snapshot})


def _verdict(arn: str, key: OwnKeyAccess) -> tuple[str, str]:
    if key.problem:
        return "unknown", f"{arn}: {key.problem}"
    if key.state not in (None, "Enabled"):
        return "no", f"{arn} is in the state {key.state}."
    if missing := [operation for operation in INDISPENSABLE if operation in key.refused]:
        return "no", f"KMS refuses these credentials {' and '.join(missing)} with {arn}."
    if key.refused:
        reason = (
            f"KMS allows these credentials {' and '.join(INDISPENSABLE)} with {arn}, but refuses "
            f"{', '.join(key.refused)}, which AWS's documentation names too."
        )
        return "unknown", reason
    return "yes", ""


def _result(
    wanted: SharedInfoWanted, seen: SharedInfoSeen, target: Target, image: SharedImage
) -> dict[str, Any]:
    keys = seen.keys.get(target, KeysSeen())
    if not wanted.check_key_access:
        keys = KeysSeen(problem=NOT_ASKED)
    access, reason = key_access(image, keys)
    deprecation = _time(image.deprecation_time)
    creation = _time(image.creation_date)
    return {
        "age_days": None if creation is None else max(0, (seen.now - creation).days),
        "architecture": image.architecture,
        "creation_date": image.creation_date,
        "deprecated": deprecation is not None and deprecation <= seen.now,
        "deprecation_time": image.deprecation_time,
        "description": image.description,
        "encrypted": image.encrypted,
        "image_id": image.image_id,
        "image_owner_alias": image.owner_alias,
        "key_access": access,
        "key_access_reason": reason,
        "kms_key_arns": key_ids(image, keys),
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


def _time(text: str | None) -> datetime | None:
    """A time as EC2 writes it, ``2026-11-24T19:47:01.000Z``."""
    return datetime.fromisoformat(text) if text else None
