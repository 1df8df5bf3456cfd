# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a role that follow from the declarations in its ``meta/variables.yml``.

``meta/argument_specs.yml`` has what ``ansible-doc -t role`` shows. It declares no type, choice or requirement
that Ansible would check before the role's tasks: ``role_variables`` takes more forms and has better messages,
and the descriptions say them. ``vars/main/variables.yml`` has the values that it has read, and the names of
variables for the messages of modules.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from checks.commands import CheckError
from checks.paths import CHECKOUT
from plugins.module_utils.variables import OneOf, Variable, declared, one_of_each, problems

_FROM = "# Written from meta/variables.yml by make format."
_FORMS = (
    "Each variable can also be text, as a survey of AWX sends it; M(golden.images.role_variables) describes "
    "the forms. Null and blank text count as not set."
)
_TYPES = {
    "account_id": "account ID",
    "bool": "boolean",
    "bool_or_account_ids": "boolean or list of account IDs",
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
# Ansible takes any value of these types, so that the documentation can name them.
_TAKES_ANYTHING = ("path", "str")
# Ansible's type of these is text.
_TEXT = ("count_or_percentage", "external_id", "role_name")


@dataclass(frozen=True)
class Role:
    """A role of the collection as it is documented.

    ``documented`` has the fields of each variable in ``meta/variables.yml``: those of ``Variable``, its
    ``description``, a text or a list of paragraphs, and ``sets``, module options of other names that it sets.
    ``required_one_of`` are groups of variables of which one is required, each declared with the fields of
    ``OneOf``.
    """

    name: str
    short_description: str
    description: tuple[str, ...]
    author: tuple[str, ...]
    documented: Mapping[str, Mapping[str, Any]]
    required_one_of: tuple[OneOf, ...]

    @property
    def variables(self) -> tuple[Variable, ...]:
        return declared(self.documented)

    def option(self, variable: str) -> str:
        """The name of a variable without the role's."""
        return variable.removeprefix(f"{self.name}_")


def roles(root: Path = CHECKOUT) -> tuple[Role, ...]:
    """The roles below a root that declare their variables.

    Raises:
        CheckError: there is none, or a declaration has a mistake.
    """
    found = tuple(_role(path) for path in sorted(root.glob("roles/*/meta/variables.yml")))
    wrong = [problem for role in found for problem in problems(role.variables, role.required_one_of)]
    if wrong or not found:
        raise CheckError("; ".join(wrong) or f"no roles below {root}")
    return found


def _role(path: Path) -> Role:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    return Role(
        path.parents[1].name,
        document["short_description"],
        tuple(document["description"]),
        tuple(document["author"]),
        document["variables"],
        one_of_each(document.get("required_one_of", ())),
    )


def paragraphs(role: Role, variable: Variable) -> tuple[str, ...]:
    """The description of a variable, with what Ansible's argument spec lacks in a paragraph of its own."""
    described = role.documented[variable.name]["description"]
    facts = " ".join(_facts(variable))
    return (*([described] if isinstance(described, str) else described), *([facts] if facts else []))


def _facts(variable: Variable) -> Iterator[str]:
    if variable.required:
        yield "Required."
    if variable.type not in (*_TAKES_ANYTHING, *_TEXT):
        yield f"Type {type_in_words(variable)}."
    if "path" in (variable.type, variable.elements):
        yield "A relative path is one of the directory in which C(ansible-playbook) is started."
    if variable.choices:
        yield f"Choices {', '.join(f'V({choice})' for choice in variable.choices)}."


def type_in_words(variable: Variable) -> str:
    """The type of a variable, such as ``list of account IDs``."""
    if variable.elements is None:
        return _TYPES[variable.type]
    of = _TYPES[variable.elements]
    if variable.type == "dict":
        return f"mapping of text to {of}"
    return f"list of {of if of == 'text' else f'{of}s'}"


def argument_specs(role: Role) -> str:
    """``meta/argument_specs.yml`` of a role."""
    options = {variable.name: _specified(role, variable) for variable in role.variables}
    main = {
        "short_description": role.short_description,
        "description": [*role.description, _FORMS],
        "author": list(role.author),
        "options": options,
    }
    return f"---\n{_FROM}\n{_dumped({'argument_specs': {'main': main}})}"


def _specified(role: Role, variable: Variable) -> dict[str, Any]:
    default = {} if variable.default is None else {"default": variable.default}
    secret = {"no_log": True} if variable.no_log else {}
    kind = "str" if variable.type in _TEXT else variable.type
    kind = kind if kind in _TAKES_ANYTHING else "raw"
    return {"description": list(paragraphs(role, variable)), "type": kind, **default, **secret}


def role_vars(role: Role) -> str:
    """``vars/main/variables.yml`` of a role."""
    options = [role.option(variable.name) for variable in role.variables]
    prefix = f"{role.name}__"
    values = {prefix + option: f"{{{{ {prefix}variables.options['{option}'] }}}}" for option in options}
    names = {f"{prefix}variable_names": variable_names(role)}
    return (
        f"---\n{_FROM}\n# The values that golden.images.role_variables has read.\n{_dumped(values)}\n"
        f"# The variables that messages name instead of the modules' options.\n{_dumped(names)}"
    )


def variable_names(role: Role) -> dict[str, str]:
    """Option to the variable that sets it."""
    return {
        option: name
        for name, fields in role.documented.items()
        for option in (role.option(name), *fields.get("sets", ()))
    }


def different(root: Path = CHECKOUT) -> dict[Path, str]:
    """Each file below a root that differs from what the declarations say, with its right text."""
    right = {
        root / "roles" / role.name / path: written(role)
        for role in roles(root)
        for path, written in (
            ("meta/argument_specs.yml", argument_specs),
            ("vars/main/variables.yml", role_vars),
        )
    }
    return {
        path: text
        for path, text in right.items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    }


def check(root: Path = CHECKOUT) -> None:
    """Fail if a file of a role differs from the declarations.

    Raises:
        CheckError: with the files.
    """
    if found := different(root):
        names = ", ".join(str(path.relative_to(root)) for path in found)
        raise CheckError(f"{names} differs from meta/variables.yml: run make format")


def write(root: Path = CHECKOUT) -> None:
    """Write the files of all roles."""
    for path, text in different(root).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"{path.relative_to(root)} written")


class _Dumper(yaml.SafeDumper):
    """Indents the items of a list, as the collection's YAML does, and quotes templates twice."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        del indentless
        super().increase_indent(flow, False)


def _text_node(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if text == "" or "{{" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text_node)


def _dumped(value: Mapping[str, Any]) -> str:
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, width=80, allow_unicode=True)
