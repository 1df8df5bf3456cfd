# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Selects the newest image that can be launched, or explains why none can."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..failures import Failure, Refused
from ..model import Image
from ..shared_info.evaluate import key_access
from ..shared_info.state import KeysSeen
from .state import Search

# Images that an error message explains.
_EXPLAINED = 3


def newest(search: Search, images: Iterable[Image], region: str, now: datetime, keys: KeysSeen) -> str:
    """The ID of the newest of the images that can be launched; ``keys`` are what is known of their keys.

    The age is AWS's creation date: that of a copy is the time of the copy. Images of the same second are
    ordered by ID, so that the result is always the same.

    Raises:
        Refused: none can be launched.
    """
    found = list(images)
    obstacles = {image.image_id: obstacle(search, image, now) or key_obstacle(image, keys) for image in found}
    usable = [image for image in found if obstacles[image.image_id] is None]
    if not usable:
        raise Refused([_none(search, found, obstacles, region)])
    return max(usable, key=lambda image: (image.creation_date, image.image_id)).image_id


def obstacle(search: Search, image: Image, now: datetime) -> str | None:
    """Why an image cannot be the result; None if it can.

    Allowed AMIs exclude none: images that they hide are not returned at all, and in audit mode they hide
    nothing (botocore shape ``Image``, ImageAllowed). A deprecated image can be launched. It is only excluded
    from searches, as AWS excludes it from those of other accounts than its owner (EC2 User Guide, "Deprecate
    an AMI").
    """
    if image.state != "available":
        return f"is {image.state}"
    deprecated = image.deprecation_time
    if search.image_id is None and deprecated and datetime.fromisoformat(deprecated) <= now:
        return f"has been deprecated since {deprecated}"
    return None


def key_obstacle(image: Image, keys: KeysSeen) -> str | None:
    """Why an image cannot be launched because of its keys; None if it can, or if that is unknown."""
    access, reason = key_access(image, keys)
    return f"has a key that cannot be used ({reason.rstrip('.')})" if access == "no" else None


def _none(search: Search, images: list[Image], obstacles: dict[str, str | None], region: str) -> Failure:
    wanted = search.described()
    if not images:
        return Failure(
            message=f"{wanted} was not found among the images of {', '.join(search.owners)}.",
            remedy="Check the region, and owners: another account that shares its images is named there.",
            error_code="image_not_found",
            action="DescribeImages",
            region=region,
        )
    last = sorted(images, key=lambda image: image.creation_date, reverse=True)[:_EXPLAINED]
    why = ", ".join(f"{image.image_id} {obstacles[image.image_id]}" for image in last)
    more = f", and {len(images) - len(last)} older ones cannot either" if len(images) > len(last) else ""
    return Failure(
        message=f"{wanted} cannot be launched: {why}{more}.",
        remedy="Wait for pending images, distribute the image to this region, restore a disabled one, or "
        "allow the use of its key.",
        error_code="image_not_launchable",
        action="DescribeImages",
        region=region,
    )
