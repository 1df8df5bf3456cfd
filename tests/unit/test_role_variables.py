# SPDX-License-Identifier: GPL-3.0-or-later

"""A role variable is named after the role and the module option that it sets.

`distribute_name` sets `name`. Where the option alone would be ambiguous, the step stands between:
`distribute_copy_wait_timeout` sets the `wait_timeout` of the copies. A playbook is one role.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml
from jinja2 import nodes

from plugins.module_utils.variables import Variable, misspelled

CHECKOUT = Path(__file__).resolve().parents[2]
ROLES = sorted(folder.name for folder in (CHECKOUT / "roles").iterdir())
PLAYBOOKS = sorted(file.stem for file in (CHECKOUT / "playbooks").glob("*.yml"))
STEPS = {
    "distribute": {
        "copy": "the copies in the owner's account",
        "consumer": "the copies in the consumers' accounts",
        "kms": "the access to KMS keys",
        "publish": "the publication of the image",
        "verify": "the role verify",
    },
    "monitor": {
        "alarm": "the CloudWatch alarm",
        "metric": "the metric filters",
        "queue": "the SQS queue",
        "rule": "the EventBridge rule",
        "topic": "the SNS topic",
    },
}

# ROLE.OPTION: no variable has the option's name, and none declares that it `sets` the option in the role's
# meta/variables.yml. ROLE.VARIABLE: the variable sets no option.
EXCEPTIONS = {
    "distribute.images": "the planned copies, before they exist",
    "distribute.allow_empty_purge": "follows from unsharing after the copy",
    "distribute.publish_account_ids": "the account_ids of ami_publish",
    "distribute.consumer_account_ids": "the account_ids of the copies into accounts",
    "distribute.distribute_publish_uncertain": "the role verify has it in its report",
    "distribute.require_shareable": "follows from the consumers of the images",
    "distribute.require_shared": "follows from the consumers of the images",
    "monitor.region": "the variable lists regions, and the modules act in one region",
    "remediate.remediate_allow_empty_allowlist": "only the role checks for an empty allowlist",
    "verify.regions": "the regions of verify_images",
}


@dataclass(frozen=True)
class Setting:
    """A module option, and the public variables that its value is made from."""

    option: str
    variables: frozenset[str]


@pytest.mark.parametrize("role", ROLES)
def test_a_variable_is_the_role_and_the_option(role):
    settings = list(_settings(_role_tasks(role), _role_vars(role), _variables(role)))
    assert settings
    exceptions = {name for name in EXCEPTIONS if name.startswith(f"{role}.")}
    declared = {f"{role}.{option}" for option, name in _sets(role) if not _is_named(role, name, option)}
    assert not exceptions & declared
    assert _breaches(role, settings, _variables(role)) == exceptions | declared


@pytest.mark.parametrize("role", ROLES)
def test_a_variable_sets_what_its_declaration_says(role):
    settings = list(_settings(_role_tasks(role), _role_vars(role), _variables(role)))
    assert _sets(role) <= {(one.option, name) for one in settings for name in one.variables}


def test_every_exception_is_of_a_role():
    assert {name.split(".")[0] for name in EXCEPTIONS} <= set(ROLES)


@pytest.mark.parametrize("role", sorted(STEPS))
def test_every_step_is_in_the_name_of_a_variable(role):
    settings = list(_settings(_role_tasks(role), _role_vars(role), _variables(role)))
    used = {
        step
        for step in STEPS[role]
        for setting in settings
        if f"{role}_{step}_{setting.option}" in setting.variables
    }
    assert used == set(STEPS[role])


@pytest.mark.parametrize("role", ROLES)
def test_messages_name_the_variable_that_sets_an_option(role):
    names = _role_vars(role)[f"{role}__variable_names"]
    assert set(names.values()) <= _variables(role)
    settings = list(_settings(_role_tasks(role), _role_vars(role), _variables(role)))
    setting = {(one.option, name) for one in settings if one.option in names for name in one.variables}
    assert {option for option, _variable in setting} <= {
        option for option, variable in names.items() if (option, variable) in setting
    }


@pytest.mark.parametrize("role", ROLES)
def test_tasks_use_what_was_read_and_never_the_variable(role):
    public = _variables(role) | {"account_id"}
    texts = list(_templates([_role_tasks(role), *_load_all(_vars_files(role))]))
    assert texts
    assert {name for text in texts for name in re.findall(r"(?<![\w.'])\w+(?!\w|')", text)} & public == set()
    assert not (CHECKOUT / "roles" / role / "defaults").exists()


def test_a_role_that_is_included_gets_its_variables_as_values():
    """Variables of the play, extra variables above all, would take precedence over those of a task."""
    public = frozenset().union(*(_variables(role) for role in ROLES))
    tasks = [task for role in ROLES for task in _all_tasks(_role_tasks(role))]
    assert [task["name"] for task in tasks if task.get("vars", {}).keys() & public] == []
    given = [item for task in tasks for item in _given_to_roles(task).items()]
    assert given
    for role, values in given:
        assert values.keys() <= _variables(role)
        parts = [
            part
            for part in _all_tasks(_role_tasks(role))
            if part.get("golden.images.role_variables") == {"values": f"{{{{ {role}__given }}}}"}
        ]
        assert len(parts) == 1


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
def test_no_fact_of_a_role_looks_like_a_misspelled_variable(role):
    """A second run of the role in a play has the facts of the first."""
    facts = {f"{role}_artifacts", f"{role}_summary", *_facts(_role_tasks(role))}
    assert len(facts) > 2 or role == "monitor"
    variables = [Variable(name) for name in _variables(role)]
    assert misspelled(variables, f"{role}_", facts, {}) == ()


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_a_playbook_is_one_role(playbook):
    (play,) = _load(CHECKOUT / "playbooks" / f"{playbook}.yml")
    assert play["roles"] == [{"role": f"golden.images.{playbook.partition('_')[0]}"}]
    assert not play.keys() & {"tasks", "post_tasks", "handlers"}
    (check,) = play["pre_tasks"]
    assert "golden.images.playbook_tags" in check
    assert check["tags"] == "always"


EXAMPLE = """
- name: Clean up the images
  vars:
    retire__latest: "{{ retire_keep if retire_unused else 0 }}"
  block:
    - name: Retire the images
      golden.images.ami_cleanup:
        regions: "{{ retire_regions | default(omit, true) }}"
        keep_latest: "{{ retire__latest | string }}"
        tombstone_path: "{{ retire_tombstone_path }}"
"""


def test_a_breach_is_found():
    variables = frozenset(
        {"retire_regions", "retire_keep", "retire_unused", "retire_tombstone_path", "retire_more"}
    )
    settings = list(_settings(yaml.safe_load(EXAMPLE), {}, variables))
    assert settings == [
        Setting("regions", frozenset({"retire_regions"})),
        Setting("keep_latest", frozenset({"retire_keep"})),
        Setting("tombstone_path", frozenset({"retire_tombstone_path"})),
    ]
    assert _breaches("retire", settings, variables) == {
        "retire.keep_latest",
        "retire.retire_unused",
        "retire.retire_more",
    }


def _breaches(role: str, settings: list[Setting], variables: frozenset[str]) -> set[str]:
    """Options that no variable of their name sets, and variables that set no option."""
    options = {
        setting.option
        for setting in settings
        if not any(_is_named(role, name, setting.option) for name in setting.variables)
    }
    unused = variables - {name for setting in settings for name in setting.variables}
    return {f"{role}.{name}" for name in options | unused}


def _is_named(prefix: str, variable: str, option: str) -> bool:
    names = {f"{prefix}_{option}", *(f"{prefix}_{step}_{option}" for step in STEPS.get(prefix, {}))}
    # share_snapshots, not share_share_snapshots.
    return variable in names | ({option} if option.startswith(f"{prefix}_") else set())


def _settings(
    tasks: list[dict[str, Any]], private: Mapping[str, Any], public: frozenset[str]
) -> Iterator[Setting]:
    """Each option that tasks set from public variables, by way of private ones or not."""
    for task in tasks:
        known = {**private, **task.get("vars", {})}
        for action, options in {**task, **task.get("module_defaults", {})}.items():
            if _is_module(action):
                yield from _options_set(options, known, public)
        for role, values in _given_to_roles(task).items():
            # A role that is included gets its variables as a module gets its options.
            of_role = {name.removeprefix(f"{role}_"): value for name, value in values.items()}
            yield from _options_set(of_role, known, public)
        for section in ("block", "rescue", "always"):
            yield from _settings(task.get(section, []), known, public)


def _all_tasks(tasks: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """The tasks and blocks, and those in the blocks."""
    for task in tasks:
        yield task
        for section in ("block", "rescue", "always"):
            yield from _all_tasks(task.get(section, []))


def _is_module(action: str) -> bool:
    return action.count(".") == 2 and not action.startswith("ansible.builtin.")


def _given_to_roles(task: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The values of variables that a task or block passes to a role that it includes, by role."""
    task_vars = task.get("vars", {})
    return {role: task_vars[f"{role}__given"] for role in ROLES if f"{role}__given" in task_vars}


def _options_set(
    options: Mapping[str, Any] | None, private: Mapping[str, Any], public: frozenset[str]
) -> Iterator[Setting]:
    if isinstance(options, str):
        # A variable with the options of a module.
        options = next((private[name] for name in re.findall(r"\w+", options) if name in private), {})
    for option, value in (options or {}).items():
        if isinstance(value, dict):
            yield from _options_set(value, private, public)
        elif names := _values(value, private, public):
            yield Setting(option, names)


def _values(value: Any, private: Mapping[str, Any], public: frozenset[str]) -> frozenset[str]:
    """The public variables that a value is made from: not conditions, and not parts of a longer text."""
    if not (isinstance(value, str) and value.startswith("{{") and value.count("{{") == 1):
        return frozenset()
    # A source has the values of the variables of the same names, or its own.
    value = re.sub(r"\b(\w+)__source\.(\w+)", r"\1_\2", value)
    found: set[str] = set()
    for name in _names(jinja2.Environment(autoescape=True).parse(_without_filters(value))):
        found |= {name} & public
        found |= _values(private.get(name), {key: private[key] for key in private if key != name}, public)
    return frozenset(found)


def _without_filters(template: str) -> str:
    # Jinja does not know Ansible's filters, and which one it is does not matter.
    return re.sub(r"\|\s*\w+", "| default", template)


def _names(node: nodes.Node) -> Iterator[str]:
    if isinstance(node, nodes.Name):
        yield node.name
    for child in node.iter_child_nodes(exclude=["test"]):
        yield from _names(child)


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
    """Private variables, those of the blocks among them: an included file sees these too.

    Those with what ``role_variables`` has read are the public ones.
    """
    of_files = {name: value for file in _load_all(_vars_files(role)) for name, value in file.items()}
    of_blocks = {name: value for task in _role_tasks(role) for name, value in task.get("vars", {}).items()}
    return {
        name: re.sub(r"(\w+)__variables\.options\['(\w+)'\]", r"\1_\2", value)
        if isinstance(value, str)
        else value
        for name, value in {**of_files, **of_blocks}.items()
    }


def _vars_files(role: str) -> list[Path]:
    folder = CHECKOUT / "roles" / role / "vars"
    return sorted([*folder.glob("*.yml"), *folder.glob("main/*.yml")])


def _load_all(files: list[Path]) -> list[Any]:
    return [_load(file) for file in files]


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


def _sets(role: str) -> set[tuple[str, str]]:
    """Each option that a variable declares to set besides the one of its name, with the variable."""
    variables = _load(CHECKOUT / "roles" / role / "meta" / "variables.yml")["variables"]
    return {(option, name) for name, fields in variables.items() for option in fields.get("sets", ())}


def _variables(role: str) -> frozenset[str]:
    return frozenset(_options(role))


def _load(file: Path) -> Any:
    return yaml.safe_load(file.read_text(encoding="utf-8"))
