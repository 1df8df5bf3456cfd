# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the image is available."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..check import IMAGE, Cause, Check, Evidence

_NOT_AVAILABLE = Cause(
    code="image_not_available",
    table=IMAGE,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The image is pending or failed.",
    remedy="Wait if it is pending; if it failed, copy it again (`ami_copy_regions`)",
)
_DISABLED = Cause(
    code="image_disabled",
    table=IMAGE,
    blocks_launch=BlocksLaunch.BLOCKING,
    meaning="The image cannot be launched, and its launch permissions were removed.",
    remedy="Enable it (EnableImage, or [restore](restoring.md) it), then share it again (`ami_share`)",
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image = evidence.image
    if image is None or image.state == "available":
        return
    if image.state == "disabled":
        yield _DISABLED.finding(
            f"{image.image_id} is disabled: it cannot be launched, and its launch permissions were removed.",
            "Restore it with its permissions (golden.images.restore_ami), or launch another image.",
        )
        return
    reason = f" ({image.state_reason})" if image.state_reason else ""
    yield _NOT_AVAILABLE.finding(
        f"{image.image_id} is {image.state}{reason}.",
        "Wait until it is available." if image.state == "pending" else "Copy it again (ami_copy_regions).",
    )


CHECK = Check((_NOT_AVAILABLE, _DISABLED), _find)
