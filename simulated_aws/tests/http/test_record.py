# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of calls."""

from __future__ import annotations

import time

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws


def test_a_recorded_call_has_caller_action_and_result(aws: SimulatedAws, image_id: str) -> None:
    before = time.time()
    answer = aws.client("ec2", "owner", "us-east-1").describe_image_attribute(
        ImageId=image_id, Attribute="launchPermission"
    )
    [entry] = aws.calls()
    assert (entry.account_id, entry.region) == ("012345678901", "us-east-1")
    assert (entry.service, entry.action) == ("ec2", "DescribeImageAttribute")
    assert entry.parameters == {"ImageId": image_id, "Attribute": "launchPermission"}
    assert (entry.status, entry.error_code, entry.faulted) == (200, "", "")
    assert entry.request_id == answer["ResponseMetadata"]["RequestId"]
    assert before <= entry.time <= time.time()
    assert entry.user_agent.startswith("Boto3/")


@pytest.mark.parametrize(
    ("service", "method"), [("ec2", "describe_vpcs"), ("sts", "get_caller_identity"), ("kms", "list_keys")]
)
def test_the_request_id_is_the_one_the_caller_sees(aws: SimulatedAws, service: str, method: str) -> None:
    answer = getattr(aws.client(service, "owner"), method)()
    assert aws.calls()[0].request_id == answer["ResponseMetadata"]["RequestId"]


def test_a_failure_s_code_is_kept_whatever_the_protocol(aws: SimulatedAws) -> None:
    with pytest.raises(ClientError):
        aws.client("ec2", "owner").describe_images(ImageIds=["ami-00000000000000000"])
    with pytest.raises(ClientError):
        aws.client("kms", "owner").describe_key(KeyId="11111111-2222-3333-4444-555555555555")
    with pytest.raises(ClientError):
        aws.client("iam", "owner").get_role(RoleName="missing")
    codes = [call.error_code for call in aws.calls()]
    assert codes == ["InvalidAMIID.NotFound", "NotFoundException", "NoSuchEntity"]


def test_secrets_are_left_out(aws: SimulatedAws) -> None:
    aws.client("ssm", "owner").put_parameter(Name="/password", Value="hunter2", Type="SecureString")
    aws.client("kms", "owner").list_aliases()
    [stored] = aws.calls(service="ssm")
    assert stored.parameters == {"Name": "/password", "Type": "SecureString"}
    assert "hunter2" not in repr(aws.calls())
    assert "AKIASIMU" not in repr(aws.calls())


def test_a_plain_parameter_s_value_is_kept(aws: SimulatedAws, image_id: str) -> None:
    aws.client("ssm", "owner").put_parameter(Name="/golden", Value=image_id, Type="String")
    assert aws.calls(action="PutParameter")[0].parameters["Value"] == image_id


def test_calls_are_filtered_and_numbered_on(aws: SimulatedAws) -> None:
    aws.client("sts", "owner").get_caller_identity()
    first = aws.calls()[-1].number
    aws.client("sts", "consumer").get_caller_identity()
    aws.client("ec2", "consumer", "eu-west-1").describe_images(Owners=["self"])
    assert [call.service for call in aws.calls(since=first)] == ["sts", "ec2"]
    assert [call.service for call in aws.calls(account_id="222222222222")] == ["sts", "ec2"]
    assert [call.action for call in aws.calls(region="eu-west-1")] == ["DescribeImages"]
    assert len(aws.calls(action="GetCallerIdentity")) == 2
    aws.clear_calls()
    assert aws.calls() == []
    aws.client("sts", "owner").get_caller_identity()
    assert aws.calls()[0].number == first + 3


def test_control_calls_are_not_recorded(aws: SimulatedAws) -> None:
    aws.set_latency(0)
    aws.health()
    assert aws.calls() == []
