# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the volumes of accounts that lose access to a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..arns import account_of
from ..aws.caller import preferred_region
from ..aws.clients import Clients
from ..aws.consumer_volumes import read_consumer_volumes
from ..aws.read import Caller
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyConsumers
from ..model import KeyRef
from .state import GrantWanted


def with_volumes(
    clients: Clients,
    wanted: GrantWanted,
    caller: Caller,
    losing: Mapping[KeyRef, PolicyConsumers],
    shared: Mapping[KeyRef, SharedUnderKey],
) -> dict[KeyRef, SharedUnderKey]:
    """``shared`` with the volumes under each key in the accounts that do not need it for an image."""
    leaving = {
        ref: _accounts(losing[ref] - one.needed(losing[ref]), caller.account_id)
        for ref, one in shared.items()
    }
    if not any(leaving.values()):
        return dict(shared)
    sts_region = preferred_region(clients, sorted({ref.region for ref in shared}))
    volumes = read_consumer_volumes(clients, caller, wanted.consumer_role, leaving, sts_region)
    return {ref: replace(one, volumes=volumes[ref]) for ref, one in shared.items()}


def _accounts(consumers: PolicyConsumers, owner: str) -> frozenset[str]:
    found = {account_of(one) for one in consumers.principals} - {None, owner}
    return frozenset(one for one in found if one)
