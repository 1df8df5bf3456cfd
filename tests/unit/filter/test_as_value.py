# SPDX-License-Identifier: GPL-3.0-or-later

"""Mappings and lists from the text of a survey's answer."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.filter.as_value import FilterModule, as_value


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("eu-west-1: ami-1", {"eu-west-1": "ami-1"}),
        ('{"eu-west-1": "ami-1"}', {"eu-west-1": "ami-1"}),
        ("- name_pattern: web", [{"name_pattern": "web"}]),
        ({"a": 1}, {"a": 1}),
        ([1], [1]),
        (None, None),
        ("", None),
        ("web", "web"),
        ("[", "["),
    ],
)
def test_text_becomes_the_value_that_it_means(value: Any, expected: Any) -> None:
    assert as_value(value) == expected


def test_the_filter_has_its_name() -> None:
    assert FilterModule().filters() == {"as_value": as_value}
