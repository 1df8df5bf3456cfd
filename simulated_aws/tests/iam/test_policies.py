# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluation of statements for requests (IAM User Guide, IAM JSON policy elements reference)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.exceptions import NotSimulated
from simulated_aws.iam import condition_keys, policies
from simulated_aws.iam.condition_keys import RequestContext
from simulated_aws.iam.policies import MalformedPolicy, PolicyDecision, Request
from simulated_aws.iam.principals import Principal

ACCOUNT = "222222222222"
ROLE = Principal(ACCOUNT, f"arn:aws:iam::{ACCOUNT}:role/builder", "AROABUILDER", "release")
KEY = "arn:aws:kms:us-east-1:111111111111:key/0c1d"
PATH = "o-a/r-b/ou-b-workloads/ou-b-prod/"

FACTS: RequestContext = {
    "aws:principalarn": lambda: ROLE.arn,
    "aws:principalorgid": lambda: "o-a",
    "aws:principalorgpaths": lambda: (PATH,),
    "kms:viaservice": lambda: "ec2.us-east-1.amazonaws.com",
    "kms:grantisforawsresource": lambda: "true",
    "kms:calleraccount": lambda: None,
    **condition_keys.of_tags({"Name": "web", "team": "a"}, {"golden.images:source": "us-east-1/ami-1"}),
}


def evaluate(statement: dict[str, Any], ids: set[str], action: str = "kms:Decrypt") -> PolicyDecision:
    whole = {"Effect": "Allow", "Principal": "*", "Action": "kms:*", "Resource": "*", **statement}
    (read,) = policies.read(json.dumps({"Statement": [whole]}), of_resource=True)
    return policies.evaluate([(read, frozenset(ids))], Request(ROLE, action, KEY, FACTS))


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ({"*"}, PolicyDecision(allows=True)),
        ({"AROABUILDER"}, PolicyDecision(allows=True)),
        ({"AROABUILDER:release"}, PolicyDecision(allows=True)),
        ({"AROABUILDER:other"}, PolicyDecision()),
        ({ACCOUNT}, PolicyDecision(allows_account=True)),
        ({ACCOUNT, "AROABUILDER"}, PolicyDecision(allows=True, allows_account=True)),
        ({"333333333333"}, PolicyDecision()),
        (set(), PolicyDecision()),
    ],
)
def test_which_principals_a_statement_matches(ids: set[str], expected: PolicyDecision) -> None:
    """An account's root stands for the account (AWS JSON policy elements: Principal)."""
    assert evaluate({}, ids) == expected


def test_a_denied_account_is_denied_to_all_its_principals() -> None:
    assert evaluate({"Effect": "Deny"}, {ACCOUNT}) == PolicyDecision(denies=True)


@pytest.mark.parametrize(
    ("part", "about"),
    [
        ({"Action": "kms:Decrypt"}, True),
        ({"Action": "KMS:decrypt"}, True),
        ({"Action": ["kms:Encrypt", "kms:De*"]}, True),
        ({"Action": "*"}, True),
        ({"Action": "kms:Encrypt"}, False),
        ({"Action": "ec2:*"}, False),
        ({"Resource": KEY}, True),
        ({"Resource": "arn:aws:kms:*:111111111111:key/*"}, True),
        ({"Resource": "arn:aws:kms:us-west-2:*"}, False),
    ],
)
def test_actions_and_resources(part: dict[str, Any], about: bool) -> None:
    assert evaluate(part, {"*"}).allows is about


@pytest.mark.parametrize("missing", ["Action", "Resource"])
def test_without_action_or_resource_a_statement_has_no_effect(missing: str) -> None:
    """(botocore shape PutKeyPolicyRequest, Policy.)"""
    assert not evaluate({missing: []}, {"*"}).allows


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-a"}}, True),
        ({"StringEquals": {"AWS:principalorgid": ["o-z", "o-a"]}}, True),
        ({"StringEquals": {"aws:PrincipalOrgID": "O-A"}}, False),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-*"}}, False),
        ({"StringLike": {"aws:PrincipalOrgID": "o-*"}}, True),
        ({"StringLike": {"aws:PrincipalOrgID": "o-?"}}, True),
        ({"StringLike": {"aws:PrincipalOrgID": "o-??"}}, False),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/ou-b-workloads/*"}}, True),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a/r-b/ou-b-sandbox/*"}}, False),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": PATH}}, True),
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": "o-a/r-b/ou-b-workloads/"}}, False),
        # Without a set operator a multivalued key meets nothing.
        ({"StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}}, False),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}}, True),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-z/*"}}, False),
        # A key that the request doesn't have.
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, False),
        ({"ForAnyValue:StringLike": {"kms:CallerAccount": "*"}}, False),
        ({"ForAllValues:StringLike": {"kms:CallerAccount": ACCOUNT}}, True),
        # IfExists holds without the key (IAM User Guide, Condition operators, ...IfExists).
        ({"StringEqualsIfExists": {"kms:CallerAccount": "333333333333"}}, True),
        ({"ForAnyValue:StringLikeIfExists": {"kms:CallerAccount": "333333333333"}}, True),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-z"}}, False),
        ({"StringEqualsIgnoreCase": {"aws:PrincipalOrgID": "O-A"}}, True),
        # A negated operator holds without the key (Condition operators, String condition operators).
        ({"StringNotEquals": {"kms:CallerAccount": ACCOUNT}}, True),
        ({"StringNotEquals": {"aws:PrincipalOrgID": ["o-z", "o-a"]}}, False),
        ({"StringNotLike": {"kms:ViaService": "s3.*"}}, True),
        ({"ArnNotLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}}, False),
        # The parts of an ARN are compared one by one (Condition operators, ARN condition operators).
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/build*"}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:*"}}, True),
        ({"ArnLike": {"aws:PrincipalArn": f"arn:*:{ACCOUNT}:role/builder"}}, False),
        ({"StringLike": {"aws:PrincipalArn": f"arn:*:{ACCOUNT}:role/builder"}}, True),
        # A negated operator holds without the key, and if no value matches.
        ({"StringNotLike": {"aws:PrincipalOrgID": ["o-z", "p-*"]}}, True),
        ({"StringNotLike": {"aws:PrincipalOrgID": ["o-z", "o-*"]}}, False),
        ({"StringNotLike": {"kms:CallerAccount": "*"}}, True),
        ({"ForAllValues:StringNotLike": {"aws:TagKeys": "golden.images:*"}}, True),
        ({"ForAllValues:StringNotLike": {"aws:TagKeys": "name"}}, True),
        ({"ForAllValues:StringNotEqualsIgnoreCase": {"aws:TagKeys": "name"}}, False),
        ({"ForAllValues:StringNotLike": {"aws:TagKeys": "N*"}}, False),
        ({"ForAnyValue:StringNotEquals": {"aws:PrincipalOrgID": "o-a"}}, False),
        ({"ForAnyValue:StringNotLike": {"aws:TagKeys": "N*"}}, True),
        ({"ForAnyValue:StringNotLike": {"aws:TagKeys": ["N*", "t*"]}}, False),
        ({"Null": {"kms:CallerAccount": "true"}}, True),
        ({"Null": {"kms:CallerAccount": False}}, False),
        ({"Null": {"aws:TagKeys": "false"}}, True),
        # Tags of the request and of the resource; keys of tags are compared without case.
        ({"StringEquals": {"aws:RequestTag/name": "web"}}, True),
        ({"StringEquals": {"aws:RequestTag/owner": "web"}}, False),
        ({"Null": {"aws:ResourceTag/golden.images:source": "false"}}, True),
        ({"Null": {"aws:ResourceTag/Name": "false"}}, False),
        ({"Bool": {"kms:GrantIsForAWSResource": True}}, True),
        ({"Bool": {"kms:GrantIsForAWSResource": "TRUE"}}, True),
        ({"Bool": {"kms:GrantIsForAWSResource": "false"}}, False),
        # Operators and keys are all to be met.
        (
            {
                "StringEquals": {"aws:PrincipalOrgID": "o-a", "kms:ViaService": "s3.us-east-1.amazonaws.com"},
                "Bool": {"kms:GrantIsForAWSResource": True},
            },
            False,
        ),
        (
            {
                "StringLike": {"aws:PrincipalOrgID": "*", "kms:ViaService": "ec2.*.amazonaws.com"},
                "Bool": {"kms:GrantIsForAWSResource": True},
            },
            True,
        ),
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool) -> None:
    """(IAM User Guide, Condition operators; Multivalued context keys.)"""
    assert evaluate({"Condition": condition}, {"*"}).allows is holds


@pytest.mark.parametrize(
    "part",
    [
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"ForAnyValue:Bool": {"kms:GrantIsForAWSResource": True}}},
        {"Condition": {"ForAnyValue:Null": {"aws:TagKeys": True}}},
        {"Condition": {"NullIfExists": {"aws:TagKeys": True}}},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"StringLike": {"aws:PrincipalOrgID": "${aws:PrincipalAccount}"}}},
        {"Resource": "arn:aws:kms:*:${aws:PrincipalAccount}:key/*"},
        {"NotAction": "kms:Decrypt"},
    ],
)
def test_what_isnt_simulated_is_said_aloud(part: dict[str, Any]) -> None:
    with pytest.raises(NotSimulated):
        evaluate(part, {"*"})


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"Statement": ["Allow"]}',
        '{"Version": "2020-01-01", "Statement": []}',
        '{"Statements": []}',
        '{"Statement": {"Effect": "Permit", "Principal": "*"}}',
        '{"Statement": {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": {}}}',
        '{"Statement": {"Effect": "Allow", "Principal": {"AWS": []}}}',
        '{"Statement": {"Effect": "Allow", "Principal": "arn:aws:iam::111111111111:root"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Actions": "kms:*"}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Action": [1]}}',
        '{"Statement": {"Effect": "Allow", "Principal": "*", "Condition": {"Bool": true}}}',
        json.dumps({"Statement": [{"Sid": "same", "Effect": "Deny", "Principal": "*"}] * 2}),
    ],
)
def test_invalid_policies(text: str) -> None:
    with pytest.raises(MalformedPolicy):
        policies.read(text, of_resource=True)


def test_an_identity_s_policy_has_no_principals() -> None:
    with pytest.raises(MalformedPolicy):
        policies.read('{"Statement": {"Effect": "Allow", "Principal": "*"}}', of_resource=False)


def test_an_identity_s_denial_stands_beside_its_permission() -> None:
    text = json.dumps(
        {
            "Statement": [
                {"Effect": "Allow", "Action": "*", "Resource": "*"},
                {"Effect": "Deny", "Action": "kms:Decrypt", "Resource": KEY},
            ]
        }
    )
    statements = policies.read(text, of_resource=False)
    request = Request(ROLE, "kms:Decrypt", KEY, FACTS)
    assert policies.evaluate_identity(statements, request) == PolicyDecision(denies=True, allows=True)
    elsewhere = Request(ROLE, "kms:Decrypt", KEY + "2", FACTS)
    assert policies.evaluate_identity(statements, elsewhere) == PolicyDecision(allows=True)
