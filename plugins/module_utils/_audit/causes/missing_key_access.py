# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Principals that an image is shared with and that cannot use its key."""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from ..._finding import Severity
from ..._keys import access as key_access
from ..._model import Sharing
from ..cause import Cause, Evidence
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        if not key.key.is_enabled:
            continue
        # Each consumer is evaluated once for the key, not once for every image.
        everyone = reduce(Sharing.__or__, key.sharings.values(), Sharing())
        without = set(key_access.consumers_without_access([key.current], everyone))
        for image in key.alone:
            sharing = key.sharings.get(image.image_id, Sharing())
            for principal in without & (sharing.account_ids | sharing.org_arns | sharing.org_unit_arns):
                yield Evidence(
                    key.arn,
                    f"{image.image_id} ({image.name}) is shared with {principal}, which cannot use its key.",
                    "Grant access to the key (golden.images.distribute_ami, or ami_kms_grant), or unshare "
                    "the image (golden.images.unshare_ami).",
                    image.image_id,
                    principal,
                )


CAUSE = Cause(
    code="missing_key_access",
    severity=Severity.MEDIUM,
    meaning="The image is shared with a principal that cannot use its key, as far as the key's grants and "
    "policy show, nor can any role or user in it, other than its service-linked role for Auto Scaling.",
    remedy="Grant access to the key, or unshare the image: [encrypted images](encrypted-images.md). "
    "`diagnose_ami` [finds out](diagnosing.md) what an account lacks.",
    find=_find,
    remediated="Access is missing, not excessive. Grant it with `ami_kms_grant`.",
    title="{who} {lacks} the key of {resources}.",
)
