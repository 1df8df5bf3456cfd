# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for the tests of this room: options, keys in memory, and runs of ``ami_kms_grant`` on them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._kms_grant.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._kms_grant.state import grant_request
from ansible_collections.golden.images.plugins.module_utils._model import Grant, Key, KeyState, Target
from ansible_collections.golden.images.plugins.module_utils._plan import Action, Plan, TargetPlan
from ansible_collections.golden.images.plugins.module_utils._runner import Outcome

from tests.unit.flow_run import FlowRun
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.kms_in_memory import Ec2, Kms, StoredKey, World, world

EU, US = "eu-west-1", "us-east-1"
REGION = EU
SECRET = "golden-7f3a"
AUTO_SCALING_OPERATIONS = OPERATIONS | {"Encrypt"}
KEY = Key(key_arn())
A, B, C = "222222222222", "333333333333", "444444444444"
DEPLOY = f"arn:aws:iam::{A}:role/deploy"


def root(account_id: str) -> str:
    """The ARN of an account's root."""
    return f"arn:aws:iam::{account_id}:root"


def scaling_role(account_id: str, suffix: str = "") -> str:
    """An account's service-linked role for Auto Scaling, as in the Auto Scaling User Guide."""
    return (
        f"arn:aws:iam::{account_id}:role/aws-service-role/autoscaling.amazonaws.com/"
        f"AWSServiceRoleForAutoScaling{suffix}"
    )


def wanted(*account_ids: str, regions: Iterable[str] = (REGION,), **options: Any) -> dict[str, Any]:
    """Options that give these accounts access to the key of each region; sets may stand for lists."""
    role = {"consumer_role_name": "golden-consumer"} if options.get("auto_scaling") else {}
    given = {name: sorted(value) if isinstance(value, Set) else value for name, value in options.items()}
    return {
        "kms_key_ids": dict.fromkeys(regions, "alias/golden"),
        "account_ids": sorted(account_ids),
        **role,
        **given,
    }


def scaling(*account_ids: str, **options: Any) -> dict[str, Any]:
    """Options that also give access to these accounts' roles for Auto Scaling."""
    return wanted(
        *account_ids,
        **{"auto_scaling": True, "consumer_role_name": "golden-consumer", "external_id": SECRET, **options},
    )


def made(who: str, operations: frozenset[str] = OPERATIONS, grant_id: str = "", **changes: Any) -> Grant:
    """A grant that this collection created."""
    request = grant_request(KEY.arn, who, operations)
    return replace(Grant(grant_id or f"g-{who}", who, operations, request["Name"]), **changes)


def foreign(grantee: str, name: str = "", **changes: Any) -> Grant:
    """A grant that another tool created."""
    return replace(Grant(f"g-foreign-{grantee}-{name}", grantee, OPERATIONS, name), **changes)


def aws_with(
    *grants: Grant, key: StoredKey | None = None, policy: str = "", partition: str = "aws", **images: Any
) -> World:
    """The only region's key with these grants and this policy. ``images`` are fields of ``Ec2``."""
    stored = replace(key) if key else StoredKey(KEY.arn)
    stored.policy = policy or stored.policy
    stored.grants = {
        one.grant_id: {
            "GranteePrincipal": one.grantee,
            "Operations": sorted(one.operations),
            "Name": one.name,
            **({"Constraints": {"EncryptionContextSubset": {"a": "b"}}} if one.constrained else {}),
        }
        for one in grants
    }
    aws = World({REGION: Kms({"alias/golden": stored, stored.arn: stored})}, partition=partition)
    aws.ec2_clients[REGION] = Ec2(**images)
    return aws


class Run(FlowRun):
    """A run of ``ami_kms_grant``."""

    aws: World

    def __init__(
        self,
        options: Mapping[str, Any],
        aws: World,
        after_read: Callable[[], object] = lambda: None,
        check_mode: bool = False,
    ) -> None:
        super().__init__(FLOW, options, aws, check_mode, after_read)

    @property
    def key(self) -> dict[str, Any]:
        """The result of the only key, with what the result has in common for several keys."""
        ((key,),) = (region["kms_keys"] for region in self.results)
        return key_of(self.result, key)

    @property
    def operations(self) -> list[str]:
        """The planned operations."""
        return [action.operation for action in self.plan.actions]


def key_of(result: Mapping[str, Any], key: Mapping[str, Any]) -> dict[str, Any]:
    """A key of a result, with who keeps access to it, who cannot use it, and of whom not all was read."""
    arn = key["kms_key_arn"]
    lacking = [
        name
        for group in result["consumers_without_access"]
        if arn in group["kms_key_arns"]
        for name in group["consumers"]
    ]
    return {
        **key,
        "consumers_without_access": sorted(lacking) if key["access_known"] else None,
        "kept_access": [
            {**access, "principal": principal}
            for group in result["kept_access"]
            for access in group["kms_keys"]
            if access["kms_key_arn"] == arn
            for principal in group["principals"]
        ],
        "unseen_accounts": None
        if key["dependents"] is None
        else [
            {"account_id": account_id, "reason": group["reason"]}
            for group in result["unseen_accounts"]
            if arn in group["kms_key_arns"]
            for account_id in group["account_ids"]
        ],
    }


def run(aws: World, options: Mapping[str, Any]) -> tuple[dict[str, Any], Outcome]:
    """The module's own result and the outcome."""
    done = Run(options, aws)
    return done.result, done.outcome


def planned(options: Mapping[str, Any], aws: World) -> TargetPlan:
    """The plan of the only target."""
    (target,) = Run(options, aws).plan.targets
    return target


def world_with_access(*account_ids: str, regions: tuple[str, ...] = (EU, US), **options: Any) -> World:
    """Regions with keys to which these accounts have access."""
    aws = world(*regions)
    run(aws, wanted(*account_ids, regions=regions, **options))
    return aws


def grantees(key: StoredKey) -> set[str]:
    """The grantees of a key's grants."""
    return {grant["GranteePrincipal"] for grant in key.grants.values()}


def failures(outcome: Outcome) -> list[tuple[str | None, str, str]]:
    """The region, the action and the code of each failure, sorted."""
    assert all(failure.remedy for failure in outcome.failures)
    return sorted((failure.region, failure.action, failure.error_code) for failure in outcome.failures)


def calls(actions: Iterable[Action]) -> list[tuple[str, str]]:
    """The operations, each with the grantee of the grant, its ID, or the key."""
    return [
        (
            action.operation,
            action.parameters.get("GranteePrincipal")
            or action.parameters.get("GrantId")
            or str(action.resource),
        )
        for action in actions
    ]


def performed(saw: Any, plan: Plan) -> Any:
    """What is seen of the keys (``keys`` by target) after the plan was applied.

    KMS returns the existing grant for the same name and content (KMS API Reference, CreateGrant, Name).
    """
    keys: dict[Target, tuple[KeyState, ...]] = dict(saw.keys)
    for number, action in enumerate(plan.actions):
        parameters = action.parameters
        keys[action.target] = tuple(
            _after(item, action.operation, parameters, f"new-{number}")
            if item.key.arn == parameters["KeyId"]
            else item
            for item in keys[action.target]
        )
    return replace(saw, keys=keys)


def _after(item: KeyState, operation: str, parameters: Any, grant_id: str) -> KeyState:
    if operation == "PutKeyPolicy":
        return replace(item, policy=parameters["Policy"])
    if operation == "RevokeGrant":
        assert parameters["GrantId"] in {one.grant_id for one in item.grants}
        return replace(
            item, grants=tuple(one for one in item.grants if one.grant_id != parameters["GrantId"])
        )
    assert operation == "CreateGrant"
    new = Grant(
        grant_id, parameters["GranteePrincipal"], frozenset(parameters["Operations"]), parameters["Name"]
    )
    same = any(replace(one, grant_id=grant_id) == new for one in item.grants)
    return item if same else replace(item, grants=(*item.grants, new))


PLAIN_POLICY = policy_of()
