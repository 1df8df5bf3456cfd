# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting until an account sees what was shared with it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws.read_visible import (
    VISIBLE_WITHIN,
    images_once_visible,
    until_visible,
)

from tests.unit.clock import Clock
from tests.unit.examples import source_image
from tests.unit.kms_grant.kms_in_memory import refused


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock.of(monkeypatch, attempts)


def test_only_what_is_not_seen_yet_is_looked_for_again(clock: Clock) -> None:
    started, looks = clock.now, list[tuple[str, ...]]()

    def look(waiting: tuple[str, ...]) -> dict[str, float]:
        looks.append(waiting)
        return {waiting[0]: clock.now - started}

    assert until_visible(look, ["a", "b"]) == {"a": 2.0, "b": 4.0}
    assert looks == [("a", "b"), ("b",)]


def test_what_is_never_seen_is_missing_after_the_time(clock: Clock) -> None:
    started = clock.now
    assert until_visible(lambda _waiting: dict[str, int](), ["a"]) == {}
    assert clock.now == started + VISIBLE_WITHIN


def test_nothing_is_waited_for_where_all_is_seen(clock: Clock) -> None:
    started, unused = clock.now, dict[str, int]()
    assert until_visible(lambda _waiting: unused, ()) == {}
    assert clock.now == started


def test_an_image_that_cannot_be_read_keeps_no_other_from_being_seen(clock: Clock) -> None:
    image = source_image()
    answers: dict[str, list[Any]] = {
        "ami-1": [refused("RequestLimitExceeded", "DescribeImages"), image],
        "ami-2": [None, None, image],
    }

    def look(image_id: str) -> Any:
        answer = answers[image_id].pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    started = clock.now
    assert images_once_visible(look, ["ami-1", "ami-2"]) == {"ami-1": image, "ami-2": image}
    assert clock.now == started + 6
