# SPDX-License-Identifier: GPL-3.0-or-later

"""No combination of options gives a key to the public, or takes it from all, by accident."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.examples import ORG, UNIT
from tests.unit.keys.policies import ROOT, consumers, policy_of
from tests.unit.kms_grant.examples import (
    DEPLOY,
    KEY,
    REGION,
    A,
    B,
    Run,
    aws_with,
    foreign,
    made,
    root,
    scaling_role,
)
from tests.unit.kms_grant.kms_in_memory import World

pytestmark = pytest.mark.exhaustive

BOTH = (False, True)
NAMED: tuple[dict[str, Any], ...] = (
    {"account_ids": []},
    {"account_ids": [A]},
    {"account_ids": [A, ""]},
    {"account_ids": [], "principals": [DEPLOY]},
    {"account_ids": [], "principals": ["*"]},
    {"account_ids": [], "principals": ["arn:aws:iam::*:root"]},
    {"account_ids": [], "org_arns": [ORG]},
    {"account_ids": [], "org_arns": [None]},
    {"account_ids": [], "org_unit_arns": [UNIT]},
    {"account_ids": [], "org_ids": [ORG.rpartition("/")[2]]},
)
_STATEMENTS = key_policy.statements_for(
    key_policy.PolicyAccess(consumers(A, B, org_ids=("o-a1b2c3d4e5",)), OPERATIONS)
)
HELD = (
    aws_with(policy=policy_of()),
    aws_with(
        made(root(A), grant_id="g-a"), made(root(B), grant_id="g-b"), foreign(root(B)), policy=policy_of()
    ),
    aws_with(made(root(B), grant_id="g-b"), policy=policy_of(*_STATEMENTS)),
)
_EVERY = {"AWS": "*"}


def test_every_combination_of_options_does_only_what_it_names() -> None:
    tried = planned = acted = 0
    choices: tuple[Any, ...] = (
        *(("present", "absent"), ("auto", "grant", "key_policy"), BOTH, BOTH, BOTH),
        *(([], ["Decrypt"], ["*"], ["PutKeyPolicy"]), NAMED, HELD),
    )
    for state, method, purge, in_use, scaling, operations, named, held in product(*choices):
        tried += 1
        options = {
            "state": state,
            "access_method": method,
            "purge_grants": purge,
            "revoke_in_use": in_use,
            "auto_scaling": scaling,
            "consumer_role_name": "golden-consumer" if scaling else None,
            "operations": operations,
            **named,
        }
        try:
            plan = Run({"kms_key_ids": {REGION: KEY.arn}, **options}, held).plan
        except ValidationError:
            continue
        planned += 1
        names = {one for ids in named.values() for one in ids}
        for action in (actions := plan.actions):
            acted += 1
            _check(
                action, options, names, held, {str(one.parameters.get("GranteePrincipal")) for one in actions}
            )
        if purge and not actions:
            assert names
    assert (tried, planned, acted) == (5760, 660, 628)


def _check(action: Action, options: dict[str, Any], names: set[str], held: World, granted: set[str]) -> None:
    if action.operation == "CreateGrant":
        assert options["state"] == "present"
        grantee = action.parameters["GranteePrincipal"]
        is_scaling = options["auto_scaling"] and grantee == scaling_role(A) and A in names
        assert is_scaling or _principal(grantee) & names
        assert "*" not in action.parameters["GranteePrincipal"]
        assert set(action.parameters["Operations"]) <= OPERATIONS | {"Encrypt"}
    elif action.operation == "RevokeGrant":
        _check_revoked(action, options, names, held, granted)
    else:
        assert action.operation == "PutKeyPolicy"
        _check_policy(action.parameters["Policy"], options, names, held)


def _check_revoked(
    action: Action, options: dict[str, Any], names: set[str], held: World, granted: set[str]
) -> None:
    grant = held.key(REGION).grants[action.parameters["GrantId"]]
    grantee = grant["GranteePrincipal"]
    assert grant["Name"].startswith("golden-images:")
    is_named = bool(_principal(grantee) & names)
    if options["state"] == "absent":
        assert is_named
    else:
        # A grant of a named consumer is only replaced by another one, or by a statement.
        assert options["purge_grants"]
        assert names
        assert not is_named or options["access_method"] == "key_policy" or grantee in granted


def _check_policy(text: str, options: dict[str, Any], names: set[str], held: World) -> None:
    statements = json.loads(text)["Statement"]
    assert ROOT in statements
    before = set(_principals(held.key(REGION).policy))
    after = set(_principals(text))
    if options["state"] == "present":
        assert all(_principal(one) & names for one in after - before)
    for gone in before - after:
        is_named = bool(_principal(gone) & names)
        if options["state"] == "absent":
            assert is_named
        else:
            # A statement of a named consumer is only replaced by a grant.
            assert options["purge_grants"]
            assert not is_named or options["access_method"] != "key_policy"
    for one in statements:
        if one.get("Principal") in ("*", _EVERY):
            keys = {name for operator in one["Condition"].values() for name in operator}
            assert keys & {"aws:PrincipalOrgID", "aws:PrincipalOrgPaths"}


def _principals(policy: str) -> Iterator[str]:
    for access in key_policy.own_accesses(policy):
        yield from access.consumers.principals
        yield from access.consumers.org_ids
        yield from (unit for _org, unit in access.consumers.units)


def _principal(named: str) -> set[str]:
    """All forms in which options can name a principal."""
    account = named.split(":")[4] if named.startswith("arn:aws:iam") and named.endswith(":root") else named
    return {named, account, *(arn for arn in (ORG, UNIT) if arn.endswith(f"/{named}"))}
