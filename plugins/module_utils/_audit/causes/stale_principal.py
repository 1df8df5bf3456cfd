# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deleted principals that grants and the key policy name.

ListGrants shows a new one by its unique ID, too, for about a minute (aws/aws-sdk-go#1718).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

from ..._finding import Severity
from ..._keys import policy_statements as key_policy
from ..._keys.grants import DELETED_PRINCIPAL, NEW_GRANT_TIMEOUT
from ..._model import Grant
from ..._structure import as_list
from ..cause import Cause, Evidence
from ..region import AuditedRegion

# A new grant may take so long until it is consistent (``NEW_GRANT_TIMEOUT``).
_NEW = timedelta(seconds=NEW_GRANT_TIMEOUT)


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        places = {
            grant.grantee: f"the grant {grant.grant_id}"
            for grant in key.current.grants
            if _is_stale(grant.grantee) and not _is_new(grant, region.now)
        }
        places |= {
            principal: "the key policy"
            for principal in _principals(key.current.policy)
            if _is_stale(principal)
        }
        for principal, where in places.items():
            yield Evidence(
                key.arn,
                f"{principal}, which {where} names, is a role or user that no longer exists; a new one with "
                "the same name does not get its access.",
                "Remove it there (RevokeGrant, PutKeyPolicy).",
                None,
                principal,
            )


def _principals(policy: str | None) -> Iterator[str]:
    """Yield the AWS principals that the statements of a policy name, including statements of others."""
    for statement in as_list(json.loads(policy).get("Statement", []) if policy else []):
        yield from key_policy.aws_principals(statement)


def _is_new(grant: Grant, now: datetime) -> bool:
    return grant.created is not None and now - grant.created < _NEW


def _is_stale(principal: str) -> bool:
    return DELETED_PRINCIPAL.fullmatch(principal) is not None


CAUSE = Cause(
    code="stale_principal",
    severity=Severity.LOW,
    meaning="A grant or the key policy names a role or user that no longer exists.",
    remedy="Remove it from the grant or the key policy. A new role or user of that name does not get its "
    "access.",
    find=_find,
    remediated="The principal no longer exists and can do nothing. It may be in statements that this "
    "collection did not write.",
)
