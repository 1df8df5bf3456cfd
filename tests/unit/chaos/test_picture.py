# SPDX-License-Identifier: GPL-3.0-or-later

"""Pictures: the same for worlds that differ in IDs and times only, and different for all else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.chaos.picture import differences, labels, picture

from .examples import IMAGE, KEY, SNAPSHOT, instance, parameter, shot, tombstone


def renamed(world: list[dict[str, Any]], suffix: str) -> list[dict[str, Any]]:
    """The same world with other IDs and another time."""
    text = json.dumps(world).replace("0123456789abcdef", f"0123456789abc{suffix}")
    result: list[dict[str, Any]] = json.loads(text.replace("2026-11-01", "2026-11-02"))
    return result


def test_ids_and_times_make_no_difference() -> None:
    tags = {"source": f"us-east-1/{IMAGE['name']}", "at": "2026-11-01T10:00:00Z"}
    world = [{**IMAGE, "tags": tags}, SNAPSHOT, KEY, parameter("/a:1", IMAGE["name"])]
    assert differences(shot(world), shot(renamed(world, "123"))) == []


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"permissions": ["UserId=222222222222"]}, "permissions is"),
        ({"tags": {"role": "db"}}, "tags is"),
        ({"state": "disabled"}, "state is"),
    ],
)
def test_every_member_makes_one(change: dict[str, Any], line: str) -> None:
    found = differences(shot([IMAGE, SNAPSHOT]), shot([{**IMAGE, **change}, SNAPSHOT]))
    assert len(found) == 1
    assert line in found[0]


def test_a_duplicate_and_an_orphan_are_too_much() -> None:
    second = {**IMAGE, "name": "ami-0aaaaaaaaaaaaaaaa", "snapshots": {}}
    orphan = {**SNAPSHOT, "name": "snap-0aaaaaaaaaaaaaaaa"}
    found = differences(shot([IMAGE, SNAPSHOT]), shot([IMAGE, SNAPSHOT, second, orphan]))
    assert found == [
        "too much: image 111111111111/us-east-1 ami 111111111111/us-east-1 golden #2",
        "too much: snapshot 111111111111/us-east-1 snap 111111111111/us-east-1 without image",
    ]
    assert differences(shot([IMAGE, SNAPSHOT]), shot([IMAGE]))[0].startswith("missing: snapshot")


def test_a_second_usage_report_is_too_much() -> None:
    first, second = ({**IMAGE, "kind": "usage report", "name": f"amiur-{one:017x}"} for one in (1, 2))
    assert differences(shot([IMAGE, first]), shot([IMAGE, second])) == []
    assert differences(shot([IMAGE, first]), shot([IMAGE, first, second])) == [
        "too much: usage report 111111111111/us-east-1 usage report 111111111111/us-east-1 #2"
    ]


def test_terminated_instances_and_outdated_versions_are_history() -> None:
    world = [IMAGE, instance("terminated"), parameter("/a:1", "x", newest=False)]
    assert list(picture(world, labels(world, keys={}))) == [
        "image 111111111111/us-east-1 ami 111111111111/us-east-1 golden"
    ]


def test_a_version_too_many_of_a_parameter_makes_a_difference() -> None:
    once = [parameter("arn:/a:1", "x")]
    twice = [parameter("arn:/a:1", "x", newest=False), parameter("arn:/a:2", "x")]
    assert differences(shot(once), shot(twice)) == [
        'parameter 111111111111/us-east-1 arn:/a newest: versions is "2", not "1"'
    ]
    text = {"type": ["String", "text"]}
    tombstones = [[{**one, **text} for one in world] for world in (once, twice)]
    assert differences(*map(shot, tombstones)) == []


def test_the_order_of_ids_in_an_object_makes_no_difference() -> None:
    other = {**IMAGE, "name": "ami-0aaaaaaaaaaaaaaaa", "image_name": "other", "snapshots": {}}
    names = [IMAGE["name"], other["name"]]
    shown = [
        shot([IMAGE, other, tombstone(json.dumps({"blocked": given}))]) for given in (names, names[::-1])
    ]
    assert differences(*shown) == []
    fewer = shot([IMAGE, other, tombstone(json.dumps({"blocked": names[:1]}))])
    assert len(differences(shown[0], fewer)) == 1
    assert len(differences(*(shot([tombstone(text)]) for text in ("a b", "b a")))) == 1
