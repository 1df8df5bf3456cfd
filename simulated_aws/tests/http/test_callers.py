# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication: the principal of a call, and the errors for unknown access keys."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws


def client_with_key(
    aws: SimulatedAws, service: str, key: str, secret: str = "s", token: str | None = None
) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=aws.url,
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
        aws_session_token=token,
    )


@pytest.mark.parametrize("account", ["owner", "consumer"])
def test_a_fixture_s_key_belongs_to_its_account(aws: SimulatedAws, account: str) -> None:
    identity = aws.client("sts", account).get_caller_identity()
    assert identity["Account"] == aws.account_id(account)


def test_an_account_is_found_by_its_id_too(aws: SimulatedAws) -> None:
    assert aws.client("sts", "012345678901").get_caller_identity()["Account"] == "012345678901"


def test_a_key_of_an_iam_user_belongs_to_the_user_s_account(aws: SimulatedAws) -> None:
    iam = aws.client("iam", "consumer")
    iam.create_user(UserName="builder")
    key = iam.create_access_key(UserName="builder")["AccessKey"]
    sts = client_with_key(aws, "sts", key["AccessKeyId"], key["SecretAccessKey"])
    assert sts.get_caller_identity()["Arn"] == "arn:aws:iam::222222222222:user/builder"


def test_a_role_s_session_acts_in_the_role_s_account(aws: SimulatedAws, image_id: str) -> None:
    principal = {"AWS": f"arn:aws:iam::{aws.account_id('consumer')}:root"}
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam = aws.client("iam", "owner")
    iam.create_role(RoleName="publisher", AssumeRolePolicyDocument=trust)
    reading = {"Effect": "Allow", "Action": "ec2:DescribeImages", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [reading]})
    iam.put_role_policy(RoleName="publisher", PolicyName="reading", PolicyDocument=policy)
    session = aws.client("sts", "consumer").assume_role(
        RoleArn="arn:aws:iam::012345678901:role/publisher", RoleSessionName="release"
    )["Credentials"]
    keys = (session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])
    images = client_with_key(aws, "ec2", *keys).describe_images(Owners=["self"])["Images"]
    assert [image["ImageId"] for image in images] == [image_id]
    assert aws.calls(service="ec2")[-1].account_id == "012345678901"


STRANGERS: list[tuple[str, Callable[[Any], object], str, int]] = [
    # EC2 API Reference, "Error codes for the Amazon EC2 API".
    ("ec2", lambda ec2: ec2.describe_images(Owners=["self"]), "AuthFailure", 401),
    ("ec2", lambda ec2: ec2.describe_vpcs(), "AuthFailure", 401),
    ("sts", lambda sts: sts.get_caller_identity(), "InvalidClientTokenId", 403),
    ("iam", lambda iam: iam.list_users(), "InvalidClientTokenId", 403),
    ("kms", lambda kms: kms.list_keys(), "UnrecognizedClientException", 400),
    ("ssm", lambda ssm: ssm.get_parameter(Name="x"), "UnrecognizedClientException", 400),
    ("sns", lambda sns: sns.list_topics(), "InvalidClientTokenId", 403),
    ("imagebuilder", lambda builder: builder.list_lifecycle_policies(), "UnrecognizedClientException", 403),
    ("s3", lambda s3: s3.list_buckets(), "InvalidAccessKeyId", 403),
]


@pytest.mark.parametrize(("service", "call", "code", "status"), STRANGERS)
def test_an_unknown_key_is_an_error_of_the_service(
    aws: SimulatedAws, service: str, call: Callable[[Any], object], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as refused:
        call(client_with_key(aws, service, "AKIAUNKNOWNKEY000000"))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert aws.calls()[-1].error_code == code


@pytest.mark.parametrize(
    ("service", "call", "code", "status"), [one for one in STRANGERS if one[0] not in ("iam", "s3")]
)
def test_a_region_that_the_account_has_not_opted_in_to_knows_no_key_of_it(
    aws: SimulatedAws, service: str, call: Callable[[Any], object], code: str, status: int
) -> None:
    """For STS hashicorp/terraform-provider-aws#12940, for SSM awslabs/landing-zone-accelerator-on-aws#269."""
    aws.update_settings(not_opted_in_regions_by_account={aws.account_id("consumer"): ["ap-east-1"]})
    with pytest.raises(ClientError) as refused:
        call(aws.client(service, "consumer", "ap-east-1"))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    aws.client("sts", "owner", "ap-east-1").get_caller_identity()
    aws.client("sts", "consumer", "us-east-1").get_caller_identity()


def test_a_reset_removes_the_keys(aws: SimulatedAws) -> None:
    sts = aws.client("sts", "owner")
    aws.reset()
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        sts.get_caller_identity()


@pytest.mark.parametrize(
    ("headers", "body", "expected"),
    [
        ({"X-Amz-Target": "TrentService.ListKeys"}, b"{}", "MissingAuthenticationToken"),
        (
            {"Content-Type": "application/x-www-form-urlencoded"},
            b"Action=GetCallerIdentity&Version=2011-06-15",
            "<Code>MissingAuthenticationToken</Code>",
        ),
    ],
)
def test_an_unsigned_call_is_rejected(
    aws: SimulatedAws, headers: dict[str, str], body: bytes, expected: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(aws.url, body, headers))
    assert refused.value.code == 403
    text = refused.value.read().decode()
    assert expected == json.loads(text)["__type"] if text.startswith("{") else expected in text


def test_a_web_identity_needs_no_signature(aws: SimulatedAws) -> None:
    sts = client_with_key(aws, "sts", "AKIAUNKNOWNKEY000000")
    arn = "arn:aws:iam::222222222222:role/ci"
    session = sts.assume_role_with_web_identity(RoleArn=arn, RoleSessionName="ci", WebIdentityToken="token")
    keys = session["Credentials"]
    made = client_with_key(aws, "sts", keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"])
    assert made.get_caller_identity()["Account"] == "222222222222"
    assert "WebIdentityToken" not in aws.calls(action="AssumeRoleWithWebIdentity")[0].parameters
