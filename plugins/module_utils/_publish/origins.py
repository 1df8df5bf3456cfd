# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Find the original source of an image, and compare its age with that of another image.

The creation date of a copy is the time of the copy, and not that of its content. The chain of
sources ends at an image that is no copy. GetImageAncestry would go on to the image of the instance from which
that one was created (EC2 User Guide, "Use AMI ancestry to trace the origin of an AMI").
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from .._model import Image, ImageRef, Target, time_of
from .._option import is_image_id
from .._tags import SOURCE_TAG
from .options import PublishOptions
from .state import Origin, PublishState, TargetState


class Comparison(NamedTuple):
    """Two described images; ``is_older`` is whether the new one is older, None with a ``problem``."""

    new: str
    published: str
    is_older: bool | None
    problem: str


Views = Mapping[ImageRef, Sequence[Image]]
"""The accounts' views of each image."""


def find_published_image(target: Target, state: TargetState) -> ImageRef | None:
    """Return the image that the parameter has, if it is not the new image."""
    value = state.parameter.latest.value if state.parameter else ""
    if value == state.image_id or not is_image_id(value):
        return None
    return ImageRef(target.region, value)


def find_new_image(options: PublishOptions, target: Target, state: TargetState) -> ImageRef | None:
    """Return the image to publish, or the source of a planned copy; None if it is not known."""
    if state.image_id is not None:
        return ImageRef(target.region, state.image_id)
    if options.source_image_id and options.source_region:
        return ImageRef(options.source_region, options.source_image_id)
    return None


def list_compared_images(
    options: PublishOptions, targets: Mapping[Target, TargetState]
) -> Iterator[ImageRef]:
    """Yield the images whose ages are compared: new and published ones that differ."""
    for target, state in targets.items():
        new, published = find_new_image(options, target, state), find_published_image(target, state)
        if new is not None and published is not None:
            yield from (new, published)


def collect_views(targets: Mapping[Target, TargetState], own_account_id: str) -> dict[ImageRef, list[Image]]:
    """Return the views of the images that show whether they are copies.

    The owner's tags are invisible to other accounts (EC2 User Guide, "Tag your Amazon EC2 resources").
    """
    views: dict[ImageRef, list[Image]] = {}
    for target, state in targets.items():
        for image in state.named.values():
            ref = ImageRef(target.region, image.image_id)
            is_complete = target.account_id in (own_account_id, image.owner_id)
            if is_complete or _find_source(ref, [image]) is not None:
                views.setdefault(ref, []).append(image)
    return views


def trace_origin(ref: ImageRef, views: Views, problems: Mapping[ImageRef, str]) -> Origin:
    """Follow an image to its original source, as far as images have been read.

    ``problems`` are the reasons why images could not be read. Wrong tags can make a circle, which has no
    original image.
    """
    not_after: datetime | None = None
    visited: set[ImageRef] = set()
    while ref not in visited:
        if not (views_of_image := views.get(ref)):
            problem = problems.get(ref, f"{ref.image_id} in {ref.region} is not visible")
            return Origin(ref, None, not_after, problem)
        visited.add(ref)
        created = time_of(views_of_image[0].creation_date)
        not_after = min(filter(None, (created, not_after)), default=None)
        source = _find_source(ref, views_of_image)
        if source is None:
            no_date = "" if created else f"AWS does not return when {ref.image_id} was created"
            return Origin(ref, created, not_after, no_date)
        ref = source
    return Origin(ref, None, not_after, f"the sources of {ref.image_id} are a circle")


def is_older(new: Origin, published: Origin) -> bool | None:
    """Compare two original sources; None if it is not known which one is older.

    A copy is not older than its source: the date of a copy is the latest possible date of its source.
    """
    if new.ref == published.ref:
        return False
    if published.created and new.not_after and new.not_after < published.created:
        return True
    if new.created and published.not_after and published.not_after <= new.created:
        return False
    return None


def compare(options: PublishOptions, current: PublishState, target: Target) -> Comparison | None:
    """Compare the new image of a target with the published one; None if there is nothing to compare."""
    state = current.targets[target]
    new, published = find_new_image(options, target, state), find_published_image(target, state)
    if new is None or published is None or not {new, published} <= current.origins.keys():
        return None
    ages = current.origins[new], current.origins[published]
    return Comparison(
        new=_describe(new.image_id, ages[0]),
        published=_describe(published.image_id, ages[1]),
        is_older=is_older(*ages),
        problem=" and ".join(dict.fromkeys(age.problem for age in ages if age.problem)),
    )


def _describe(image_id: str, origin: Origin) -> str:
    """Return an image's ID with its original source and the age of that source, if known."""
    source = origin.ref
    copied = "" if source.image_id == image_id else f"a copy of {source.image_id} in {source.region}"
    if origin.created:
        age = f"created {_render_time(origin.created)}"
    else:
        age = f"created {_render_time(origin.not_after)} at the latest" if origin.not_after else ""
    detail = ", ".join(filter(None, (copied, age)))
    return f"{image_id} ({detail})" if detail else image_id


def _render_time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _find_source(ref: ImageRef, image_views: Iterable[Image]) -> ImageRef | None:
    """Return the source that the owner's tag, or else AWS, records; None if the image is no copy."""
    views = list(image_views)
    for image in views:
        region, _slash, image_id = image.tags.get(SOURCE_TAG, "").rpartition("/")
        if region and image_id:
            return ImageRef(region, image_id)
    for image in views:
        if image.source_image_id:
            return ImageRef(image.source_region or ref.region, image.source_image_id)
    return None
