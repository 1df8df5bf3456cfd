# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates and changes the resources of a stack, in moto's IAM and KMS."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends
from moto.kms.models import kms_backends

from .. import accounts
from ..exceptions import NotSimulated
from ..iam.current_principal import current_principal
from ..kms import state as kms_state
from ..organizations import organization_paths
from ..organizations.membership import management_account, targets
from . import templates
from .templates import Resources

# CloudFormation User Guide, "Acknowledging IAM resources in CloudFormation templates".
NAMED_IAM = "CAPABILITY_NAMED_IAM"
_STACK_SET, _ROLE, _POLICY = "AWS::CloudFormation::StackSet", "AWS::IAM::Role", "AWS::IAM::ManagedPolicy"
_KEY, _ALIAS = "AWS::KMS::Key", "AWS::KMS::Alias"
_ROLE_PATH = "/"


@dataclass
class StackInstance:
    """The stack of a StackSet in an account; ``reason`` is why it was not created."""

    account_id: str
    region: str
    unit: str
    resources: Resources
    ids: dict[str, str]
    reason: str = ""


STACK_SETS: dict[tuple[str, str], dict[str, list[StackInstance]]] = {}
"""The StackSets of an account and Region, by name."""


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
    for stack_set in _of_type(resources, _STACK_SET).values():
        if place.account_id not in managing:
            return "You must be the management account or delegated admin account of an organization"
        units = {unit for group in stack_set["StackInstancesGroup"] for unit in _units(group)}
        if unknown := sorted(units - targets(place.account_id)):
            return f"Organizational units do not exist: {', '.join(unknown)}"
    return ""


def create(place: Place, stack: str, resources: Resources) -> dict[str, str]:
    """Create all resources of a stack; return their physical IDs.

    Raises:
        NotSimulated: a resource type, or a property, that is not simulated.
    """
    ids: dict[str, str] = {}
    _create(place, stack, resources, ids)
    return ids


def _create(place: Place, stack: str, resources: Resources, ids: dict[str, str]) -> None:
    if unknown := {one["Type"] for one in resources.values()} - _CREATE.keys():
        raise NotSimulated(", ".join(sorted(unknown)))
    for kind, create_one in _CREATE.items():
        for logical_id, properties in _of_type(resources, kind).items():
            ids[logical_id] = create_one(place, f"{stack}-{logical_id}", _referring(properties, ids))


def update(place: Place, stack: str, old: Resources, new: Resources, ids: dict[str, str]) -> None:
    """Change the resources of a stack, whose physical IDs ``ids`` has, to others.

    Raises:
        NotSimulated: other resources than policies, the trust of roles, and StackSets change.
    """
    changed = {one for one in old.keys() | new.keys() if old.get(one) != new.get(one)}
    replaced = {
        one for one in changed if _POLICY in {each[one]["Type"] for each in (old, new) if one in each}
    }
    for logical_id in changed - replaced:
        before, after = old.get(logical_id), new.get(logical_id)
        if before is None or after is None or before["Type"] not in _UPDATE:
            raise NotSimulated("updates of resources other than policies, the trust of roles, and StackSets")
        properties = _referring(after["Properties"], ids)
        _UPDATE[before["Type"]](place, ids[logical_id], before["Properties"], properties)
    for logical_id in replaced & old.keys():
        _delete_policy(place, ids.pop(logical_id))
    _create(place, stack, {one: new[one] for one in sorted(replaced & new.keys())}, ids)


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


def _update_role(place: Place, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    trust = "AssumeRolePolicyDocument"
    if {**old, trust: None} != {**new, trust: None}:
        raise NotSimulated("updates of roles other than of their trust policy")
    place.iam.update_assume_role_policy(name, json.dumps(new[trust]))


def _create_policy(place: Place, name: str, properties: Mapping[str, Any]) -> str:
    _only(properties, _POLICY, "PolicyDocument", "Roles")
    made = place.iam.create_policy("", "/", json.dumps(properties["PolicyDocument"]), name, [])
    for role in properties.get("Roles", ()):
        place.iam.attach_role_policy(made.arn, role)
    return str(made.arn)


def _delete_policy(place: Place, arn: str) -> None:
    for role in place.iam.get_roles():
        if arn in role.managed_policies:
            place.iam.detach_role_policy(arn, role.name)
    place.iam.delete_policy(arn)


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
    """Create the stacks of a StackSet with service-managed permissions, in all accounts of its units."""
    name = properties.get("StackSetName", name)
    STACK_SETS.setdefault((place.account_id, place.region), {})[name] = []
    _update_stack_set(place, name, {}, properties)
    return str(name)


def _update_stack_set(
    place: Place, name: str, _old: Mapping[str, Any], properties: Mapping[str, Any]
) -> None:
    """Create or change the stacks in all accounts of the units of a StackSet.

    An account in which that fails stops no other one: only that tolerance is simulated.
    """
    tolerated = properties.get("OperationPreferences", {}).get("FailureTolerancePercentage")
    if properties["PermissionModel"] != "SERVICE_MANAGED" or tolerated != 100:
        raise NotSimulated("other permissions and failure tolerances of a StackSet")
    found = STACK_SETS[place.account_id, place.region][name]
    wanted = dict(_instances(place.account_id, properties))
    existing = {(one.account_id, one.region): one for one in found}
    if existing.keys() - wanted.keys():
        raise NotSimulated("removal of units from a StackSet")
    template = json.loads(properties["TemplateBody"])
    parameters = {one["ParameterKey"]: one["ParameterValue"] for one in properties["Parameters"]}
    for key, unit in wanted.items():
        target = Place(*key)
        resources = templates.resolve(template, parameters, target.pseudo(name))
        if key not in existing:
            existing[key] = StackInstance(*key, unit, resources, {})
            found.append(existing[key])
        instance = existing[key]
        if instance.ids:
            update(target, name, instance.resources, resources, instance.ids)
        else:
            instance.reason = why_not(target, resources)
            instance.ids = {} if instance.reason else create(target, name, resources)
        instance.resources = resources


def _units(group: Mapping[str, Any]) -> list[str]:
    return [str(unit) for unit in group["DeploymentTargets"]["OrganizationalUnitIds"]]


def _instances(management: str, properties: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield account and Region of the stacks of a StackSet, with the unit that the account is in.

    Accounts of units below are among them, the management account is not (CloudFormation User Guide, "Create
    CloudFormation StackSets with service-managed permissions").
    """
    for group in properties["StackInstancesGroup"]:
        for account_id in accounts.known():
            above = {one for path in organization_paths(account_id) or () for one in path.split("/")}
            unit = next((one for one in _units(group) if one in above), None)
            if unit is not None and account_id != management:
                for region in group["Regions"]:
                    yield (account_id, region), unit


_CREATE: dict[str, Callable[[Place, str, Mapping[str, Any]], str]] = {
    _ROLE: _create_role,
    _POLICY: _create_policy,
    _KEY: _create_key,
    _ALIAS: _create_alias,
    _STACK_SET: _create_stack_set,
}
"""In the order in which they refer to each other."""
_UPDATE: dict[str, Callable[[Place, str, Mapping[str, Any], Mapping[str, Any]], None]] = {
    _ROLE: _update_role,
    _STACK_SET: _update_stack_set,
}
