# SPDX-License-Identifier: GPL-3.0-or-later

"""Any value of any type: the filters never raise, and what they return can be an option of a module."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.filter.as_list import as_list
from ansible_collections.golden.images.plugins.filter.as_value import as_value

from tests.unit.hostile import VALUES

TEXTS = (
    *("2026-01-01", "2026-13-45", "2026-01-01T25:00:00", "1" * 5_000, "[" * 3_000, "- " * 3_000),
    *("!!int x", "!!float y", "!!bool x", "!!null x", "!!timestamp x", "!!binary x", "!!set {a}"),
    *("!!python/object:os.system x", "{[1]: 2}", "? [1]", "&a [*a]", "a: &x {b: *x}", "<<: 1", "=", "%"),
)


def test_text_means_a_value_that_an_option_can_have() -> None:
    given = [one for one in (*VALUES, *TEXTS) if isinstance(one, str)]
    for text in given:
        json.dumps(as_value(text))
        assert all(isinstance(item, str) and item for item in as_list(text))
    assert len(given) >= 80


def test_other_values_are_kept_as_they_are() -> None:
    for value in (one for one in VALUES if not isinstance(one, str)):
        assert as_value(value) is value
        json.dumps(as_list(value))


@pytest.mark.parametrize("text", TEXTS[:6])
def test_text_that_means_no_such_value_stays_text(text: str) -> None:
    assert as_value(text) == text


@pytest.mark.parametrize(
    ("value", "items"),
    [
        ([[date(2026, 1, 1)]], ['["2026-01-01"]']),
        ([{"a": date(2026, 1, 1)}], ['{"a": "2026-01-01"}']),
        ([{(1, 2): 3}], ["{(1, 2): 3}"]),
    ],
)
def test_items_that_json_lacks_become_text(value: Any, items: list[str]) -> None:
    assert as_list(value) == items
