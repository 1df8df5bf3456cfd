# SPDX-License-Identifier: GPL-3.0-or-later
"""ListImagesInRecycleBin. Retention rules aren't simulated: nobody has one, and what is deleted is gone."""

from __future__ import annotations

from typing import Any

from ..access import Caller
from .registry import action


@action("ListImagesInRecycleBin")
def list_images_in_recycle_bin(_caller: Caller, _params: dict[str, Any]) -> dict[str, Any]:
    """No image (EBS User Guide, Recycle Bin: without a matching rule an image is deleted at once)."""
    return {"Images": []}
