# SPDX-License-Identifier: GPL-3.0-or-later

"""A value that is not the result of a module, and the place that differs."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._structure import (
    BOOLEAN,
    NUMBER,
    OUTCOME,
    TEXT,
    Absent,
    Null,
    Values,
    as_list,
    check_result,
)

STRUCTURE = {
    **OUTCOME,
    "name": Null(TEXT),
    "regions": Values({"images": NUMBER}),
    "results": Absent([{"public": BOOLEAN, "state": frozenset({"available", "failed"})}]),
}
GOOD: dict[str, Any] = {
    "failures": [{"message": "No.", "region": None}],
    "name": None,
    "other": object(),
    "regions": {"eu-west-1": {"images": 1}},
    "results": [{"public": False, "state": "failed"}],
}


def problem(value: Any, structure: Any = STRUCTURE) -> str | None:
    """What is wrong with the value; None if nothing is."""
    failures = check_result("given", value, structure, "ami_share")
    return failures[0].message.removeprefix("given: it is not a result of ami_share: ") if failures else None


@pytest.mark.parametrize(("value", "items"), [(["a", "b"], ["a", "b"]), ([], []), ("ab", ["ab"]), (0, [0])])
def test_a_value_that_stands_alone_is_a_list_of_one(value: Any, items: list[Any]) -> None:
    assert as_list(value) == items


def test_a_result_is_accepted_with_further_keys_and_without_those_that_can_be_absent() -> None:
    assert problem(GOOD) is None
    assert problem({"name": "golden", "regions": {}}) is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({"name": 1}, "name must be text.", id="text"),
        pytest.param({"results": None}, "results must be a list.", id="null for what can be absent"),
        pytest.param({"results": "x"}, "results must be a list.", id="list"),
        pytest.param({"results": [[]]}, "results[0] must be a mapping.", id="mapping"),
        pytest.param({"results": [*GOOD["results"], {}]}, "results[1].public is missing.", id="missing"),
        pytest.param(
            {"results": [{"public": 1, "state": "failed"}]},
            "results[0].public must be true or false.",
            id="boolean",
        ),
        pytest.param(
            {"results": [{"public": True, "state": ["failed"]}]},
            "results[0].state must be one of available, failed.",
            id="one of",
        ),
        pytest.param({"regions": ["eu-west-1"]}, "regions must be a mapping.", id="any keys"),
        pytest.param(
            {"regions": {"eu-west-1": {"images": True}}},
            "regions.eu-west-1.images must be a number.",
            id="a boolean is no number",
        ),
        pytest.param({"failures": [{"message": {}}]}, "failures[0].message must be text.", id="failures"),
    ],
)
def test_the_first_place_that_differs_is_named(changes: dict[str, Any], expected: str) -> None:
    assert problem({**GOOD, **changes}) == expected


@pytest.mark.parametrize("value", [None, [], "x", 1])
def test_a_value_that_is_no_mapping(value: Any) -> None:
    assert problem(value) == "it must be a mapping."


def test_a_failure_names_the_option_and_the_module() -> None:
    (failure,) = check_result("share_result", 1, {}, "ami_share")
    assert (failure.action, failure.error_code) == ("share_result", "invalid_option")
    assert failure.remedy == "Register the result of ami_share, and pass all of it."
