# SPDX-License-Identifier: GPL-3.0-or-later
"""AssumeRole: trust policies, and the principals of sessions (botocore operation AssumeRole)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

OWNER, CONSUMER, OUTSIDER = "111111111111", "012345678901", "999999999999"
EXTERNAL_ID = "golden-release"
ROLE = f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
NOTHING = {"Statement": [{"Effect": "Allow", "Action": "ec2:Describe*", "Resource": "*"}]}

FIXTURE: dict[str, Any] = {
    "accounts": {"owner": OWNER, "consumer": CONSUMER, "outsider": OUTSIDER},
    "users": {"auditor": {"accounts": ["owner", "consumer"], "policy": NOTHING}},
    "roles": {
        "golden-consumer": {"accounts": ["consumer"], "trusts": ["owner"], "external_id": EXTERNAL_ID},
        "open": {"accounts": ["consumer"], "trusts": ["owner", "consumer"]},
    },
    "service_linked_roles": {"autoscaling.amazonaws.com": ["consumer"]},
}


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture(FIXTURE)
    return server


def client_of(aws: SimulatedAws, keys: dict[str, str], service: str) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id=keys.get("access_key_id") or keys["AccessKeyId"],
        aws_secret_access_key=keys.get("secret_access_key") or keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(proxies={}),
    )


def outcome(sts: Any, role: str = ROLE, **params: Any) -> str:
    try:
        sts.assume_role(**{"RoleArn": role, "RoleSessionName": "release", **params})
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


@pytest.mark.parametrize(
    ("account", "params", "code"),
    [
        ("owner", {"ExternalId": EXTERNAL_ID}, "ok"),
        # IAM User Guide, Access to AWS accounts owned by third parties: external ID.
        ("owner", {"ExternalId": "guessed"}, "AccessDenied"),
        ("owner", {}, "AccessDenied"),
        ("consumer", {"ExternalId": EXTERNAL_ID}, "AccessDenied"),
        ("outsider", {"ExternalId": EXTERNAL_ID}, "AccessDenied"),
        ("owner", {"RoleArn": f"arn:aws:iam::{CONSUMER}:role/open", "ExternalId": "unasked"}, "ok"),
        ("owner", {"RoleArn": f"arn:aws:iam::{CONSUMER}:role/none"}, "AccessDenied"),
        ("owner", {"RoleArn": "arn:aws:iam::888888888888:role/golden-consumer"}, "AccessDenied"),
        ("owner", {"RoleArn": f"arn:aws:iam::{CONSUMER}:user/administrator"}, "AccessDenied"),
        (
            "consumer",
            {
                "RoleArn": f"arn:aws:iam::{CONSUMER}:role/aws-service-role/autoscaling.amazonaws.com/"
                "AWSServiceRoleForAutoScaling"
            },
            "AccessDenied",
        ),
        ("owner", {"ExternalId": EXTERNAL_ID, "RoleSessionName": "two words"}, "ValidationError"),
        ("owner", {"ExternalId": "two words"}, "ValidationError"),
        ("owner", {"ExternalId": EXTERNAL_ID, "DurationSeconds": 43_201}, "ValidationError"),
        # No longer than the role's MaxSessionDuration.
        ("owner", {"ExternalId": EXTERNAL_ID, "DurationSeconds": 3601}, "ValidationError"),
        ("owner", {"ExternalId": EXTERNAL_ID, "DurationSeconds": 900}, "ok"),
        ("owner", {"ExternalId": EXTERNAL_ID, "Policy": json.dumps(NOTHING)}, "InvalidAction"),
    ],
)
def test_which_principals_can_assume_a_role(
    aws: SimulatedAws, account: str, params: dict[str, Any], code: str
) -> None:
    call = {"role": params.get("RoleArn", ROLE), **{k: v for k, v in params.items() if k != "RoleArn"}}
    assert outcome(aws.client("sts", account), **call) == code


def test_a_region_that_the_role_s_account_has_not_opted_in_to(aws: SimulatedAws) -> None:
    """(botocore shape RegionDisabledException: for the account that is asked to generate credentials.)"""
    aws.update_settings(not_opted_in_regions_by_account={CONSUMER: ["ap-east-1"]})
    abroad = aws.client("sts", "owner", "ap-east-1")
    with pytest.raises(ClientError) as refused:
        abroad.assume_role(RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID)
    error = refused.value.response
    assert error["Error"]["Code"] == "RegionDisabledException"
    assert f"account:{CONSUMER}" in error["Error"]["Message"]
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 403
    assert outcome(aws.client("sts", "owner"), ExternalId=EXTERNAL_ID) == "ok"


def test_the_error_names_caller_and_role(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError) as refused:
        aws.client("sts", "outsider").assume_role(RoleArn=ROLE, RoleSessionName="release")
    assert refused.value.response["Error"]["Message"] == (
        f"User: arn:aws:iam::{OUTSIDER}:user/administrator is not authorized to perform: "
        f"sts:AssumeRole on resource: {ROLE}"
    )
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_the_principal_of_a_session(aws: SimulatedAws) -> None:
    """(botocore operation GetCallerIdentity.)"""
    answer = aws.client("sts", "owner").assume_role(
        RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID
    )
    arn = f"arn:aws:sts::{CONSUMER}:assumed-role/golden-consumer/release"
    role = aws.client("iam", "consumer").get_role(RoleName="golden-consumer")["Role"]
    assert answer["AssumedRoleUser"] == {"Arn": arn, "AssumedRoleId": f"{role['RoleId']}:release"}
    identity = client_of(aws, answer["Credentials"], "sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (CONSUMER, arn)
    assert identity["UserId"] == f"{role['RoleId']}:release"
    assert aws.calls(action="GetCallerIdentity")[-1].account_id == CONSUMER


def test_the_other_principals(aws: SimulatedAws) -> None:
    identity = aws.client("sts", "owner").get_caller_identity()
    assert identity["Arn"] == f"arn:aws:iam::{OWNER}:user/administrator"
    assert identity["UserId"].startswith("AIDA")
    auditor = client_of(aws, aws.description()["users"]["auditor"]["owner"], "sts").get_caller_identity()
    assert (auditor["Account"], auditor["Arn"]) == (OWNER, f"arn:aws:iam::{OWNER}:user/auditor")


@pytest.mark.parametrize("account", ["owner", "consumer"])
def test_a_trusted_account_s_own_policies_must_allow_it(aws: SimulatedAws, account: str) -> None:
    """(IAM User Guide, Policy evaluation logic: a trusted account delegates.)"""
    auditor = client_of(aws, aws.description()["users"]["auditor"][account], "sts")
    assert outcome(auditor, f"arn:aws:iam::{CONSUMER}:role/open") == "AccessDenied"


@pytest.mark.parametrize(("account", "code"), [("owner", "AccessDenied"), ("consumer", "ok")])
def test_a_trusted_user_of_the_role_s_account_needs_no_more(
    aws: SimulatedAws, account: str, code: str
) -> None:
    users = aws.description()["users"]["auditor"]
    principal = {"AWS": [users[name]["arn"] for name in ("owner", "consumer")]}
    trust = {"Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}
    iam = aws.client("iam", "consumer")
    iam.create_role(RoleName="audited", AssumeRolePolicyDocument=json.dumps(trust))
    auditor = client_of(aws, users[account], "sts")
    assert outcome(auditor, f"arn:aws:iam::{CONSUMER}:role/audited") == code


def test_a_session_may_begin_another(aws: SimulatedAws) -> None:
    """For at most an hour (IAM User Guide, Roles terms and concepts: role chaining)."""
    session = aws.client("sts", "owner").assume_role(
        RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID
    )["Credentials"]
    sts = client_of(aws, session, "sts")
    iam = aws.client("iam", "consumer")
    iam.update_role(RoleName="open", MaxSessionDuration=7200)
    second = f"arn:aws:iam::{CONSUMER}:role/open"
    assert outcome(sts, second) == "ok"
    assert outcome(sts, second, DurationSeconds=3601) == "ValidationError"
    assert outcome(aws.client("sts", "owner"), second, DurationSeconds=3601) == "ok"


def _code(call: Callable[[], object]) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_the_credentials_of_a_session_expire(aws: SimulatedAws) -> None:
    """(aws/aws-sdk-java#1443 for EC2, jenkinsci/ec2-plugin#1008 for STS, "Common errors" of KMS and SSM.)"""
    aws.update_settings(session_seconds_factor=0.0)
    ended = aws.client("sts", "owner").assume_role(
        RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID
    )["Credentials"]
    assert ended["Expiration"] <= datetime.now(UTC)
    aws.update_settings(session_seconds_factor=1.0)
    begun = aws.client("sts", "owner").assume_role(
        RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID
    )["Credentials"]
    assert begun["Expiration"] > datetime.now(UTC) + timedelta(minutes=59)
    for session, codes in (
        (ended, ["RequestExpired", "ExpiredToken", "ExpiredTokenException", "ExpiredTokenException"]),
        (begun, ["ok"] * 4),
    ):
        calls = [
            client_of(aws, session, "ec2").describe_regions,
            client_of(aws, session, "sts").get_caller_identity,
            client_of(aws, session, "kms").list_keys,
            client_of(aws, session, "ssm").describe_parameters,
        ]
        assert [_code(call) for call in calls] == codes


def test_a_deleted_role_is_no_principal(aws: SimulatedAws) -> None:
    session = aws.client("sts", "owner").assume_role(
        RoleArn=ROLE, RoleSessionName="release", ExternalId=EXTERNAL_ID
    )["Credentials"]
    kms = client_of(aws, session, "kms")
    kms.create_key()
    iam = aws.client("iam", "consumer")
    iam.delete_role_policy(RoleName="golden-consumer", PolicyName="own")
    iam.delete_role(RoleName="golden-consumer")
    with pytest.raises(ClientError, match="AccessDeniedException"):
        kms.create_key()
    assert outcome(aws.client("sts", "owner"), ExternalId=EXTERNAL_ID) == "AccessDenied"
