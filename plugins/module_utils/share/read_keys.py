# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the keys of encrypted images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..aws import errors, read
from ..aws.clients import Clients
from ..fanout import each
from ..keys.access import consumers_without_access
from ..model import KeySeen, Target
from ..regions import targets_in
from .options import ShareOptions
from .state import Shared


def with_keys(
    clients: Clients, wanted: ShareOptions, images: Mapping[Target, Shared]
) -> Mapping[Target, Shared]:
    """The images, the encrypted ones with their keys, to warn of consumers that cannot use them."""
    encrypted = [target for target, shared in images.items() if shared.exists and shared.image.encrypted]
    if not (encrypted and wanted.present):
        return images

    def read_key_ids(target: Target) -> tuple[str, ...]:
        snapshots = read.snapshots(clients.ec2(target.region), images[target].image.snapshot_ids)
        # An associated key can give access that the snapshot's own key does not.
        key_ids = {item.kms_key_id for item in snapshots if item.kms_key_id and not item.associated_key_arns}
        return tuple(sorted(key_ids - set(wanted.usable_key_arns)))

    optional = targets_in(wanted.best_effort_regions, encrypted)
    key_ids, unread = each(encrypted, read_key_ids, optional=optional)
    # A client costs as much as ten requests.
    with_unknown = [target for target, found in key_ids.items() if found]
    clients.open("kms", [target.region for target in with_unknown])

    def read_keys(target: Target) -> tuple[KeySeen, ...]:
        keys = [_read_key(clients, wanted, target, key_id) for key_id in key_ids[target]]
        # Only its owner can read the grants and policy of another account's key.
        return tuple(key for key in keys if key.key.aws_managed or key.key.account_id == target.account_id)

    found, failed = each(with_unknown, read_keys, optional=optional)
    problems = {
        target: errors.failure(exception, target, operation).text()
        for operation, exceptions in (("DescribeSnapshots", unread), ("DescribeKey", failed))
        for target, exception in exceptions.items()
    }
    return {
        target: replace(shared, keys=found.get(target, ()), key_problem=problems.get(target))
        for target, shared in images.items()
    }


def _read_key(clients: Clients, wanted: ShareOptions, target: Target, key_id: str) -> KeySeen:
    kms = clients.kms(target.region)
    key = KeySeen(read.key(kms, key_id))
    if key.key.aws_managed or key.key.account_id != target.account_id:
        return key
    key = replace(key, grants=read.grants(kms, key.key.arn))
    # The policy may give access that the grants do not, and that of AWS RAM access that the policy does not.
    for read_policy in (read.key_policy, read.key_policies):
        if consumers_without_access([key], wanted.sharing):
            key = replace(key, policy=read_policy(kms, key.key.arn))
    return key
