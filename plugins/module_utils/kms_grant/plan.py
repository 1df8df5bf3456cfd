# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan KMS access for consumers, by grants or by key policy."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..failures import Failure
from ..keys import access as key_access
from ..keys.grants import DELETED_PRINCIPAL, name_prefix
from ..keys.needed import SharedUnderKey
from ..keys.policy_statements import PolicyConsumers, own_statements, short
from ..model import Grant, KeySeen, Target
from ..plan import Action, Plan, TargetPlan
from .checks import check_key, check_partition, check_policy, check_service_linked_roles
from .losses import (
    dependent_warnings,
    grantee_of,
    grants_to_revoke,
    is_replaced,
    kept,
    kept_access,
    kept_warnings,
    lost_access,
    policy_after,
    stale_principals,
)
from .options import AUTO_SCALING_OPERATIONS, GrantOptions
from .state import GrantSeen, by_name, grant_request, holds, principal_arn


def plan(wanted: GrantOptions, seen: GrantSeen) -> Plan:
    """Plan every target that could be read; the others are tolerated."""
    others = without_owner(wanted, seen)
    targets = [
        _plan_target(others, seen, target).tolerating(wanted.best_effort_regions)
        for target in sorted(seen.keys)
    ]
    refusals = (*check_partition(others, seen), *check_service_linked_roles(others, seen))
    if refusals and any(seen.keys.values()):
        targets[0] = replace(targets[0], refusals=(*refusals, *targets[0].refusals))
    unread = (TargetPlan(target, tolerated=(failure,)) for target, failure in sorted(seen.unread.items()))
    return Plan((*targets, *unread))


def without_owner(wanted: GrantOptions, seen: GrantSeen) -> GrantOptions:
    """``wanted`` without the keys' owner, which needs neither a grant nor a statement."""
    others = tuple(item for item in wanted.account_ids if item != seen.account_id)
    return replace(wanted, account_ids=others)


def consumers_without_access(
    wanted: GrantOptions, seen: GrantSeen, target: Target, key_arn: str
) -> list[str] | None:
    """The accounts and ARNs that cannot use a key according to its grants and, if it was read, its policy.

    None where that is not known: the key's owner is another account, or access is revoked.
    """
    (key,) = (key for key in seen.keys[target] if key.key.arn == key_arn)
    if not wanted.present or key.key.account_id != target.account_id:
        return None
    return key_access.consumers_without_access([key], wanted.consumers)


def _grants_by_consumers(
    wanted: GrantOptions, seen: GrantSeen, target: Target, key: KeySeen
) -> Iterator[Action]:
    """The missing grants to the accounts' Auto Scaling roles.

    The account itself must create them (Auto Scaling User Guide, "Required AWS KMS key policy for use with
    encrypted volumes"); the key's owner can list them.
    """
    if not (wanted.auto_scaling and wanted.present):
        return
    prefix, existing = name_prefix(key.key.arn, seen.account_id), by_name(key.grants)
    for account_id in sorted(wanted.account_ids):
        for role in wanted.scaling_roles(seen.partition, account_id):
            request = grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS, prefix)
            if not holds(existing.get(request["Name"], ()), request):
                yield Action(target, "CreateGrant", request, key.key.arn, service="kms", caller=account_id)


@dataclass(frozen=True)
class _KeyPlan:
    """What is planned for one key, and its grants and statements before and after."""

    actions: tuple[Action, ...]
    before: dict[str, Any]
    after: dict[str, Any]
    warnings: tuple[str, ...]
    refusals: tuple[Failure, ...]


def _plan_target(wanted: GrantOptions, seen: GrantSeen, target: Target) -> TargetPlan:
    keys = {key.key.arn: _plan_key(wanted, seen, target, key) for key in seen.keys[target]}
    warnings = [warning for key in keys.values() for warning in key.warnings]
    if target in seen.unencrypted:
        warnings.append("The image is not encrypted: there is no key to grant access to.")
    return TargetPlan(
        target,
        actions=tuple(action for key in keys.values() for action in key.actions),
        before={arn: key.before for arn, key in keys.items()},
        after={arn: key.after for arn, key in keys.items()},
        warnings=tuple(warnings),
        refusals=tuple(refusal for key in keys.values() for refusal in key.refusals),
    )


def _plan_key(wanted: GrantOptions, seen: GrantSeen, target: Target, key: KeySeen) -> _KeyPlan:
    arn = key.key.arn
    shared = seen.shared_under(target.region, arn)
    losing = lost_access(wanted, seen, key)
    created, revoked = _grants(wanted, seen, target, key, kept(wanted, shared, losing))
    by_consumers = [*_grants_by_consumers(wanted, seen, target, key)]
    policy = _policy_actions(wanted, target, key, shared)
    revoked_ids = {action.parameters["GrantId"] for action in revoked}
    staying = [grant for grant in key.grants if grant.grant_id not in revoked_ids]
    made = [_planned_grant(action.parameters) for action in (*created, *by_consumers)]
    policy_text = policy[0].parameters["Policy"] if policy else key.policy
    prefix = name_prefix(arn, seen.account_id)
    return _KeyPlan(
        # Access is given before it is revoked, so that no consumer loses it between.
        actions=(*created, *policy, *by_consumers, *revoked),
        before=_view(key.grants, key.policy, prefix),
        after=_view((*staying, *made), policy_text, prefix),
        warnings=(
            *kept_warnings(wanted, arn, kept_access(wanted, shared, losing)),
            *dependent_warnings(arn, shared.consumers),
            *_stale_warnings(key),
            *_foreign_key_warnings(wanted, target, key),
        ),
        refusals=(*check_key(wanted, target, key), *check_policy(target, policy)),
    )


def _grants(
    wanted: GrantOptions, seen: GrantSeen, target: Target, key: KeySeen, keeping: PolicyConsumers
) -> tuple[list[Action], list[Action]]:
    """The grants to create, and those to revoke. The consumers ``keeping`` their access keep their grants."""
    grantees = [principal_arn(seen.partition, item) for item in sorted(wanted.grantees)]
    prefix = name_prefix(key.key.arn, seen.account_id)
    requests = [grant_request(key.key.arn, grantee, wanted.parent_operations, prefix) for grantee in grantees]
    created: list[Action] = []
    existing = by_name(key.grants)
    if wanted.present:
        created = [
            Action(target, "CreateGrant", request, key.key.arn, service="kms")
            for request in requests
            if not holds(existing.get(request["Name"], ()), request)
        ]
    revoked = [
        Action(
            target,
            "RevokeGrant",
            {"GrantId": grant.grant_id, "KeyId": key.key.arn},
            grant.grant_id,
            service="kms",
        )
        for grant in grants_to_revoke(wanted, seen, key)
        if is_replaced(wanted, seen, grant)
        or short(grantee_of(wanted, seen, grant)) not in keeping.principals
    ]
    return created, revoked


def _policy_actions(
    wanted: GrantOptions, target: Target, key: KeySeen, shared: SharedUnderKey
) -> list[Action]:
    if key.policy is None:
        return []
    policy = policy_after(wanted, key.policy, shared)
    if policy == key.policy:
        return []
    parameters = {"KeyId": key.key.arn, "Policy": policy, "PolicyName": "default"}
    return [Action(target, "PutKeyPolicy", parameters, key.key.arn, service="kms")]


def _stale_warnings(key: KeySeen) -> Iterator[str]:
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


def _foreign_key_warnings(wanted: GrantOptions, target: Target, key: KeySeen) -> Iterator[str]:
    if key.key.account_id != target.account_id and (wanted.purge_grants or not wanted.present):
        yield (
            f"{key.key.arn} belongs to account {key.key.account_id}: only grants of this account are "
            "revoked, and statements in its policy stay."
        )


def _planned_grant(request: Mapping[str, Any]) -> Grant:
    return Grant("", request["GranteePrincipal"], frozenset(request["Operations"]), request["Name"])


def _view(grants: Iterable[Grant], policy: str | None, prefix: str) -> dict[str, Any]:
    view: dict[str, Any] = {
        "grants": sorted(
            (
                {"grantee": item.grantee, "operations": sorted(item.operations)}
                for item in grants
                if item.name.startswith(prefix)
            ),
            key=lambda item: str(item["grantee"]),
        )
    }
    if policy is not None:
        view["policy_statements"] = own_statements(policy)
    return view
