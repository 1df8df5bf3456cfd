# SPDX-License-Identifier: GPL-3.0-or-later
"""What CloudFormation and Terraform make of the templates in ``bootstrap``, as far as these need it.

What the templates do not use is an error.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws

BOOTSTRAP = Path(__file__).parents[2] / "bootstrap"
_CLOUDFORMATION = BOOTSTRAP / "cloudformation"
_NAME = re.compile(r"\$\{([\w:.]+)\}")


class Stack:
    """The resources of a CloudFormation template with these parameters, in an account and a Region."""

    def __init__(
        self,
        template: str | Mapping[str, Any],
        parameters: Mapping[str, str],
        account_id: str,
        region: str = "us-east-1",
    ) -> None:
        text = _CLOUDFORMATION.joinpath(template).read_text("utf-8") if isinstance(template, str) else ""
        self.template: Mapping[str, Any] = json.loads(text) if isinstance(template, str) else template
        declared = self.template["Parameters"]
        unknown = parameters.keys() - declared.keys()
        assert not unknown, f"parameters must exist in the template: {unknown}"
        self._values: dict[str, Any] = {
            "AWS::AccountId": account_id,
            "AWS::Partition": "aws",
            "AWS::Region": region,
            "AWS::StackName": "golden-consumer",
        }
        for parameter, declaration in declared.items():
            value = parameters[parameter] if parameter in parameters else declaration["Default"]
            if pattern := declaration.get("AllowedPattern"):
                assert re.fullmatch(pattern, value), f"{parameter} failed to satisfy constraint: {pattern}"
            assert value in declaration.get("AllowedValues", [value]), parameter
            is_list = declaration["Type"] == "CommaDelimitedList"
            self._values[parameter] = value.split(",") if is_list else value
        conditions = self.template.get("Conditions", {})
        self._region = region
        self.resources: dict[str, dict[str, Any]] = {
            logical_id: self._resolve(resource["Properties"]) | {"Type": resource["Type"]}
            for logical_id, resource in self.template["Resources"].items()
            if "Condition" not in resource or self._resolve(conditions[resource["Condition"]])
        }

    def of_type(self, kind: str) -> dict[str, dict[str, Any]]:
        """The properties of all resources of a type, by their logical IDs."""
        return {name: one for name, one in self.resources.items() if one["Type"] == f"AWS::{kind}"}

    def policies(self) -> dict[str, Any]:
        """The documents of the managed policies by their logical IDs."""
        return {name: one["PolicyDocument"] for name, one in self.of_type("IAM::ManagedPolicy").items()}

    def create(self, aws: SimulatedAws) -> None:
        """Create the roles, their policies and the keys of the stack, as its account's administrator.

        Raises:
            KeyError: a reference to a resource that this does not create.
        """
        account_id = self._values["AWS::AccountId"]
        iam = aws.client("iam", account_id, self._region)
        kms = aws.client("kms", account_id, self._region)
        ids: dict[str, str] = {}
        for name, role in self.of_type("IAM::Role").items():
            made = iam.create_role(
                RoleName=role["RoleName"],
                Description=role["Description"],
                MaxSessionDuration=role["MaxSessionDuration"],
                AssumeRolePolicyDocument=json.dumps(role["AssumeRolePolicyDocument"]),
            )
            ids[name] = made["Role"]["RoleName"]
        for name, policy in self.of_type("IAM::ManagedPolicy").items():
            text = json.dumps(policy["PolicyDocument"])
            arn = iam.create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"]
            for role in policy["Roles"]:
                iam.attach_role_policy(RoleName=ids[role["Ref"]], PolicyArn=arn)
        for name, key in self.of_type("KMS::Key").items():
            ids[name] = kms.create_key(Description=key["Description"])["KeyMetadata"]["KeyId"]
            if key["EnableKeyRotation"]:
                kms.enable_key_rotation(KeyId=ids[name])
        for alias in self.of_type("KMS::Alias").values():
            kms.create_alias(AliasName=alias["AliasName"], TargetKeyId=ids[alias["TargetKeyId"]["Ref"]])

    def _resolve(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                return self._values.get(name, {"Ref": name})
            case {"Fn::Sub": text}:
                return _NAME.sub(lambda found: self._values[found[1]], text)
            case {"Fn::Not": [condition]}:
                return not self._resolve(condition)
            case {"Fn::Equals": [first, second]}:
                return self._resolve(first) == self._resolve(second)
            case dict():
                assert not [key for key in value if key.startswith("Fn::")], value
                return {key: self._resolve(item) for key, item in value.items()}
            case list():
                return [self._resolve(item) for item in value]
        return value


def create_everywhere(aws: SimulatedAws, stack: Stack, account_ids: Iterable[str]) -> None:
    """Create what the StackSet of a stack creates in each account."""
    for stack_set in stack.of_type("CloudFormation::StackSet").values():
        parameters = {one["ParameterKey"]: one["ParameterValue"] for one in stack_set["Parameters"]}
        for account_id in account_ids:
            Stack(json.loads(stack_set["TemplateBody"]), parameters, account_id).create(aws)


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
