# SPDX-License-Identifier: GPL-3.0-or-later
"""GetKeyPolicy and PutKeyPolicy, and the effect of a policy's statements."""

from __future__ import annotations

import json
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .conftest import (
    CONSUMER,
    CONSUMER_ROLE,
    EXTERNAL_ID,
    LAUNCHER,
    MEMBER,
    OWNER,
    ROOTS,
    assume,
    client_of,
    error_code,
    message,
    outcome,
    policy,
    put_policy,
)

DESCRIBE = {"Action": "kms:DescribeKey"}


@pytest.fixture
def kms(aws: SimulatedAws) -> Any:
    return aws.client("kms", "owner")


def test_a_new_key_has_the_default_policy(kms: Any, key: str) -> None:
    """(KMS Developer Guide, Default key policy.)"""
    answer = kms.get_key_policy(KeyId=key)
    assert answer["PolicyName"] == "default"
    (statement,) = json.loads(answer["Policy"])["Statement"]
    assert statement == {
        "Sid": "Enable IAM User Permissions",
        "Effect": "Allow",
        "Principal": {"AWS": ROOTS[OWNER]},
        "Action": "kms:*",
        "Resource": "*",
    }


def test_the_last_writer_wins(kms: Any, key: str) -> None:
    """PutKeyPolicy takes no version (botocore shape PutKeyPolicyRequest)."""
    for account in (CONSUMER, MEMBER):
        text = policy({"Principal": {"AWS": ROOTS[account]}, **DESCRIBE})
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=text)
        assert kms.get_key_policy(KeyId=key, PolicyName="default")["Policy"] == text


def test_a_policy_is_its_own_account_s_business(aws: SimulatedAws, key: str) -> None:
    """(botocore operations GetKeyPolicy and PutKeyPolicy: Cross-account use: No.)"""
    put_policy(aws, key, {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:*"})
    consumer = aws.client("kms", "consumer")
    assert consumer.list_grants(KeyId=key)["Grants"] == []
    assert error_code(consumer.get_key_policy, KeyId=key) == "AccessDeniedException"
    assert error_code(consumer.put_key_policy, KeyId=key, Policy=policy()) == "AccessDeniedException"


def padded(size: int) -> str:
    text = policy()
    return text + " " * (size - len(text))


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (policy(), "ok"),
        ("{", "MalformedPolicyDocumentException"),
        (policy({"Action": "kms:DescribeKey"}), "MalformedPolicyDocumentException"),
        (
            policy({"Principal": {"AWS": "arn:aws:iam::111111111111:role/no"}}),
            "MalformedPolicyDocumentException",
        ),
        (policy({"Principal": {"AWS": "888888888888"}}), "MalformedPolicyDocumentException"),
        (policy({"Principal": {"AWS": "AROAGONEGONEGONEGONE1"}}), "MalformedPolicyDocumentException"),
        (policy({"Principal": {"AWS": f"arn:aws:iam::{OWNER}:user/*"}}), "MalformedPolicyDocumentException"),
        (policy({"Principal": {"AWS": CONSUMER}, **DESCRIBE}), "ok"),
        (policy({"Principal": {"AWS": CONSUMER_ROLE}, **DESCRIBE}), "ok"),
        (policy({"Principal": {"Service": "logs.amazonaws.com"}, "Action": "kms:Encrypt"}), "ok"),
        (policy({"Principal": {"AWS": ROOTS[CONSUMER]}}), "MalformedPolicyDocumentException"),
        (padded(32 * 1024), "ok"),
        # KMS Developer Guide, Resource quotas: Key policy document size.
        (padded(32 * 1024 + 1), "LimitExceededException"),
        (policy({"Principal": {"AWS": "ключ"}}).encode().decode("unicode_escape"), "ValidationException"),
        (
            policy({"Principal": "*", **DESCRIBE, "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.1"}}}),
            "UnknownOperationException",
        ),
        (
            policy({"Principal": "*", **DESCRIBE, "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}),
            "UnknownOperationException",
        ),
    ],
)
def test_what_is_saved(kms: Any, key: str, text: str, code: str) -> None:
    """Principals must exist (botocore shape PutKeyPolicyRequest, Policy)."""
    before = kms.get_key_policy(KeyId=key)["Policy"]
    assert outcome(kms.put_key_policy, KeyId=key, Policy=text) == code
    assert kms.get_key_policy(KeyId=key)["Policy"] == (text if code == "ok" else before)


def test_a_key_that_is_shared_through_ram_has_a_second_policy_that_gives_access(aws: SimulatedAws) -> None:
    """botocore operations GetKeyPolicy and ListKeyPolicies; RAM alone can change it."""
    shared = json.loads(policy({"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE}))
    accounts = {"owner": OWNER, "consumer": CONSUMER}
    document = {"account": "owner", "regions": ["us-east-1"], "ram_policy": shared}
    key = aws.load_fixture({"accounts": accounts, "kms_keys": {"shared": document}})["kms_keys"]["shared"]
    arn = key["us-east-1"]
    kms, consumer = aws.client("kms", "owner"), aws.client("kms", "consumer")
    assert kms.list_key_policies(KeyId=arn)["PolicyNames"] == ["default", "AWS_RAM"]
    answer = kms.get_key_policy(KeyId=arn, PolicyName="AWS_RAM")
    assert (json.loads(answer["Policy"]), answer["PolicyName"]) == (shared, "AWS_RAM")
    assert consumer.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn
    assert error_code(consumer.get_key_policy, KeyId=arn, PolicyName="AWS_RAM") == "AccessDeniedException"
    kms.put_key_policy(KeyId=arn, Policy=kms.get_key_policy(KeyId=arn)["Policy"])
    assert consumer.describe_key(KeyId=arn)["KeyMetadata"]["Arn"] == arn


def test_any_other_key_has_one_policy(kms: Any, key: str) -> None:
    """(botocore shapes GetKeyPolicyRequest and PutKeyPolicyRequest, PolicyName.)"""
    assert kms.list_key_policies(KeyId=key)["PolicyNames"] == ["default"]
    assert error_code(kms.get_key_policy, KeyId=key, PolicyName="AWS_RAM") == "NotFoundException"
    call = {"KeyId": key, "PolicyName": "AWS_RAM", "Policy": policy()}
    assert error_code(kms.put_key_policy, **call) == "ValidationException"


LOCKED_OUT = json.dumps(
    {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": ROOTS[OWNER]},
                "Action": ["kms:Describe*", "kms:Get*"],
                "Resource": "*",
            }
        ]
    }
)


def test_a_policy_that_locks_the_caller_out_is_rejected(kms: Any, key: str) -> None:
    """(KMS Developer Guide, Default key policy; PutKeyPolicyRequest, BypassPolicyLockoutSafetyCheck.)"""
    call = {"KeyId": key, "Policy": LOCKED_OUT}
    assert error_code(kms.put_key_policy, **call) == "MalformedPolicyDocumentException"
    assert "update the key policy in the future" in message(kms.put_key_policy, **call)
    kms.put_key_policy(BypassPolicyLockoutSafetyCheck=True, **call)
    assert error_code(kms.put_key_policy, KeyId=key, Policy=policy()) == "AccessDeniedException"


def test_a_deleted_principal_is_shown_by_its_unique_id(aws: SimulatedAws, kms: Any, key: str) -> None:
    """And has no successor (IAM User Guide, AWS JSON policy elements: Principal, IAM role principals)."""
    iam = aws.client("iam", "owner")
    trust = json.dumps({"Statement": []})
    role = iam.create_role(RoleName="temporary", AssumeRolePolicyDocument=trust)["Role"]
    kms.put_key_policy(
        KeyId=key, Policy=policy({"Principal": {"AWS": [role["Arn"], ROOTS[CONSUMER]]}, **DESCRIBE})
    )
    assert role["Arn"] in kms.get_key_policy(KeyId=key)["Policy"]
    iam.delete_role(RoleName="temporary")
    iam.create_role(RoleName="temporary", AssumeRolePolicyDocument=trust)
    shown = json.loads(kms.get_key_policy(KeyId=key)["Policy"])["Statement"][1]["Principal"]
    assert shown == {"AWS": [role["RoleId"], ROOTS[CONSUMER]]}
    # Nor is what was read good enough to be written.
    text = kms.get_key_policy(KeyId=key)["Policy"]
    assert error_code(kms.put_key_policy, KeyId=key, Policy=text) == "MalformedPolicyDocumentException"


def in_organization(aws: SimulatedAws) -> dict[str, Any]:
    return {"StringEquals": {"aws:PrincipalOrgID": aws.description()["organization"]["id"]}}


def in_unit(aws: SimulatedAws, quantifier: str = "ForAnyValue") -> dict[str, Any]:
    path = aws.description()["organization"]["units"]["workloads"]["org_path"]
    return {f"{quantifier}:StringLike": {"aws:PrincipalOrgPaths": f"{path}*"}}


def in_no_other_unit(aws: SimulatedAws) -> dict[str, Any]:
    return in_unit(aws, "ForAllValues")


def in_organization_and_account(aws: SimulatedAws) -> dict[str, Any]:
    return {**in_organization(aws), "StringLike": {"aws:PrincipalAccount": f"{CONSUMER[:4]}*"}}


def if_in_organization(aws: SimulatedAws) -> dict[str, Any]:
    return {"StringEqualsIfExists": in_organization(aws)["StringEquals"]}


CALLERS = {"StringEquals": {"kms:CallerAccount": [CONSUMER, MEMBER]}}
THROUGH_EC2 = {"StringEquals": {"kms:ViaService": "ec2.us-east-1.amazonaws.com"}}


@pytest.mark.parametrize(
    ("principal", "condition", "allowed"),
    [
        ({"AWS": ROOTS[CONSUMER]}, {}, {"consumer"}),
        ({"AWS": [CONSUMER, ROOTS[MEMBER]]}, {}, {"consumer", "member"}),
        ("*", {}, {"consumer", "member", "outsider"}),
        ({"AWS": "*"}, in_organization, {"consumer", "member"}),
        ("*", in_unit, {"member"}),
        # True for a principal outside any organization (IAM User Guide, Multivalued context keys).
        ("*", in_no_other_unit, {"member", "outsider"}),
        # All conditions of a statement must be met.
        ("*", in_organization_and_account, {"consumer"}),
        ("*", CALLERS, {"consumer", "member"}),
        ("*", THROUGH_EC2, set()),
        # And of a request without the key (Condition operators, ...IfExists).
        ({"AWS": "*"}, if_in_organization, {"consumer", "member", "outsider"}),
    ],
)
def test_which_principals_a_statement_allows(
    aws: SimulatedAws, key: str, principal: Any, condition: Any, allowed: set[str]
) -> None:
    block = condition(aws) if callable(condition) else condition
    put_policy(aws, key, {"Principal": principal, "Condition": block, **DESCRIBE})
    for account in ("consumer", "member", "outsider"):
        expected = "ok" if account in allowed else "AccessDeniedException"
        assert outcome(aws.client("kms", account).describe_key, KeyId=key) == expected, account


def test_a_denial_is_final(aws: SimulatedAws, kms: Any, key: str) -> None:
    """(IAM User Guide, Policy evaluation logic.)"""
    kms.create_grant(KeyId=key, GranteePrincipal=ROOTS[CONSUMER], Operations=["DescribeKey"])
    consumer = aws.client("kms", "consumer")
    put_policy(aws, key, {"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE})
    assert outcome(consumer.describe_key, KeyId=key) == "ok"
    denial = {"Effect": "Deny", "Principal": "*", **DESCRIBE}
    in_consumer = {"StringEquals": {"aws:PrincipalAccount": CONSUMER}}
    put_policy(
        aws, key, {"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE}, {**denial, "Condition": in_consumer}
    )
    assert outcome(consumer.describe_key, KeyId=key) == "AccessDeniedException"
    assert outcome(kms.describe_key, KeyId=key) == "ok"


@pytest.mark.parametrize(
    ("principal", "administrator", "launcher"),
    [
        (ROOTS[CONSUMER], "ok", "AccessDeniedException"),
        (CONSUMER_ROLE, "AccessDeniedException", "AccessDeniedException"),
        # In another account its own policies must allow it too.
        (LAUNCHER, "AccessDeniedException", "AccessDeniedException"),
    ],
)
def test_which_principals_of_an_account_a_statement_allows(
    aws: SimulatedAws, key: str, principal: str, administrator: str, launcher: str
) -> None:
    """(KMS Developer Guide, Allowing users in other accounts to use a KMS key: both policies are needed.)"""
    put_policy(aws, key, {"Principal": {"AWS": principal}, **DESCRIBE})
    assert outcome(aws.client("kms", "consumer").describe_key, KeyId=key) == administrator
    poor = assume(aws, "consumer", LAUNCHER)
    assert outcome(client_of(aws, poor, "kms").describe_key, KeyId=key) == launcher
    role = assume(aws, "owner", CONSUMER_ROLE, ExternalId=EXTERNAL_ID)
    named = principal in (ROOTS[CONSUMER], CONSUMER_ROLE)
    assert outcome(client_of(aws, role, "kms").describe_key, KeyId=key) == (
        "ok" if named else "AccessDeniedException"
    )


def test_a_policy_s_word_is_enough_in_the_key_s_account(aws: SimulatedAws, key: str) -> None:
    """(KMS Developer Guide, Key policies in AWS KMS.)"""
    auditor = client_of(aws, aws.description()["users"]["auditor"]["owner"], "kms")
    assert outcome(auditor.describe_key, KeyId=key) == "AccessDeniedException"
    put_policy(aws, key, {"Principal": {"AWS": f"arn:aws:iam::{OWNER}:user/auditor"}, **DESCRIBE})
    assert outcome(auditor.describe_key, KeyId=key) == "ok"


def test_each_region_s_key_has_a_policy_of_its_own(aws: SimulatedAws, key: str) -> None:
    put_policy(aws, key, {"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE})
    west = aws.description()["kms_keys"]["golden"]["us-west-2"]
    call = aws.client("kms", "consumer", "us-west-2").describe_key
    assert error_code(call, KeyId=west) == "AccessDeniedException"


@pytest.mark.parametrize("element", ["Action", "Resource"])
def test_new_policies_need_actions_and_resources_and_stored_ones_do_not(
    aws: SimulatedAws, element: str
) -> None:
    """(AWS's announcement for August 18, 2025, quoted in ministryofjustice/analytical-platform#7691.)"""
    document = json.loads(policy({"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE}))
    del document["Statement"][1][element]
    key = {"account": "owner", "regions": ["us-east-1"], "alias": "alias/old", "policy": document}
    accounts = {"owner": OWNER, "consumer": CONSUMER}
    built = aws.load_fixture({"accounts": accounts, "kms_keys": {"old": key}})
    arn = built["kms_keys"]["old"]["us-east-1"]
    kms = aws.client("kms", "owner")
    text = kms.get_key_policy(KeyId=arn)["Policy"]
    assert json.loads(text) == document
    assert error_code(aws.client("kms", "consumer").describe_key, KeyId=arn) == "AccessDeniedException"
    for call in (lambda: kms.put_key_policy(KeyId=arn, Policy=text), lambda: kms.create_key(Policy=text)):
        assert error_code(call) == "MalformedPolicyDocumentException"


@pytest.mark.parametrize("alternate", [False, True])
def test_a_new_policy_may_be_read_only_after_a_while(
    aws: SimulatedAws, kms: Any, key: str, alternate: bool
) -> None:
    """(botocore operation PutKeyPolicy, Eventual consistency; hashicorp/terraform#3928.)"""
    old = kms.get_key_policy(KeyId=key)["Policy"]
    aws.update_settings(key_policy_visible_after_seconds=3600, key_policy_reads_alternate=alternate)
    new = policy({"Principal": {"AWS": ROOTS[CONSUMER]}, **DESCRIBE})
    for text in (policy(), new):
        kms.put_key_policy(KeyId=key, Policy=text)
    read = [kms.get_key_policy(KeyId=key)["Policy"] for _ in range(4)]
    assert read == ([old, new] * 2 if alternate else [old] * 4)
    assert aws.client("kms", "consumer").describe_key(KeyId=key)
    aws.update_settings(key_policy_visible_after_seconds=0)
    assert kms.get_key_policy(KeyId=key)["Policy"] == new
