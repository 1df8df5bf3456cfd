# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read every target: the images that may be its copy, their snapshots, and the requested key.

Then ``next_reads`` names what the plan still depends on, until nothing is left to read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.clients import Clients
from .._failures import Failure
from .._fanout import map_parallel, side_by_side
from .._model import Image, Key, Snapshot, Target
from .._plan import KNOWN_AFTER_APPLY
from .checks import with_account
from .next_reads import NextReads
from .options import CopyOptions
from .read_access import read_access, read_permissions, read_source_keys
from .state import USABLE_STATES, CopyState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

Value = TypeVar("Value")


def read_targets(
    accounts: AssumedAccounts, options: CopyOptions, start: CopyState, targets: Collection[Target]
) -> CopyState:
    """Return ``start`` with the copies and requested keys of the targets, as far as they can be read."""

    def read_one(clients: Clients, target: Target) -> CopyState:
        return _read_target(clients, options, replace(start, unread=()), target)

    states, failures = each_target(accounts, options, start.account_id, targets, read_one)
    return start.including(states.values()).without(failures, options.best_effort(targets))


def each_target(
    accounts: AssumedAccounts,
    options: CopyOptions,
    own_account_id: str,
    targets: Collection[Target],
    read_one: Callable[[Clients, Target], Value],
) -> tuple[dict[Target, Value], dict[Target, Failure]]:
    """Return what ``read_one`` reads with the clients of each target's account, and the failures."""

    def read_at(target: Target) -> Value:
        with accounts.as_account(target.account_id) as clients:
            return read_one(clients, target)

    values, failed = map_parallel(targets, read_at, optional=options.best_effort(targets))
    failures = {
        target: with_account(errors.failure(exception, target, "DescribeImages"), target, own_account_id)
        for target, exception in failed.items()
    }
    return values, failures


def snapshots_of(ec2: EC2Client, options: CopyOptions, images: Iterable[Image]) -> tuple[Snapshot, ...]:
    """Read the snapshots of images whose keys or tags matter."""
    return read.snapshots(
        ec2,
        [
            snapshot_id
            for image in images
            if image.state in USABLE_STATES and (image.encrypted or options.snapshot_tags is not None)
            for snapshot_id in image.snapshot_ids
        ],
    )


def _read_target(clients: Clients, options: CopyOptions, start: CopyState, target: Target) -> CopyState:
    """Read one target: its copies, and the KMS key that is requested for them."""
    name = options.encryption.key_for(target.region)
    (images, snapshots), *keys = side_by_side(
        [
            partial(_read_copies, clients, options, start, target),
            *([partial(_read_key, clients, target, name)] if name else []),
        ]
    )
    return replace(
        start,
        copies={target: images},
        snapshots={target: snapshots},
        keys={target: keys[0]} if keys else {},
    )


def _read_copies(
    clients: Clients, options: CopyOptions, start: CopyState, target: Target
) -> tuple[tuple[Image, ...], tuple[Snapshot, ...]]:
    """Return the images that may be the target's copy, with their snapshots and those of the source there."""
    ec2, source = clients.ec2(target.region), start.source_of(target)
    source_region = options.source_region_of(target.region)
    is_source = start.is_source(target, source_region)
    images: tuple[Image, ...] = ()
    if source.image_id != KNOWN_AFTER_APPLY and (not is_source or options.encryption.reencrypt_source):
        images = read.copies(ec2, source.image_id, source_region, USABLE_STATES)
    return images, snapshots_of(ec2, options, (source, *images) if is_source else images)


def _read_key(clients: Clients, target: Target, name: str) -> Key:
    """Return the key that is set for the target's copy.

    EC2 calls DescribeKey for the role that copies. Policies may allow it only through EC2 (KMS Developer
    Guide, "AWS KMS condition keys", kms:ViaService), so a denied key is used if its ARN is set.
    """
    try:
        return read.key(clients.kms(target.region), name)
    except errors.ClientError as exception:
        if ":key/" not in name or errors.code_of(exception) != "AccessDeniedException":
            raise
        return Key(name, described=False)


def read_further(
    clients: Clients, accounts: AssumedAccounts, options: CopyOptions, current: CopyState, reads: NextReads
) -> CopyState:
    """Return ``current`` with these reads, and without the targets that cannot be read.

    ``clients`` are those of the task's own credentials.
    """
    current = _with_others(accounts, options, current, reads.others)
    current = _with_defaults(accounts, options, current, reads)
    current = replace(
        current,
        aws_managed_keys={**current.aws_managed_keys, **_aws_managed(clients, current, reads.image_keys)},
        source_keys={
            **current.source_keys,
            **read_source_keys(accounts, current.account_id, reads.source_keys),
        },
    )
    current = _with_access(accounts, options, current, reads.access)
    permissions = read_permissions(accounts, current.account_id, reads.permissions)
    return replace(current, source_permissions={**current.source_permissions, **permissions})


def _with_others(
    accounts: AssumedAccounts, options: CopyOptions, current: CopyState, targets: tuple[Target, ...]
) -> CopyState:
    """Return ``current`` with copies that others made. One may be encrypted under the requested key."""

    def read_others(at: Clients, target: Target) -> tuple[tuple[Image, ...], tuple[Snapshot, ...]]:
        ec2, known = at.ec2(target.region), {image.image_id for image in current.copies[target]}
        source_id, source_region = current.source_of(target).image_id, options.source_region_of(target.region)
        by_field = read.copies_by_field(ec2, source_id, source_region)
        others = tuple(image for image in by_field if image.image_id not in known)
        return others, snapshots_of(ec2, options, others) if others else ()

    others, failures = each_target(accounts, options, current.account_id, targets, read_others)
    copies = {target: (*current.copies[target], *images) for target, (images, _snapshots) in others.items()}
    snapshots = {
        target: (*current.snapshots.get(target, ()), *items) for target, (_images, items) in others.items()
    }
    return replace(
        current,
        copies={**current.copies, **copies},
        snapshots={**current.snapshots, **snapshots},
        others_read=current.others_read.union(others),
    ).without(failures, options.best_effort(targets))


def _with_defaults(
    accounts: AssumedAccounts, options: CopyOptions, current: CopyState, reads: NextReads
) -> CopyState:
    """Return ``current`` with encryption by default, and the default keys."""

    def read_by_default(at: Clients, target: Target) -> bool:
        return read.encryption_by_default(at.ec2(target.region))

    def read_default_key(at: Clients, target: Target) -> Key:
        return read.key(at.kms(target.region), read.default_key_id(at.ec2(target.region)))

    own_account_id = current.account_id
    by_default, failures = each_target(accounts, options, own_account_id, reads.by_default, read_by_default)
    keys, without_key = each_target(accounts, options, own_account_id, reads.default_keys, read_default_key)
    return replace(
        current,
        encryption_by_default={**current.encryption_by_default, **by_default},
        keys={**current.keys, **keys},
    ).without({**failures, **without_key}, options.best_effort(current.copies))


def _aws_managed(
    clients: Clients, current: CopyState, image_keys: Mapping[Target, tuple[str, ...]]
) -> dict[Target, tuple[str, ...]]:
    """Return the keys that are AWS managed."""
    if not image_keys:
        return {}
    clients.open("kms", [target.region for target in image_keys])

    def read_arns(target: Target) -> tuple[str, ...]:
        kms, requested = clients.kms(target.region), current.keys.get(target)
        known = {requested.arn: requested} if requested else {}
        return tuple(arn for arn in image_keys[target] if (known.get(arn) or read.key(kms, arn)).aws_managed)

    # An AWS managed key of the own account can be described. What cannot be described is checked when the
    # image is shared.
    arns, _failed = map_parallel(image_keys, read_arns)
    return {target: arns.get(target, ()) for target in image_keys}


def _with_access(
    accounts: AssumedAccounts, options: CopyOptions, current: CopyState, readers: Mapping[Target, Target]
) -> CopyState:
    """Return ``current`` with what the accounts of these targets read of their sources."""
    sources = {reader: current.source_of(target) for target, reader in readers.items()}
    views, failed = read_access(accounts, current, sources)
    failures = {
        target: errors.failure(failed[reader], target, "DescribeImages")
        for target, reader in readers.items()
        if reader in failed
    }
    current = replace(current, source_access={**current.source_access, **views})
    return current.without(failures, options.best_effort(failures))
