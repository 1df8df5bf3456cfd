# SPDX-License-Identifier: GPL-3.0-or-later
"""CreateGrant."""

from __future__ import annotations

from typing import Any

from moto.kms.models import Key

from ...exceptions import NotSimulated
from ...iam import principals
from ...iam.principals import NamedPrincipal
from .. import authorization, state
from ..errors import KmsError, dry_run, not_valid
from ..grants import SOURCE_ARN, Terms
from .registry import Caller, action, authorize

_EVERY_KEY = frozenset({"CreateGrant", "DescribeKey", "RetireGrant"})
_SYMMETRIC = _EVERY_KEY | {
    *("Decrypt", "Encrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("GenerateDataKeyPair", "GenerateDataKeyPairWithoutPlaintext", "ReEncryptFrom", "ReEncryptTo"),
}
_ASYMMETRIC = {
    "ENCRYPT_DECRYPT": _EVERY_KEY | {"Decrypt", "Encrypt", "GetPublicKey", "ReEncryptFrom", "ReEncryptTo"},
    "SIGN_VERIFY": _EVERY_KEY | {"GetPublicKey", "Sign", "Verify"},
    "GENERATE_VERIFY_MAC": _EVERY_KEY | {"GenerateMac", "VerifyMac"},
    "KEY_AGREEMENT": _EVERY_KEY | {"DeriveSharedSecret", "GetPublicKey"},
}

MOST_PAIRS, LONGEST_VALUE = 8, 384
"""Limits of an encryption context in a constraint (botocore shape CreateGrantRequest, Constraints)."""


@action("CreateGrant")
def create_grant(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Create a grant; an earlier request with the same name and terms returns its grant."""
    principal = caller.principal
    tokens = params.get("GrantTokens", ())
    named = params.get("GranteePrincipal", "")
    key, decision = authorize(caller, "CreateGrant", params["KeyId"], grant_tokens=tokens, grantee=named)
    operations = tuple(params["Operations"])
    constraints = params.get("Constraints") or {}
    grantee, retiring = _principal(params, "Grantee"), _principal(params, "Retiring")
    if grantee is None:
        raise not_valid("You must specify GranteePrincipal or GranteeServicePrincipal")
    to_service = not grantee.principal.account_id
    _require_fitting(key, operations, constraints, to_service)
    if to_service and (SOURCE_ARN not in constraints or retiring is None):
        raise not_valid("A grant to a service needs the constraint SourceArn and a retiring principal")
    terms = Terms(
        params.get("Name", ""),
        grantee,
        retiring,
        operations,
        constraints,
        principals.root(principal.account_id, principal.partition).arn,
    )
    if not decision.allows_grant(operations, constraints):
        why = "because the grant that allows it doesn't allow a grant with these operations and constraints"
        raise authorization.denied(principal, "CreateGrant", key.arn, why)
    if params.get("DryRun"):
        raise dry_run()
    record = state.record(key)
    grant = record.grants.add(key.arn, terms, state.now())
    return {"GrantId": grant.id, "GrantToken": state.new_token(record, grant)}


def _principal(params: dict[str, Any], kind: str) -> NamedPrincipal | None:
    """The grantee or the retiring principal: a service or another principal, not both.

    (botocore shape CreateGrantRequest, GranteeServicePrincipal and RetiringServicePrincipal.)
    """
    arn, service = params.get(f"{kind}Principal"), params.get(f"{kind}ServicePrincipal")
    if arn and service:
        raise not_valid(f"You can't specify both {kind}Principal and {kind}ServicePrincipal")
    if service:
        return NamedPrincipal(service, principals.service(service))
    return _named(arn) if arn else None


def _require_fitting(
    key: Key, operations: tuple[str, ...], constraints: dict[str, Any], to_service: bool
) -> None:
    """Reject operations and constraints that the key does not support."""
    if not operations:
        raise not_valid("A grant allows at least one operation")
    symmetric = key.key_spec == "SYMMETRIC_DEFAULT"
    unsupported = sorted(set(operations) - (_SYMMETRIC if symmetric else _ASYMMETRIC[key.key_usage]))
    if unsupported:
        raise not_valid(f"A key of spec {key.key_spec} doesn't support {', '.join(unsupported)} in a grant")
    if SOURCE_ARN in constraints and not to_service:
        raise NotSimulated("grant constraint SourceArn without GranteeServicePrincipal")
    if constraints and not symmetric:
        raise not_valid("Encryption context constraints need a symmetric encryption key")
    for name, pairs in constraints.items():
        if name == SOURCE_ARN:
            continue
        if len(pairs) > MOST_PAIRS or any(len(value) > LONGEST_VALUE for value in pairs.values()):
            raise not_valid(f"At most {MOST_PAIRS} pairs, each value of at most {LONGEST_VALUE} characters")


def _named(arn: str) -> NamedPrincipal:
    """The principal with this ARN; services, groups and principals that don't exist are invalid."""
    found = principals.find(arn)
    if found is None:
        raise KmsError("InvalidArnException", f"ARN does not refer to a valid principal: {arn}")
    return NamedPrincipal(arn, found)
