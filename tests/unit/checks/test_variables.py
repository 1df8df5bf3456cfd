# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a role that follow from the declarations of its variables."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from checks import variables
from checks.commands import CheckError

CHECKOUT = Path(__file__).resolve().parents[3]

DECLARED = """---
short_description: Web
description: [Serves.]
author: [golden.images contributors]
variables:
  web_ids:
    description: The accounts.
    type: list
    elements: account_id
    required: true
  web_level:
    description: [The level., Another paragraph.]
    type: str
    choices: [none, all]
    default: none
    sets: [verify_level]
  web_key:
    description: A key.
    type: str
    no_log: true
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "roles" / "web" / "meta").mkdir(parents=True)
    (tmp_path / "roles" / "web" / "meta" / "variables.yml").write_text(DECLARED, encoding="utf-8")
    return tmp_path


def test_the_specification_lets_the_reader_refuse(root: Path) -> None:
    text = variables.different(root)[root / "roles/web/meta/argument_specs.yml"]
    options = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    assert options == {
        "web_ids": {"description": ["The accounts.", "Required. Type list of account IDs."], "type": "raw"},
        "web_level": {
            "description": ["The level.", "Another paragraph.", "Choices V(none), V(all)."],
            "type": "str",
            "default": "none",
        },
        "web_key": {"description": ["A key."], "type": "str", "no_log": True},
    }


def test_the_tasks_get_what_was_read_and_messages_name_the_variables(root: Path) -> None:
    text = variables.different(root)[root / "roles/web/vars/main/variables.yml"]
    assert yaml.safe_load(text) == {
        "web__ids": "{{ web__variables.options['ids'] }}",
        "web__level": "{{ web__variables.options['level'] }}",
        "web__key": "{{ web__variables.options['key'] }}",
        "web__variable_names": {
            "ids": "web_ids",
            "level": "web_level",
            "verify_level": "web_level",
            "key": "web_key",
        },
    }


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


def test_a_difference_is_found_and_written(root: Path) -> None:
    shutil.copytree(CHECKOUT / "roles" / "verify", root / "roles" / "verify")
    spec = root / "roles/verify/meta/argument_specs.yml"
    spec.write_text(spec.read_text(encoding="utf-8").replace("image", "IMAGE", 1), encoding="utf-8")
    assert set(variables.different(root)) >= {spec}
    with pytest.raises(CheckError, match=r"verify/meta/argument_specs.yml.*make format"):
        variables.check(root)
    variables.write(root)
    variables.check(root)


def test_a_wrong_declaration_is_found(root: Path) -> None:
    file = root / "roles/web/meta/variables.yml"
    file.write_text(DECLARED.replace("type: list", "type: lists"), encoding="utf-8")
    with pytest.raises(CheckError, match="web_ids: lists is not a type"):
        variables.roles(root)


def test_a_checkout_without_declarations_is_no_success(tmp_path: Path) -> None:
    with pytest.raises(CheckError, match="no roles"):
        variables.roles(tmp_path)
