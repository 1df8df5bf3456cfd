# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read whether accounts may copy a source that they do not own: from each account, and from the owner."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.read_visible import until_visible
from .._fanout import map_parallel
from .._model import Image, Key, KeyState, Target
from .access import SourcePermissions, SourceView
from .checks import missing_access_of
from .options import CopyOptions
from .state import CopyState

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


def read_access(
    accounts: AssumedAccounts, current: CopyState, readers: Mapping[Target, Image]
) -> tuple[dict[Target, SourceView], dict[Target, Exception]]:
    """Return what each account reads of the source in that region, with its own credentials."""

    def read_one(reader: Target) -> SourceView:
        source, keys = readers[reader], current.source_keys.get(reader.region, ())
        with accounts.as_account(reader.account_id) as clients:
            ec2 = clients.ec2(reader.region)
            return SourceView(
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

    return map_parallel(readers, read_one)


def wait_for_propagation(accounts: AssumedAccounts, options: CopyOptions, current: CopyState) -> CopyState:
    """Read again what the owner has already granted, until the account sees it or the timeout has passed.

    A play that has just shared the source continues at once, before the permissions have propagated.
    """
    missing = {target: missing_access_of(options, current, target) for target in current.copies}

    def look(waiting: tuple[Target, ...]) -> dict[Target, bool]:
        nonlocal current
        readers = {options.reader_of(target): current.source_of(target) for target in waiting}
        views, _failed = read_access(accounts, current, readers)
        current = replace(current, source_access={**current.source_access, **views})
        return {target: True for target in waiting if not missing_access_of(options, current, target)}

    # A grant usually takes seconds, too, at most 5 minutes (KMS Developer Guide, "Grants in AWS KMS").
    until_visible(look, [target for target, access in missing.items() if access and access.already_granted])
    return current


def read_permissions(
    accounts: AssumedAccounts, own_account_id: str, sources: Mapping[str, Image]
) -> dict[str, SourcePermissions | None]:
    """Return who may use these own sources; None if that cannot be read."""

    def read_one(region: str) -> SourcePermissions:
        source = sources[region]
        with accounts.as_account(own_account_id) as clients:
            ec2 = clients.ec2(region)
            return SourcePermissions(
                launch=read.launch_permissions(ec2, source.image_id),
                volume_permissions={item: read.volume_permissions(ec2, item) for item in source.snapshot_ids},
            )

    permissions, _failed = map_parallel(sorted(sources), read_one)
    return {region: permissions.get(region) for region in sources}


def read_source_keys(
    accounts: AssumedAccounts, own_account_id: str, sources: Mapping[str, Image]
) -> dict[str, tuple[KeyState, ...]]:
    """Return the keys that encrypt the sources, as far as the task's own credentials can read them.

    Other keys are not checked: a copy that may not use its key fails with AWS's reason. Keys of snapshots
    with associated keys are not checked either: an associated key can give access, too.
    """

    def read_keys(region: str) -> tuple[KeyState, ...]:
        with accounts.as_account(own_account_id) as own:
            snapshots = read.visible_snapshots(own.ec2(region), sources[region].snapshot_ids)
            arns = sorted(
                {item.kms_key_id for item in snapshots if item.kms_key_id and not item.associated_key_arns}
            )
            return tuple(_read_key(own.kms(region), own_account_id, arn) for arn in arns)

    keys, _failed = map_parallel(sources, read_keys)
    return {region: keys.get(region, ()) for region in sources}


def _read_key(kms: KMSClient, own_account_id: str, arn: str) -> KeyState:
    key = KeyState(Key(arn))
    if key.key.account_id != own_account_id:
        return key
    try:
        return replace(key, grants=read.grants(kms, arn), policy=read.key_policies(kms, arn))
    except errors.AWS_ERRORS:
        # The task's own credentials need not allow these reads; then only the accounts' own reads count.
        return key
