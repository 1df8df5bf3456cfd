# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan KMS access for consumers, by grants or by key policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .._failures import Failure
from .._keys import access as key_access
from .._keys.grants import DELETED_PRINCIPAL, name_prefix
from .._keys.needed import SharedUnderKey
from .._keys.policy_statements import PolicyConsumers, own_statements, short
from .._model import Grant, KeyState, Target
from .._plan import Action, Plan, TargetPlan
from .checks import check_key, check_partition, check_policy, check_service_linked_roles
from .losses import (
    explain_kept_access,
    find_lost_access,
    grantee_of,
    is_replaced,
    policy_after,
    select_grants_to_revoke,
    select_kept,
    stale_principals,
    warn_of_dependents,
    warn_of_kept_access,
)
from .options import AUTO_SCALING_OPERATIONS, GrantOptions
from .state import GrantState, grant_request, group_by_name, has_grant, principal_arn


def plan(options: GrantOptions, current: GrantState) -> Plan:
    """Plan every target that could be read; the others are tolerated."""
    others = without_owner(options, current)
    targets = [
        _plan_target(others, current, target).tolerate(options.best_effort_regions)
        for target in sorted(current.keys)
    ]
    refusals = (*check_partition(others, current), *check_service_linked_roles(others, current))
    if refusals and any(current.keys.values()):
        targets[0] = replace(targets[0], refusals=(*refusals, *targets[0].refusals))
    unread = (TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(current.unread.items()))
    return Plan((*targets, *unread))


def without_owner(options: GrantOptions, current: GrantState) -> GrantOptions:
    """Return the options without the keys' owner, which needs neither a grant nor a statement."""
    others = tuple(item for item in options.account_ids if item != current.account_id)
    return replace(options, account_ids=others)


def consumers_without_access(options: GrantOptions, key: KeyState, plan: TargetPlan) -> list[str] | None:
    """Return the accounts and ARNs that cannot use a key by its grants and, if it was read, its policy.

    In check mode it is the key as the plan leaves it. None where that is not known: the key has just changed,
    or can until the image is shared, its owner is another account, or access is revoked.
    """
    changes = options.access_can_change or (plan.actions and not options.check_mode)
    if changes or not options.present or key.key.account_id != plan.target.account_id:
        return None
    return key_access.consumers_without_access([_after(key, plan.actions)], options.consumers)


def _after(key: KeyState, actions: Iterable[Action]) -> KeyState:
    """Return the key with the grants and the policy that these actions leave it."""
    requests: dict[str, list[Mapping[str, Any]]] = {"CreateGrant": [], "PutKeyPolicy": [], "RevokeGrant": []}
    for action in actions:
        if action.parameters["KeyId"] == key.key.arn:
            requests[action.operation].append(action.parameters)
    revoked = {request["GrantId"] for request in requests["RevokeGrant"]}
    staying = (grant for grant in key.grants if grant.grant_id not in revoked)
    created = map(_grant_of_request, requests["CreateGrant"])
    policies = [key.policy, *(request["Policy"] for request in requests["PutKeyPolicy"])]
    return replace(key, grants=(*staying, *created), policy=policies[-1])


def _plan_grants_by_consumers(
    options: GrantOptions, current: GrantState, target: Target, key: KeyState
) -> Iterator[Action]:
    """Yield the missing grants to the accounts' Auto Scaling roles.

    The account itself must create them (Auto Scaling User Guide, "Required AWS KMS key policy for use with
    encrypted volumes"); the key's owner can list them.
    """
    if not (options.auto_scaling and options.present):
        return
    prefix, existing = name_prefix(key.key.arn, current.account_id), group_by_name(key.grants)
    for account_id in sorted(options.account_ids):
        for role in options.scaling_roles(current.partition, account_id):
            request = grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS, prefix)
            if not has_grant(existing.get(request["Name"], ()), request):
                yield Action(target, "CreateGrant", request, key.key.arn, service="kms", caller=account_id)


@dataclass(frozen=True)
class _KeyPlan:
    """The plan for one key, and its grants and statements before and after."""

    actions: tuple[Action, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    warnings: tuple[str, ...]
    refusals: tuple[Failure, ...]


def _plan_target(options: GrantOptions, current: GrantState, target: Target) -> TargetPlan:
    keys = {key.key.arn: _plan_key(options, current, target, key) for key in current.keys[target]}
    warnings = [warning for key in keys.values() for warning in key.warnings]
    if target in current.unencrypted:
        warnings.append("The image is not encrypted: there is no key to grant access to.")
    return TargetPlan(
        target,
        actions=tuple(action for key in keys.values() for action in key.actions),
        before={arn: key.before for arn, key in keys.items()},
        after={arn: key.after for arn, key in keys.items()},
        warnings=tuple(warnings),
        refusals=tuple(refusal for key in keys.values() for refusal in key.refusals),
    )


def _plan_key(options: GrantOptions, current: GrantState, target: Target, key: KeyState) -> _KeyPlan:
    arn = key.key.arn
    shared = current.shared_under(target.region, arn)
    losing = find_lost_access(options, current, key)
    created, revoked = _plan_grants(options, current, target, key, select_kept(options, shared, losing))
    by_consumers = [*_plan_grants_by_consumers(options, current, target, key)]
    policy = _plan_policy(options, target, key, shared)
    # Access is given before it is revoked, so that no consumer loses it between.
    actions = (*created, *policy, *by_consumers, *revoked)
    after = _after(key, actions)
    prefix = name_prefix(arn, current.account_id)
    return _KeyPlan(
        actions=actions,
        before=_describe_access(key.grants, key.policy, prefix),
        after=_describe_access(after.grants, after.policy, prefix),
        warnings=(
            *warn_of_kept_access(options, arn, explain_kept_access(options, shared, losing)),
            *warn_of_dependents(arn, shared.consumers),
            *_warn_of_deleted(key),
            *_warn_of_other_owner(options, target, key),
        ),
        refusals=(*check_key(options, target, key), *check_policy(target, policy)),
    )


def _plan_grants(
    options: GrantOptions, current: GrantState, target: Target, key: KeyState, keeping: PolicyConsumers
) -> tuple[list[Action], list[Action]]:
    """Return the actions that create grants, and those that revoke the grants of others than ``keeping``."""
    grantees = [principal_arn(current.partition, item) for item in sorted(options.grantees)]
    prefix = name_prefix(key.key.arn, current.account_id)
    requests = [
        grant_request(key.key.arn, grantee, options.parent_operations, prefix) for grantee in grantees
    ]
    created: list[Action] = []
    existing = group_by_name(key.grants)
    if options.present:
        created = [
            Action(target, "CreateGrant", request, key.key.arn, service="kms")
            for request in requests
            if not has_grant(existing.get(request["Name"], ()), request)
        ]
    revoked = [
        Action(
            target,
            "RevokeGrant",
            {"GrantId": grant.grant_id, "KeyId": key.key.arn},
            key.key.arn,
            service="kms",
        )
        for grant in select_grants_to_revoke(options, current, key)
        if is_replaced(options, current, grant)
        or short(grantee_of(options, current, grant)) not in keeping.principals
    ]
    return created, revoked


def _plan_policy(
    options: GrantOptions, target: Target, key: KeyState, shared: SharedUnderKey
) -> list[Action]:
    if key.policy is None:
        return []
    policy = policy_after(options, key.policy, shared)
    if policy == key.policy:
        return []
    parameters = {"KeyId": key.key.arn, "Policy": policy, "PolicyName": "default"}
    return [Action(target, "PutKeyPolicy", parameters, key.key.arn, service="kms")]


def _warn_of_deleted(key: KeyState) -> Iterator[str]:
    for principal in sorted(stale_principals(key.policy).principals) if key.policy else ():
        yield (
            f"The policy of {key.key.arn} names {principal}, a role or user that no longer exists: "
            "it is removed when the policy is written."
        )
    for grant in key.grants:
        if DELETED_PRINCIPAL.fullmatch(grant.grantee):
            yield (
                f"The grant {grant.grant_id} on {key.key.arn} is for {grant.grantee}, a role or user that no "
                "longer exists or was created a moment ago. If it was deleted, another one of the same name "
                "does not get its access."
            )


def _warn_of_other_owner(options: GrantOptions, target: Target, key: KeyState) -> Iterator[str]:
    if key.key.account_id != target.account_id and (options.purge_grants or not options.present):
        yield (
            f"{key.key.arn} belongs to account {key.key.account_id}: only grants of this account are "
            "revoked, and statements in its policy stay."
        )


def _grant_of_request(request: Mapping[str, Any]) -> Grant:
    return Grant("", request["GranteePrincipal"], frozenset(request["Operations"]), request["Name"])


def _describe_access(grants: Iterable[Grant], policy: str | None, prefix: str) -> dict[str, Any]:
    grantees: dict[tuple[str, ...], set[str]] = {}
    for grant in grants:
        if grant.name.startswith(prefix):
            grantees.setdefault(tuple(sorted(grant.operations)), set()).add(short(grant.grantee))
    view: dict[str, Any] = {
        "grants": [
            {"grantees": sorted(named), "operations": list(operations)}
            for operations, named in sorted(grantees.items())
        ]
    }
    if policy is not None:
        view["policy_statements"] = own_statements(policy)
    return view
