# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grants and statements of this collection for principals that nothing under the key is shared with.

Other grants and statements may serve another purpose.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._keys import policy_statements as key_policy
from ..._keys.needed import names_of
from ..cause import Cause, Evidence, Remediation
from ..keys import AuditedKey
from ..region import AuditedRegion


def _evidence(key: AuditedKey, what: str, principal: str) -> Evidence:
    return Evidence(
        key.arn,
        f"{what} allows {principal} to use the key, but no image or snapshot under the key that the audit "
        "reads is shared with it.",
        "Revoke it (state: absent of ami_kms_grant), which keeps it for other snapshots that are shared. "
        "With consumer_role_name, the plan names what the account has under the key.",
        key.image_id,
        principal,
    )


def _grants(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        for grant in key.current.grants:
            principal = key_policy.short(grant.grantee)
            if key.is_own(grant) and principal in key.unused.principals:
                yield _evidence(key, f"The grant {grant.grant_id}", principal)


def _statements(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        for principal in names_of(key.named - (key.named - key.unused)):
            yield _evidence(key, "A statement of the key policy", principal)


GRANT = Cause(
    code="grant_without_share",
    severity=Severity.MEDIUM,
    meaning="A grant that this collection created allows a principal to use the key, but no image or "
    "snapshot under the key is shared with its account any more.",
    remedy="Revoke the grant with `remediate_ami_sharing` or `ami_kms_grant`, see "
    "[remediating](remediating.md).",
    find=_grants,
    remediation=Remediation.IF_SELECTED,
    remediated="key access from an account, role or user that has a grant of this collection",
)
STATEMENT = Cause(
    code="statement_without_share",
    severity=Severity.MEDIUM,
    meaning="A key policy statement that this collection wrote allows a principal to use the key, but no "
    "image or snapshot under the key is shared with it any more.",
    remedy="Remove it with `remediate_ami_sharing` or `ami_kms_grant`, see [remediating](remediating.md).",
    find=_statements,
    remediation=Remediation.IF_SELECTED,
    remediated="key access from a principal that a key policy statement of this collection names",
)
