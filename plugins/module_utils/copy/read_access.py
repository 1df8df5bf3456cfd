# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads whether accounts may copy a source that they do not own: from each account, and from the owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.accounts import AssumedAccounts
from ..aws.read_visible import until_visible
from ..fanout import each
from ..model import Image, Key, KeySeen, Target
from .access import SourcePermissions, SourceSeen
from .checks import missing_access_of
from .options import CopyOptions
from .state import CopySeen

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def read_access(
    accounts: AssumedAccounts, seen: CopySeen, readers: Mapping[Target, Image]
) -> tuple[dict[Target, SourceSeen], dict[Target, Exception]]:
    """What each account reads of the source in that region, with its own credentials."""

    def read_one(reader: Target) -> SourceSeen:
        source, keys = readers[reader], seen.source_keys.get(reader.region, ())
        with accounts.as_account(reader.account_id) as clients:
            ec2 = clients.ec2(reader.region)
            return SourceSeen(
                visible=read.image(ec2, source.image_id) is not None,
                snapshot_ids=frozenset(
                    item.snapshot_id for item in read.visible_snapshots(ec2, source.snapshot_ids)
                ),
                denied_key_arns=frozenset(
                    key.key.arn
                    for key in keys
                    if not read.may_describe_key(clients.kms(reader.region), key.key.arn)
                ),
                role_arn=accounts.role_arn(reader.account_id),
            )

    return each(readers, read_one)


def wait_for_propagation(accounts: AssumedAccounts, wanted: CopyOptions, seen: CopySeen) -> CopySeen:
    """Read again, until the timeout, where the owner has already granted everything that is missing.

    A play that has just shared the source continues at once, before the permissions have propagated.
    """
    missing = {target: missing_access_of(wanted, seen, target) for target in seen.copies}

    def look(waiting: tuple[Target, ...]) -> dict[Target, bool]:
        nonlocal seen
        readers = {wanted.reader_of(target): seen.source_of(target) for target in waiting}
        found, _failed = read_access(accounts, seen, readers)
        seen = replace(seen, source_access={**seen.source_access, **found})
        return {target: True for target in waiting if not missing_access_of(wanted, seen, target)}

    # A grant usually takes seconds, too, at most 5 minutes (KMS Developer Guide, "Grants in AWS KMS").
    until_visible(look, [target for target, lack in missing.items() if lack and lack.already_granted])
    return seen


def read_permissions(
    accounts: AssumedAccounts, own_account_id: str, sources: Mapping[str, Image]
) -> dict[str, SourcePermissions | None]:
    """Who may use these own sources, None where that cannot be read."""

    def read_one(region: str) -> SourcePermissions:
        source = sources[region]
        with accounts.as_account(own_account_id) as clients:
            ec2 = clients.ec2(region)
            return SourcePermissions(
                launch=read.launch_permissions(ec2, source.image_id),
                volume_permissions={item: read.volume_permissions(ec2, item) for item in source.snapshot_ids},
            )

    found, _failed = each(sorted(sources), read_one)
    return {region: found.get(region) for region in sources}


def read_source_keys(
    accounts: AssumedAccounts, own_account_id: str, sources: Mapping[str, Image]
) -> dict[str, tuple[KeySeen, ...]]:
    """The keys that encrypt the sources, as far as the task's own credentials can read them.

    Keys that they cannot read are not checked: a copy that may not use its key fails with AWS's reason. Nor
    are the keys of snapshots to which an associated key can give access, too.
    """

    def read_keys(region: str) -> tuple[KeySeen, ...]:
        with accounts.as_account(own_account_id) as own:
            snapshots = read.visible_snapshots(own.ec2(region), sources[region].snapshot_ids)
            arns = sorted(
                {item.kms_key_id for item in snapshots if item.kms_key_id and not item.associated_key_arns}
            )
            return tuple(_read_key(own.kms(region), own_account_id, arn) for arn in arns)

    found, _failed = each(sources, read_keys)
    return {region: found.get(region, ()) for region in sources}


def _read_key(kms: KMSClient, own_account_id: str, arn: str) -> KeySeen:
    key = KeySeen(Key(arn))
    if key.key.account_id != own_account_id:
        return key
    try:
        return replace(key, grants=read.grants(kms, arn), policy=read.key_policies(kms, arn))
    except errors.AWS_ERRORS:
        # The task's own credentials need not allow these reads; then only the accounts' own reads count.
        return key
