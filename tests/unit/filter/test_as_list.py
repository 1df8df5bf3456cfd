# SPDX-License-Identifier: GPL-3.0-or-later

"""Lists of variables that a survey can set."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.filter.as_list import FilterModule, as_list


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(None, [], id="null"),
        pytest.param("", [], id="no answer"),
        pytest.param(" \n", [], id="an empty line"),
        pytest.param("eu-west-1, us-east-1", ["eu-west-1", "us-east-1"], id="commas"),
        pytest.param("eu-west-1\r\n\r\nus-east-1,\n", ["eu-west-1", "us-east-1"], id="lines"),
        pytest.param(222222222222, [222222222222], id="a number"),
        pytest.param([], [], id="an empty list"),
        pytest.param(["", None, " a "], ["", None, "a"], id="a list, with the items that modules refuse"),
        pytest.param(("a", "b"), ["a", "b"], id="a tuple"),
        pytest.param({"account_id": "1"}, ['{"account_id": "1"}'], id="a mapping, as it is written"),
        pytest.param([["a"], 1], ['["a"]', 1], id="a list in a list, as it is written"),
    ],
)
def test_as_list(value: Any, expected: list[Any]) -> None:
    assert as_list(value) == expected


def test_the_name_of_the_filter() -> None:
    assert FilterModule().filters() == {"as_list": as_list}
