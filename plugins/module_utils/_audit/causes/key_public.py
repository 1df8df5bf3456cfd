# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that every AWS account can use."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._model import PUBLIC
from ..cause import Cause, Evidence
from ..keys import USES
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        statements = [
            audience.name for audience in key.audiences if audience.public and audience.operations & USES
        ]
        if statements:
            yield Evidence(
                key.arn,
                "The key policy allows every AWS account to use the key or to revoke its grants: statement "
                f"{', '.join(statements)}.",
                "Name the accounts as principals, or require aws:PrincipalOrgID, aws:PrincipalAccount or "
                "kms:CallerAccount in a condition (PutKeyPolicy).",
                key.image_id,
                PUBLIC,
            )


CAUSE = Cause(
    code="key_public",
    severity=Severity.HIGH,
    meaning="The key policy allows every AWS account to use the key or to revoke its grants: a statement for "
    "all principals has no condition that names accounts, organizations or principals.",
    remedy="Name accounts as principals, or require `aws:PrincipalOrgID`, `aws:PrincipalAccount` or "
    "`kms:CallerAccount` in a condition of the statement.",
    find=_find,
    remediated="Change the key policy: other tools may depend on the statement.",
    urgency=2,
)
