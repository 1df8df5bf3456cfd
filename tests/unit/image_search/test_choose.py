# SPDX-License-Identifier: GPL-3.0-or-later

"""The newest image that can be launched, and the reasons where none can."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._image_search.choose import (
    choose_newest,
    find_obstacle,
)
from ansible_collections.golden.images.plugins.module_utils._image_search.state import Search
from ansible_collections.golden.images.plugins.module_utils._model import Image
from ansible_collections.golden.images.plugins.module_utils._tags import RECALLED_TAG

NOW = datetime(2026, 11, 26, tzinfo=UTC)
PAST, FUTURE = "2026-11-25T00:00:00.000Z", "2026-11-27T00:00:00.000Z"
RECALLED = {RECALLED_TAG: PAST}
SEARCH = Search(name="golden-*")


def no_obstacle(_image: Image) -> None:
    """All keys permit launches."""


def image(number: int, day: int, **changes: Any) -> Image:
    created = f"2026-11-{day:02}T00:00:00.000Z"
    one = Image(f"ami-{number:017x}", f"golden-{number}", "111111111111", "available", creation_date=created)
    return replace(one, **changes)


@pytest.mark.parametrize(
    ("images", "expected"),
    [
        ([image(1, 2), image(2, 3), image(3, 1)], 2),
        ([image(1, 2), image(2, 3, state="pending")], 1),
        ([image(1, 2), image(2, 3, deprecation_time=PAST)], 1),
        ([image(1, 2), image(2, 3, deprecation_time=FUTURE)], 2),
        ([image(1, 2), image(2, 3, tags=RECALLED)], 1),
        ([image(1, 2), image(2, 3, allowed=False)], 2),
        ([image(2, 3), image(1, 3)], 2),
    ],
)
def test_the_newest_that_can_be_launched(images: list[Image], expected: int) -> None:
    assert (
        choose_newest(SEARCH, images, "eu-west-1", NOW, no_obstacle).image_id == image(expected, 1).image_id
    )


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, None),
        ({"state": "disabled"}, "is disabled"),
        ({"allowed": True}, None),
        ({"allowed": False}, None),
        ({"tags": RECALLED}, f"was recalled at {PAST}"),
        ({"deprecation_time": PAST}, f"has been deprecated since {PAST}"),
    ],
)
def test_obstacle(changes: dict[str, Any], expected: str | None) -> None:
    assert find_obstacle(SEARCH, image(1, 1, **changes), NOW) == expected


def test_an_older_image_is_chosen_if_keys_permit_no_launch_of_newer_ones() -> None:
    asked: list[str] = []

    def key_obstacle(one: Image) -> str | None:
        asked.append(one.name)
        return "has a bad key" if one.name in ("golden-4", "golden-3") else None

    images = [image(1, 1), image(2, 2), image(4, 4), image(3, 3), image(5, 5, state="pending")]
    chosen = choose_newest(SEARCH, images, "eu-west-1", NOW, key_obstacle)
    assert chosen.image_id == image(2, 2).image_id
    assert chosen.skipped == (
        f"{image(4, 4).image_id} (golden-4) has a bad key.",
        f"{image(3, 3).image_id} (golden-3) has a bad key.",
    )
    assert asked == ["golden-4", "golden-3", "golden-2"]


def test_images_whose_keys_permit_no_launch_are_explained() -> None:
    with pytest.raises(ValidationError, match="cannot be launched: ami-00000000000000001 has a bad key"):
        choose_newest(SEARCH, [image(1, 1)], "eu-west-1", NOW, lambda _image: "has a bad key")


def test_a_deprecated_image_is_found_by_its_id() -> None:
    one = image(1, 1, deprecation_time=PAST)
    assert find_obstacle(Search(image_id=one.image_id), one, NOW) is None


def test_a_recalled_image_is_not_even_found_by_its_id() -> None:
    one = image(1, 1, tags=RECALLED)
    with pytest.raises(ValidationError) as refused:
        choose_newest(Search(image_id=one.image_id), [one], "eu-west-1", NOW, no_obstacle)
    (failure,) = refused.value.failures
    assert failure.error_code == "image_not_launchable"
    assert failure.message == f"{one.image_id} cannot be launched: {one.image_id} was recalled at {PAST}."


def test_no_image_at_all() -> None:
    with pytest.raises(ValidationError) as refused:
        choose_newest(SEARCH, [], "eu-west-1", NOW, no_obstacle)
    (failure,) = refused.value.failures
    assert (failure.error_code, failure.region) == ("image_not_found", "eu-west-1")
    assert failure.message == "an image with the name 'golden-*' was not found among the images of self."


def test_images_that_cannot_be_launched_are_explained_newest_first() -> None:
    states = ["disabled", "failed", "pending", "disabled", "disabled"]
    images = [image(number, number, state=state) for number, state in enumerate(states, start=1)]
    with pytest.raises(ValidationError) as refused:
        choose_newest(SEARCH, images, "eu-west-1", NOW, no_obstacle)
    (failure,) = refused.value.failures
    assert failure.error_code == "image_not_launchable"
    assert failure.message == (
        f"an image with the name 'golden-*' cannot be launched: {images[4].image_id} is disabled, "
        f"{images[3].image_id} is disabled, {images[2].image_id} is pending, and 2 older ones cannot either."
    )
