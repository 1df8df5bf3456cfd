# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for the tests of this room: wanted access and seen keys."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.needed import SharedUnderKey
from ansible_collections.golden.images.plugins.module_utils.kms_grant.plan import plan
from ansible_collections.golden.images.plugins.module_utils.kms_grant.request import grant_request
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantSeen, GrantWanted
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeyRef, KeySeen, Target
from ansible_collections.golden.images.plugins.module_utils.plan import Action, Plan, TargetPlan

from tests.unit.examples import OWNER, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of

REGION = "eu-west-1"
KEY = Key(key_arn())
A, B, C = "222222222222", "333333333333", "444444444444"
NO_OTHER_IMAGE = SharedUnderKey()
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


def wanted(*account_ids: str, **changes: Any) -> GrantWanted:
    """Access to the only region's key for these accounts."""
    values = {"kms_key_ids": {REGION: KEY.arn}, "account_ids": frozenset(account_ids), **changes}
    return GrantWanted(**values)


def made(who: str, operations: frozenset[str] = OPERATIONS, grant_id: str = "", **changes: Any) -> Grant:
    """A grant that this collection created."""
    request = grant_request(KEY.arn, who, operations)
    return replace(Grant(grant_id or f"g-{who}", who, operations, request["Name"]), **changes)


def foreign(grantee: str, name: str = "", **changes: Any) -> Grant:
    """A grant that another tool created."""
    return replace(Grant(f"g-foreign-{grantee}-{name}", grantee, OPERATIONS, name), **changes)


def seen(*grants: Grant, key: Key = KEY, policy: str | None = None, **changes: Any) -> GrantSeen:
    """The only region's key with these grants and this policy; no other image is under it."""
    keys = {target_in(REGION): (KeySeen(key, grants, policy),)}
    shared = {KeyRef(REGION, key.arn): NO_OTHER_IMAGE}
    return GrantSeen(**{"account_id": OWNER, "partition": "aws", "keys": keys, "shared": shared, **changes})


def planned(want: GrantWanted, saw: GrantSeen) -> TargetPlan:
    """The plan of the only target."""
    (target,) = plan(want, saw).targets
    return target


def calls(actions: Iterable[Action]) -> list[tuple[str, str]]:
    """The operations, each with the grantee of the grant, its ID, or the key."""
    return [
        (action.operation, action.parameters.get("GranteePrincipal") or str(action.resource))
        for action in actions
    ]


def performed(saw: GrantSeen, plan: Plan) -> GrantSeen:
    """The keys after the plan was applied.

    KMS returns the existing grant for the same name and content (KMS API Reference, CreateGrant, Name).
    """
    keys: dict[Target, tuple[KeySeen, ...]] = dict(saw.keys)
    for number, action in enumerate(plan.actions):
        parameters = action.parameters
        keys[action.target] = tuple(
            _after(item, action.operation, parameters, f"new-{number}")
            if item.key.arn == parameters["KeyId"]
            else item
            for item in keys[action.target]
        )
    return replace(saw, keys=keys)


def _after(item: KeySeen, operation: str, parameters: Any, grant_id: str) -> KeySeen:
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
