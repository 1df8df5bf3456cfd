# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared images under a key whose grants and policy only its own account can read."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..cause import Cause, Evidence
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.keys:
        if key.key.aws_managed or key.is_of_account:
            continue
        for image in key.shared:
            how = "encrypted under" if image in key.encrypted else "its snapshots are associated with"
            yield Evidence(
                key.arn,
                f"{image.image_id} ({image.name}) is shared, but {how} a key of account "
                f"{key.key.account_id}; only that account can read who may use the key.",
                "Audit the key there, or copy the image under a key of the image's owner (kms_key_id of "
                "ami_copy_regions).",
                image.image_id,
            )


CAUSE = Cause(
    code="key_of_other_account",
    severity=Severity.LOW,
    meaning="The image is shared, but its key belongs to another account, and only that account can read who "
    "may use it.",
    remedy="Audit the key in its account.",
    find=_find,
    remediated="Only that account can revoke access to its key.",
    title="{resources}: shared under a key of another account.",
)
