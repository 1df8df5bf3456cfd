# SPDX-License-Identifier: GPL-3.0-or-later

"""What each rule keeps, by itself and at its boundary, and how many images one run may deregister."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import Limit, read_limit
from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import Clocks

from tests.unit.cleanup.examples import USED, ago, kinds, own, planned, region_state, seen

BY_NAME = {"family_tag": None, "family_name_pattern": "web .*"}
MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("rules", "image", "is_latest", "reason"),
    [
        ({}, own(), False, None),
        ({}, own(), True, "among the latest 1"),
        ({"keep_latest": 3}, own(), True, "among the latest 3"),
        ({"protect_tags": (("keep", None),)}, own(tags={"keep": "no"}), False, "The tag keep"),
        ({"protect_tags": (("keep", "yes"),)}, own(tags={"keep": "yes"}), False, "The tag keep"),
        ({"protect_tags": (("keep", "yes"),)}, own(tags={"keep": "no"}), False, None),
        ({"protect_tags": (("keep", None),)}, own(), False, None),
        ({}, own(tags={"golden.images:restoring": "x"}), False, "run restore_ami again"),
        ({}, own(tags={"golden.images:recalled": "2026-12-01T23:40:05Z"}), False, "recalled at 2026-12-01T"),
        ({}, own(tags={"golden.images:cleanup-disabled": "x"}), False, None),
        ({}, own(alias="aws-marketplace"), False, "AWS Marketplace"),
        ({"max_age_days": 100}, own(days=100), False, None),
        (
            {"max_age_days": 100},
            own(days=99.99),
            False,
            "It was created on 2026-08-16, less than 100 days ago",
        ),
        ({"max_age_days": 0}, own(days=0), False, None),
        # Launches of the last day are not reported yet: a day is added.
        ({"unused_for_days": 30}, own(days=31), False, None),
        ({"unused_for_days": 30}, own(days=30.99), False, "less than 31 days ago; a day"),
        ({"unused_for_days": 30}, own(last_launched=ago(days=31)), False, None),
        ({"unused_for_days": 30}, own(last_launched=ago(days=31) + MOMENT), False, "It was last launched"),
        ({"unused_for_days": 30}, own(days=2, last_launched=ago(days=90)), False, "It was created"),
        # botocore shape Image: the creation date is optional.
        ({}, replace(own(), created=None), False, "no creation date"),
        ({"max_age_days": 0}, replace(own(), created=None), False, "no creation date"),
        ({"unused_for_days": 0}, replace(own(), created=None), False, "no creation date"),
        # Both have to hold.
        ({"max_age_days": 50, "unused_for_days": 30}, own(last_launched=ago(days=3)), False, "last launched"),
        ({"max_age_days": 200, "unused_for_days": 30}, own(days=150), False, "It was created"),
    ],
)
def test_what_a_rule_keeps(rules: dict[str, Any], image: Any, is_latest: bool, reason: str | None) -> None:
    newer = [own(f"ami-new-{number}", days=-1 - number) for number in range(0 if is_latest else 3)]
    made = planned(seen(region_state(image, *newer)), **BY_NAME, **rules)
    (found,) = (one for one in made.decisions if one.ref.image_id == "ami-1")
    assert found.kind == ("keep" if reason else "deregister")
    assert len(found.reasons) == (reason is not None)
    assert all(str(reason) in one for one in found.reasons)


def test_each_tag_that_protects_an_image_is_a_reason() -> None:
    protect = (("keep", None), ("stage", "prod"), ("team", "web"))
    tags = {"keep": "", "stage": "prod", "team": "db", "name": "keep"}
    made = planned(seen(region_state(own(tags=tags), own("ami-new", 1))), **BY_NAME, protect_tags=protect)
    (found,) = (one for one in made.decisions if one.ref.image_id == "ami-1")
    assert [one.split()[2] for one in found.reasons] == ["keep", "stage"]


@pytest.mark.parametrize(
    ("states", "state", "disables", "counts"),
    [
        (None, "available", False, True),
        (None, "disabled", False, True),
        (None, "failed", False, False),
        (None, "pending", False, False),
        ({"failed"}, "failed", False, True),
        ({"failed"}, "available", False, False),
        ({"available"}, "disabled", False, False),
        ({"available"}, "disabled", True, True),
        ({"available"}, "failed", True, False),
    ],
)
def test_considered(states: set[str] | None, state: str, disables: bool, counts: bool) -> None:
    rules = {"states": tuple(states)} if states else {}
    clocks = Clocks(disable=0 if disables else None, deregister=30)
    assert ("ami-1" in kinds(seen(region_state(own(state=state))), clocks=clocks, **rules)) is counts


@pytest.mark.parametrize(
    ("keep_latest", "allow_empty", "count"),
    [(0, False, 1), (1, False, 1), (4, False, 4), (0, True, 0), (2, True, 2)],
)
def test_a_family_is_emptied_only_when_that_is_allowed(
    keep_latest: int, allow_empty: bool, count: int
) -> None:
    images = [own(f"ami-{number}", 10 + number) for number in range(5)]
    rules = {"keep_latest": keep_latest, "allow_empty_family": allow_empty}
    found = kinds(seen(region_state(*images)), **rules)
    assert [*found.values()].count("keep") == count


@pytest.mark.parametrize(
    ("value", "limit"),
    [
        (3, Limit(count=3)),
        ("3", Limit(count=3)),
        ("0", Limit(count=0)),
        ("50%", Limit(percent=50)),
        (" 5 % ", Limit(percent=5)),
        ("100%", Limit(percent=100)),
        ("101%", None),
        ("-1", None),
        ("1.5", None),
        ("٣", None),
        ("half", None),
        ("", None),
        (None, None),
        (True, None),
    ],
)
def test_what_a_limit_may_look_like(value: object, limit: Limit | None) -> None:
    refused: list[str] = []
    found = read_limit(value, lambda problem, _remedy: refused.append(problem))
    assert (found, bool(refused)) == (limit or Limit(), limit is None)


@pytest.mark.parametrize(
    ("limit", "deletions", "considered", "text"),
    [
        (Limit(count=3), 3, 4, None),
        (Limit(count=3), 4, 100, "3"),
        (Limit(count=0), 0, 10, None),
        (Limit(), 1, 10, None),
        (Limit(), 1, 9, "10% (0 of 9)"),
        (Limit(), 2, 19, "10% (1 of 19)"),
        (Limit(), 2, 20, None),
        (Limit(percent=50), 5, 9, "50% (4 of 9)"),
        (Limit(percent=100), 9, 10, None),
        (Limit(percent=0), 1, 99, "0% (0 of 99)"),
    ],
)
def test_the_boundary_of_a_limit(limit: Limit, deletions: int, considered: int, text: str | None) -> None:
    """Each image but the newest of the family is either used or deregistered."""
    images = [own(f"ami-{number:02}", number) for number in range(considered)]
    used = {f"ami-{number:02}": (USED,) for number in range(deletions + 1, considered)}
    made = planned(seen(region_state(*images, uses=used)), max_deletions=limit)
    assert len([one for one in made.decisions if one.kind == "deregister"]) == deletions
    assert [text in one.message for one in made.refusals if text] == [True] * (text is not None)
    assert bool(made.refusals) is bool(text)
