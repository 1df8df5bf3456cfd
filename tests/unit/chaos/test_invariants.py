# SPDX-License-Identifier: GPL-3.0-or-later

"""Each invariant finds what violates it, and nothing in a sound world."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chaos.invariants import Moment, violations

from .examples import CONSUMER, IMAGE, KEY, SNAPSHOT, STRANGER, grant, instance, parameter, shot, tombstone

WORLD = [IMAGE, SNAPSHOT, KEY]
TO_CONSUMER = {"permissions": [f"UserId={CONSUMER}"]}
TO_STRANGER = {"permissions": [f"UserId={STRANGER}"]}
GRANTED = {**KEY, "grants": [grant(CONSUMER)]}


def found(
    now: list[dict[str, Any]],
    before: list[dict[str, Any]] = WORLD,
    after: list[dict[str, Any]] | None = None,
    together: frozenset[str] = frozenset(),
) -> list[str]:
    """What is wrong in a world, by default in a run that leaves everything as it was."""
    named = frozenset({CONSUMER})
    return violations(
        Moment(shot(before), shot(now), shot(before if after is None else after), named, together)
    )


@pytest.mark.parametrize(
    "now",
    [
        WORLD,
        [{**IMAGE, **TO_CONSUMER}, SNAPSHOT, GRANTED],
        [*WORLD, instance("running"), parameter("/a:1", IMAGE["name"])],
        [*WORLD, instance("terminated")],
    ],
)
def test_a_sound_world_violates_nothing(now: list[dict[str, Any]]) -> None:
    assert found(now) == []


@pytest.mark.parametrize(
    ("now", "part"),
    [
        ([{**IMAGE, "public": True}, SNAPSHOT, KEY], "public: image"),
        ([IMAGE, {**SNAPSHOT, "public": True}, KEY], "public: snapshot"),
        ([IMAGE, {**SNAPSHOT, **TO_STRANGER}, KEY], f"access to UserId={STRANGER}"),
        ([IMAGE, SNAPSHOT, {**KEY, "grants": [grant(STRANGER)]}], f"access to grant arn:aws:iam::{STRANGER}"),
        ([IMAGE, SNAPSHOT, {**KEY, "policy": {"AWS": STRANGER}}], f"access to policy {STRANGER}"),
        ([{**IMAGE, **TO_CONSUMER}, SNAPSHOT, KEY], f"shared with {CONSUMER}, which cannot use key golden"),
        ([SNAPSHOT, KEY], "lost: image"),
        ([IMAGE, KEY], "lost a snapshot"),
        ([*WORLD, parameter("/a:1", "ami-0bbbbbbbbbbbbbbbb")], "names an id"),
        ([{**IMAGE, "state": "disabled"}, SNAPSHOT, KEY, parameter("/a:1", IMAGE["name"])], "names ami"),
        ([{**IMAGE, "state": "disabled"}, SNAPSHOT, KEY, instance("running")], "names ami"),
    ],
)
def test_a_violation_is_found(now: list[dict[str, Any]], part: str) -> None:
    lines = found(now)
    assert any(part in line for line in lines)


def test_what_a_run_makes_public_may_be_public_after_its_image() -> None:
    image, snapshot = {**IMAGE, "public": True}, {**SNAPSHOT, "public": True}
    after = [image, snapshot, KEY]
    assert found([image, SNAPSHOT, KEY], after=after) == found(after, after=after) == []
    assert found([image, snapshot, KEY], after=[image, SNAPSHOT, KEY]) != []
    (line,) = found([IMAGE, snapshot, KEY], after=after)
    assert line.startswith("public without its image: snapshot")


def test_access_that_stays_is_never_lost_meanwhile() -> None:
    shared = [{**IMAGE, **TO_CONSUMER}, SNAPSHOT, GRANTED]
    assert found([IMAGE, SNAPSHOT, GRANTED], shared) != []
    assert found([IMAGE, SNAPSHOT, GRANTED], shared, [IMAGE, SNAPSHOT, GRANTED]) == []


def test_a_new_copy_is_shared_only_when_all_regions_have_one() -> None:
    copy = {**IMAGE, "snapshots": {}, "source": ["us-east-1", IMAGE["name"]]}
    away = {**copy, **TO_CONSUMER, "region": "eu-west-1", "name": "ami-0cccccccccccccccc"}
    now = [*WORLD, away]
    west = {"region": "us-west-2", "name": "ami-0ddddddddddddddddd"}
    other = {**IMAGE, **west, "image_name": "other", "snapshots": {}}
    for world in (now, [*now, {**copy, **west, "state": "pending"}], [*now, other]):
        (line,) = found(world, WORLD, world, frozenset({"eu-west-1", "us-west-2"}))
        assert line.endswith("is shared before a copy can be used in us-west-2")
    assert found(now, WORLD, now, frozenset({"eu-west-1", "us-east-1"})) == []
    ready = [*now, {**copy, **west}]
    assert found(ready, WORLD, ready, frozenset({"eu-west-1", "us-west-2"})) == []


OTHER = {**IMAGE, "name": "ami-0eeeeeeeeeeeeeeee", "image_name": "other", "snapshots": {}}
OPEN, BLOCKED = IMAGE, {**IMAGE, "state": "disabled"}
RECORD = tombstone(json.dumps({"blocked": [{"image_id": IMAGE["name"], "disabled": True}]}))
UNRECORDED = tombstone(json.dumps({"blocked": [{"image_id": IMAGE["name"], "disabled": False}]}))


@pytest.mark.parametrize(
    ("now", "after", "parts"),
    [
        ([OPEN, OTHER], [BLOCKED, OTHER], []),
        ([OPEN, OTHER, UNRECORDED], [BLOCKED, OTHER], []),
        ([BLOCKED, OTHER, RECORD, instance("running")], [BLOCKED, OTHER], []),
        ([BLOCKED, OTHER, UNRECORDED], [BLOCKED, OTHER], ["no tombstone says so"]),
        ([BLOCKED, OTHER], [BLOCKED, OTHER], ["no tombstone says so"]),
        ([BLOCKED, {**OTHER, "state": "disabled"}, RECORD], [BLOCKED, OTHER], ["other is disabled"] * 2),
        ([OPEN, OTHER], [OPEN, OTHER], ["golden is available at the end"]),
        ([OPEN, OTHER], [BLOCKED, {**OTHER, "state": "disabled"}], ["other is disabled at the end"]),
    ],
)
def test_only_images_that_a_tombstone_has_are_disabled(
    now: list[dict[str, Any]], after: list[dict[str, Any]], parts: list[str]
) -> None:
    switched = frozenset({"ami 111111111111/us-east-1 golden"})
    first, moment, end = (shot([*world, SNAPSHOT]) for world in ([OPEN, OTHER], now, after))
    lines = violations(Moment(first, moment, end, switched=switched))
    assert [part in line for part, line in zip(parts, lines, strict=True)] == [True] * len(parts)


@pytest.mark.parametrize(("label", "expected"), [("first", 0), ("second", 1)])
def test_a_version_whose_label_the_newest_one_has_is_not_lost(label: str, expected: int) -> None:
    labeled = {**parameter("/web:1", "a", newest=False), "labels": ["first"]}
    before = [labeled, parameter("/web:2", "b")]
    now = [{**parameter("/web:3", "a"), "labels": [label]}]
    assert len(found(now, before)) == expected
