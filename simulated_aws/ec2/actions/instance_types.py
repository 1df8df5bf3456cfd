# SPDX-License-Identifier: GPL-3.0-or-later
"""ReplaceImageInstanceTypeSpecification."""

from __future__ import annotations

import re
from typing import Any

from ..access import Caller, own_image
from ..errors import Ec2Error, invalid_value
from .registry import action

MOST_TYPES = 100
"""Maximum of entries in each list (botocore shape InstanceTypeSpecificationRequest)."""
_PATTERN = re.compile(r"[A-Za-z0-9_.*-]{1,24}")


@action("ReplaceImageInstanceTypeSpecification")
def replace_image_instance_type_specification(caller: Caller, params: dict[str, Any]) -> dict[str, Any]:
    """Set the instance types that an image of the caller supports; without a specification, remove it."""
    image = own_image(caller, params["ImageId"])
    if image.product_codes:
        raise Ec2Error("UnsupportedOperation", f"The AMI '{image.id}' is listed in AWS Marketplace.")
    wanted = params.get("InstanceTypeSpecification") or {}
    lists = [tuple(wanted.get(key, [])) for key in ("SupportedInstanceTypes", "UnsupportedInstanceTypes")]
    _require_valid(lists)
    image.supported_types, image.unsupported_types = lists
    return {"ReturnValue": True}


def _require_valid(lists: list[tuple[str, ...]]) -> None:
    """The constraints of botocore shape InstanceTypeSpecificationRequest; the error codes are a guess."""
    named = [one for types in lists for one in types]
    for one in named:
        if not _PATTERN.fullmatch(one) or "**" in one or named.count(one) > 1:
            raise invalid_value("InstanceType", one)
    if any(len(types) > MOST_TYPES for types in lists):
        raise invalid_value("InstanceType", f"{len(named)} entries", f"At most {MOST_TYPES} in each list.")
