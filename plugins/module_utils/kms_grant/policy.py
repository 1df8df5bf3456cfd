# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the own statements of a key policy."""

from __future__ import annotations

from typing import Any

from ..keys.grants import DELETED_PRINCIPAL
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import (
    PolicyConsumers,
    has_own_statements,
    own_accesses,
    statements_for,
    with_access,
    with_own_statements,
    without_consumers,
)
from .losses import consumers_in, kept, lost_by_policy
from .options import GrantOptions


def policy_after(wanted: GrantOptions, policy: str, shared: SharedUnderKey) -> str:
    """The key policy with the own statements that are wanted; the same text if it has them already.

    Consumers that need the key for what is ``shared`` keep their access.
    """
    statements = _wanted_statements(wanted, policy, shared)
    return policy if has_own_statements(policy, statements) else with_own_statements(policy, statements)


def _wanted_statements(wanted: GrantOptions, policy: str, shared: SharedUnderKey) -> list[dict[str, Any]]:
    # KMS refuses a policy that names a deleted principal, although GetKeyPolicy returns such ones.
    held = without_consumers(own_accesses(policy), stale_principals(policy))
    losing = lost_by_policy(wanted, policy)
    keeping = kept(wanted, shared, losing)
    if not wanted.present:
        return statements_for(*without_consumers(held, losing - keeping))
    if wanted.purge_grants:
        held = tuple(consumers_in(access, keeping) for access in held)
    return statements_for(*with_access(held, wanted.policy_access))


def stale_principals(policy: str) -> PolicyConsumers:
    """The deleted roles and users in own statements of a policy."""
    named = (item for access in own_accesses(policy) for item in access.consumers.principals)
    return PolicyConsumers(frozenset(item for item in named if DELETED_PRINCIPAL.fullmatch(item)))
