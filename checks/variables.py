# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the roles: each stands in ``meta/argument_specs.yml``, and what Ansible cannot say of it
in the table ``meta/variables.yml``.

Ansible validates a role's variables before its first task, and refuses blank text as a boolean, a number, a
mapping or a choice, although AWX sends it for a question without an answer, and a mapping as a list. Such
variables are ``raw``. ``required`` stands in the table, too: a role that Ansible refuses keeps the facts of
an earlier run, all other problems stay unsaid, and Ansible prints the whole argument spec in one line.
Descriptions end with what the table says, so that ``ansible-doc`` shows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from checks.commands import CheckError
from checks.paths import CHECKOUT
from plugins.module_utils._role_variables import RoleVariables, merge_declarations
from plugins.module_utils._variables import TYPES, Variable

_TYPES = {
    "account_id": "account ID",
    "bool": "boolean",
    "bool_or_account_ids": "boolean or list of account IDs",
    "consumer": "text",
    "count_or_percentage": "number or percentage",
    "dict": "mapping",
    "external_id": "external ID",
    "float": "number",
    "images": "mapping or list",
    "int": "whole number",
    "path": "path",
    "raw": "mapping or list",
    "role_name": "role name",
    "str": "text",
}
_TEXT = ("account_id", "count_or_percentage", "external_id", "role_name", "str")
_OF_THE_SPEC = {"default", "description", "elements", "no_log", "type", "version_added"}


@dataclass(frozen=True)
class Role:
    """A role: the content of its argument spec and of its table."""

    name: str
    spec: Mapping[str, Any]
    table: Mapping[str, Any]

    @property
    def main(self) -> Mapping[str, Any]:
        """Return the entry point of the argument spec."""
        main: Mapping[str, Any] = self.spec["argument_specs"]["main"]
        return main

    @property
    def options(self) -> dict[str, dict[str, Any]]:
        """Return the fields of each variable. Descriptions are paragraphs, without what the fields say."""
        options = merge_declarations(self.main["options"], self.table["variables"])
        for variable in self.declared.variables:
            own = _paragraphs(options[variable.name])
            options[variable.name]["description"] = own[:-1] if own[-1:] == _last(variable) else own
        return options

    @property
    def declared(self) -> RoleVariables:
        return RoleVariables.declared(self.name, self.spec, self.table)


def roles(root: Path = CHECKOUT) -> tuple[Role, ...]:
    """Return the roles below a root.

    Raises:
        CheckError: there is none.
    """
    declared = tuple(
        Role(
            folder.parent.name,
            _load(folder / "argument_specs.yml"),
            _load(folder / "variables.yml"),
        )
        for folder in sorted(root.glob("roles/*/meta"))
    )
    if not declared:
        raise CheckError(f"no roles below {root}")
    return declared


def check(root: Path = CHECKOUT) -> None:
    """Fail if a declaration has a mistake.

    Raises:
        CheckError: with all mistakes.
    """
    if wrong := [problem for role in roles(root) for problem in mistakes(role)]:
        raise CheckError("\n".join(wrong))


def mistakes(role: Role) -> Iterator[str]:
    """Yield what is wrong with the declarations of a role."""
    spec = role.main["options"]
    for name in sorted(role.table["variables"].keys() - spec.keys()):
        yield f"{name}: meta/argument_specs.yml of {role.name} has no such variable"
    if wrong := [*_contradictions(role.declared)]:
        yield from wrong
        return
    for variable in role.declared.variables:
        option = spec[variable.name]
        for key in sorted(option.keys() - _OF_THE_SPEC):
            yield f"{variable.name}: {key} belongs into meta/variables.yml of {role.name}"
        right = native_type(variable)
        if {key: option[key] for key in ("type", "elements") if key in option} != right:
            yield f"{variable.name}: in meta/argument_specs.yml of {role.name}, its type must be {right}"
        if _paragraphs(option)[-1:] != _last(variable) and _last(variable):
            yield f"{variable.name}: its description must end with the paragraph {_last(variable)[0]}"


def _contradictions(declared: RoleVariables) -> Iterator[str]:
    """Yield mistakes that would otherwise show at the first use of a variable."""
    yield from _wrong_fields(declared.variables)
    names = {variable.name for variable in declared.variables}
    for group in declared.required_one_of:
        for name in sorted({*group.variables, *dict(group.unless)} - names):
            yield f"{name}: required_one_of names no variable"


def _wrong_fields(variables: Iterable[Variable]) -> Iterator[str]:
    for variable in variables:
        for kind in (variable.type, variable.elements, variable.keys):
            if kind is not None and kind not in TYPES:
                yield f"{variable.name}: {kind} is not a type"
        if variable.required and (variable.default is not None or variable.default_from):
            yield f"{variable.name}: a required variable has no default"
        if variable.type == "list" and variable.elements is None:
            yield f"{variable.name}: a list has elements"
        yield from _wrong_fields(variable.options)


def native_type(variable: Variable) -> dict[str, str]:
    """Return the type of a variable in the argument spec: one of which Ansible refuses no value."""
    if variable.type in _TEXT:
        return {"type": "str"}
    return {"type": "path" if variable.type == "path" else "raw"}


def type_in_words(variable: Variable) -> str:
    """Return the type of a variable, such as ``list of account IDs``."""
    if variable.elements is None:
        return _TYPES[variable.type]
    of = _TYPES[variable.elements]
    if variable.type == "dict":
        return f"mapping of text to {of}"
    return f"list of {of if of == 'text' else f'{of}s'}"


def _last(variable: Variable) -> list[str]:
    """Return the last paragraph of a description, if the argument spec does not say all."""
    said = native_type(variable) == {
        key: value for key in ("type", "elements") if (value := getattr(variable, key)) is not None
    }
    facts = [
        *(["Required."] if variable.required else []),
        *([] if said and variable.type != "raw" else [f"Type {type_in_words(variable)}."]),
        *(
            [f"Choices {', '.join(f'V({choice})' for choice in variable.choices)}."]
            if variable.choices
            else []
        ),
    ]
    return [" ".join(facts)] if facts else []


def _paragraphs(option: Mapping[str, Any]) -> list[str]:
    description: str | list[str] = option["description"]
    return [description] if isinstance(description, str) else [*description]


def _load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))
