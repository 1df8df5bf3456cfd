# SPDX-License-Identifier: GPL-3.0-or-later
"""SimulatePrincipalPolicy (IAM API Reference; botocore shapes of its request and its answer)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

CONSUMER = "222222222222"
ROLE = f"arn:aws:iam::{CONSUMER}:role/app/launcher"
KEY = "arn:aws:kms:us-east-1:111111111111:key/0c1d"
VIA_EC2 = {
    "ContextKeyName": "kms:ViaService",
    "ContextKeyValues": ["ec2.us-east-1.amazonaws.com"],
    "ContextKeyType": "string",
}
THROUGH_EC2 = {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}


@pytest.fixture(scope="module")
def aws() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        started.load_fixture({"accounts": {"owner": "111111111111", "consumer": CONSUMER}})
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": CONSUMER}}
        started.client("iam", "consumer").create_role(
            RoleName="launcher",
            Path="/app/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        yield started


def simulated(aws: SimulatedAws, *statements: dict[str, Any], **parameters: Any) -> dict[str, Any]:
    """The only result of a simulated request for Decrypt of a role with these statements."""
    iam = aws.client("iam", "consumer")
    document = {"Version": "2012-10-17", "Statement": [{"Resource": "*", **one} for one in statements]}
    iam.put_role_policy(RoleName="launcher", PolicyName="own", PolicyDocument=json.dumps(document))
    request = {"PolicySourceArn": ROLE, "ActionNames": ["kms:Decrypt"], "ResourceArns": [KEY], **parameters}
    (result,) = iam.simulate_principal_policy(**request)["EvaluationResults"]
    return dict(result)


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([{"Effect": "Allow", "Action": "kms:*"}], "allowed"),
        ([{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY}], "allowed"),
        ([{"Effect": "Allow", "Action": "kms:Decrypt", "Resource": f"{KEY}x"}], "implicitDeny"),
        ([{"Effect": "Allow", "Action": "ec2:*"}], "implicitDeny"),
        ([{"Effect": "Allow", "Action": "*"}, {"Effect": "Deny", "Action": "kms:*"}], "explicitDeny"),
    ],
)
def test_the_decision_is_that_of_the_role_s_own_policies(
    aws: SimulatedAws, statements: list[dict[str, Any]], expected: str
) -> None:
    result = simulated(aws, *statements)
    assert result["EvalActionName"] == "kms:Decrypt"
    assert result["EvalDecision"] == expected
    assert result["ResourceSpecificResults"] == [{"EvalResourceName": KEY, "EvalResourceDecision": expected}]


def test_conditions_use_the_given_keys_and_a_missing_one_is_named(aws: SimulatedAws) -> None:
    """(Botocore shape EvaluationResult, MissingContextValues.)"""
    statement = {"Effect": "Allow", "Action": "kms:*", "Condition": THROUGH_EC2}
    through_ec2 = simulated(aws, statement, ContextEntries=[VIA_EC2])
    assert (through_ec2["EvalDecision"], through_ec2["MissingContextValues"]) == ("allowed", [])
    directly = simulated(aws, statement)
    assert directly["EvalDecision"] == "implicitDeny"
    assert directly["MissingContextValues"] == ["kms:viaservice"]


def test_one_result_for_each_action_has_the_most_restrictive_decision(aws: SimulatedAws) -> None:
    """(Botocore shape EvaluationResult.)"""
    statement = {"Effect": "Allow", "Action": "kms:*", "Resource": KEY}
    result = simulated(aws, statement, ResourceArns=[KEY, f"{KEY}x"])
    assert result["EvalDecision"] == "implicitDeny"
    assert [one["EvalResourceDecision"] for one in result["ResourceSpecificResults"]] == [
        "allowed",
        "implicitDeny",
    ]


@pytest.mark.parametrize(
    ("arn", "code"),
    [
        # A session has no policies of its own, and the path of a role is a part of its ARN.
        (f"arn:aws:sts::{CONSUMER}:assumed-role/launcher/release", "InvalidInput"),
        (f"arn:aws:iam::{CONSUMER}:role/launcher", "NoSuchEntity"),
        (f"arn:aws:iam::{CONSUMER}:role/other", "NoSuchEntity"),
        ("arn:aws:iam::111111111111:role/launcher", "InvalidInput"),
        (f"arn:aws:iam::{CONSUMER}:root", "InvalidInput"),
    ],
)
def test_only_users_and_roles_of_the_account_are_known(aws: SimulatedAws, arn: str, code: str) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("iam", "consumer").simulate_principal_policy(
            PolicySourceArn=arn, ActionNames=["kms:Decrypt"]
        )
    assert refused.value.response["Error"]["Code"] == code


def test_a_simulation_is_no_change_and_no_authorization(aws: SimulatedAws) -> None:
    aws.update_settings(record_authorizations=True)
    simulated(aws, {"Effect": "Allow", "Action": "kms:*"})
    (call,) = aws.calls(action="SimulatePrincipalPolicy")[-1:]
    assert call.status == 200
    assert not call.changes
    assert "kms:Decrypt" not in {one.action for one in aws.authorizations()}
