# SPDX-License-Identifier: GPL-3.0-or-later
"""The templates of ``bootstrap/cloudformation``."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from checks.iam.bootstrap import (
    CONSUMER_TEMPLATE,
    KEY_ALIAS,
    ROLES,
    Parameter,
    Role,
    replaced,
)

_VERSION = "2010-09-09"
UNITS = Parameter(
    "OrganizationalUnitIds",
    "IDs of the organizational units, or of the root, whose accounts get the role",
    kind="list",
)
CALL_AS = Parameter(
    "CallAs",
    "SELF in the management account, DELEGATED_ADMIN in an account that is registered for StackSets",
    "SELF",
    "SELF|DELEGATED_ADMIN",
)


def files() -> dict[str, str]:
    """Return name to text of each template."""
    templates = {
        **{f"{role.file}.json": _role(role) for role in ROLES},
        "owner-key.json": _key(),
        "consumer-roles.json": _stack_set(CONSUMER_TEMPLATE),
    }
    return {name: json.dumps(one, indent=2) + "\n" for name, one in templates.items()}


def _template(description: str, parameters: tuple[Parameter, ...], **parts: Any) -> dict[str, Any]:
    return {
        "AWSTemplateFormatVersion": _VERSION,
        "Description": description,
        "Parameters": {one.name: _parameter(one) for one in parameters},
        **parts,
    }


def _parameter(one: Parameter) -> dict[str, Any]:
    found: dict[str, Any] = {
        "Type": "CommaDelimitedList" if one.kind == "list" else "String",
        "Description": one.description,
    }
    if one.kind == "switch":
        found["AllowedValues"] = ["false", "true"]
    if one.pattern:
        found["AllowedPattern"] = one.pattern
    return {**found, "Default": one.default} if one.default is not None else found


def _role(role: Role) -> dict[str, Any]:
    conditions = {
        f"Has{_id(policy.name)}": {"Fn::Not": [{"Fn::Equals": [{"Ref": one.name}, one.default]}]}
        for policy, one in role.optional
    }
    resources: dict[str, Any] = {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "RoleName": {"Ref": role.name.name},
                "Description": role.description,
                "MaxSessionDuration": role.session_seconds,
                "AssumeRolePolicyDocument": _document(role, role.trust),
            },
        }
    }
    for policy in (*role.policies, *(policy for policy, _parameter in role.optional)):
        condition = f"Has{_id(policy.name)}"
        resources[_id(policy.name)] = {
            "Type": "AWS::IAM::ManagedPolicy",
            **({"Condition": condition} if condition in conditions else {}),
            "Properties": {
                "PolicyDocument": _document(role, policy.document()),
                "Roles": [{"Ref": "Role"}],
            },
        }
    return _template(
        role.description,
        role.all_parameters,
        **({"Conditions": conditions} if conditions else {}),
        Resources=resources,
        Outputs={"RoleArn": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}}},
    )


def _key() -> dict[str, Any]:
    """Return the template of the key of one Region.

    It leaves the key policy to KMS, whose default lets IAM policies of the account decide (CloudFormation
    Template Reference, AWS::KMS::Key, KeyPolicy): an update of the stack would otherwise take away the
    statements that a distribution adds.
    """
    retained = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}
    return _template(
        "The KMS key of golden images in one Region. It stays if the stack is deleted.",
        (KEY_ALIAS,),
        Resources={
            "Key": {
                "Type": "AWS::KMS::Key",
                **retained,
                "Properties": {"Description": "Encrypts golden images", "EnableKeyRotation": True},
            },
            "Alias": {
                "Type": "AWS::KMS::Alias",
                **retained,
                "Properties": {
                    "AliasName": {"Fn::Sub": f"alias/${{{KEY_ALIAS.name}}}"},
                    "TargetKeyId": {"Ref": "Key"},
                },
            },
        },
        Outputs={"KeyArn": {"Value": {"Fn::GetAtt": ["Key", "Arn"]}}},
    )


def _stack_set(role: Role) -> dict[str, Any]:
    """Return the template of a StackSet that creates the role in all accounts of organizational units.

    An account in which it fails stops no other one. IAM is global: one Region is enough.
    """
    return _template(
        f"{role.description} In all accounts of organizational units, also those that are added later.",
        (*role.all_parameters[:1], UNITS, *role.all_parameters[1:], CALL_AS),
        Resources={
            "Roles": {
                "Type": "AWS::CloudFormation::StackSet",
                "Properties": {
                    "StackSetName": {"Ref": "AWS::StackName"},
                    "Description": role.description,
                    "PermissionModel": "SERVICE_MANAGED",
                    "AutoDeployment": {"Enabled": True, "RetainStacksOnAccountRemoval": False},
                    "CallAs": {"Ref": CALL_AS.name},
                    "Capabilities": ["CAPABILITY_NAMED_IAM"],
                    "OperationPreferences": {
                        "FailureTolerancePercentage": 100,
                        "MaxConcurrentPercentage": 10,
                    },
                    "Parameters": [
                        {"ParameterKey": one.name, "ParameterValue": {"Ref": one.name}}
                        for one in role.all_parameters
                    ],
                    "StackInstancesGroup": [
                        {
                            "DeploymentTargets": {"OrganizationalUnitIds": {"Ref": UNITS.name}},
                            "Regions": [{"Ref": "AWS::Region"}],
                        }
                    ],
                    "TemplateBody": json.dumps(_role(role)),
                },
            }
        },
    )


def _document(role: Role, document: Mapping[str, Any]) -> Any:
    """Return a policy with references to the parameters."""
    reference = {
        "Partition": "${AWS::Partition}",
        "Owner": f"${{{role.owner.name if role.owner else 'AWS::AccountId'}}}",
        **{one.name: f"${{{one.name}}}" for one in role.all_parameters},
    }
    return _substituted(replaced(document, reference))


def _substituted(value: Any) -> Any:
    if isinstance(value, Parameter):
        return {"Ref": value.name}
    if isinstance(value, str):
        return {"Fn::Sub": value} if "${" in value else value
    if isinstance(value, list):
        return [_substituted(item) for item in value]
    if isinstance(value, dict):
        return {key: _substituted(item) for key, item in value.items()}
    return value


def _id(name: str) -> str:
    """Return the logical ID of a policy."""
    return "".join(part.capitalize() for part in name.split("-"))
