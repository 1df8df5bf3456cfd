# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides how consumers come to use the keys that images are encrypted under: by grants or by key policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..failures import Failure
from ..keys import policy_statements as key_policy
from ..keys.grants import DELETED_PRINCIPAL, NAME_PREFIX, OPERATIONS, is_own
from ..keys.policy_statements import PolicyAccess, PolicyConsumers
from ..model import ConsumerRole, Grant, KeySeen, Target
from ..plan import Action, Plan, TargetPlan

# KMS Developer Guide, "Grant operations", for symmetric encryption keys.
POSSIBLE_OPERATIONS = OPERATIONS | {
    "Encrypt",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "RetireGrant",
}
# Auto Scaling User Guide, "Required AWS KMS key policy for use with encrypted volumes". A grant made through
# a grant holds at most the parent's operations, so the account that makes it needs all of them.
AUTO_SCALING_OPERATIONS = OPERATIONS | {"Encrypt"}
AUTO_SCALING_ROLE = "role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling"


@dataclass(frozen=True)
class GrantWanted:
    """What the user asked ``ami_kms_grant`` for.

    ``images`` maps regions to image ids (None: planned in check mode), ``kms_key_ids`` regions to keys (None:
    not encrypted); one of both is empty. ``org_ids`` and ``org_unit_ids`` lose their access; they are what a
    key policy tells of organizations and units whose ARNs nobody knows any more.
    """

    images: Mapping[str, str | None] = field(default_factory=dict)
    kms_key_ids: Mapping[str, str | None] = field(default_factory=dict)
    account_ids: frozenset[str] = frozenset()
    principals: frozenset[str] = frozenset()
    org_arns: frozenset[str] = frozenset()
    org_unit_arns: frozenset[str] = frozenset()
    org_ids: frozenset[str] = frozenset()
    org_unit_ids: frozenset[str] = frozenset()
    operations: frozenset[str] = OPERATIONS
    access_method: str = "auto"
    present: bool = True
    purge: bool = False
    auto_scaling: bool = False
    consumer_role: ConsumerRole | None = None

    @property
    def parent_operations(self) -> frozenset[str]:
        """What accounts may do: enough to hand on what Auto Scaling needs, if it is to."""
        return self.operations | AUTO_SCALING_OPERATIONS if self.auto_scaling else self.operations

    @property
    def grantees(self) -> frozenset[str]:
        """Those who are served by grants: account ids and ARNs."""
        return frozenset() if self.access_method == "key_policy" else self.account_ids | self.principals

    @property
    def policy_consumers(self) -> PolicyConsumers:
        """Those who are served by the key policy."""
        return PolicyConsumers(
            self.account_ids | self.principals if self.access_method == "key_policy" else frozenset(),
            frozenset(key_policy.organization_id(arn) for arn in self.org_arns),
            frozenset(key_policy.unit_ids(arn) for arn in self.org_unit_arns),
        )

    @property
    def policy_access(self) -> PolicyAccess:
        """What these may do."""
        return PolicyAccess(self.policy_consumers, self.parent_operations, self.auto_scaling)

    @property
    def uses_policy(self) -> bool:
        """Whether key policies are to be read."""
        return bool(self.policy_consumers) or self.purge or not self.present


@dataclass(frozen=True)
class GrantSeen:
    """What AWS said: each target's keys, and the targets whose image is not encrypted."""

    account_id: str
    partition: str
    keys: Mapping[Target, tuple[KeySeen, ...]]
    unencrypted: frozenset[Target] = frozenset()


def plan(wanted: GrantWanted, seen: GrantSeen) -> Plan:
    """Plan every target."""
    return Plan(tuple(_plan_target(_others(wanted, seen), seen, target) for target in sorted(seen.keys)))


def _others(wanted: GrantWanted, seen: GrantSeen) -> GrantWanted:
    """``wanted`` without the keys' owner, who needs no grant on them."""
    return replace(wanted, account_ids=wanted.account_ids - {seen.account_id})


def grant_request(key_arn: str, grantee: str, operations: frozenset[str]) -> dict[str, Any]:
    """The parameters of CreateGrant.

    KMS gives the same grant again for the same name and content, and another one for the same name and other
    content (KMS API Reference, CreateGrant, Name), so the name is a hash of the content.
    """
    ordered = sorted(operations)
    digest = hashlib.sha256(json.dumps([grantee, ordered]).encode()).hexdigest()[:32]
    return {
        "GranteePrincipal": grantee,
        "KeyId": key_arn,
        "Name": NAME_PREFIX + digest,
        "Operations": ordered,
    }


def principal_arn(partition: str, principal: str) -> str:
    """An account id as the ARN that grants take; ARNs as they are."""
    return principal if principal.startswith("arn:") else f"arn:{partition}:iam::{principal}:root"


def auto_scaling_role(partition: str, account_id: str) -> str:
    """The ARN of an account's service-linked role for Auto Scaling."""
    return f"arn:{partition}:iam::{account_id}:{AUTO_SCALING_ROLE}"


def is_for_auto_scaling(action: Action) -> bool:
    """Whether the action is one of ``consumer_grants``, made with the consumer's credentials."""
    return str(action.parameters.get("GranteePrincipal", "")).endswith(AUTO_SCALING_ROLE)


def holds(grants: tuple[Grant, ...], request: Mapping[str, Any]) -> bool:
    """Whether a grant of that name and content exists: a name alone proves nothing."""
    return any(
        grant.name == request["Name"]
        and key_policy.short(grant.grantee) == key_policy.short(request["GranteePrincipal"])
        and grant.operations == frozenset(request["Operations"])
        and not grant.constrained
        for grant in grants
    )


def consumer_grants(wanted: GrantWanted, seen: GrantSeen) -> tuple[tuple[str, Action], ...]:
    """The grants that each consumer account makes for its own Auto Scaling role, with that account's id.

    AWS makes the account itself create it (Auto Scaling User Guide, the page above); the key's owner sees it.
    """
    if not (wanted.auto_scaling and wanted.present):
        return ()
    return tuple(
        (account_id, Action(target, "CreateGrant", request, key.key.arn, service="kms"))
        for target, keys in sorted(seen.keys.items())
        for key in keys
        for account_id in sorted(_others(wanted, seen).account_ids)
        for role in [auto_scaling_role(seen.partition, account_id)]
        if not holds(key.grants, request := grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS))
    )


def policy_after(wanted: GrantWanted, policy: str) -> str:
    """The key policy once the own statements are as wanted."""
    statements = _wanted_statements(wanted, policy)
    return policy if key_policy.same(policy, statements) else key_policy.with_own(policy, statements)


def _wanted_statements(wanted: GrantWanted, policy: str) -> list[dict[str, Any]]:
    # KMS refuses a policy that names somebody who no longer exists, also where it showed the name itself.
    held = key_policy.withdrawn(key_policy.own_accesses(policy), _stale_in(policy))
    if not wanted.present:
        units = (unit for access in held for unit in access.consumers.units if unit[1] in wanted.org_unit_ids)
        leaving = wanted.policy_consumers | PolicyConsumers(
            wanted.account_ids | wanted.principals, wanted.org_ids, frozenset(units)
        )
        return key_policy.statements_for(*key_policy.withdrawn(held, leaving))
    return key_policy.statements_for(*key_policy.added(() if wanted.purge else held, wanted.policy_access))


def _plan_target(wanted: GrantWanted, seen: GrantSeen, target: Target) -> TargetPlan:
    actions: list[Action] = []
    refusals: list[Failure] = []
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    warnings: list[str] = []
    if target in seen.unencrypted:
        warnings.append("The image is not encrypted: there is no key to open.")
    for_roles = [action for _account, action in consumer_grants(wanted, seen) if action.target == target]
    for key in seen.keys[target]:
        refusals += _refusals(wanted, target, key)
        created, revoked = _grants(wanted, seen, target, key)
        consumers = [action for action in for_roles if action.resource == key.key.arn]
        policy = _policy_actions(wanted, target, key)
        actions += [*created, *policy, *consumers, *revoked]
        refusals += _policy_refusals(target, policy)
        warnings += _stale_warnings(key)
        before[key.key.arn] = _view(key.grants, key.policy)
        gone = {action.parameters["GrantId"] for action in revoked}
        kept = [grant for grant in key.grants if grant.grant_id not in gone]
        made = [_planned_grant(action.parameters) for action in (*created, *consumers)]
        policy_text = policy[0].parameters["Policy"] if policy else key.policy
        after[key.key.arn] = _view((*kept, *made), policy_text)
    return TargetPlan(target, tuple(actions), before, after, tuple(warnings), tuple(refusals))


def _grants(
    wanted: GrantWanted, seen: GrantSeen, target: Target, key: KeySeen
) -> tuple[list[Action], list[Action]]:
    """What is created and what is revoked; the former is done first, so that nobody loses access between."""
    grantees = [principal_arn(seen.partition, item) for item in sorted(wanted.grantees)]
    requests = [grant_request(key.key.arn, grantee, wanted.parent_operations) for grantee in grantees]
    kept = list(requests)
    if wanted.auto_scaling:
        roles = [auto_scaling_role(seen.partition, account_id) for account_id in wanted.account_ids]
        kept += [grant_request(key.key.arn, role, AUTO_SCALING_OPERATIONS) for role in roles]
    created: list[Action] = []
    if wanted.present:
        created = [
            Action(target, "CreateGrant", request, key.key.arn, service="kms")
            for request in requests
            if not holds(key.grants, request)
        ]
    revoked = [
        Action(
            target,
            "RevokeGrant",
            {"GrantId": grant.grant_id, "KeyId": key.key.arn},
            grant.grant_id,
            service="kms",
        )
        for grant in key.grants
        if is_own(grant) and _is_revoked(wanted, seen, grant, kept)
    ]
    return created, revoked


def _is_revoked(wanted: GrantWanted, seen: GrantSeen, grant: Grant, kept: list[dict[str, Any]]) -> bool:
    if wanted.present:
        return wanted.purge and not any(holds((grant,), request) for request in kept)
    named = wanted.account_ids | wanted.principals
    named |= {auto_scaling_role(seen.partition, account_id) for account_id in wanted.account_ids}
    return key_policy.short(grant.grantee) in {key_policy.short(principal) for principal in named}


def _policy_actions(wanted: GrantWanted, target: Target, key: KeySeen) -> list[Action]:
    if key.policy is None:
        return []
    policy = policy_after(wanted, key.policy)
    if policy == key.policy:
        return []
    parameters = {"KeyId": key.key.arn, "Policy": policy, "PolicyName": "default"}
    return [Action(target, "PutKeyPolicy", parameters, key.key.arn, service="kms")]


def _refusals(wanted: GrantWanted, target: Target, key: KeySeen) -> Iterator[Failure]:
    def refusal(code: str, message: str, remedy: str) -> Failure:
        return Failure(message, remedy, code, "CreateGrant", target.region, target.account_id)

    if key.key.aws_managed and wanted.present:
        yield refusal(
            "default_key",
            f"{key.key.arn} is managed by AWS: nobody else can be given access to it.",
            "Copy the image under a customer-managed key (kms_key_id of ami_copy_regions); use that.",
        )
    elif key.key.state != "Enabled" and wanted.present:
        yield refusal(
            "key_not_enabled",
            f"{key.key.arn} is in the state {key.key.state}.",
            "Enable the key or cancel its deletion.",
        )
    if key.policy is not None and (sids := key_policy.denying_sids(key.policy)):
        yield Failure(
            f"The policy of {key.key.arn} denies something in {', '.join(sids)}: under such a Sid this "
            "collection keeps statements of its own, which allow.",
            "Give that statement another Sid, one that does not begin with "
            f"{key_policy.SID_PREFIX}, and run again.",
            "reserved_sid_denies",
            "PutKeyPolicy",
            target.region,
            target.account_id,
        )
    owner = key.key.account_id
    if owner != target.account_id:
        yield refusal(
            "not_owner",
            f"{key.key.arn} belongs to account {owner}; only its owner can open it to others.",
            f"Run with credentials of {owner}.",
        )


def _policy_refusals(target: Target, actions: list[Action]) -> Iterator[Failure]:
    for action in actions:
        policy = action.parameters["Policy"]
        if len(policy.encode()) > key_policy.MAX_BYTES:
            yield Failure(
                f"The policy of {action.resource} would hold {len(policy.encode())} bytes; "
                f"AWS allows {key_policy.MAX_BYTES}.",
                "Name organizations instead of accounts, or use access_method: grant.",
                "key_policy_too_large",
                "PutKeyPolicy",
                target.region,
                target.account_id,
            )
        if not key_policy.keeps_root(policy, target.account_id):
            yield Failure(
                f"The policy of {action.resource} gives the account's root no access (kms:*).",
                "Add the default statement for it, so that the key stays manageable, or use "
                "access_method: grant.",
                "key_policy_without_root",
                "PutKeyPolicy",
                target.region,
                target.account_id,
            )


def _stale_in(policy: str) -> PolicyConsumers:
    """Who is named in own statements of a policy, but no longer exists."""
    named = (item for access in key_policy.own_accesses(policy) for item in access.consumers.principals)
    return PolicyConsumers(frozenset(item for item in named if DELETED_PRINCIPAL.fullmatch(item)))


def _stale_warnings(key: KeySeen) -> Iterator[str]:
    for principal in sorted(_stale_in(key.policy).principals) if key.policy else ():
        yield (
            f"The policy of {key.key.arn} names {principal}, a role or user that no longer exists: "
            "it is left out from now on."
        )
    for grant in key.grants:
        if DELETED_PRINCIPAL.fullmatch(grant.grantee):
            yield (
                f"The grant {grant.grant_id} on {key.key.arn} is for {grant.grantee}, a role or user that no "
                "longer exists; another one of the same name does not get its access."
            )


def _planned_grant(request: Mapping[str, Any]) -> Grant:
    return Grant("", request["GranteePrincipal"], frozenset(request["Operations"]), request["Name"])


def _view(grants: tuple[Grant, ...] | list[Grant], policy: str | None) -> dict[str, Any]:
    view: dict[str, Any] = {
        "grants": sorted(
            (
                {"grantee": item.grantee, "operations": sorted(item.operations)}
                for item in grants
                if is_own(item)
            ),
            key=lambda item: str(item["grantee"]),
        )
    }
    if policy is not None:
        view["policy_statements"] = key_policy.own_statements(policy)
    return view
