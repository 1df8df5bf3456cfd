# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads every target: the images that may be its copy, their snapshots, and the key that is requested.

Then ``next_reads`` names what the plan still depends on, until nothing is left to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..aws import errors, read
from ..aws.accounts import AssumedAccounts
from ..aws.clients import Clients
from ..failures import Failure
from ..fanout import each
from ..model import Image, Key, Snapshot, Target
from ..plan import KNOWN_AFTER_APPLY
from .checks import with_account
from .next_reads import NextReads
from .options import CopyOptions
from .read_access import read_access, read_permissions, read_source_keys
from .state import USABLE_STATES, CopySeen

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

Found = TypeVar("Found")


def read_targets(
    accounts: AssumedAccounts, wanted: CopyOptions, start: CopySeen, targets: Collection[Target]
) -> CopySeen:
    """``start`` with the copies and requested keys of the targets, as far as these can be read."""

    def read_one(clients: Clients, target: Target) -> CopySeen:
        return _read_target(clients, wanted, replace(start, unread=()), target)

    found, failures = each_target(accounts, wanted, start.account_id, targets, read_one)
    return start.including(found.values()).without(failures, wanted.best_effort(targets))


def each_target(
    accounts: AssumedAccounts,
    wanted: CopyOptions,
    own_account_id: str,
    targets: Collection[Target],
    read_one: Callable[[Clients, Target], Found],
) -> tuple[dict[Target, Found], dict[Target, Failure]]:
    """What ``read_one`` returns with the clients of each target's account, and why other targets failed."""

    def read_at(target: Target) -> Found:
        with accounts.as_account(target.account_id) as clients:
            return read_one(clients, target)

    found, failed = each(targets, read_at, optional=wanted.best_effort(targets))
    failures = {
        target: with_account(errors.failure(item, target, "DescribeImages"), target, own_account_id)
        for target, item in failed.items()
    }
    return found, failures


def snapshots_of(ec2: EC2Client, wanted: CopyOptions, images: Iterable[Image]) -> tuple[Snapshot, ...]:
    """Read the snapshots of images where their keys or tags matter."""
    return read.snapshots(
        ec2,
        [
            snapshot_id
            for image in images
            if image.state in USABLE_STATES and (image.encrypted or wanted.snapshot_tags is not None)
            for snapshot_id in image.snapshot_ids
        ],
    )


def _read_target(clients: Clients, wanted: CopyOptions, start: CopySeen, target: Target) -> CopySeen:
    """Read one target: its copies, and the KMS key that is requested for them."""
    ec2, source = clients.ec2(target.region), start.source_of(target)
    source_region = wanted.source_region_of(target.region)
    is_source = start.is_source(target, source_region)
    images: tuple[Image, ...] = ()
    if source.image_id != KNOWN_AFTER_APPLY and (not is_source or wanted.encryption.reencrypt_source):
        images = read.copies(ec2, source.image_id, source_region, USABLE_STATES)
    name = wanted.encryption.key_for(target.region)
    return replace(
        start,
        copies={target: images},
        snapshots={target: snapshots_of(ec2, wanted, (source, *images) if is_source else images)},
        keys={target: _read_key(clients, target, name)} if name else {},
    )


def _read_key(clients: Clients, target: Target, name: str) -> Key:
    """The key that is set for the target's copy.

    EC2 calls DescribeKey for the role that copies. Policies may allow it only through EC2 (KMS Developer
    Guide, "AWS KMS condition keys", kms:ViaService), so that a key whose ARN is set can be used regardless.
    """
    try:
        return read.key(clients.kms(target.region), name)
    except errors.ClientError as exception:
        if ":key/" not in name or errors.code_of(exception) != "AccessDeniedException":
            raise
        return Key(name, described=False)


def read_further(
    clients: Clients, accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen, reads: NextReads
) -> CopySeen:
    """Return what was seen with what these reads return, without the targets that cannot be read.

    ``clients`` are those of the task's own credentials.
    """
    seen = _with_others(accounts, wanted, seen, reads.others)
    seen = _with_defaults(accounts, wanted, seen, reads)
    seen = replace(
        seen,
        aws_managed_keys={**seen.aws_managed_keys, **_aws_managed(clients, seen, reads.image_keys)},
        source_keys={**seen.source_keys, **read_source_keys(accounts, seen.account_id, reads.source_keys)},
    )
    seen = _with_access(accounts, wanted, seen, reads.access)
    permissions = read_permissions(accounts, seen.account_id, reads.permissions)
    return replace(seen, source_permissions={**seen.source_permissions, **permissions})


def _with_others(
    accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen, targets: tuple[Target, ...]
) -> CopySeen:
    """``seen`` with the copies that others made, one of which may be encrypted under the requested key."""

    def read_others(at: Clients, target: Target) -> tuple[tuple[Image, ...], tuple[Snapshot, ...]]:
        ec2, known = at.ec2(target.region), {image.image_id for image in seen.copies[target]}
        source_id, source_region = seen.source_of(target).image_id, wanted.source_region_of(target.region)
        found = read.copies_by_field(ec2, source_id, source_region)
        others = tuple(image for image in found if image.image_id not in known)
        return others, snapshots_of(ec2, wanted, others) if others else ()

    found, failures = each_target(accounts, wanted, seen.account_id, targets, read_others)
    copies = {target: (*seen.copies[target], *images) for target, (images, _snapshots) in found.items()}
    snapshots = {
        target: (*seen.snapshots.get(target, ()), *items) for target, (_images, items) in found.items()
    }
    return replace(
        seen,
        copies={**seen.copies, **copies},
        snapshots={**seen.snapshots, **snapshots},
        others_read=seen.others_read.union(found),
    ).without(failures, wanted.best_effort(targets))


def _with_defaults(
    accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen, reads: NextReads
) -> CopySeen:
    """``seen`` with encryption by default, and the default keys."""

    def read_by_default(at: Clients, target: Target) -> bool:
        return read.encryption_by_default(at.ec2(target.region))

    def read_default_key(at: Clients, target: Target) -> Key:
        return read.key(at.kms(target.region), read.default_key_id(at.ec2(target.region)))

    own_account_id = seen.account_id
    found, failures = each_target(accounts, wanted, own_account_id, reads.by_default, read_by_default)
    keys, without_key = each_target(accounts, wanted, own_account_id, reads.default_keys, read_default_key)
    return replace(
        seen,
        encryption_by_default={**seen.encryption_by_default, **found},
        keys={**seen.keys, **keys},
    ).without({**failures, **without_key}, wanted.best_effort(seen.copies))


def _aws_managed(
    clients: Clients, seen: CopySeen, image_keys: Mapping[Target, tuple[str, ...]]
) -> dict[Target, tuple[str, ...]]:
    """Those of the keys that are AWS managed."""
    if not image_keys:
        return {}
    clients.open("kms", [target.region for target in image_keys])

    def read_arns(target: Target) -> tuple[str, ...]:
        kms, requested = clients.kms(target.region), seen.keys.get(target)
        known = {requested.arn: requested} if requested else {}
        return tuple(arn for arn in image_keys[target] if (known.get(arn) or read.key(kms, arn)).aws_managed)

    # An AWS managed key of the own account can be described. What cannot be described is checked when the
    # image is shared.
    found, _failed = each(image_keys, read_arns)
    return {target: found.get(target, ()) for target in image_keys}


def _with_access(
    accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen, readers: Mapping[Target, Target]
) -> CopySeen:
    """``seen`` with what the accounts of these targets read of the sources that they will copy."""
    sources = {reader: seen.source_of(target) for target, reader in readers.items()}
    found, failed = read_access(accounts, seen, sources)
    failures = {
        target: errors.failure(failed[reader], target, "DescribeImages")
        for target, reader in readers.items()
        if reader in failed
    }
    seen = replace(seen, source_access={**seen.source_access, **found})
    return seen.without(failures, wanted.best_effort(failures))
