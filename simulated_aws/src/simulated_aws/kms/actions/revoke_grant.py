# SPDX-License-Identifier: GPL-3.0-or-later
"""RevokeGrant and RetireGrant."""

from __future__ import annotations

from typing import Any

from ...iam import identity_policies
from ...iam.policies import Request
from ...iam.principals import Principal
from .. import authorization, condition_keys, keys, state
from ..errors import KmsError, dry_run, not_found, not_valid
from ..grants import Grant
from ..state import TokenUse
from .list_grants import require_grant_id
from .registry import Caller, action, authorize


@action("RevokeGrant")
def revoke_grant(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Revoke a grant, if policies allow it."""
    found = authorize(caller, "RevokeGrant", params["KeyId"])
    grants = state.record(found.key).grants
    grant = grants.get(require_grant_id(params["GrantId"]))
    if grant is None:
        raise _unknown(params["GrantId"])
    if params.get("DryRun"):
        raise dry_run()
    grants.remove(grant)
    return {}


@action("RetireGrant")
def retire_grant(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Retire a grant, if the grant or the account that created it allows it.

    (KMS Developer Guide, Retiring and revoking grants.)
    """
    record, grant = _by_token(params) if "GrantToken" in params else _by_id(caller, params)
    if not _may_retire(caller.principal, grant):
        raise authorization.denied(caller.principal, "RetireGrant", grant.key_arn)
    if params.get("DryRun"):
        raise dry_run()
    record.grants.remove(grant)
    return {}


def _by_token(params: dict[str, Any]) -> TokenUse:
    used = state.token_use(params["GrantToken"])
    if used is None:
        raise KmsError("InvalidGrantTokenException", "The grant token is invalid")
    if used.record.grants.get(used.grant.id) is None:
        raise _unknown(used.grant.id)
    return used


def _by_id(caller: Caller, params: dict[str, Any]) -> TokenUse:
    if "KeyId" not in params or "GrantId" not in params:
        raise not_valid("You must specify either GrantToken, or both KeyId and GrantId")
    grant_id = require_grant_id(params["GrantId"])
    name = params["KeyId"]
    found = keys.refer(caller.principal.account_id, caller.region, name, alias_allowed=False)
    record = state.record(found.key) if found.key else None
    grant = record.grants.get(grant_id) if record else None
    if record is None or grant is None:
        raise _unknown(grant_id)
    return TokenUse(record, grant)


def _may_retire(principal: Principal, grant: Grant) -> bool:
    """Whether it is the retiring principal, the grantee with RetireGrant, or allowed by its account.

    Its account must be one of these, or the account that created the grant.
    """
    retiring = [grant.terms.retiring] if grant.terms.retiring else []
    if "RetireGrant" in grant.terms.operations:
        retiring.append(grant.terms.grantee)
    ids = {one.principal.user_id for one in retiring}
    if not ids.isdisjoint({principal.unique_id, principal.user_id}):
        return True
    accounts = ids | {grant.terms.issuing_account.split(":")[4]}
    if principal.account_id not in accounts:
        return False
    context = condition_keys.of_use(principal, "RetireGrant", "")
    decision = identity_policies.evaluate(Request(principal, "kms:RetireGrant", grant.key_arn, context))
    return decision.allows and not decision.denies


def _unknown(grant_id: str) -> KmsError:
    return not_found(f"Grant ID {grant_id} not found")
