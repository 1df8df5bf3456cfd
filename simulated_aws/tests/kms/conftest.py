# SPDX-License-Identifier: GPL-3.0-or-later
"""One simulated AWS for all tests of KMS, reset for each test, and its principals."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

OWNER, CONSUMER, MEMBER, OUTSIDER = "111111111111", "012345678901", "333333333333", "999999999999"
EXTERNAL_ID = "golden-release"
ALLOW_EC2_ONLY = {"Statement": [{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]}

FIXTURE: dict[str, Any] = {
    "accounts": {
        "owner": OWNER,
        "consumer": CONSUMER,
        "member": MEMBER,
        "outsider": OUTSIDER,
        "management": "100000000001",
    },
    "organization": {
        "management_account": "management",
        "accounts": ["owner", "consumer"],
        "units": {"workloads": {"units": {"prod": {"accounts": ["member"]}}}},
    },
    "users": {"auditor": {"accounts": ["owner", "consumer"], "policy": ALLOW_EC2_ONLY}},
    "roles": {
        "golden-consumer": {
            "accounts": ["consumer", "outsider"],
            "trusts": ["owner"],
            "external_id": EXTERNAL_ID,
        },
        "launcher": {"accounts": ["consumer"], "trusts": ["consumer"], "policy": ALLOW_EC2_ONLY},
    },
    "kms_keys": {
        "golden": {"account": "owner", "regions": ["us-east-1", "us-west-2"], "alias": "alias/golden"},
        "hidden": {"account": "outsider", "regions": ["us-east-1"], "alias": "alias/hidden"},
    },
}

ROOTS = {account: f"arn:aws:iam::{account}:root" for account in (OWNER, CONSUMER, MEMBER, OUTSIDER)}
CONSUMER_ROLE = f"arn:aws:iam::{CONSUMER}:role/golden-consumer"
LAUNCHER = f"arn:aws:iam::{CONSUMER}:role/launcher"
AUDITOR = f"arn:aws:iam::{OWNER}:user/auditor"
USE = [
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
]
"""What a consumer needs (EBS User Guide, Share the KMS key used to encrypt a shared Amazon EBS snapshot)."""


@pytest.fixture(scope="session")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture(FIXTURE)
    server.set_throttling(False)
    return server


@pytest.fixture
def key(aws: SimulatedAws) -> str:
    """ARN of the owner's key in us-east-1."""
    arn: str = aws.description()["kms_keys"]["golden"]["us-east-1"]
    return arn


def client_of(aws: SimulatedAws, keys: dict[str, str], service: str, region: str = "us-east-1") -> Any:
    """A client with a user's keys from a fixture's description, or with a session's credentials."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=aws.url,
        region_name=region,
        aws_access_key_id=keys.get("access_key_id") or keys["AccessKeyId"],
        aws_secret_access_key=keys.get("secret_access_key") or keys["SecretAccessKey"],
        aws_session_token=keys.get("SessionToken"),
        config=Config(proxies={}, retries={"total_max_attempts": 1}),
    )


def assume(aws: SimulatedAws, caller: str, role: str, **params: Any) -> dict[str, str]:
    """Credentials of a role's session, begun by an account's administrator."""
    answer = aws.client("sts", caller).assume_role(RoleArn=role, RoleSessionName="release", **params)
    credentials: dict[str, str] = answer["Credentials"]
    return credentials


def policy(*statements: dict[str, Any]) -> str:
    """A key policy: each statement allows unless it has another effect; the owner administers."""
    owner = {"Principal": {"AWS": ROOTS[OWNER]}, "Action": "kms:*"}
    whole = [{"Effect": "Allow", "Resource": "*", **one} for one in (owner, *statements)]
    return json.dumps({"Version": "2012-10-17", "Statement": whole})


def put_policy(aws: SimulatedAws, key: str, *statements: dict[str, Any]) -> None:
    aws.client("kms", "owner").put_key_policy(KeyId=key, Policy=policy(*statements))


def error_code(call: Callable[..., Any], **params: Any) -> str:
    """The code of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def message(call: Callable[..., Any], **params: Any) -> str:
    """The message of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Message"])


def outcome(call: Callable[..., Any], **params: Any) -> str:
    """`ok`, or the code of the error that the call ends with."""
    try:
        call(**params)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"
