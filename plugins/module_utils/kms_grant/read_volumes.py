# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the volumes of accounts that lose access to a key, with their consumer roles.

A launch of a shared image encrypts the volumes under the default key of the launching account, unless the
launch names a key (EC2 User Guide, "Use encryption with EBS-backed AMIs"). Volumes of launches that name the
owner's key need it whenever an instance with them starts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..aws import errors, read
from ..aws.accounts import Accounts
from ..aws.caller import preferred_region
from ..aws.clients import Clients
from ..fanout import each
from ..keys.needed import SharedUnderKey, account_of
from ..keys.policy_statements import PolicyConsumers
from ..model import KeyRef, Target
from .state import GrantWanted

_NO_ROLE = "consumer_role_name is not set."


def with_volumes(
    clients: Clients,
    wanted: GrantWanted,
    caller: read.Caller,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with the volumes under each key in the accounts that do not need it for an image.

    One call for each of these accounts and regions; none without a consumer role. Accounts that cannot be
    read are in ``unseen``.
    """
    leaving = {
        ref: _accounts(losing[ref] - one.needed(losing[ref]), caller.account_id)
        for ref, one in shared.items()
    }
    regions_of: dict[str, dict[str, None]] = {}
    for ref, account_ids in leaving.items():
        for account_id in account_ids:
            regions_of.setdefault(account_id, {})[ref.region] = None
    if not regions_of:
        return dict(shared)
    found: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    unseen = dict.fromkeys(regions_of, _NO_ROLE)
    if wanted.consumer_role:
        sts_region = preferred_region(clients, sorted({ref.region for ref in shared}))
        accounts = Accounts(clients, caller, wanted.consumer_role, sts_region)

        def volumes(account_id: str) -> dict[str, dict[str, tuple[str, ...]]]:
            consumer = accounts.clients(account_id)
            consumer.open("ec2", regions_of[account_id])
            return {region: read.volumes_by_key(consumer.ec2(region)) for region in regions_of[account_id]}

        found, failed = each(regions_of, volumes)
        unseen = {
            account_id: errors.failure(exception, Target(account_id, ""), "DescribeVolumes").text()
            for account_id, exception in failed.items()
        }
    return {
        ref: replace(
            one,
            volumes={
                account_id: volume_ids
                for account_id in leaving[ref]
                if account_id in found
                if (volume_ids := found[account_id][ref.region].get(ref.key_arn, ()))
            },
            unseen={account_id: unseen[account_id] for account_id in leaving[ref] if account_id in unseen},
        )
        for ref, one in shared.items()
    }


def _accounts(consumers: PolicyConsumers, owner: str) -> list[str]:
    found = {account_of(one) for one in consumers.principals} - {None, owner}
    return sorted(one for one in found if one)
