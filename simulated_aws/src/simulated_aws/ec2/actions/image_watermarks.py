# SPDX-License-Identifier: GPL-3.0-or-later
"""AttachImageWatermark and DetachImageWatermark (EC2 User Guide, Use AMI watermarks to track AMIs).

AWS documents what is refused, but not the codes: those of this file are conclusions from similar refusals.
"""

from __future__ import annotations

from typing import Any

from .. import state
from ..access import Caller, own_image
from ..errors import Ec2Error, invalid_value
from ..image_names import is_name
from ..state import Image, Watermark
from .registry import action

MOST_WATERMARKS = 5
"""Maximum of watermarks of an image (EC2 User Guide, Use AMI watermarks to track and identify AMIs)."""


@action("AttachImageWatermark")
def attach_image_watermark(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Attach a watermark of the caller to a private image of the caller.

    That a repeated call changes nothing is a guess.
    """
    image = own_image(caller, params["ImageId"])
    name = params["WatermarkName"]
    # botocore shape AttachImageWatermarkRequest, WatermarkName: the characters of an AMI's name.
    if not is_name(name):
        raise invalid_value("watermarkName", name)
    if image.public:
        message = f"Watermarks cannot be added to the public AMI {image.id}"
        raise Ec2Error("OperationNotPermitted", message)
    attach(image, name)
    return {"WatermarkKey": _key(image, name)}


@action("DetachImageWatermark")
def detach_image_watermark(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Detach a watermark, of whichever account, from an image of the caller, if it has it.

    Copies keep theirs (botocore operation DetachImageWatermark).
    """
    image = own_image(caller, params["ImageId"])
    image.watermarks = tuple(one for one in image.watermarks if one.key != params["WatermarkKey"])
    return {}


def attach(image: Image, name: str) -> None:
    """Attach a watermark of the image's owner."""
    key = _key(image, name)
    if any(one.key == key for one in image.watermarks):
        return
    if len(image.watermarks) >= MOST_WATERMARKS:
        message = f"The AMI {image.id} can have at most {MOST_WATERMARKS} watermarks"
        raise Ec2Error("ResourceLimitExceeded", message)
    added = Watermark(key, image.id, image.region, image.creation_date, state.now())
    image.watermarks = (*image.watermarks, added)


def _key(image: Image, name: str) -> str:
    return f"{image.owner_id}:{name}"
