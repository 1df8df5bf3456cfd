# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Images that every AWS account can launch."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._model import PUBLIC
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion
from .remedies import then_block


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    block = region.current.image_block
    for image in region.images:
        if image.not_allowed.public:
            yield Evidence(
                image.image_id,
                f"Every AWS account can launch {image}.",
                f"Remove public access (golden.images.remediate_ami_sharing){then_block(block)}",
                image.image_id,
                PUBLIC,
            )


CAUSE = Cause(
    code="public",
    severity=Severity.HIGH,
    meaning="Every AWS account can launch the image.",
    remedy="Unshare it with `remediate_ami_sharing`, see [remediating](remediating.md), then enable block "
    "public access.",
    find=_find,
    remediation=Remediation.BY_DEFAULT,
    remediated="the image from the public",
    urgency=0,
    title="{resources}: public, so every AWS account can launch it.",
)
