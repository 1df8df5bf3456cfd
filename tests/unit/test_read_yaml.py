# SPDX-License-Identifier: GPL-3.0-or-later

"""YAML text of a variable or an option, with and without PyYAML."""

from __future__ import annotations

import sys

import pytest
from ansible_collections.golden.images.plugins.module_utils._read_yaml import parse_yaml
from ansible_collections.golden.images.plugins.module_utils._variables import Unreadable


def test_yaml_text_keeps_its_scalars_as_text() -> None:
    assert parse_yaml("a: [012, 1.10, true, null]") == {"a": ["012", "1.10", "true", "null"]}


# The last one is nested more deeply than Python recurses.
@pytest.mark.parametrize("text", ["[a", "a: b: c", "[" * 1_000, "- " * 1_000])
def test_text_that_is_not_yaml(text: str) -> None:
    with pytest.raises(ValueError, match="not YAML"):
        parse_yaml(text)


@pytest.mark.parametrize("text", ["x: &x [*x]", "x: &x [a]\ny: *x"])
def test_an_alias_is_an_error(text: str) -> None:
    """It could repeat its anchor without end."""
    with pytest.raises(ValueError, match="alias"):
        parse_yaml(text)


def test_without_pyyaml_the_remedy_is_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(Unreadable, match="needs PyYAML") as refused:
        parse_yaml("a: b")
    assert refused.value.remedy == "Write JSON, or run the task on localhost."
