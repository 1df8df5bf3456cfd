# SPDX-License-Identifier: GPL-3.0-or-later
"""GetKeyPolicy, ListKeyPolicies and PutKeyPolicy.

A key has a second policy, `AWS_RAM`, if it is shared through AWS RAM, which only fixtures do.
"""

from __future__ import annotations

from typing import Any

from moto.kms.models import Key

from ...iam.principals import Principal
from .. import authorization, key_policies, state
from ..errors import KmsError, not_found, not_valid
from ..key_policies import KeyPolicy
from .registry import Caller, action, authorize

DEFAULT, BY_RAM = "default", "AWS_RAM"


@action("GetKeyPolicy")
def get_key_policy(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Return the policy of a key of the caller's account."""
    found = authorize(caller, "GetKeyPolicy", params["KeyId"], cross_account=False)
    record, name = state.record(found.key), params.get("PolicyName", DEFAULT)
    policy = record.ram_policy if name == BY_RAM else None
    if name == DEFAULT:
        policy = record.policy_to_read()
    if policy is None:
        raise not_found("No such policy exists")
    return {"Policy": policy.shown(), "PolicyName": name}


@action("ListKeyPolicies")
def list_key_policies(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Return the names of the policies of a key of the caller's account."""
    found = authorize(caller, "ListKeyPolicies", params["KeyId"], cross_account=False)
    names = [DEFAULT, *([BY_RAM] if state.record(found.key).ram_policy else [])]
    return {"PolicyNames": names, "Truncated": False}


@action("PutKeyPolicy")
def put_key_policy(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Replace the policy of a key of the caller's account; the last write wins."""
    found = authorize(caller, "PutKeyPolicy", params["KeyId"], cross_account=False)
    if params.get("PolicyName", DEFAULT) != DEFAULT:
        raise not_valid("The policy name must be default")
    policy = key_policies.read(params["Policy"])
    key_policies.require_elements(policy)
    if not params.get("BypassPolicyLockoutSafetyCheck"):
        require_no_lockout(caller.principal, found.key, policy)
    state.record(found.key).put_policy(policy)
    return {}


def require_no_lockout(principal: Principal, key: Key, policy: KeyPolicy) -> None:
    """Reject a policy that would not allow the principal to replace it again.

    (KMS Developer Guide, Default key policy; botocore shape PutKeyPolicyRequest, Policy.)
    """
    if not authorization.may_put_policy(principal, key, policy):
        message = "The new key policy will not allow you to update the key policy in the future."
        raise KmsError("MalformedPolicyDocumentException", message)
