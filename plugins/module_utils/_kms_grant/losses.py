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

from .._arns import account_of
from .._keys.grants import DELETED_PRINCIPAL, is_auto_scaling_role, name_prefix
from .._keys.needed import (
    HAS_RESOURCES,
    SHARED,
    ConsumerResources,
    Kept,
    SharedUnderKey,
    examples_of,
    of_principals,
    split_by_name,
)
from .._keys.policy_statements import (
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
from .._listing import count
from .._model import Grant, KeyRef, KeyState, Target
from .options import AUTO_SCALING_OPERATIONS, GrantOptions
from .state import GrantState, grant_request, has_grant, principal_arn

_UNREAD = "The sharing of other images under the key could not be read."
# Accounts that a warning of its own names, for each key.
_MOST_DEPENDENTS = 10
_REMEDY = "To revoke it although it may be in use, set revoke_in_use: true."


def select_keys_to_inspect(options: GrantOptions, current: GrantState) -> dict[KeyRef, PolicyConsumers]:
    """Return the keys to which consumers would lose access, with these consumers.

    The sharing of images under these keys decides whether they lose it. None with ``revoke_in_use``.
    """
    if options.revoke_in_use:
        return {}
    losing = {
        KeyRef(target.region, key.key.arn): find_lost_access(options, current, key)
        for target, keys in current.keys.items()
        for key in keys
    }
    return {ref: consumers for ref, consumers in losing.items() if consumers}


def list_kept_access(
    options: GrantOptions, current: GrantState, target: Target, key: KeyState
) -> tuple[Kept, ...]:
    """Return the consumers that keep access to a key that would otherwise be revoked."""
    shared = current.shared_under(target.region, key.key.arn)
    return explain_kept_access(options, shared, find_lost_access(options, current, key))


def find_lost_access(options: GrantOptions, current: GrantState, key: KeyState) -> PolicyConsumers:
    """Return the consumers that lose a grant or a statement of a key, unless they still need it."""
    by_grant = of_principals(
        grantee_of(options, current, grant)
        for grant in select_grants_to_revoke(options, current, key)
        if not is_replaced(options, current, grant)
    )
    return by_grant | (_find_lost_by_policy(options, key.policy) if key.policy else PolicyConsumers())


def select_kept(options: GrantOptions, shared: SharedUnderKey, losing: PolicyConsumers) -> PolicyConsumers:
    """Return the consumers of ``losing`` that keep their access."""
    return PolicyConsumers() if options.revoke_in_use else shared.select_needing(losing)


def explain_kept_access(
    options: GrantOptions, shared: SharedUnderKey, losing: PolicyConsumers
) -> tuple[Kept, ...]:
    """Return the consumers of ``losing`` that keep their access, with the reasons."""
    unread = " ".join(shared.unread)

    def explain(name: str, consumer: PolicyConsumers) -> Kept:
        if unread:
            return Kept(name, (), f"{_UNREAD} {unread}")
        return Kept(name, shared.images_for(consumer), SHARED, shared.snapshots_for(consumer))

    return tuple(explain(*named) for named in split_by_name(select_kept(options, shared, losing)))


def warn_of_dependents(key_arn: str, consumers: ConsumerResources) -> Iterator[str]:
    """Name what accounts that lose access have under the key, and what of them could not be read.

    That does not keep the access: otherwise an account could keep it for itself, with a snapshot.
    """
    dependents = [(account_id, ids) for account_id, ids in sorted(consumers.by_account.items()) if ids]
    for account_id, ids in dependents[:_MOST_DEPENDENTS]:
        named = examples_of(sorted(ids))
        yield f"Access to {key_arn} is revoked for {account_id} ({named}): {HAS_RESOURCES}"
    if len(dependents) > _MOST_DEPENDENTS:
        more = count(len(dependents) - _MOST_DEPENDENTS, "more account")
        yield (
            f"Access to {key_arn} is revoked for {more} with volumes or snapshots under it: the dependents "
            "of the task's result name them."
        )
    reasons: dict[str, list[str]] = {}
    for account_id, reason in consumers.unseen.items():
        reasons.setdefault(reason, []).append(account_id)
    for reason, account_ids in reasons.items():
        yield (
            f"Access to {key_arn} is revoked although not all that {examples_of(account_ids)} may have under "
            f"it could be read: {reason}"
        )


def warn_of_kept_access(options: GrantOptions, key_arn: str, kept: Iterable[Kept]) -> Iterator[str]:
    """Yield a warning for each reason, if it could not be read or if the consumers were named to lose access.

    A purge is expected to leave access that other images need: the result is enough for that.
    """
    consumers: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for access in kept:
        needs = access.image_ids or access.resource_ids
        if not (options.present and needs):
            consumers.setdefault((access.reason, needs), []).append(access.principal)
    for (reason, needs), names in consumers.items():
        named = f" ({examples_of(needs)})" if needs else ""
        why = f"{reason.removesuffix('.')}{named}."
        yield f"Access to {key_arn} is kept for {examples_of(names)}: {why} {_REMEDY}"


def select_grants_to_revoke(options: GrantOptions, current: GrantState, key: KeyState) -> tuple[Grant, ...]:
    """Return this collection's grants that are revoked, unless their grantees still need them."""
    prefix = name_prefix(key.key.arn, current.account_id)
    own = (grant for grant in key.grants if grant.name.startswith(prefix))
    if not options.present:
        named = {short(arn) for arn in _list_named_arns(options, current)}
        return tuple(grant for grant in own if _is_named(options, named, grantee_of(options, current, grant)))
    if not options.purge_grants:
        return ()
    requests = [
        grant_request(key.key.arn, principal_arn(current.partition, name), options.parent_operations, prefix)
        for name in options.grantees
    ]
    if options.auto_scaling:
        requests += [
            grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS, prefix)
            for account_id in options.accounts
            for role in options.scaling_roles(current.partition, account_id)
        ]
    by_name = {request["Name"]: request for request in requests}
    return tuple(
        grant for grant in own if not (grant.name in by_name and has_grant((grant,), by_name[grant.name]))
    )


def grantee_of(options: GrantOptions, current: GrantState, grant: Grant) -> str:
    """Return the grantee of a grant; for a unique ID, the named role or user that the grant is for.

    The name of a grant is a hash of the grantee's ARN, which shows that.
    """
    if DELETED_PRINCIPAL.fullmatch(grant.grantee):
        for arn in sorted(_list_named_arns(options, current)):
            if grant.name.endswith(grant_request("", arn, grant.operations, ":")["Name"]):
                return arn
    return grant.grantee


def is_replaced(options: GrantOptions, current: GrantState, grant: Grant) -> bool:
    """Whether its grantee can do the same afterwards, by another grant or by the key policy."""
    grantee = short(grantee_of(options, current, grant))
    account_id = account_of(grantee)
    if account_id is not None and is_auto_scaling_role(grantee):
        by_grant = options.present and options.auto_scaling and account_id in options.accounts
        roles = options.scaling_roles(current.partition, account_id)
        return by_grant and grantee in roles and grant.operations <= AUTO_SCALING_OPERATIONS
    return _is_given(options, grantee, PolicyAccess(operations=grant.operations))


def _find_lost_by_policy(options: GrantOptions, policy: str) -> PolicyConsumers:
    """Return the consumers that lose a statement of the key policy, unless they still need it."""
    lost = reduce(
        PolicyConsumers.__or__,
        (_find_lost_of_statement(options, access) for access in own_accesses(policy)),
        PolicyConsumers(),
    )
    # A deleted role or user has no access to lose.
    stale = (name for name in lost.principals if DELETED_PRINCIPAL.fullmatch(name))
    return lost - PolicyConsumers(frozenset(stale))


def _limit_to_consumers(access: PolicyAccess, consumers: PolicyConsumers) -> PolicyAccess:
    """Return the access of these consumers only."""
    return replace(access, consumers=access.consumers - (access.consumers - consumers))


def _find_lost_of_statement(options: GrantOptions, access: PolicyAccess) -> PolicyConsumers:
    """Return the consumers of a statement who cannot do the same afterwards."""
    named, given = access.consumers, options.policy_access
    if not options.present:
        units = frozenset(unit for unit in named.units if unit[1] in options.org_unit_ids)
        revoked = PolicyConsumers(options.accounts_and_principals, frozenset(options.org_ids), units)
        return _limit_to_consumers(access, given.consumers | revoked).consumers
    if not options.purge_grants:
        return PolicyConsumers()
    keeps_others = given.allows(replace(access, for_auto_scaling=False))
    return PolicyConsumers(
        frozenset(name for name in named.principals if not _is_given(options, name, access)),
        frozenset(item for item in named.org_ids if not (keeps_others and item in given.consumers.org_ids)),
        frozenset(item for item in named.units if not (keeps_others and item in given.consumers.units)),
    )


def _is_given(options: GrantOptions, principal: str, access: PolicyAccess) -> bool:
    """Whether a principal, or its account, has all of ``access`` by the options."""
    if not options.present or not {principal, account_of(principal)} & (options.accounts_and_principals):
        return False
    if options.access_method == "key_policy":
        return options.policy_access.allows(access)
    return options.parent_operations >= access.operations


def _is_named(options: GrantOptions, named: Container[str], grantee: str) -> bool:
    """Whether the grantee is one of ``named``, or any role for Auto Scaling of a named account."""
    scales = is_auto_scaling_role(grantee) and account_of(grantee) in options.accounts
    return scales or short(grantee) in named


def _list_named_arns(options: GrantOptions, current: GrantState) -> frozenset[str]:
    """Return the ARNs of the named roles and users, of the accounts, and of their Auto Scaling roles."""
    named = options.accounts_and_principals
    return frozenset(
        (
            *(principal_arn(current.partition, name) for name in named),
            *(
                role
                for account_id in options.accounts
                for role in options.scaling_roles(current.partition, account_id)
            ),
        )
    )


def policy_after(options: GrantOptions, policy: str, shared: SharedUnderKey) -> str:
    """Return the key policy with the own statements of the options; the same text if it has them already.

    Consumers that need the key for what is ``shared`` keep their access.
    """
    statements = _plan_statements(options, policy, shared)
    return policy if has_own_statements(policy, statements) else with_own_statements(policy, statements)


def _plan_statements(options: GrantOptions, policy: str, shared: SharedUnderKey) -> list[dict[str, Any]]:
    # KMS refuses a policy that names a deleted principal, although GetKeyPolicy returns such ones.
    held = without_consumers(own_accesses(policy), stale_principals(policy))
    losing = _find_lost_by_policy(options, policy)
    keeping = select_kept(options, shared, losing)
    if not options.present:
        return statements_for(*without_consumers(held, losing - keeping))
    if options.purge_grants:
        held = tuple(_limit_to_consumers(access, keeping) for access in held)
    return statements_for(*with_access(held, options.policy_access))


def stale_principals(policy: str) -> PolicyConsumers:
    """Return the deleted roles and users in own statements of a policy."""
    named = (item for access in own_accesses(policy) for item in access.consumers.principals)
    return PolicyConsumers(frozenset(item for item in named if DELETED_PRINCIPAL.fullmatch(item)))
