# SPDX-License-Identifier: GPL-3.0-or-later
"""The condition keys of key policies, and their values (KMS Developer Guide, Condition keys for AWS KMS)."""

from __future__ import annotations

from ..iam import condition_keys
from ..iam.condition_keys import RequestContext
from ..iam.principals import Principal

GRANT_OPERATIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""The operations that have the condition key kms:GrantIsForAWSResource."""


def of_use(principal: Principal, operation: str, via_service: str, grantee: str = "") -> RequestContext:
    """The request context of an operation that a principal calls, through `via_service` unless that is empty.

    `grantee` is the ARN of the grantee principal of CreateGrant.

    A grant is for an AWS resource only if a service requests it on the principal's behalf.
    """
    for_resource = ("true" if via_service else "false") if operation in GRANT_OPERATIONS else None
    return {
        **condition_keys.of_principal(principal),
        "kms:calleraccount": lambda: principal.account_id,
        "kms:viaservice": lambda: via_service or None,
        "kms:grantisforawsresource": lambda: for_resource,
        "kms:granteeprincipal": lambda: grantee or None,
    }


KEYS = frozenset(of_use(Principal("", "", ""), "", ""))
"""The supported condition keys in lower case."""
