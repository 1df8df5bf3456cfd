# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads all own images of regions, whom they are shared with, and who may use their keys.

Many thousand calls of two kinds: the clients of each pace themselves by what AWS takes (``Clients.paced``),
and the work of all regions is interleaved, so that one region's request rate holds up no other's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import chain, zip_longest
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..fanout import each
from ..model import Key, KeySeen, Sharing, Target
from ..planners.audit_facts import AuditWanted, Listed, Problem, RegionSeen
from . import read
from .errors import AWS_ERRORS, failure

# Without botocore AnsibleAWSModule has ended the module before any of this is used.
with suppress(ImportError):
    from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

    from .clients import Clients

Read = TypeVar("Read")

_KEY, _BLOCK = "key_unreadable", "block_public_access_unreadable"
# Where the owner is told nothing more: an image before it is available cannot be shared, and what was
# deleted since it was listed is shared with nobody.
_NOBODY = ("InvalidAMIID.NotFound", "InvalidAMIID.Unavailable", "InvalidSnapshot.NotFound")


class Piece(NamedTuple):
    """An image, or a snapshot with the image that it is of, whose permissions are to be read."""

    target: Target
    resource: str
    image_id: str

    @property
    def is_image(self) -> bool:
        """Whether it is the image."""
        return self.resource == self.image_id

    @property
    def action(self) -> str:
        """The call that reads its permissions."""
        return "DescribeImageAttribute" if self.is_image else "DescribeSnapshotAttribute"

    @property
    def code(self) -> str:
        """The finding that it is not to be able to read them."""
        return "image_unreadable" if self.is_image else "snapshot_unreadable"


def regions(
    clients: Clients, targets: Iterable[Target], wanted: AuditWanted
) -> tuple[dict[Target, RegionSeen], dict[Target, Exception]]:
    """What there is in each region, and why regions could not be read at all."""
    seen, failed = each(targets, lambda target: _region(clients.ec2(target.region), target))
    seen = _with_sharing(clients, seen, wanted.check_snapshots)
    return (_with_keys(clients, seen) if wanted.check_keys else seen), failed


def images(ec2: EC2Client) -> tuple[Listed, ...]:
    """Every image that the account owns, disabled and deprecated ones included."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], IncludeDeprecated=True, IncludeDisabled=True, PaginationConfig=read.PAGE
    )
    found = (
        Listed(read.image_of(item), item.get("LastLaunchedTime")) for page in pages for item in page["Images"]
    )
    return tuple(sorted(found, key=lambda item: item.image.image_id))


def _region(ec2: EC2Client, target: Target) -> RegionSeen:
    seen = RegionSeen(images=images(ec2))
    problems: list[Problem] = []

    def attempt(reader: Callable[[EC2Client], str], resource: str) -> str | None:
        try:
            return reader(ec2)
        except AWS_ERRORS as exception:
            problems.append(Problem(_BLOCK, resource, failure(exception, target, resource)))
            return None

    return replace(
        seen,
        image_block=attempt(read.image_block_state, "GetImageBlockPublicAccessState"),
        snapshot_block=attempt(read.snapshot_block_state, "GetSnapshotBlockPublicAccessState"),
        problems=tuple(problems),
    )


def _with_sharing(
    clients: Clients, seen: Mapping[Target, RegionSeen], check_snapshots: bool
) -> dict[Target, RegionSeen]:
    """With the permissions of every image and snapshot, each asked for once."""

    for_images, for_snapshots = clients.paced(), clients.paced()
    for paced in (for_images, for_snapshots):
        paced.open("ec2", [target.region for target in seen])

    def work(piece: Piece) -> Sharing:
        region = piece.target.region
        if piece.is_image:
            return _or_nobody(read.launch_permissions, for_images.ec2(region), piece.resource)
        return _or_nobody(read.volume_permissions, for_snapshots.ec2(region), piece.resource)

    parts = [_images_of(target, region) for target, region in seen.items()]
    if check_snapshots:
        parts += [_snapshots_of(target, region) for target, region in seen.items()]
    done, failed = each(interleaved(parts), work)
    sharing: dict[Target, dict[str, Sharing]] = {target: {} for target in seen}
    volumes: dict[Target, dict[str, Sharing]] = {target: {} for target in seen}
    problems = {target: [*region.problems] for target, region in seen.items()}
    for piece, found in done.items():
        (sharing if piece.is_image else volumes)[piece.target][piece.resource] = found
    for piece, exception in failed.items():
        problem = failure(exception, piece.target, piece.action)
        problems[piece.target].append(Problem(piece.code, piece.resource, problem, piece.image_id))
    return {
        target: replace(
            region, sharing=sharing[target], volumes=volumes[target], problems=tuple(problems[target])
        )
        for target, region in seen.items()
    }


def _with_keys(clients: Clients, seen: Mapping[Target, RegionSeen]) -> dict[Target, RegionSeen]:
    """With the keys of encrypted snapshots, each key once."""
    encrypted = {target: ids for target, region in seen.items() if (ids := _encrypted_snapshots(region))}
    clients.open("kms", [target.region for target in encrypted])

    def key_of(target: Target) -> dict[str, str]:
        snapshots = read.snapshots(clients.ec2(target.region), encrypted[target])
        return {item.snapshot_id: item.kms_key_id for item in snapshots if item.kms_key_id}

    known, unknown = each(encrypted, key_of)
    arns = interleaved(
        [(target, arn) for arn in sorted(set(of_snapshot.values()))] for target, of_snapshot in known.items()
    )
    done, failed = each(arns, lambda item: _key(clients.kms(item[0].region), *item))
    keys: dict[Target, dict[str, KeySeen]] = {target: {} for target in seen}
    problems = {target: [*region.problems] for target, region in seen.items()}
    for (target, arn), key in done.items():
        keys[target][arn] = key
    for (target, arn), exception in failed.items():
        problems[target].append(Problem(_KEY, arn, failure(exception, target, "DescribeKey")))
    for target, exception in unknown.items():
        problem = failure(exception, target, "DescribeSnapshots")
        problems[target].append(Problem(_KEY, "DescribeSnapshots", problem))
    return {
        target: replace(
            region,
            key_of=known.get(target, {}),
            keys=keys[target],
            problems=tuple(problems[target]),
        )
        for target, region in seen.items()
    }


def _images_of(target: Target, region: RegionSeen) -> list[Piece]:
    ids = (item.image.image_id for item in region.images)
    return [Piece(target, image_id, image_id) for image_id in ids]


def _snapshots_of(target: Target, region: RegionSeen) -> list[Piece]:
    # The first image of each snapshot stands for it.
    users = {one: item.image.image_id for item in reversed(region.images) for one in item.image.snapshot_ids}
    return [Piece(target, snapshot_id, image_id) for snapshot_id, image_id in users.items()]


def _encrypted_snapshots(region: RegionSeen) -> list[str]:
    return sorted(
        {
            device.snapshot_id
            for item in region.images
            for device in item.image.devices
            if device.encrypted and device.snapshot_id
        }
    )


def _key(kms: KMSClient, target: Target, arn: str) -> KeySeen:
    named = Key(arn)
    if named.account_id != target.account_id:
        # Who may use it AWS tells in its own account only.
        return KeySeen(named)
    found = read.key(kms, arn)
    if found.aws_managed:
        # Nobody else uses it.
        return KeySeen(found)
    return KeySeen(found, read.grants(kms, found.arn), read.key_policy(kms, found.arn))


def _or_nobody(reader: Callable[[EC2Client, str], Sharing], ec2: EC2Client, resource: str) -> Sharing:
    try:
        return reader(ec2, resource)
    except ClientError as exception:
        if exception.response["Error"]["Code"] in _NOBODY:
            return Sharing()
        raise


def interleaved(parts: Iterable[Iterable[Read]]) -> list[Read]:
    """The first of each part, then the second of each, and so on."""
    rounds = zip_longest(*parts)
    return [item for item in chain.from_iterable(rounds) if item is not None]
