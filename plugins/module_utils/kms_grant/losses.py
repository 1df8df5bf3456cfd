# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who would lose access to a key, and who of them still needs it and keeps it; the key policy after that.

A key encrypts many images. A consumer of one image may still need its grant, or its statement in the key
policy, for another one.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from functools import reduce
from typing import Any

from ..arns import account_of
from ..keys.grants import DELETED_PRINCIPAL, is_auto_scaling_role, name_prefix
from ..keys.needed import (
    HAS_RESOURCES,
    ConsumerResources,
    Kept,
    SharedUnderKey,
    examples_of,
    of_principals,
    one_by_one,
)
from ..keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
    has_own_statements,
    own_accesses,
    short,
    statements_for,
    with_access,
    with_own_statements,
    without_consumers,
)
from ..model import Grant, KeyRef, KeySeen, Target
from .options import AUTO_SCALING_OPERATIONS, GrantOptions
from .state import GrantSeen, grant_request, holds, principal_arn

_SHARED = (
    "Other images or snapshots under the key are shared with it, or with an organization or organizational "
    "unit that it may be in."
)
_UNREAD = "The sharing of other images under the key could not be read."
_REMEDY = "To revoke it although it may be in use, set revoke_in_use: true."


def keys_to_inspect(wanted: GrantOptions, seen: GrantSeen) -> dict[KeyRef, PolicyConsumers]:
    """The keys to which consumers would lose access, with these consumers.

    The sharing of images under these keys decides whether they lose it. None with ``revoke_in_use``.
    """
    if wanted.revoke_in_use:
        return {}
    losing = {
        KeyRef(target.region, key.key.arn): lost_access(wanted, seen, key)
        for target, keys in seen.keys.items()
        for key in keys
    }
    return {ref: consumers for ref, consumers in losing.items() if consumers}


def kept_of(wanted: GrantOptions, seen: GrantSeen, target: Target, key: KeySeen) -> tuple[Kept, ...]:
    """The consumers that keep access to a key that would otherwise be revoked."""
    shared = seen.shared_under(target.region, key.key.arn)
    return kept_access(wanted, shared, lost_access(wanted, seen, key))


def lost_access(wanted: GrantOptions, seen: GrantSeen, key: KeySeen) -> PolicyConsumers:
    """The consumers that lose a grant or a statement of a key, unless they still need it."""
    by_grant = of_principals(
        grantee_of(wanted, seen, grant)
        for grant in grants_to_revoke(wanted, seen, key)
        if not is_replaced(wanted, seen, grant)
    )
    return by_grant | (lost_by_policy(wanted, key.policy) if key.policy else PolicyConsumers())


def kept(wanted: GrantOptions, shared: SharedUnderKey, losing: PolicyConsumers) -> PolicyConsumers:
    """Those of ``losing`` that keep their access."""
    return PolicyConsumers() if wanted.revoke_in_use else shared.needed(losing)


def kept_access(wanted: GrantOptions, shared: SharedUnderKey, losing: PolicyConsumers) -> tuple[Kept, ...]:
    """Those of ``losing`` that keep their access, with the reasons."""
    unread = " ".join(shared.unread)

    def kept_one(name: str, consumer: PolicyConsumers) -> Kept:
        if unread:
            return Kept(name, (), f"{_UNREAD} {unread}")
        return Kept(name, shared.images_for(consumer), _SHARED, shared.snapshots_for(consumer))

    return tuple(kept_one(*one) for one in one_by_one(kept(wanted, shared, losing)))


def dependent_warnings(key_arn: str, consumers: ConsumerResources) -> Iterator[str]:
    """Name what accounts that lose access have under the key, and what of them could not be read.

    That does not keep the access: otherwise an account could keep it for itself, with a snapshot.
    """
    for account_id, ids in sorted(consumers.by_account.items()):
        if ids:
            named = examples_of(sorted(ids))
            yield f"Access to {key_arn} is revoked for {account_id} ({named}): {HAS_RESOURCES}"
    reasons: dict[str, list[str]] = {}
    for account_id, reason in consumers.unseen.items():
        reasons.setdefault(reason, []).append(account_id)
    for reason, account_ids in reasons.items():
        yield (
            f"Access to {key_arn} is revoked although not all that {examples_of(account_ids)} may have under "
            f"it could be read: {reason}"
        )


def kept_warnings(wanted: GrantOptions, key_arn: str, found: Iterable[Kept]) -> Iterator[str]:
    """A warning for each reason, if it could not be read or if the consumers were named to lose access.

    A purge is expected to leave access that other images need: the result is enough for that.
    """
    consumers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in found:
        needs = one.image_ids or one.resource_ids
        if not (wanted.present and needs):
            consumers.setdefault((one.reason, needs), []).append(one.principal)
    for (reason, needs), names in consumers.items():
        named = f" ({examples_of(needs)})" if needs else ""
        yield f"Access to {key_arn} is kept for {examples_of(names)}: {reason}{named} {_REMEDY}"


def grants_to_revoke(wanted: GrantOptions, seen: GrantSeen, key: KeySeen) -> tuple[Grant, ...]:
    """This collection's grants that are revoked, unless their grantees still need them."""
    prefix = name_prefix(key.key.arn, seen.account_id)
    own = (grant for grant in key.grants if grant.name.startswith(prefix))
    if not wanted.present:
        named = {short(arn) for arn in _named_arns(wanted, seen)}
        return tuple(grant for grant in own if _is_named(wanted, named, grantee_of(wanted, seen, grant)))
    if not wanted.purge_grants:
        return ()
    requests = [
        grant_request(key.key.arn, principal_arn(seen.partition, one), wanted.parent_operations, prefix)
        for one in wanted.grantees
    ]
    if wanted.auto_scaling:
        requests += [
            grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS, prefix)
            for account_id in wanted.accounts
            for role in wanted.scaling_roles(seen.partition, account_id)
        ]
    by_name = {request["Name"]: request for request in requests}
    return tuple(
        grant for grant in own if not (grant.name in by_name and holds((grant,), by_name[grant.name]))
    )


def grantee_of(wanted: GrantOptions, seen: GrantSeen, grant: Grant) -> str:
    """The grantee of a grant; if it is shown with a unique ID, the named role or user that it is for.

    The name of a grant is a hash of the grantee's ARN, which shows that.
    """
    if DELETED_PRINCIPAL.fullmatch(grant.grantee):
        for arn in sorted(_named_arns(wanted, seen)):
            if grant.name.endswith(grant_request("", arn, grant.operations, ":")["Name"]):
                return arn
    return grant.grantee


def is_replaced(wanted: GrantOptions, seen: GrantSeen, grant: Grant) -> bool:
    """Whether its grantee can do the same afterwards, by another grant or by the key policy."""
    grantee = short(grantee_of(wanted, seen, grant))
    account_id = account_of(grantee)
    if account_id is not None and is_auto_scaling_role(grantee):
        by_grant = wanted.present and wanted.auto_scaling and account_id in wanted.accounts
        roles = wanted.scaling_roles(seen.partition, account_id)
        return by_grant and grantee in roles and grant.operations <= AUTO_SCALING_OPERATIONS
    return _is_given(wanted, grantee, PolicyAccess(operations=grant.operations))


def lost_by_policy(wanted: GrantOptions, policy: str) -> PolicyConsumers:
    """The consumers that lose a statement of the key policy, unless they still need it."""
    lost = reduce(
        PolicyConsumers.__or__,
        (_lost_of(wanted, access) for access in own_accesses(policy)),
        PolicyConsumers(),
    )
    # A deleted role or user has no access to lose.
    stale = (one for one in lost.principals if DELETED_PRINCIPAL.fullmatch(one))
    return lost - PolicyConsumers(frozenset(stale))


def consumers_in(access: PolicyAccess, consumers: PolicyConsumers) -> PolicyAccess:
    """The access, of these consumers only."""
    return replace(access, consumers=access.consumers - (access.consumers - consumers))


def _lost_of(wanted: GrantOptions, access: PolicyAccess) -> PolicyConsumers:
    """The consumers of a statement who cannot do the same afterwards."""
    named, given = access.consumers, wanted.policy_access
    if not wanted.present:
        units = frozenset(unit for unit in named.units if unit[1] in wanted.org_unit_ids)
        revoked = PolicyConsumers(wanted.accounts_and_principals, frozenset(wanted.org_ids), units)
        return consumers_in(access, given.consumers | revoked).consumers
    if not wanted.purge_grants:
        return PolicyConsumers()
    keeps_others = given.allows(replace(access, for_auto_scaling=False))
    return PolicyConsumers(
        frozenset(one for one in named.principals if not _is_given(wanted, one, access)),
        frozenset(one for one in named.org_ids if not (keeps_others and one in given.consumers.org_ids)),
        frozenset(one for one in named.units if not (keeps_others and one in given.consumers.units)),
    )


def _is_given(wanted: GrantOptions, principal: str, access: PolicyAccess) -> bool:
    """Whether the wanted access of a principal, or of its account, allows all of ``access``."""
    if not wanted.present or not {principal, account_of(principal)} & (wanted.accounts_and_principals):
        return False
    if wanted.access_method == "key_policy":
        return wanted.policy_access.allows(access)
    return wanted.parent_operations >= access.operations


def _is_named(wanted: GrantOptions, named: Container[str], grantee: str) -> bool:
    """Whether the grantee is one of ``named``, or any role for Auto Scaling of a named account."""
    scales = is_auto_scaling_role(grantee) and account_of(grantee) in wanted.accounts
    return scales or short(grantee) in named


def _named_arns(wanted: GrantOptions, seen: GrantSeen) -> frozenset[str]:
    """The ARNs of the named accounts, of their Auto Scaling roles, and of the named roles and users."""
    named = wanted.accounts_and_principals
    return frozenset(
        (
            *(principal_arn(seen.partition, one) for one in named),
            *(role for one in wanted.accounts for role in wanted.scaling_roles(seen.partition, one)),
        )
    )


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
