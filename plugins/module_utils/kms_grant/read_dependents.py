# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what accounts that lose access to a key have under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..arns import account_of
from ..aws.caller import preferred_region
from ..aws.clients import Clients
from ..aws.consumer_resources import read_consumer_resources
from ..aws.read import Caller
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyConsumers
from ..model import KeyRef
from .options import GrantOptions


def with_resources(
    clients: Clients,
    wanted: GrantOptions,
    caller: Caller,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with what the accounts that lose access have under each key."""
    leaving = {
        ref: _accounts(losing[ref] - one.needed(losing[ref]), caller.account_id)
        for ref, one in shared.items()
    }
    if not any(leaving.values()):
        return dict(shared)
    sts_region = preferred_region(clients, sorted({ref.region for ref in shared}))
    found = read_consumer_resources(clients, caller, wanted.consumer_role, leaving, sts_region)
    return {ref: replace(one, consumers=found[ref]) for ref, one in shared.items()}


def _accounts(consumers: PolicyConsumers, owner: str) -> frozenset[str]:
    found = {account_of(one) for one in consumers.principals} - {None, owner}
    return frozenset(one for one in found if one)
