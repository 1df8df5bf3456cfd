# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shared images that no account can launch before their key is enabled."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..cause import Cause, Evidence
from ..region import AuditedRegion


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for key in region.own_keys:
        if key.key.is_enabled:
            continue
        alone = key.alone
        for image in (image for image in key.shared if image in alone):
            yield Evidence(
                key.arn,
                f"{image.image_id} ({image.name}) is shared, but its key is in the state {key.key.state}.",
                "Enable the key, cancel its deletion, or unshare the image.",
                image.image_id,
            )


CAUSE = Cause(
    code="key_not_enabled",
    severity=Severity.MEDIUM,
    meaning="The image is shared, but its key is disabled or pending deletion.",
    remedy="Enable the key, cancel its deletion, or unshare the image.",
    find=_find,
    remediated="Enable the key, or unshare the image with `golden.images.unshare_ami`.",
    title="{resources}: shared, but the key is not enabled.",
)
