# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the volumes of accounts that would lose access to a key, with their consumer roles.

A launch of a shared image encrypts the volumes under the default key of the launching account, unless the
launch names a key (EC2 User Guide, "Use encryption with EBS-backed AMIs"). Volumes of launches that name the
owner's key need it whenever an instance with them starts.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from ..fanout import each
from ..keys.needed import ConsumerVolumes
from ..model import ConsumerRole, KeyRef, Target
from . import errors, read
from .accounts import Accounts
from .clients import Clients
from .read import Caller

_NO_ROLE = "consumer_role_name is not set."


@dataclass
class _Account:
    """What was read of one account: regions to volumes by key, and regions to why they were not read."""

    volumes: dict[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)


def read_consumer_volumes(
    clients: Clients,
    caller: Caller,
    role: ConsumerRole | None,
    accounts: Mapping[KeyRef, Collection[str]],
    sts_region: str,
) -> dict[KeyRef, ConsumerVolumes]:
    """The volumes under each key in the accounts that ``accounts`` names for it.

    One call for each account and region; none without a role. What cannot be read is in ``unseen``.
    """
    if role is None:
        return {
            ref: ConsumerVolumes(unseen=dict.fromkeys(sorted(accounts[ref]), _NO_ROLE)) for ref in accounts
        }
    regions_of: dict[str, dict[str, None]] = {}
    for ref, account_ids in accounts.items():
        for account_id in sorted(account_ids):
            regions_of.setdefault(account_id, {})[ref.region] = None
    # This region can be another one than the one in which the caller was identified.
    clients.open("sts", [sts_region])
    of_accounts = Accounts(clients, caller, role, sts_region)

    def read_account(account_id: str) -> _Account:
        return _read_account(of_accounts.clients(account_id), account_id, regions_of[account_id])

    done, failed = each(regions_of, read_account)
    for account_id, exception in failed.items():
        done[account_id] = _Account(
            unread={region: _text(account_id, region, exception) for region in regions_of[account_id]}
        )
    return {ref: _under(ref, {one: done[one] for one in sorted(accounts[ref])}) for ref in accounts}


def _read_account(consumer: Clients, account_id: str, regions: Iterable[str]) -> _Account:
    """The volumes of one account. A region that the account has not enabled does not stop the others."""
    found = _Account()
    for region in regions:
        try:
            consumer.open("ec2", [region])
            found.volumes[region] = read.volumes_by_key(consumer.ec2(region))
        except errors.AWS_ERRORS as exception:
            found.unread[region] = _text(account_id, region, exception)
    return found


def _under(ref: KeyRef, found: Mapping[str, _Account]) -> ConsumerVolumes:
    volumes = {
        account_id: account.volumes[ref.region].get(ref.key_arn, ())
        for account_id, account in found.items()
        if ref.region in account.volumes
    }
    unseen = {
        account_id: account.unread[ref.region]
        for account_id, account in found.items()
        if ref.region in account.unread
    }
    return ConsumerVolumes(volumes, unseen)


def _text(account_id: str, region: str, exception: Exception) -> str:
    return errors.failure(exception, Target(account_id, region), "DescribeVolumes").text()
