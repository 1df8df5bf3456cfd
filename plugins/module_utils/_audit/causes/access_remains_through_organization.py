# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts that keep access through an organization if the image is unshared from them.

Source: EC2 User Guide, "Share an AMI with organizations and organizational units".
"""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..cause import Cause, Evidence
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for image in region.images:
        through = sorted(image.sharing.org_arns | image.sharing.org_unit_arns)
        for account_id in image.not_allowed.account_ids if through else ():
            yield Evidence(
                image.image_id,
                f"Without its own permission, account {account_id} could still launch {image.image_id} if it "
                f"is in {' or '.join(through)}.",
                "Check the account's organization (organizations:DescribeAccount) before relying on "
                "unsharing.",
                image.image_id,
                account_id,
            )


CAUSE = Cause(
    code="access_remains_through_organization",
    severity=Severity.LOW,
    meaning="An account that is not allowed has its own launch permission, and the image is also shared with "
    "an organization or organizational unit: if the account is in it, unsharing the image from the account "
    "removes no access.",
    remedy="Unshare the image from the organization or organizational unit, if the account must lose access: "
    "[remediating](remediating.md).",
    find=_find,
    remediated="The organization is allowed. The account's own permission is `unknown_account`.",
)
