# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the lookup plugin ami, which its documentation defines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml
from ansible_collections.golden.images.plugins.lookup import ami
from ansible_collections.golden.images.plugins.module_utils._image_search.options import SearchOptions
from ansible_collections.golden.images.plugins.module_utils._image_search.state import Search
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import read_options

ACCOUNT, OTHER = "012345671234", "222222222222"
OPTIONS = yaml.safe_load(ami.DOCUMENTATION)["options"]


def _forms(options: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    fields = ("type", "elements", "choices", "default")
    return {
        name: {field: option[field] for field in fields if option.get(field) is not None}
        for name, option in options.items()
    }


def test_the_documented_options_are_those_of_the_code() -> None:
    assert _forms(OPTIONS) == _forms(SearchOptions.argument_spec())


def test_all_options_are_read() -> None:
    assert {option.name for option in ami.LookupModule.own_options} == {*OPTIONS, "region"}


def _read(terms: list[Any], options: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """The options of a lookup with these arguments, and why they are refused."""
    given = {"_terms": terms, **options}
    values, failures = read_options(ami.LookupModule.own_options, given, parse_yaml)
    defaults = {name: option.get("default") for name, option in OPTIONS.items()}
    return {**defaults, **values}, "".join(failure.message for failure in failures)


@pytest.mark.parametrize(
    ("terms", "options", "expected"),
    [
        ([" golden-web-*\n"], {"tags": None, "parameter": " "}, Search(name="golden-web-*")),
        ([2026], {"architecture": " ARM64 "}, Search(name="2026", architecture="arm64")),
        (["x"], {"owners": f"{ACCOUNT}\n{OTHER},\n"}, Search(name="x", owners=(ACCOUNT, OTHER))),
        (["x"], {"owners": 222222222222}, Search(name="x", owners=(OTHER,))),
        (["x"], {"owners": ""}, Search(name="x")),
        ([], {"tags": "family: web\nversion: 1.10"}, Search(tags={"family": "web", "version": "1.10"})),
        ([], {"tags": '{"family": "web"}'}, Search(tags={"family": "web"})),
        ([], {"parameter": " /golden/web "}, Search(parameter="/golden/web")),
    ],
)
def test_options_can_be_the_text_of_a_survey(
    terms: list[Any], options: dict[str, Any], expected: Search
) -> None:
    values, message = _read(terms, options)
    assert message == ""
    assert SearchOptions.read(values, check_mode=False).searches == (expected,)


@pytest.mark.parametrize(
    ("terms", "options", "message"),
    [
        ([None], {"tags": {"a": "b"}}, "_terms: item 1 is empty"),
        (["x", " "], {}, "_terms: item 2 is empty"),
        ([1.1], {}, "_terms: item 1: YAML reads this as a number, 1.1"),
        ([["x"]], {}, "_terms: item 1: must be text"),
        (["x"], {"owners": 1402434204}, "012345671234 becomes 1402434204"),
        (["x"], {"tags": {"version": 1.1}}, "tags: 'version': YAML reads this as a number, 1.1"),
        (["x"], {"tags": {"family": ["web"]}}, "tags: 'family': must be text"),
        (["x"], {"architecture": "sparc"}, "architecture: must be one of arm64"),
    ],
)
def test_options_are_refused_as_those_of_modules(
    terms: list[Any], options: dict[str, Any], message: str
) -> None:
    assert message in _read(terms, options)[1]


def test_a_blank_region_is_not_set() -> None:
    assert "region" not in _read(["x"], {"region": " "})[0]
    assert _read(["x"], {"region": " us-east-1\n"})[0]["region"] == "us-east-1"


def test_examples_use_documented_options() -> None:
    calls = re.findall(r"lookup\('golden\.images\.ami',(.*?)\) }}", ami.EXAMPLES, re.DOTALL)
    assert len(calls) == 3
    used = {name for call in calls for name in re.findall(r"(\w+)=", call)}
    assert used - {"region"} < {*OPTIONS}
