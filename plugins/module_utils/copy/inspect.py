# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what the plan still depends on (``next_reads``), in all targets at the same time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.clients import Clients
from ..fanout import each
from ..model import Image, Key, Snapshot, Target
from .next_reads import NextReads
from .options import CopyOptions
from .read_access import read_access, read_permissions, read_source_keys
from .read_targets import each_target, snapshots_of
from .state import CopySeen


def inspect(
    clients: Clients, accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen, reads: NextReads
) -> CopySeen:
    """What was seen, and what these reads return, without the targets that cannot be read.

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
