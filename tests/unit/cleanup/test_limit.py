# SPDX-License-Identifier: GPL-3.0-or-later

"""How much one run may delete."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.limit import Limit, parse_limit


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
