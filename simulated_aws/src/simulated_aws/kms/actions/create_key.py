# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateKey."""

from __future__ import annotations

from typing import Any

from moto.kms.models import kms_backends
from moto.utilities.utils import get_partition

from ...iam import identity_policies
from ...iam.policies import Request
from .. import condition_keys, key_policies
from ..errors import access_denied, not_valid
from .describe_key import metadata
from .key_policy import require_no_lockout
from .registry import Caller, action

SYMMETRIC = "SYMMETRIC_DEFAULT"


@action("CreateKey")
def create_key(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Create a key in the caller's account and Region."""
    principal, region = caller
    context = condition_keys.of_use(principal, "CreateKey", "")
    decision = identity_policies.evaluate(Request(principal, "kms:CreateKey", "*", context))
    if decision.denies or not decision.allows:
        why = "because no identity-based policy allows the kms:CreateKey action"
        raise access_denied(principal.caller_arn, "CreateKey", "*", why)
    spec = params.get("KeySpec") or params.get("CustomerMasterKeySpec") or SYMMETRIC
    usage = params.get("KeyUsage")
    if usage is None and spec != SYMMETRIC:
        # botocore shape CreateKeyRequest, KeyUsage.
        raise not_valid(f"You must specify a KeyUsage value for a key of spec {spec}.")
    text = params.get("Policy") or key_policies.default(principal.account_id, get_partition(region))
    policy = key_policies.read(text)
    key_policies.require_elements(policy)
    backend = kms_backends[principal.account_id][region]
    key = backend.create_key(
        text,
        usage or "ENCRYPT_DECRYPT",
        spec,
        params.get("Description", ""),
        params.get("Tags"),
        params.get("MultiRegion", False),
        params.get("Origin", "AWS_KMS"),
    )
    if not params.get("BypassPolicyLockoutSafetyCheck"):
        try:
            require_no_lockout(principal, key, policy)
        except Exception:
            backend.delete_key(key.id)
            raise
    return {"KeyMetadata": metadata(key)}
