# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads every target: the images that may be its copy, their snapshots, and the key that is requested."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.clients import Clients
from ..failures import Failure
from ..fanout import each
from ..model import Image, Key, Snapshot, Target
from ..plan import KNOWN_AFTER_APPLY
from .checks import with_account
from .options import CopyOptions
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
