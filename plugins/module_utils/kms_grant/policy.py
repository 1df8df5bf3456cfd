# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the own statements of a key policy."""

from __future__ import annotations

from typing import Any

from ..keys.grants import DELETED_PRINCIPAL
from ..keys.policy_statements import (
    PolicyConsumers,
    has_own_statements,
    own_accesses,
    statements_for,
    with_access,
    with_own_statements,
    without_consumers,
)
from .state import GrantWanted


def policy_after(wanted: GrantWanted, policy: str) -> str:
    """The key policy with the own statements that are wanted; the same text if it has them already."""
    statements = _wanted_statements(wanted, policy)
    return policy if has_own_statements(policy, statements) else with_own_statements(policy, statements)


def _wanted_statements(wanted: GrantWanted, policy: str) -> list[dict[str, Any]]:
    # KMS refuses a policy that names a deleted principal, although GetKeyPolicy returns such ones.
    held = without_consumers(own_accesses(policy), stale_principals(policy))
    if not wanted.present:
        units = (unit for access in held for unit in access.consumers.units if unit[1] in wanted.org_unit_ids)
        removed = wanted.policy_consumers | PolicyConsumers(
            wanted.account_ids | wanted.principals, wanted.org_ids, frozenset(units)
        )
        return statements_for(*without_consumers(held, removed))
    return statements_for(*with_access(() if wanted.purge else held, wanted.policy_access))


def stale_principals(policy: str) -> PolicyConsumers:
    """The deleted roles and users in own statements of a policy."""
    named = (item for access in own_accesses(policy) for item in access.consumers.principals)
    return PolicyConsumers(frozenset(item for item in named if DELETED_PRINCIPAL.fullmatch(item)))
