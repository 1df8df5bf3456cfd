# SPDX-License-Identifier: GPL-3.0-or-later

"""The declarations of a role's variables: Ansible takes what AWX sends, and descriptions say the rest."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks import variables
from checks.commands import CheckError

SPEC = """---
argument_specs:
  main:
    options:
      web_ids:
        description: [The accounts., Required. Type list of account IDs.]
        type: raw
      web_level:
        description: [The level., Another paragraph., "Choices V(none), V(all)."]
        type: str
        default: none
      web_key:
        description: A key.
        type: str
        no_log: true
      web_names:
        description: [The names., Type list of text.]
        type: raw
      web_file:
        description: A file.
        type: path
"""
TABLE = """---
variables:
  web_ids: { type: list, elements: account_id, required: true }
  web_level: { choices: [none, all] }
  web_names: { type: list, elements: str }
"""
ONE_OF = "required_one_of: [{ variables: [web_key, web_ports], problem: nothing is set. }]\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    meta = tmp_path / "roles" / "web" / "meta"
    meta.mkdir(parents=True)
    (meta / "argument_specs.yml").write_text(SPEC, encoding="utf-8")
    (meta / "variables.yml").write_text(TABLE, encoding="utf-8")
    return tmp_path


def test_the_table_takes_precedence_and_descriptions_lose_what_it_says(root: Path) -> None:
    (role,) = variables.roles(root)
    assert role.options["web_ids"] == {
        "description": ["The accounts."],
        "type": "list",
        "elements": "account_id",
        "required": True,
    }
    assert role.options["web_level"]["description"] == ["The level.", "Another paragraph."]
    assert [variable.default for variable in role.declared.variables] == [None, "none", None, [], None]
    variables.check(root)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (
            "Required. Type list",
            "Type list",
            "web_ids: its description must end with .*Required. Type list of",
        ),
        ("type: list, elements: account_id", "type: lists", "web_ids: lists is not a type"),
        ("choices: [none, all]", "choices: [none]", r"web_level: .* Choices V\(none\)\."),
        ("web_level: {", "web_levels: {", "web_levels: .* has no such variable"),
        (
            "web_ids: { type: list,",
            "web_ids: { type: list, default: [x],",
            "web_ids: a required variable has no",
        ),
        ("elements: account_id, ", "", "web_ids: a list has elements"),
        ("variables:\n", ONE_OF + "variables:\n", "web_ports: required_one_of names no variable"),
        (
            "Type list of text.]\n        type: raw",
            "It.]\n        type: list",
            "web_names: .* must be {'type': 'raw'}",
        ),
        ("choices: [none, all]", "type: bool", "web_level: .* must be {'type': 'raw'}"),
        ("type: path", "type: raw", "web_file: its description must end with .* Type mapping or list"),
        ("no_log: true", "choices: [a]", "web_key: choices belongs into meta/variables.yml"),
    ],
)
def test_a_mistake_is_found(root: Path, old: str, new: str, problem: str) -> None:
    for path in (root / "roles" / "web" / "meta").iterdir():
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    with pytest.raises(CheckError, match=problem):
        variables.check(root)


@pytest.mark.parametrize(
    ("kind", "elements", "words"),
    [
        ("list", "str", "list of text"),
        ("list", "dict", "list of mappings"),
        ("dict", "float", "mapping of text to number"),
        ("raw", None, "mapping or list"),
    ],
)
def test_a_type_in_words(kind: str, elements: str | None, words: str) -> None:
    assert variables.type_in_words(variables.Variable("v", type=kind, elements=elements)) == words


def test_a_checkout_without_roles_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no roles"):
        variables.roles(tmp_path)
