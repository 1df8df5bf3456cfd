# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudFormation and Terraform make of the templates in ``bootstrap``, as far as these need it.

What the templates do not use is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BOOTSTRAP = Path(__file__).parents[2] / "bootstrap"
_NAME = re.compile(r"\$\{([\w:.]+)\}")


class Stack:
    """The resources of a CloudFormation template with these parameters, in an account."""

    def __init__(self, name: str, parameters: Mapping[str, str], account_id: str) -> None:
        # Only here: moto, which it imports, would take seconds in each process that collects the tests.
        from simulated_aws.cloudformation import templates  # noqa: PLC0415

        text = (BOOTSTRAP / "cloudformation" / name).read_text(encoding="utf-8")
        self.template: dict[str, Any] = json.loads(text)
        pseudo = {"AccountId": account_id, "Partition": "aws", "Region": "us-east-1", "StackName": "one"}
        self._resources = templates.resolve(
            self.template, parameters, {f"AWS::{name}": value for name, value in pseudo.items()}
        )

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by their logical IDs."""
        return {
            name: one["Properties"] for name, one in self._resources.items() if one["Type"] == f"AWS::{kind}"
        }

    def policies(self) -> dict[str, Any]:
        """The documents of the managed policies by their logical IDs."""
        return {name: one["PolicyDocument"] for name, one in self.of_type("IAM::ManagedPolicy").items()}


class Module:
    """The policies of a Terraform module with these variables, in an account."""

    def __init__(self, name: str, variables: Mapping[str, Any], account_id: str) -> None:
        text = (BOOTSTRAP / "terraform" / name / "main.tf.json").read_text(encoding="utf-8")
        self.document: dict[str, Any] = json.loads(text)
        declared = self.document["variable"]
        unknown = variables.keys() - declared.keys()
        assert not unknown, f"variables must be declared: {unknown}"
        self._values: dict[str, Any] = {
            "data.aws_partition.current.partition": "aws",
            "data.aws_caller_identity.current.account_id": account_id,
        }
        for variable, declaration in declared.items():
            value = variables[variable] if variable in variables else declaration["default"]
            self._values[f"var.{variable}"] = value
        self.trust = self._resolve(self.document["locals"]["trust"])

    def policies(self) -> dict[str, Any]:
        """The documents of the policies that are created and attached, by their names in the module."""
        created = self.document["resource"]["aws_iam_policy"]
        attached = self.document["resource"]["aws_iam_role_policy_attachment"]
        assert created.keys() == attached.keys()
        found = {}
        for name, policy in created.items():
            assert policy.get("count") == attached[name].get("count")
            if self._exists(policy.get("count")):
                assert policy["policy"] == f"${{jsonencode(local.{name})}}"
                found[name] = self._resolve(self.document["locals"][name])
        return found

    def _exists(self, count: str | None) -> bool:
        if count is None:
            return True
        found = re.fullmatch(r'\$\{(var\.\w+)( != "")? \? 1 : 0\}', count)
        assert found, count
        return bool(self._values[found[1]])

    def _resolve(self, value: Any) -> Any:
        if isinstance(value, str):
            if whole := _NAME.fullmatch(value):
                return self._values[whole[1]]
            return _NAME.sub(lambda found: str(self._values[found[1]]), value)
        if isinstance(value, dict):
            return {key: self._resolve(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._resolve(item) for item in value]
        return value


def references(module: Mapping[str, Any]) -> set[str]:
    """The variables, local values, data and resources that the expressions of a module refer to."""
    texts = [text for text in _texts(module) if "${" in text]
    pattern = re.compile(r"\b(?:var|local)\.\w+|\bdata\.\w+\.\w+|(?<![.\w])aws_\w+\.\w+")
    return {found for text in texts for found in pattern.findall(text)}


def declarations(module: Mapping[str, Any]) -> set[str]:
    """What a module declares, as its expressions would refer to it."""
    return {
        *(f"var.{name}" for name in module["variable"]),
        *(f"local.{name}" for name in module["locals"]),
        *(f"data.{kind}.{name}" for kind, of_kind in module["data"].items() for name in of_kind),
        *(f"{kind}.{name}" for kind, of_kind in module["resource"].items() for name in of_kind),
    }


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for item in items for text in _texts(item)]
