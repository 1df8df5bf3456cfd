# SPDX-License-Identifier: GPL-3.0-or-later
"""Decides who can use a key, for requests to KMS and for EC2's use of keys.

(KMS Developer Guide, Troubleshooting AWS KMS permissions: policy evaluation; Allowing users in other accounts
to use a KMS key.)
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from moto.kms.models import Key

from ..iam import identity_policies
from ..iam.policies import PolicyDecision, Request
from ..iam.principals import Principal
from . import condition_keys, state
from .errors import KmsError, access_denied
from .grants import Grant
from .key_policies import KeyPolicy


class Use(NamedTuple):
    """An operation on a key, through a service if `via_service` is set: `ec2.us-east-1.amazonaws.com`.

    `grantee` is the ARN of the grantee principal of CreateGrant.
    """

    principal: Principal
    operation: str
    via_service: str = ""
    encryption_context: Mapping[str, str] = {}
    grantee: str = ""


class Decision(NamedTuple):
    """Whether an operation is allowed; `why` not; and the grants, if only grants allow it.

    `denied_by_own` is whether the principal's own policies deny it.
    """

    allowed: bool
    why: str = ""
    grants: tuple[Grant, ...] = ()
    denied_by_own: bool = False

    def allows_grant(self, operations: Collection[str], constraints: Mapping[str, Mapping[str, str]]) -> bool:
        """Whether an allowed CreateGrant can create a grant with these operations and constraints."""
        by_policy = self.allowed and not self.grants
        return by_policy or any(one.allows_child(operations, constraints) for one in self.grants)


def decide(key: Key, use: Use, grant_tokens: Collection[str] = ()) -> Decision:
    """Whether the use is allowed; the state of the key is not checked.

    A grant replaces an allow in the key policy. It also replaces an allow in the principal's identity-based
    policies, unless the grantee is a whole account, or the key belongs to another account and another account
    than the principal's created the grant.
    """
    by_key, by_identity = _evaluate(key, state.record(key).effective_policy, use)
    by_policy = _decide_by_policies(key, use, by_key, by_identity)
    if by_policy.allowed or by_key.denies or by_identity.denies:
        return by_policy
    own_account = key.account_id == use.principal.account_id
    grants = tuple(
        grant
        for grant in _grants(key, use, grant_tokens)
        if by_identity.allows or _is_enough(grant, use.principal, own_account)
    )
    return Decision(True, grants=grants) if grants else by_policy


def may_put_policy(principal: Principal, key: Key, policy: KeyPolicy) -> bool:
    """Whether this policy would allow the principal to replace it."""
    use = Use(principal, "PutKeyPolicy")
    return _decide_by_policies(key, use, *_evaluate(key, policy, use)).allowed


def require(key: Key, use: Use, grant_tokens: Collection[str] = ()) -> Decision:
    """Return the decision if the use is allowed, else raise AccessDeniedException."""
    decision = decide(key, use, grant_tokens)
    if not decision.allowed:
        # To other accounts, the policies of the key and of its account are not revealed.
        is_shown = key.account_id == use.principal.account_id or decision.denied_by_own
        raise denied(use.principal, use.operation, key.arn, decision.why if is_shown else None)
    return decision


def denied(principal: Principal, operation: str, key_arn: str, why: str | None = None) -> KmsError:
    """AccessDeniedException; without `why`, the message does not reveal whether the key exists."""
    hidden = (
        "because the resource does not exist in this Region, no resource-based policies allow access, "
        "or a resource-based policy explicitly denies access"
    )
    return access_denied(principal.caller_arn, operation, key_arn, why or hidden)


def _evaluate(key: Key, policy: KeyPolicy, use: Use) -> tuple[PolicyDecision, PolicyDecision]:
    """The decisions of the key policy and of the principal's identity-based policies."""
    context = condition_keys.of_use(use.principal, use.operation, use.via_service, use.grantee)
    request = Request(use.principal, f"kms:{use.operation}", key.arn, context)
    return policy.evaluate(request), identity_policies.evaluate(request)


def _decide_by_policies(key: Key, use: Use, by_key: PolicyDecision, by_identity: PolicyDecision) -> Decision:
    """The decision of the policies, without grants.

    In the key's account, an allow for the principal in the key policy is sufficient; if the key policy allows
    only the account, an identity-based policy must allow the principal. A principal of another account always
    needs an allow in both. An explicit deny overrides any allow.
    """
    if by_key.denies or by_identity.denies:
        where = "resource-based" if by_key.denies else "identity-based"
        why = f"with an explicit deny in {'a' if by_key.denies else 'an'} {where} policy"
        return Decision(False, why, denied_by_own=not by_key.denies)
    if by_key.allows and key.account_id == use.principal.account_id:
        return Decision(True)
    named_by_key = by_key.allows or by_key.allows_account
    if named_by_key and by_identity.allows:
        return Decision(True)
    where = "identity-based" if named_by_key else "resource-based"
    return Decision(False, f"because no {where} policy allows the kms:{use.operation} action")


def _grants(key: Key, use: Use, grant_tokens: Collection[str]) -> list[Grant]:
    by_token = {used.grant.id for token in grant_tokens if (used := state.token_use(token))}
    now = state.now()
    return [
        grant
        for grant in state.record(key).grants.to(use.principal)
        if grant.allows(use.operation, use.encryption_context)
        and (grant.is_usable(now) or grant.id in by_token)
    ]


def _is_enough(grant: Grant, principal: Principal, own_account: bool) -> bool:
    """Whether a grant is sufficient without an allow in the principal's identity-based policies."""
    to_account = grant.terms.grantee.principal.is_root
    made_here = grant.terms.issuing_account.split(":")[4] == principal.account_id
    return not to_account and (own_account or made_here)
