# SPDX-License-Identifier: GPL-3.0-or-later
"""Resolves a template: its parameters, conditions and intrinsic functions (Template Reference Guide)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..exceptions import NotSimulated

_PARTS = frozenset(
    {"AWSTemplateFormatVersion", "Conditions", "Description", "Outputs", "Parameters", "Resources"}
)
_PLACEHOLDER = re.compile(r"\$\{([\w:.]+)\}")

Resources = dict[str, dict[str, Any]]
"""Logical ID to the type and the properties of a resource; references to other resources stay."""


class TemplateError(ValueError):
    """A template or parameters that CloudFormation rejects."""


def resolve(
    template: Mapping[str, Any], parameters: Mapping[str, str], pseudo: Mapping[str, str]
) -> Resources:
    """Return the resources that a stack has with these parameters and pseudo parameters (``AWS::Region``).

    Raises:
        TemplateError: a parameter is unknown, has no value, or one that its declaration does not allow.
        NotSimulated: a part of a template, or a function, that is not simulated.
    """
    if unknown := template.keys() - _PARTS:
        raise NotSimulated(f"{', '.join(sorted(unknown))} of a template")
    values = {**pseudo, **_values(template.get("Parameters", {}), parameters)}
    conditions = template.get("Conditions", {})
    return {
        logical_id: {"Type": one["Type"], "Properties": _resolve(one.get("Properties", {}), values)}
        for logical_id, one in template["Resources"].items()
        if "Condition" not in one or _resolve(conditions[one["Condition"]], values)
    }


def _values(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, Any]:
    if unknown := sorted(given.keys() - declared.keys()):
        raise TemplateError(f"Parameters: [{', '.join(unknown)}] do not exist in the template")
    if missing := [name for name, one in declared.items() if name not in given and "Default" not in one]:
        raise TemplateError(f"Parameters: [{', '.join(missing)}] must have values")
    return {name: _value(name, one, given.get(name, one.get("Default"))) for name, one in declared.items()}


def _value(name: str, declared: Mapping[str, Any], value: Any) -> Any:
    pattern = declared.get("AllowedPattern")
    if pattern and not re.fullmatch(pattern, value, re.ASCII):
        raise TemplateError(f"Parameter {name} failed to satisfy constraint: {pattern}")
    allowed = declared.get("AllowedValues")
    if allowed and value not in allowed:
        raise TemplateError(f"Parameter '{name}' must be one of AllowedValues")
    if declared["Type"] == "CommaDelimitedList":
        return [part.strip() for part in value.split(",")]
    if declared["Type"] != "String":
        raise NotSimulated(f"parameters of the type {declared['Type']}")
    return value


def _resolve(value: Any, values: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": name}:
            return values.get(name, value)
        case {"Fn::Sub": str(text)}:
            return _PLACEHOLDER.sub(lambda found: values[found[1]], text)
        case {"Fn::Not": [condition]}:
            return not _resolve(condition, values)
        case {"Fn::Equals": [first, second]}:
            return _resolve(first, values) == _resolve(second, values)
        case dict():
            if functions := [key for key in value if key.startswith("Fn::")]:
                raise NotSimulated(", ".join(functions))
            return {key: _resolve(item, values) for key, item in value.items()}
        case list():
            return [_resolve(item, values) for item in value]
    return value
