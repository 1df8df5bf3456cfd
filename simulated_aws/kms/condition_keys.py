# SPDX-License-Identifier: GPL-3.0-or-later
"""What policies may ask about a use of a key (KMS Developer Guide, Condition keys for AWS KMS)."""

from __future__ import annotations

from ..iam import condition_keys
from ..iam.condition_keys import Facts
from ..iam.principals import Principal

GRANT_OPERATIONS = frozenset({"CreateGrant", "ListGrants", "RevokeGrant"})
"""The requests that have kms:GrantIsForAWSResource."""


def of_use(principal: Principal, operation: str, via_service: str) -> Facts:
    """Facts about an operation that a principal asks for directly or, if `via_service` is named, through one.

    A service asks on the principal's behalf; only then is a grant for an AWS resource.
    """
    for_resource = ("true" if via_service else "false") if operation in GRANT_OPERATIONS else None
    return {
        **condition_keys.of_principal(principal),
        "kms:calleraccount": lambda: principal.account_id,
        "kms:viaservice": lambda: via_service or None,
        "kms:grantisforawsresource": lambda: for_resource,
    }


KEYS = frozenset(of_use(Principal("", "", ""), "", ""))
"""The condition keys, in lower case, that conditions of a key policy may use here."""
