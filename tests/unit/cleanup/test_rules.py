# SPDX-License-Identifier: GPL-3.0-or-later

"""What each rule keeps, by itself and at its boundary, and how many images one run may deregister."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.rules import (
    Limit,
    Rules,
    is_evaluated,
    kept,
    parse_limit,
    protecting_keys,
)

from tests.unit.cleanup.examples import NOW, ago, own

MOMENT = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("rules", "image", "is_latest", "reason"),
    [
        (Rules(), own(), False, None),
        (Rules(), own(), True, "among the latest 1"),
        (Rules(keep_latest=3), own(), True, "among the latest 3"),
        (Rules(protect_tags=(("keep", None),)), own(tags={"keep": "no"}), False, "The tag keep"),
        (Rules(protect_tags=(("keep", "yes"),)), own(tags={"keep": "yes"}), False, "The tag keep"),
        (Rules(protect_tags=(("keep", "yes"),)), own(tags={"keep": "no"}), False, None),
        (Rules(protect_tags=(("keep", None),)), own(), False, None),
        (Rules(), own(tags={"golden.images:restoring": "x"}), False, "run restore_ami again"),
        (Rules(), own(tags={"golden.images:cleanup-disabled": "x"}), False, None),
        (Rules(), own(product_codes=("abc",)), False, None),
        (Rules(), own(alias="aws-marketplace"), False, "AWS Marketplace"),
        (Rules(max_age_days=100), own(days=100), False, None),
        (
            Rules(max_age_days=100),
            own(days=99.99),
            False,
            "It was created on 2026-08-16, less than 100 days ago",
        ),
        (Rules(max_age_days=0), own(days=0), False, None),
        # Launches of the last day are not reported yet: a day is added.
        (Rules(unused_for_days=30), own(days=31), False, None),
        (Rules(unused_for_days=30), own(days=30.99), False, "less than 31 days ago; a day"),
        (Rules(unused_for_days=30), own(last_launched=ago(days=31)), False, None),
        (Rules(unused_for_days=30), own(last_launched=ago(days=31) + MOMENT), False, "It was last launched"),
        (Rules(unused_for_days=30), own(days=2, last_launched=ago(days=90)), False, "It was created"),
        # botocore shape Image: the creation date is optional.
        (Rules(), replace(own(), created=None), False, "no creation date"),
        (Rules(max_age_days=0), replace(own(), created=None), False, "no creation date"),
        (Rules(unused_for_days=0), replace(own(), created=None), False, "no creation date"),
        # Both have to hold.
        (Rules(max_age_days=50, unused_for_days=30), own(last_launched=ago(days=3)), False, "last launched"),
        (Rules(max_age_days=200, unused_for_days=30), own(days=150), False, "It was created"),
    ],
)
def test_kept(rules: Rules, image: Any, is_latest: bool, reason: str | None) -> None:
    reasons = list(kept(rules, image, is_latest, NOW))
    assert len(reasons) == (reason is not None)
    assert all(str(reason) in one for one in reasons)


def test_protecting_keys() -> None:
    protect = (("keep", None), ("stage", "prod"), ("team", "web"))
    tags = {"keep": "", "stage": "prod", "team": "db", "name": "keep"}
    assert list(protecting_keys(tags, protect)) == ["keep", "stage"]


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
    rules = Rules(states=frozenset(states)) if states else Rules()
    assert is_evaluated(rules, own(state=state), disables) is counts


@pytest.mark.parametrize(
    ("keep_latest", "allow_empty", "count"),
    [(0, False, 1), (1, False, 1), (4, False, 4), (0, True, 0), (2, True, 2)],
)
def test_a_family_is_emptied_only_when_that_is_allowed(
    keep_latest: int, allow_empty: bool, count: int
) -> None:
    assert Rules(keep_latest=keep_latest, allow_empty_family=allow_empty).latest == count


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
    assert parse_limit(value) == limit


@pytest.mark.parametrize(
    ("limit", "deletions", "considered", "allowed"),
    [
        (Limit(count=3), 3, 3, True),
        (Limit(count=3), 4, 1000, False),
        (Limit(count=0), 0, 10, True),
        (Limit(), 1, 10, True),
        (Limit(), 1, 9, False),
        (Limit(), 2, 19, False),
        (Limit(), 2, 20, True),
        (Limit(percent=50), 5, 9, False),
        (Limit(percent=100), 9, 9, True),
        (Limit(percent=0), 1, 99, False),
        (Limit(), 0, 0, True),
    ],
)
def test_the_boundary_of_a_limit(limit: Limit, deletions: int, considered: int, allowed: bool) -> None:
    assert limit.allows(deletions, considered) is allowed


def test_a_percentage_says_how_many_images_it_allows() -> None:
    assert Limit(percent=10).of(8) == "10% (0 of 8)"
    assert Limit(percent=10).of(19) == "10% (1 of 19)"
    assert Limit(count=3).of(8) == "3"
