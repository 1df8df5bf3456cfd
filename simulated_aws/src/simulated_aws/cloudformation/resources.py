# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates the resources of a stack, in moto's IAM and KMS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from .. import accounts
from ..exceptions import NotSimulated
from ..iam.current_principal import current_principal
from ..kms import state as kms_state
from ..organizations import organization_paths
from ..organizations.membership import management_account
from . import templates
from .templates import Resources

# CloudFormation User Guide, "Acknowledging IAM resources in CloudFormation templates".
NAMED_IAM = "CAPABILITY_NAMED_IAM"
_STACK_SET, _ROLE, _POLICY = "AWS::CloudFormation::StackSet", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
_KEY, _ALIAS = "AWS::KMS::Key", "AWS::KMS::Alias"
_ROLE_PATH = "/"


class Place:
    """The account and Region of a stack."""

    def __init__(self, account_id: str, region: str) -> None:
        self.account_id, self.region = account_id, region
        self.partition = current_principal(account_id).partition
        self.iam = iam_backends[account_id][self.partition]
        self.kms = kms_backends[account_id][region]

    def pseudo(self, stack: str) -> dict[str, str]:
        """The pseudo parameters of a stack."""
        return {
            "AWS::AccountId": self.account_id,
            "AWS::Partition": self.partition,
            "AWS::Region": self.region,
            "AWS::StackName": stack,
        }


def needs_capability(resources: Resources) -> bool:
    """Whether a stack creates IAM resources with names of their own."""
    return bool(_of_type(resources, _ROLE))


def why_not(place: Place, resources: Resources) -> str:
    """Return why the resources cannot be created; empty if they can."""
    names = {role.name for role in place.iam.get_roles()}
    for role in _of_type(resources, _ROLE).values():
        if role["RoleName"] in names:
            return f"Role with name {role['RoleName']} already exists."
    aliases = {alias for key in place.kms.keys.values() for alias in key.aliases}
    for alias in _of_type(resources, _ALIAS).values():
        if alias["AliasName"] in aliases:
            return f"An alias with the name {alias['AliasName']} already exists"
    managing = {management_account(one) for one in accounts.known()}
    if _of_type(resources, _STACK_SET) and place.account_id not in managing:
        return "You must be the management account or delegated admin account of an organization"
    return ""


def create(place: Place, stack: str, resources: Resources) -> None:
    """Create all resources of a stack.

    Raises:
        NotSimulated: a resource type, or a property, that is not simulated.
    """
    if unknown := {one["Type"] for one in resources.values()} - _CREATE.keys():
        raise NotSimulated(", ".join(sorted(unknown)))
    ids: dict[str, str] = {}
    for kind, create_one in _CREATE.items():
        for logical_id, properties in _of_type(resources, kind).items():
            ids[logical_id] = create_one(place, f"{stack}-{logical_id}", _referring(properties, ids))


def _of_type(resources: Resources, kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def _referring(value: Any, ids: Mapping[str, str]) -> Any:
    match value:
        case {"Ref": name}:
            return ids[name]
        case dict():
            return {key: _referring(item, ids) for key, item in value.items()}
        case list():
            return [_referring(item, ids) for item in value]
    return value


def _only(properties: Mapping[str, Any], kind: str, *known: str) -> None:
    if unknown := properties.keys() - set(known):
        raise NotSimulated(f"{', '.join(sorted(unknown))} of {kind}")


def _create_role(place: Place, _name: str, properties: Mapping[str, Any]) -> str:
    _only(properties, _ROLE, "RoleName", "AssumeRolePolicyDocument", "Description", "MaxSessionDuration")
    role = place.iam.create_role(
        properties["RoleName"],
        json.dumps(properties["AssumeRolePolicyDocument"]),
        _ROLE_PATH,
        None,
        properties.get("Description", ""),
        [],
        str(properties.get("MaxSessionDuration", 3600)),
    )
    return str(role.name)


def _create_policy(place: Place, name: str, properties: Mapping[str, Any]) -> str:
    _only(properties, _POLICY, "PolicyDocument", "Roles")
    made = place.iam.create_policy("", "/", json.dumps(properties["PolicyDocument"]), name, [])
    for role in properties.get("Roles", ()):
        place.iam.attach_role_policy(made.arn, role)
    return str(made.arn)


def _create_key(place: Place, _name: str, properties: Mapping[str, Any]) -> str:
    """Create a key with the default key policy (Template Reference, AWS::KMS::Key, KeyPolicy)."""
    _only(properties, _KEY, "Description", "EnableKeyRotation")
    key = place.kms.create_key(
        None, "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", properties.get("Description", ""), None
    )
    kms_state.record(key)
    if properties.get("EnableKeyRotation"):
        place.kms.enable_key_rotation(key.id)
    return str(key.id)


def _create_alias(place: Place, _name: str, properties: Mapping[str, Any]) -> str:
    place.kms.create_alias(properties["TargetKeyId"], properties["AliasName"])
    return str(properties["AliasName"])


def _create_stack_set(place: Place, name: str, properties: Mapping[str, Any]) -> str:
    """Create the stacks of a StackSet with service-managed permissions, in all accounts of its units.

    An account in which that fails stops no other one: only that tolerance is simulated.
    """
    tolerated = properties.get("OperationPreferences", {}).get("FailureTolerancePercentage")
    if properties["PermissionModel"] != "SERVICE_MANAGED" or tolerated != 100:
        raise NotSimulated("other permissions and failure tolerances of a StackSet")
    template = json.loads(properties["TemplateBody"])
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in properties["Parameters"]}
    for group in properties["StackInstancesGroup"]:
        units = set(group["DeploymentTargets"]["OrganizationalUnitIds"])
        for account_id in _members(units, place.account_id):
            for region in group["Regions"]:
                target = Place(account_id, region)
                resources = templates.resolve(template, parameters, target.pseudo(name))
                if not why_not(target, resources):
                    create(target, name, resources)
    return name


def _members(units: set[str], management: str) -> Iterator[str]:
    """Yield the accounts of units and of those below; StackSets do not reach the management account.

    CloudFormation User Guide, "Create CloudFormation StackSets with service-managed permissions".
    """
    for account_id in accounts.known():
        paths = organization_paths(account_id) or ()
        if account_id != management and any(units & set(path.split("/")) for path in paths):
            yield account_id


_CREATE: dict[str, Callable[[Place, str, Mapping[str, Any]], str]] = {
    _ROLE: _create_role,
    _POLICY: _create_policy,
    _KEY: _create_key,
    _ALIAS: _create_alias,
    _STACK_SET: _create_stack_set,
}
"""In the order in which they refer to each other."""
