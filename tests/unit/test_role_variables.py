# SPDX-License-Identifier: GPL-3.0-or-later

"""Roles use the values that their second task has read, never the variables, and leave no fact behind."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from plugins.action.role_variables import load_variables

CHECKOUT = Path(__file__).resolve().parents[2]
ROLES = sorted(folder.name for folder in (CHECKOUT / "roles").iterdir())


@pytest.mark.parametrize("role", ROLES)
def test_tasks_use_what_was_read_and_never_the_variable(role):
    public = _variables(role) | {"account_id"}
    texts = list(_templates([_role_tasks(role), _role_vars(role)]))
    assert texts
    assert {name for text in texts for name in re.findall(r"(?<![\w.'])\w+(?!\w|')", text)} & public == set()
    assert not (CHECKOUT / "roles" / role / "defaults").exists()


@pytest.mark.parametrize("role", ROLES)
def test_all_variables_of_the_role_are_read_and_no_other_name(role):
    texts = _templates([_role_tasks(role), _role_vars(role)])
    names = {name for text in texts for name in re.findall(rf"{role}__(?:variables\.)?options\.(\w+)", text)}
    assert {f"{role}_{name}" for name in names} == _variables(role)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "answer", ["", None, "web, db", "- web\n- db", "web: 1", '[{"web": 1}]', "perhaps", 5, 1.5, True]
)
def test_ansible_accepts_all_that_awx_sends(role, answer):
    """Ansible refuses before the first task resets the facts of an earlier run."""
    validator = ArgumentSpecValidator(_options(role))
    assert validator.validate({}).error_messages == []
    assert validator.validate(dict.fromkeys(_options(role), answer)).error_messages == []


@pytest.mark.parametrize("role", ROLES)
def test_the_first_task_resets_all_facts(role):
    """A run that fails at its variables must not leave the facts of an earlier run in the play."""
    (first, *_others) = _load(CHECKOUT / "roles" / role / "tasks" / "main.yml")
    if file := first.get("ansible.builtin.import_tasks"):
        (first,) = _load(CHECKOUT / "roles" / role / "tasks" / file)
    assert first["name"] == "Reset facts from previous runs"
    public = {name for name in _facts(_role_tasks(role)) if not name.startswith(f"{role}__")}
    assert public | {f"{role}_summary"} == {*_facts(first)} - {
        name for name in _facts(first) if name.startswith(f"{role}__")
    }


@pytest.mark.parametrize("role", ROLES)
def test_a_role_knows_its_facts_and_the_variables_of_its_playbook(role):
    """A second run of the role in a play has the facts of the first."""
    facts = {f"{role}_summary", *(name for name in _facts(_role_tasks(role)) if f"{role}__" not in name)}
    playbook = {f"{name}_hosts" for name in ("verify",) if name == role}
    declared = load_variables(str(CHECKOUT / "roles" / role))
    assert declared.other_names == {f"{role}_artifacts", *facts, *playbook}
    assert declared.find_unknown({*facts, f"{role}__own"}, {}) == ()


def test_no_variable_of_a_role_has_the_prefix_of_another_one():
    names = {role: _variables(role) for role in ROLES}
    for role in ROLES:
        others = [name for other in ROLES if other != role for name in names[other]]
        assert [name for name in others if name.startswith(f"{role}_")] == []


def test_the_part_after_the_prefix_means_the_same_in_each_role():
    """One file has the variables of several roles: what a name takes, it takes after each prefix."""
    by_name: dict[str, dict[str, Any]] = {}
    for role in ROLES:
        for variable in load_variables(str(CHECKOUT / "roles" / role)).variables:
            name = variable.name.removeprefix(f"{role}_")
            # distribute names a variable of one of its steps like the role for that step.
            if role == "distribute" and (step := name.partition("_"))[0] in ROLES:
                name = step[2]
            form = variable.type, variable.elements, variable.keys, variable.options
            by_name.setdefault(name, {})[role] = form
    differing = {name for name, forms in by_name.items() if len({*map(repr, forms.values())}) > 1}
    assert {"account_ids", "regions", "report_dir", "consumer_role_name"} <= by_name.keys()
    # Each takes a mapping of region to image ID, and some take more.
    assert differing == {"images"}


def _facts(value: Any) -> Iterator[str]:
    """The names of all facts that tasks set."""
    if isinstance(value, Mapping):
        yield from (name for name in value.get("ansible.builtin.set_fact", ()) if name != "cacheable")
        for item in value.values():
            yield from _facts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _facts(item)


def _role_tasks(role: str) -> list[dict[str, Any]]:
    return [
        task for file in sorted((CHECKOUT / "roles" / role / "tasks").glob("*.yml")) for task in _load(file)
    ]


def _role_vars(role: str) -> dict[str, Any]:
    return _load(CHECKOUT / "roles" / role / "vars" / "main.yml")


def _templates(content: Any, is_condition: bool = False) -> Iterator[str]:
    """All expressions: those in templates, and conditions."""
    if isinstance(content, dict):
        for key, value in content.items():
            yield from _templates(value, key in ("when", "that", "failed_when", "changed_when", "until"))
    elif isinstance(content, list):
        for value in content:
            yield from _templates(value, is_condition)
    elif isinstance(content, str):
        yield from [content] if is_condition else re.findall(r"{{(.*?)}}", content, re.DOTALL)


def _options(role: str) -> dict[str, Any]:
    return _load(CHECKOUT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]["main"]["options"]


def _variables(role: str) -> frozenset[str]:
    return frozenset(_options(role))


@functools.cache
def _load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
