# SPDX-License-Identifier: GPL-3.0-or-later
"""GetImageAncestry (EC2 User Guide, AMI ancestry)."""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller, visible_image
from ..state import Image
from .registry import action


@action("GetImageAncestry")
def get_image_ancestry(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """List the image and its sources; that the list ends at a deregistered source is a guess."""
    chain: list[Image] = []
    image: Image | None = visible_image(caller, params["ImageId"])
    while image is not None and image not in chain:
        chain.append(image)
        image = state.region(image.source_image_region or image.region).images.get(
            image.source_image_id or ""
        )
    return {"ImageAncestryEntries": [_entry(one) for one in chain]}


def _entry(image: Image) -> dict[str, Any]:
    return {
        "CreationDate": image.creation_date,
        "ImageId": image.id,
        "SourceImageId": image.source_image_id,
        "SourceImageRegion": image.source_image_region,
    }
