# SPDX-License-Identifier: GPL-3.0-or-later

"""Who the statements of a key policy give access to: every AWS account, or named principals."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._keys.policy_audience import (
    StatementAudience,
    audiences,
)
from ansible_collections.golden.images.plugins.module_utils._keys.policy_statements import PolicyConsumers

from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import DEPLOY, ORG_ID, UNIT, A, B, consumers, opened_to
from tests.unit.kms_grant.examples import root

KEY = key_arn("golden")
VIA_EC2 = {"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}


def found(**changes: Any) -> tuple[StatementAudience, ...]:
    """The audience of a statement that allows all principals everything, with these changes."""
    whole = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **changes}
    statement = {name: value for name, value in whole.items() if value is not None}
    return audiences(json.dumps({"Statement": statement}), KEY, OPERATIONS)


def paths(*values: str, operator: str = "ForAnyValue:StringLike") -> dict[str, Any]:
    """A condition on aws:PrincipalOrgPaths."""
    return {operator: {"aws:PrincipalOrgPaths": list(values)}}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="every principal"),
        pytest.param({"Principal": {"AWS": "*"}}, id="every AWS principal"),
        pytest.param({"Principal": {"AWS": [root(A), "*"]}}, id="every principal among others"),
        pytest.param({"Principal": None, "NotPrincipal": {"AWS": root(A)}}, id="all but one account"),
        pytest.param({"Condition": VIA_EC2}, id="through a service"),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, id="another condition key"
        ),
        pytest.param({"Condition": {"Null": {"aws:PrincipalOrgID": "false"}}}, id="any organization"),
        pytest.param(
            {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ORG_ID}}}, id="outside an organization"
        ),
        pytest.param({"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORG_ID}}}, id="IfExists"),
        pytest.param(
            {"Condition": {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": ORG_ID}}}, id="ForAllValues"
        ),
        pytest.param(
            {"Condition": paths(f"{ORG_ID}/*", operator="ForAllValues:StringLike")},
            id="ForAllValues, paths",
        ),
        pytest.param(
            {"Condition": paths(f"{ORG_ID}/*", operator="ForAnyValue:StringLikeIfExists")},
            id="IfExists of paths",
        ),
        pytest.param({"Condition": {"StringLike": {"aws:PrincipalOrgID": "*"}}}, id="a bare wildcard"),
        pytest.param({"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, id="any organization id"),
        pytest.param(
            {"Condition": {"StringLike": {"aws:PrincipalOrgID": [ORG_ID, "*"]}}}, id="a wildcard among others"
        ),
        pytest.param({"Condition": paths("*/ou-ab12-11111111/*")}, id="a unit of any organization"),
        pytest.param({"Condition": paths("o-*/r-ab12/*")}, id="a root of any organization"),
        pytest.param({"Condition": paths(f"{ORG_ID}*")}, id="organizations whose ID begins like this"),
        pytest.param(
            {"Condition": {"StringLike": {"kms:CallerAccount": "1*"}}}, id="accounts that begin like this"
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:PrincipalAccount": "${aws:PrincipalAccount}"}}},
            id="a policy variable",
        ),
        pytest.param(
            {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}},
            id="a role of any account",
        ),
        pytest.param(
            {"Condition": {"StringLike": {"aws:PrincipalArn": f"arn:*::{A}:role/deploy"}}},
            id="a wildcard before the account",
        ),
        pytest.param({"Condition": {"StringLike": {"aws:PrincipalArn": "*"}}}, id="any role"),
        pytest.param({"Resource": KEY}, id="this key"),
        pytest.param({"Resource": None, "NotResource": key_arn("other")}, id="all keys but another"),
        pytest.param({"Action": None, "NotAction": "kms:Put*"}, id="all operations but some"),
    ],
)
def test_public(changes: dict[str, Any]) -> None:
    (audience,) = found(**changes)
    assert audience.public
    assert audience.named == PolicyConsumers()


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        pytest.param({"Principal": {"AWS": root(A)}}, [consumers(A)], id="an account"),
        pytest.param({"Principal": {"AWS": [A, DEPLOY]}}, [consumers(A, DEPLOY)], id="an account and a role"),
        pytest.param({"Principal": {"Service": "ec2.amazonaws.com"}}, [consumers()], id="a service"),
        pytest.param(
            {"Condition": {"StringEquals": {"AWS:principalorgid": ORG_ID}}},
            [consumers(org_ids=(ORG_ID,))],
            id="an organization",
        ),
        pytest.param(
            {"Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgID": [ORG_ID]}}},
            [consumers(org_ids=(ORG_ID,))],
            id="an organization, with a set operator",
        ),
        pytest.param({"Condition": paths(f"{ORG_ID}/*")}, [consumers(org_ids=(ORG_ID,))], id="all paths"),
        pytest.param({"Condition": paths(f"{ORG_ID}/r-ab12/*")}, [consumers(org_ids=(ORG_ID,))], id="a root"),
        pytest.param(
            {"Condition": paths(f"{ORG_ID}/*/{UNIT[1]}/*", f"{ORG_ID}/r-ab12/ou-a/{UNIT[1]}/*")},
            [consumers(units=(UNIT,))],
            id="a unit and those in it",
        ),
        pytest.param(
            {"Condition": paths(f"{ORG_ID}/r-ab12/{UNIT[1]}/", operator="ForAnyValue:StringEquals")},
            [consumers(units=(UNIT,))],
            id="a unit itself",
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"kms:CallerAccount": [A, B]}}}, [consumers(A, B)], id="callers"
        ),
        pytest.param(
            {"Condition": {"StringEqualsIgnoreCase": {"aws:PrincipalAccount": A}}},
            [consumers(A)],
            id="an account, whatever its case",
        ),
        pytest.param(
            {"Condition": {"ArnLike": {"aws:PrincipalArn": [DEPLOY, f"arn:aws:iam::{B}:role/*"]}}},
            [consumers(DEPLOY, f"arn:aws:iam::{B}:role/*")],
            id="roles of certain accounts",
        ),
        pytest.param(
            {"Condition": {"ArnEquals": {"aws:PrincipalArn": root(A)}}},
            [consumers(A)],
            id="an account root",
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"kms:CallerAccount": A, **VIA_EC2["StringEquals"]}}},
            [consumers(A)],
            id="callers through a service",
        ),
        pytest.param(
            {
                "Principal": {"AWS": root(B)},
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}},
            },
            [consumers(B), consumers(org_ids=(ORG_ID,))],
            id="an account while it is in an organization",
        ),
    ],
)
def test_limited(changes: dict[str, Any], limits: list[PolicyConsumers]) -> None:
    (audience,) = found(**changes)
    assert audience.limits == tuple(limits)
    assert not audience.public
    assert audience.named == limits[0]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"Effect": "Deny"}, id="a denial"),
        pytest.param({"Resource": key_arn("other")}, id="another key"),
        pytest.param({"Action": []}, id="no operation"),
        pytest.param({"Action": None}, id="no action"),
    ],
)
def test_statements_that_give_no_access(changes: dict[str, Any]) -> None:
    assert found(**changes) == ()


def test_the_operations_and_the_name_of_a_statement() -> None:
    (audience,) = found(Sid="Open", Action=["kms:De*", "kms:Encrypt"])
    assert (audience.name, audience.operations) == ("Open", {"Decrypt", "DescribeKey"})
    (nameless,) = found()
    assert (nameless.name, nameless.operations) == ("1", OPERATIONS)


def test_the_statements_of_this_collection_are_limited() -> None:
    policy = opened_to(consumers(A, org_ids=(ORG_ID,), units=(UNIT,)))
    of_others, *own = audiences(policy, KEY, OPERATIONS)
    assert not of_others.is_own
    assert all(item.is_own and not item.public for item in own)
    assert {item.named for item in own} == {
        consumers(A),
        consumers(org_ids=(ORG_ID,)),
        consumers(units=(UNIT,)),
    }
