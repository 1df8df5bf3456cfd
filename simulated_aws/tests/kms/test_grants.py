# SPDX-License-Identifier: GPL-3.0-or-later
"""Grants: create, reuse, list, revoke and retire them (KMS Developer Guide, Grants in AWS KMS)."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from .conftest import (
    AUDITOR,
    CONSUMER,
    CONSUMER_ROLE,
    EXTERNAL_ID,
    LAUNCHER,
    MEMBER,
    OWNER,
    ROOTS,
    USE,
    assume,
    client_of,
    error_code,
    outcome,
    put_policy,
)

INSTANCE = "arn:aws:ec2:us-east-1:111111111111:instance/i-0123456789abcdef0"
SERVICE_GRANT = {
    "GranteeServicePrincipal": "ec2.amazonaws.com",
    "RetiringServicePrincipal": "ec2.amazonaws.com",
    "Constraints": {"SourceArn": INSTANCE},
    "Operations": ["Decrypt"],
}
GRANT = {"GranteePrincipal": ROOTS[CONSUMER], "Operations": USE}


@pytest.fixture
def kms(aws: SimulatedAws) -> Any:
    return aws.client("kms", "owner")


def listed(kms: Any, key: str, **filters: Any) -> list[dict[str, Any]]:
    pages = kms.get_paginator("list_grants").paginate(KeyId=key, **filters)
    return [grant for page in pages for grant in page["Grants"]]


def test_a_grant_is_listed_as_it_was_created(kms: Any, key: str) -> None:
    """(botocore shape GrantListEntry.)"""
    made = kms.create_grant(KeyId=key, Name="golden/web", RetiringPrincipal=AUDITOR, **GRANT)
    (grant,) = listed(kms, key)
    created = grant.pop("CreationDate")
    assert abs(created.timestamp() - time.time()) < 60
    assert grant == {
        "KeyId": key,
        "GrantId": made["GrantId"],
        "Name": "golden/web",
        "GranteePrincipal": ROOTS[CONSUMER],
        "RetiringPrincipal": AUDITOR,
        "IssuingAccount": ROOTS[OWNER],
        "Operations": USE,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {"Name": "other"},
        {"GranteePrincipal": ROOTS[MEMBER]},
        {"Operations": USE[1:]},
        {"RetiringPrincipal": ROOTS[OWNER]},
        {"Constraints": {"EncryptionContextSubset": {"a": "b"}}},
    ],
)
def test_only_the_same_name_and_parameters_are_the_same_grant(
    kms: Any, key: str, changed: dict[str, Any]
) -> None:
    """(botocore shape CreateGrantRequest, Name.)"""
    first = kms.create_grant(KeyId=key, Name="golden", **GRANT)
    again = kms.create_grant(KeyId=key, Name="golden", **GRANT)
    other = kms.create_grant(**{"KeyId": key, "Name": "golden", **GRANT, **changed})
    assert first["GrantId"] == again["GrantId"] != other["GrantId"]
    assert first["GrantToken"] != again["GrantToken"]
    assert len(listed(kms, key)) == 2


def test_without_a_name_every_request_makes_a_grant(kms: Any, key: str) -> None:
    """(botocore shape CreateGrantRequest, Name.)"""
    made = {kms.create_grant(KeyId=key, **GRANT)["GrantId"] for _ in range(3)}
    assert len(made) == len(listed(kms, key)) == 3
    assert [grant["Name"] for grant in listed(kms, key)] == [""] * 3


def test_a_grant_created_again_after_its_end_is_a_new_one(kms: Any, key: str) -> None:
    first = kms.create_grant(KeyId=key, Name="golden", **GRANT)["GrantId"]
    kms.revoke_grant(KeyId=key, GrantId=first)
    assert listed(kms, key) == []
    assert kms.create_grant(KeyId=key, Name="golden", **GRANT)["GrantId"] != first


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        # botocore shape CreateGrantRequest: pattern and length of Name.
        ({"Name": "with space"}, "ValidationException"),
        ({"Name": "n" * 257}, "ValidationException"),
        ({"Name": "n" * 256}, None),
        ({"Name": "golden:web/1_2-3"}, None),
        # Who may be a grantee: GranteePrincipal.
        ({"GranteePrincipal": CONSUMER_ROLE}, None),
        ({"GranteePrincipal": AUDITOR}, None),
        ({"GranteePrincipal": f"arn:aws:sts::{CONSUMER}:assumed-role/golden-consumer/release"}, None),
        ({"GranteePrincipal": f"arn:aws:sts::{CONSUMER}:federated-user/eve"}, None),
        ({"GranteePrincipal": f"arn:aws:sts::{CONSUMER}:federated-user/e"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{CONSUMER}:federated-user/eve"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{CONSUMER}:role/missing"}, "InvalidArnException"),
        ({"GranteePrincipal": f"arn:aws:iam::{CONSUMER}:group/builders"}, "InvalidArnException"),
        ({"GranteePrincipal": "arn:aws:iam::888888888888:root"}, "InvalidArnException"),
        ({"GranteePrincipal": "autoscaling.amazonaws.com"}, "InvalidArnException"),
        ({"GranteePrincipal": "*"}, "ValidationException"),
        ({"GranteeServicePrincipal": "autoscaling.amazonaws.com"}, "ValidationException"),
        ({"Constraints": {"SourceArn": INSTANCE}}, "UnknownOperationException"),
        ({"RetiringPrincipal": f"arn:aws:iam::{OWNER}:role/missing"}, "InvalidArnException"),
        # Operations.
        ({"Operations": []}, "ValidationException"),
        ({"Operations": ["ReEncrypt*"]}, "ValidationException"),
        ({"Operations": ["ScheduleKeyDeletion"]}, "ValidationException"),
        ({"Operations": ["Sign"]}, "ValidationException"),
        # Constraints.
        ({"Constraints": {"EncryptionContextEquals": {"a": "b"}}}, None),
        ({"Constraints": {"EncryptionContextEquals": {"a": "b" * 385}}}, "ValidationException"),
        (
            {"Constraints": {"EncryptionContextSubset": {str(n): "b" for n in range(9)}}},
            "ValidationException",
        ),
        ({"DryRun": True}, "DryRunOperationException"),
    ],
)
def test_what_a_grant_may_say(kms: Any, key: str, changed: dict[str, Any], code: str | None) -> None:
    call = {"KeyId": key, **GRANT, **changed}
    if code:
        assert error_code(kms.create_grant, **call) == code
        assert listed(kms, key) == []
    else:
        kms.create_grant(**call)
        assert len(listed(kms, key)) == 1


@pytest.mark.parametrize(
    ("spec", "usage", "operations", "code"),
    [
        ("ECC_NIST_P256", "SIGN_VERIFY", ["Sign", "GetPublicKey"], None),
        ("ECC_NIST_P256", "SIGN_VERIFY", ["Decrypt"], "ValidationException"),
        ("RSA_2048", "ENCRYPT_DECRYPT", ["Decrypt", "ReEncryptTo"], None),
        ("RSA_2048", "ENCRYPT_DECRYPT", ["GenerateDataKey"], "ValidationException"),
        ("HMAC_256", "GENERATE_VERIFY_MAC", ["GenerateMac", "DescribeKey"], None),
        ("HMAC_256", "GENERATE_VERIFY_MAC", ["Encrypt"], "ValidationException"),
    ],
)
def test_operations_fit_the_kind_of_key(
    kms: Any, spec: str, usage: str, operations: list[str], code: str | None
) -> None:
    """(botocore shape CreateGrantRequest, Operations.)"""
    key = kms.create_key(KeySpec=spec, KeyUsage=usage)["KeyMetadata"]["KeyId"]
    call = {"KeyId": key, "GranteePrincipal": ROOTS[CONSUMER], "Operations": operations}
    assert outcome(kms.create_grant, **call) == (code or "ok")


def test_pages(kms: Any, key: str) -> None:
    """(botocore shape ListGrantsRequest, Limit: 50 unless given, at most 100.)"""
    wanted = [kms.create_grant(KeyId=key, **GRANT)["GrantId"] for _ in range(120)]
    sizes = [len(page["Grants"]) for page in kms.get_paginator("list_grants").paginate(KeyId=key)]
    assert sizes == [50, 50, 20]
    first = kms.list_grants(KeyId=key, Limit=100)
    assert (len(first["Grants"]), first["Truncated"]) == (100, True)
    kms.revoke_grant(KeyId=key, GrantId=wanted[99])
    second = kms.list_grants(KeyId=key, Limit=100, Marker=first["NextMarker"])
    assert second["Truncated"] is False
    assert "NextMarker" not in second
    assert [one["GrantId"] for one in first["Grants"] + second["Grants"]] == wanted
    assert error_code(kms.list_grants, KeyId=key, Limit=101) == "ValidationException"
    assert error_code(kms.list_grants, KeyId=key, Marker="page 2") == "InvalidMarkerException"


def test_filters(kms: Any, key: str) -> None:
    """(botocore shape ListGrantsRequest, GrantId and GranteePrincipal.)"""
    made = kms.create_grant(KeyId=key, **GRANT)["GrantId"]
    other = kms.create_grant(KeyId=key, **{**GRANT, "GranteePrincipal": ROOTS[MEMBER]})["GrantId"]
    assert [one["GrantId"] for one in listed(kms, key, GrantId=made)] == [made]
    assert [one["GrantId"] for one in listed(kms, key, GranteePrincipal=ROOTS[MEMBER])] == [other]
    assert listed(kms, key, GrantId="0" * 64) == []
    assert error_code(kms.list_grants, KeyId=key, GrantId="golden") == "InvalidGrantIdException"


def test_a_grant_to_a_service_names_the_service_instead_of_a_principal(kms: Any, key: str) -> None:
    """(botocore shape GrantListEntry, GranteeServicePrincipal and RetiringServicePrincipal.)"""
    kms.create_grant(KeyId=key, **SERVICE_GRANT)
    kms.create_grant(KeyId=key, **GRANT)
    (grant,) = listed(kms, key, GranteeServicePrincipal="ec2.amazonaws.com")
    assert {name: grant.get(name) for name in SERVICE_GRANT} == SERVICE_GRANT
    assert not {"GranteePrincipal", "RetiringPrincipal"} & grant.keys()


@pytest.mark.parametrize("missing", ["RetiringServicePrincipal", "Constraints"])
def test_a_grant_to_a_service_needs_a_source_and_a_retiring_principal(
    kms: Any, key: str, missing: str
) -> None:
    """(botocore shape CreateGrantRequest, GranteeServicePrincipal.)"""
    call = {name: value for name, value in SERVICE_GRANT.items() if name != missing}
    assert error_code(kms.create_grant, KeyId=key, **call) == "ValidationException"


def test_a_key_has_so_many_grants(aws: SimulatedAws, kms: Any, key: str) -> None:
    """(KMS Developer Guide, Resource quotas: Grants per KMS key.)"""
    aws.update_settings(grants_per_key_quota=2)
    kms.create_grant(KeyId=key, Name="first", **GRANT)
    kms.create_grant(KeyId=key, **GRANT)
    assert error_code(kms.create_grant, KeyId=key, **GRANT) == "LimitExceededException"
    kms.create_grant(KeyId=key, Name="first", **GRANT)


@pytest.mark.parametrize("kind", ["role", "user"])
def test_a_deleted_grantee_is_shown_by_its_unique_id(
    aws: SimulatedAws, kms: Any, key: str, kind: str
) -> None:
    """Made again under its name it is another (IAM User Guide, AWS JSON policy elements: Principal)."""
    iam = aws.client("iam", "consumer")

    def make() -> dict[str, Any]:
        if kind == "user":
            user: dict[str, Any] = iam.create_user(UserName="temporary")["User"]
            return user
        trust = '{"Statement": []}'
        role: dict[str, Any] = iam.create_role(RoleName="temporary", AssumeRolePolicyDocument=trust)["Role"]
        return role

    made = make()
    kms.create_grant(KeyId=key, GranteePrincipal=made["Arn"], Operations=["Decrypt"])
    assert listed(kms, key)[0]["GranteePrincipal"] == made["Arn"]
    if kind == "user":
        iam.delete_user(UserName="temporary")
    else:
        iam.delete_role(RoleName="temporary")
    unique_id = made["RoleId" if kind == "role" else "UserId"]
    assert unique_id.startswith("AROA" if kind == "role" else "AIDA")
    assert listed(kms, key)[0]["GranteePrincipal"] == unique_id
    make()
    assert listed(kms, key)[0]["GranteePrincipal"] == unique_id
    assert listed(kms, key, GranteePrincipal=made["Arn"]) == []
    assert len(listed(kms, key, GranteePrincipal=unique_id)) == 1


def test_a_new_grantee_is_shown_by_its_unique_id_for_a_while(aws: SimulatedAws, kms: Any, key: str) -> None:
    """(aws/aws-sdk-go#1718; botocore shape CreateGrantRequest, Name: the original GrantId is returned.)"""
    trust = '{"Statement": []}'
    role = aws.client("iam", "consumer").create_role(RoleName="new", AssumeRolePolicyDocument=trust)["Role"]
    call = {"KeyId": key, "Name": "golden", "GranteePrincipal": role["Arn"], "Operations": ["Decrypt"]}
    aws.update_settings(new_grantee_by_unique_id_seconds=60)
    made = kms.create_grant(**call)["GrantId"]
    kms.create_grant(**{**call, "GranteePrincipal": ROOTS[CONSUMER]})
    shown = [grant["GranteePrincipal"] for grant in listed(kms, key)]
    assert shown == [role["RoleId"], ROOTS[CONSUMER]]
    assert kms.create_grant(**call)["GrantId"] == made
    assert len(listed(kms, key, GranteePrincipal=role["RoleId"])) == 1
    aws.update_settings(new_grantee_by_unique_id_seconds=0)
    assert listed(kms, key)[0]["GranteePrincipal"] == role["Arn"]


def test_a_grantee_may_make_grants_within_its_own(aws: SimulatedAws, kms: Any, key: str) -> None:
    """(KMS Developer Guide, Creating grants: Granting CreateGrant permission.)"""
    kms.create_grant(KeyId=key, **GRANT)
    consumer = aws.client("kms", "consumer")
    call = {"KeyId": key, "GranteePrincipal": LAUNCHER}
    consumer.create_grant(Operations=["Decrypt", "DescribeKey"], **call)
    assert (
        error_code(consumer.create_grant, Operations=["Decrypt", "Encrypt"], **call)
        == "AccessDeniedException"
    )
    made = listed(kms, key, GranteePrincipal=LAUNCHER)
    assert [one["IssuingAccount"] for one in made] == [ROOTS[CONSUMER]]


@pytest.mark.parametrize(
    ("constraints", "code"),
    [
        ({"EncryptionContextSubset": {"a": "b"}}, "ok"),
        ({"EncryptionContextSubset": {"a": "b", "c": "d"}}, "ok"),
        ({"EncryptionContextEquals": {"a": "b"}}, "ok"),
        ({"EncryptionContextSubset": {"c": "d"}}, "AccessDeniedException"),
        ({}, "AccessDeniedException"),
    ],
)
def test_a_grant_created_by_a_grantee_is_as_constrained(
    aws: SimulatedAws, kms: Any, key: str, constraints: dict[str, Any], code: str
) -> None:
    """(KMS Developer Guide, Creating grants: Granting CreateGrant permission.)"""
    kms.create_grant(KeyId=key, Constraints={"EncryptionContextSubset": {"a": "b"}}, **GRANT)
    call = {"GranteePrincipal": LAUNCHER, "Operations": ["Decrypt"], "Constraints": constraints}
    assert outcome(aws.client("kms", "consumer").create_grant, KeyId=key, **call) == code


def test_any_grant_may_have_the_constraint_that_ec2_s_own_have(aws: SimulatedAws, kms: Any, key: str) -> None:
    """It says nothing about who created the grant (botocore shape CreateGrantRequest, Constraints).

    EC2's own has it, too, and its role as the grantee (KMS Developer Guide, Examining grants).
    """
    kms.create_grant(KeyId=key, **GRANT)
    call = {"GranteePrincipal": ROOTS[MEMBER], "Operations": ["CreateGrant", "Decrypt"]}
    volume = {"EncryptionContextSubset": {"aws:ebs:id": "vol-5cccfb4e"}}
    aws.client("kms", "consumer").create_grant(KeyId=key, Constraints=volume, **call)
    (grant,) = listed(kms, key, GranteePrincipal=ROOTS[MEMBER])
    assert (grant["Constraints"], grant["IssuingAccount"]) == (volume, ROOTS[CONSUMER])


def test_a_tool_s_grant_isnt_for_an_aws_resource(aws: SimulatedAws, key: str) -> None:
    """(KMS Developer Guide, AWS KMS condition keys: kms:GrantIsForAWSResource.)"""
    statement = {"Principal": {"AWS": ROOTS[CONSUMER]}, "Action": "kms:CreateGrant"}
    call = {"KeyId": key, "GranteePrincipal": LAUNCHER, "Operations": ["Decrypt"]}
    consumer = aws.client("kms", "consumer")
    for wanted, code in ((True, "AccessDeniedException"), (False, "ok")):
        put_policy(aws, key, {**statement, "Condition": {"Bool": {"kms:GrantIsForAWSResource": wanted}}})
        assert outcome(consumer.create_grant, **call) == code


@pytest.mark.parametrize(
    ("account", "params", "code"),
    [
        ("owner", {}, "ok"),
        ("owner", {"GrantId": "0" * 64}, "NotFoundException"),
        ("owner", {"GrantId": "golden"}, "InvalidGrantIdException"),
        ("owner", {"DryRun": True}, "DryRunOperationException"),
        ("consumer", {}, "AccessDeniedException"),
        ("outsider", {}, "AccessDeniedException"),
    ],
)
def test_which_principals_can_revoke(
    aws: SimulatedAws, kms: Any, key: str, account: str, params: dict[str, Any], code: str
) -> None:
    """(KMS Developer Guide, Retiring and revoking grants.)"""
    grant = kms.create_grant(KeyId=key, **GRANT)["GrantId"]
    call = {"KeyId": key, "GrantId": grant, **params}
    assert outcome(aws.client("kms", account).revoke_grant, **call) == code
    assert len(listed(kms, key)) == (0 if code == "ok" else 1)


@pytest.mark.parametrize("by", ["token", "id"])
@pytest.mark.parametrize(
    ("account", "changed", "code"),
    [
        ("owner", {}, "ok"),
        ("consumer", {}, "AccessDeniedException"),
        ("consumer", {"Operations": ["Decrypt", "RetireGrant"]}, "ok"),
        ("member", {"RetiringPrincipal": ROOTS[MEMBER]}, "ok"),
        ("member", {"Operations": ["Decrypt", "RetireGrant"]}, "AccessDeniedException"),
        ("outsider", {"RetiringPrincipal": ROOTS[MEMBER]}, "AccessDeniedException"),
    ],
)
def test_which_principals_can_retire(
    aws: SimulatedAws, kms: Any, key: str, by: str, account: str, changed: dict[str, Any], code: str
) -> None:
    """(KMS Developer Guide, Retiring and revoking grants.)"""
    made = kms.create_grant(**{"KeyId": key, **GRANT, **changed})
    named = (
        {"GrantToken": made["GrantToken"]} if by == "token" else {"KeyId": key, "GrantId": made["GrantId"]}
    )
    retire = aws.client("kms", account).retire_grant
    assert outcome(retire, **named) == code
    assert len(listed(kms, key)) == (0 if code == "ok" else 1)
    if code == "ok":
        assert error_code(retire, **named) == "NotFoundException"


def test_a_user_retires_what_its_account_lets_it(aws: SimulatedAws, kms: Any, key: str) -> None:
    token = kms.create_grant(KeyId=key, **GRANT)["GrantToken"]
    auditor = client_of(aws, aws.description()["users"]["auditor"]["owner"], "kms")
    assert error_code(auditor.retire_grant, GrantToken=token) == "AccessDeniedException"
    assert error_code(kms.retire_grant, GrantToken="unknown") == "InvalidGrantTokenException"
    assert error_code(kms.retire_grant, KeyId=key) == "ValidationException"


def test_retirable_grants(aws: SimulatedAws, kms: Any, key: str) -> None:
    """Of a principal of the caller's account, on keys of all accounts (botocore ListRetirableGrants)."""
    foreign = kms.create_grant(KeyId=key, RetiringPrincipal=ROOTS[CONSUMER], **GRANT)["GrantId"]
    kms.create_grant(KeyId=key, RetiringPrincipal=ROOTS[OWNER], **GRANT)
    consumer = aws.client("kms", "consumer")
    own_key = consumer.create_key()["KeyMetadata"]["KeyId"]
    own = consumer.create_grant(KeyId=own_key, RetiringPrincipal=ROOTS[CONSUMER], **GRANT)["GrantId"]
    found = consumer.list_retirable_grants(RetiringPrincipal=ROOTS[CONSUMER])["Grants"]
    assert [one["GrantId"] for one in found] == [foreign, own]
    assert (
        error_code(consumer.list_retirable_grants, RetiringPrincipal=ROOTS[OWNER]) == "AccessDeniedException"
    )
    west = aws.client("kms", "consumer", "us-west-2")
    assert west.list_retirable_grants(RetiringPrincipal=ROOTS[CONSUMER])["Grants"] == []


def test_a_new_grant_may_not_be_listed_for_a_while(aws: SimulatedAws, kms: Any, key: str) -> None:
    """KMS Developer Guide, Grants in AWS KMS: Eventual consistency."""
    aws.update_settings(grant_listed_after_seconds=3600)
    made = kms.create_grant(KeyId=key, Name="golden", **GRANT)
    assert listed(kms, key) == []
    assert aws.client("kms", "consumer").describe_key(KeyId=key)
    assert kms.create_grant(KeyId=key, Name="golden", **GRANT)["GrantId"] == made["GrantId"]
    aws.update_settings(grant_listed_after_seconds=0)
    assert len(listed(kms, key)) == 1


def test_a_grant_is_listed_with_the_time_of_its_creation(aws: SimulatedAws, kms: Any, key: str) -> None:
    """Botocore shape GrantListEntry, CreationDate; a repeated request does not change it."""
    aws.update_settings(new_grant_age_seconds=86400)
    kms.create_grant(KeyId=key, Name="golden", **GRANT)
    aws.update_settings(new_grant_age_seconds=0)
    kms.create_grant(KeyId=key, Name="golden", **GRANT)
    kms.create_grant(KeyId=key, Name="new", **GRANT)
    ages = [datetime.now(tz=UTC) - one["CreationDate"] for one in listed(kms, key)]
    assert [round(one / timedelta(days=1)) for one in ages] == [1, 0]


def test_a_listed_grant_may_not_be_usable_for_a_while(aws: SimulatedAws, kms: Any, key: str) -> None:
    """A token helps KMS's own requests meanwhile (KMS Developer Guide, Using a grant token)."""
    aws.update_settings(grant_usable_after_seconds=3600)
    made = kms.create_grant(KeyId=key, Name="golden", **GRANT)
    assert len(listed(kms, key)) == 1
    consumer = aws.client("kms", "consumer")
    assert error_code(consumer.describe_key, KeyId=key) == "AccessDeniedException"
    assert consumer.describe_key(KeyId=key, GrantTokens=[made["GrantToken"]])
    aws.update_settings(grant_usable_after_seconds=0)
    assert consumer.describe_key(KeyId=key)


@pytest.mark.parametrize(
    ("grantee", "session", "launcher"),
    [
        (ROOTS[CONSUMER], "ok", "AccessDeniedException"),
        (CONSUMER_ROLE, "ok", "AccessDeniedException"),
        (f"arn:aws:sts::{CONSUMER}:assumed-role/golden-consumer/release", "ok", "AccessDeniedException"),
        (
            f"arn:aws:sts::{CONSUMER}:assumed-role/golden-consumer/other",
            "AccessDeniedException",
            "AccessDeniedException",
        ),
        # From another account it doesn't do without a word of the role's own policies.
        (LAUNCHER, "AccessDeniedException", "AccessDeniedException"),
        (ROOTS[MEMBER], "AccessDeniedException", "AccessDeniedException"),
    ],
)
def test_which_principals_a_grant_allows(
    aws: SimulatedAws, kms: Any, key: str, grantee: str, session: str, launcher: str
) -> None:
    """`launcher` may only use EC2 (KMS Developer Guide, Allowing users in other accounts to use a key)."""
    kms.create_grant(KeyId=key, GranteePrincipal=grantee, Operations=["DescribeKey"])
    role = assume(aws, "owner", CONSUMER_ROLE, ExternalId=EXTERNAL_ID)
    assert outcome(client_of(aws, role, "kms").describe_key, KeyId=key) == session
    poor = assume(aws, "consumer", LAUNCHER)
    assert outcome(client_of(aws, poor, "kms").describe_key, KeyId=key) == launcher


def test_a_grant_created_in_the_grantee_s_account_is_sufficient(
    aws: SimulatedAws, kms: Any, key: str
) -> None:
    """The account trusts the key by it (KMS Developer Guide, Troubleshooting permissions: key trust)."""
    kms.create_grant(KeyId=key, **GRANT)
    consumer = aws.client("kms", "consumer")
    consumer.create_grant(KeyId=key, GranteePrincipal=LAUNCHER, Operations=["DescribeKey"])
    poor = assume(aws, "consumer", LAUNCHER)
    assert client_of(aws, poor, "kms").describe_key(KeyId=key)
