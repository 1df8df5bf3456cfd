# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chooses the newest image that can be launched, or explains why none can."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from .._failures import Failure, ValidationError
from .._model import Image
from .._tags import describe_recall
from .state import Search

# Images that an error message explains.
_EXPLAINED = 3


@dataclass(frozen=True)
class Choice:
    """The image that was chosen, and why newer ones were not because of their keys, as sentences."""

    image_id: str
    skipped: tuple[str, ...] = ()


def choose_newest(
    search: Search,
    images: Iterable[Image],
    region: str,
    now: datetime,
    key_obstacle: Callable[[Image], str | None],
) -> Choice:
    """Return the newest of the images that can be launched.

    ``key_obstacle`` says why the keys of an image permit no launch. It is asked about the newest image first,
    and not about older ones than the result. The age is AWS's creation date: that of a copy is the time of
    the copy. Images of the same second are ordered by ID, so that the result is always the same.

    Raises:
        ValidationError: none can be launched.
    """
    newest_first = sorted(images, key=lambda image: (image.creation_date, image.image_id), reverse=True)
    obstacles: dict[str, str] = {}
    skipped: list[str] = []
    for image in newest_first:
        because = find_obstacle(search, image, now)
        if because is None and (because := key_obstacle(image)):
            skipped.append(f"{image.image_id} ({image.name}) {because}.")
        if because is None:
            return Choice(image.image_id, tuple(skipped))
        obstacles[image.image_id] = because
    raise ValidationError([_report_none(search, newest_first, obstacles, region)])


def find_obstacle(search: Search, image: Image, now: datetime) -> str | None:
    """Return why an image cannot be the result; None if it can.

    Allowed AMIs exclude none: images that they hide are not returned at all, and in audit mode they hide
    nothing (botocore shape ``Image``, ImageAllowed). A deprecated image can be launched. It is only excluded
    from searches, as AWS excludes it from those of other accounts than its owner (EC2 User Guide, "Deprecate
    an AMI"). One that was recalled is excluded whatever names it.
    """
    if image.state != "available":
        return f"is {image.state}"
    if recall := describe_recall(image.tags):
        return recall
    deprecated = image.deprecation_time
    if search.image_id is None and deprecated and datetime.fromisoformat(deprecated) <= now:
        return f"has been deprecated since {deprecated}"
    return None


def _report_none(search: Search, images: list[Image], obstacles: dict[str, str], region: str) -> Failure:
    """Return why none of the images, the newest first, can be launched."""
    wanted = search.describe()
    if not images:
        return Failure(
            message=f"{wanted} was not found among the images of {', '.join(search.owners)}.",
            remedy="Check the region, and owners: another account that shares its images is named there.",
            error_code="image_not_found",
            action="DescribeImages",
            region=region,
        )
    last = images[:_EXPLAINED]
    why = ", ".join(f"{image.image_id} {obstacles[image.image_id]}" for image in last)
    more = f", and {len(images) - len(last)} older ones cannot either" if len(images) > len(last) else ""
    return Failure(
        message=f"{wanted} cannot be launched: {why}{more}.",
        remedy="Wait for pending images, distribute the image to this region, restore a disabled one, enable "
        "its key, or distribute another release than one that was recalled.",
        error_code="image_not_launchable",
        action="DescribeImages",
        region=region,
    )
