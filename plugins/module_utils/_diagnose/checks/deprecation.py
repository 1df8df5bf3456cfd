# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether the image is deprecated."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import BlocksLaunch, Finding
from ..._model import time_of
from ..check import IMAGE, Cause, Check, Evidence

_DEPRECATED = Cause(
    code="image_deprecated",
    table=IMAGE,
    blocks_launch=BlocksLaunch.HARMLESS,
    meaning="The image can be launched, but other accounts find it only by its ID.",
    remedy="Use a newer image, or cancel the deprecation (DisableImageDeprecation)",
)


def _find(evidence: Evidence) -> Iterator[Finding]:
    image = evidence.image
    since = time_of(image.deprecation_time) if image is not None else None
    if image is not None and since is not None and since <= evidence.now:
        yield _DEPRECATED.finding(
            f"{image.image_id} has been deprecated since {image.deprecation_time}: it can be launched, but "
            "other accounts find it only by its ID.",
            "Launch a newer image, or cancel the deprecation (DisableImageDeprecation).",
        )


CHECK = Check((_DEPRECATED,), _find)
