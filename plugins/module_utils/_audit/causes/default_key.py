# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that their owner cannot share: they are encrypted under an AWS managed key."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..cause import Cause, Evidence
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.keys:
        for image in key.alone if key.key.aws_managed else ():
            yield Evidence(
                key.arn,
                f"{image.image_id} ({image.name}) is encrypted under an AWS managed key: no other account "
                "can use it.",
                "To share it, copy it under a customer managed key (kms_key_id of ami_copy_regions).",
                image.image_id,
            )


CAUSE = Cause(
    code="default_key",
    severity=Severity.LOW,
    meaning="The image is encrypted under an AWS managed key, so that no other account can use it.",
    remedy="To share the image, [copy it under a customer managed key](encrypted-images.md). Otherwise "
    "nothing: no other account can use it.",
    find=_find,
    remediated="There is no permission to remove. Copy the image under another key.",
    title="{resources}: no other account can use the AWS managed key.",
)
