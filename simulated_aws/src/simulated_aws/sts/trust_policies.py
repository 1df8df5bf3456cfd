# SPDX-License-Identifier: GPL-3.0-or-later
"""Who can assume a role, by its trust policy and the caller's identity-based policies.

(IAM User Guide, IAM roles: Terms and concepts; Access to AWS accounts owned by third parties: external ID.)
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from moto.iam.models import Role

from ..iam import condition_keys, identity_policies, policies, principals
from ..iam.policies import ANY_PRINCIPAL, Request, Statement
from ..iam.principals import Principal

ASSUME_ROLE = "sts:AssumeRole"


def trusts(role: Role, caller: Principal, external_id: str | None) -> bool:
    """Whether the caller can assume the role.

    For a caller in the role's account that the trust policy names, the trust policy is sufficient; all other
    callers also need an identity-based policy that allows it (IAM User Guide, Cross-account policy evaluation
    logic).
    """
    context = {**condition_keys.of_principal(caller), "sts:externalid": lambda: external_id}
    request = Request(caller, ASSUME_ROLE, role.arn, context)
    by_role = policies.evaluate(_statements(role), request)
    by_identity = identity_policies.evaluate(request)
    if by_role.denies or by_identity.denies:
        return False
    if by_role.allows and caller.account_id == role.account_id:
        return True
    return (by_role.allows or by_role.allows_account) and by_identity.allows


def _statements(role: Role) -> Iterator[tuple[Statement, frozenset[str]]]:
    for statement in policies.read(role.assume_role_policy_document, of_resource=True):
        # A trust policy has no Resource element: the resource is the role.
        yield replace(statement, resources=(role.arn,)), frozenset(_ids(statement))


def _ids(statement: Statement) -> Iterator[str]:
    for entry in statement.principals or ():
        if entry == ANY_PRINCIPAL:
            yield entry
        elif found := principals.find_named(entry):
            yield found.user_id
