# SPDX-License-Identifier: GPL-3.0-or-later
"""Token buckets: their scope, size and refill rate, and the errors of throttled calls."""

from __future__ import annotations

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws
from simulated_aws.http.throttling import Rate, Throttle, bucket
from simulated_aws.settings import SETTINGS

NO_RETRIES = Config(retries={"total_max_attempts": 1})

# EC2 Developer Guide, "Request throttling for the Amazon EC2 API"; KMS Developer Guide, "Request quotas".
BUCKETS = [
    ("ec2", "DescribeImageAttribute", {}, Rate(100, 20)),
    ("ec2", "DescribeImages", {}, Rate(100, 20)),
    ("ec2", "GetImageBlockPublicAccessState", {}, Rate(100, 20)),
    ("ec2", "DescribeSnapshots", {}, Rate(50, 10)),
    ("ec2", "DescribeSnapshots", {"SnapshotId.1": "snap-1"}, Rate(50, 10)),
    ("ec2", "DescribeSnapshots", {"MaxResults": "100"}, Rate(100, 20)),
    ("ec2", "DescribeSnapshots", {"Filter.1.Name": "status"}, Rate(100, 20)),
    ("ec2", "DisableImage", {}, Rate(50, 5)),
    ("ec2", "CopyImage", {}, Rate(100, 1)),
    ("ec2", "ModifyImageAttribute", {}, Rate(100, 5)),
    ("ec2", "ModifySnapshotAttribute", {}, Rate(100, 5)),
    ("ec2", "DeregisterImage", {}, Rate(100, 5)),
    ("ec2", "DeleteSnapshot", {}, Rate(100, 5)),
    ("ec2", "CreateTags", {}, Rate(100, 10)),
    ("ec2", "RunInstances", {}, Rate(5, 2)),
    ("ec2", "EnableImageBlockPublicAccess", {}, Rate(1, 0.1)),
    ("ec2", "DisableImageBlockPublicAccess", {}, Rate(1, 0.1)),
    ("kms", "CreateGrant", {}, Rate(50, 50)),
    ("kms", "ListGrants", {}, Rate(100, 100)),
    ("kms", "DescribeKey", {}, Rate(2000, 2000)),
    ("kms", "GetKeyPolicy", {}, Rate(1000, 1000)),
    ("kms", "PutKeyPolicy", {}, Rate(15, 15)),
    ("kms", "RetireGrant", {}, Rate(50, 50)),
    ("kms", "RevokeGrant", {}, Rate(50, 50)),
    ("kms", "ListRetirableGrants", {}, Rate(100, 100)),
    ("ssm", "GetParameters", {}, Rate(40, 40)),
    # github-aws-runners/terraform-aws-github-runner#2944, by AWS Support.
    ("ssm", "PutParameter", {}, Rate(3, 3)),
]


@pytest.mark.parametrize(("service", "action", "params", "rate"), BUCKETS)
def test_the_bucket_is_the_one_aws_documents(
    service: str, action: str, params: dict[str, str], rate: Rate
) -> None:
    found = bucket(service, action, params)
    assert found is not None
    assert found[1] == rate


def admitted(throttle: Throttle, now: float, *, account: str = "1", region: str = "r", action: str) -> bool:
    return throttle.admits(account, region, "ec2", action, {}, now)


def test_a_bucket_is_emptied_and_refills() -> None:
    throttle = Throttle()
    burst = [admitted(throttle, 50.0, action="CopyImage") for _ in range(101)]
    assert burst == [True] * 100 + [False]
    assert not admitted(throttle, 50.9, action="CopyImage")
    assert admitted(throttle, 51.0, action="CopyImage")
    assert not admitted(throttle, 51.0, action="CopyImage")


def test_a_bucket_never_holds_more_than_its_size() -> None:
    throttle = Throttle()
    assert admitted(throttle, 0.0, action="RunInstances")
    assert sum(admitted(throttle, 1000.0, action="RunInstances") for _ in range(10)) == 5


def test_accounts_regions_and_apis_have_buckets_of_their_own() -> None:
    throttle = Throttle()
    block = "EnableImageBlockPublicAccess"
    assert admitted(throttle, 0.0, action=block)
    assert not admitted(throttle, 0.0, action=block)
    assert admitted(throttle, 0.0, account="2", action=block)
    assert admitted(throttle, 0.0, region="s", action=block)
    assert admitted(throttle, 0.0, action="DisableImageBlockPublicAccess")


def test_parameter_store_s_reads_share_a_bucket() -> None:
    throttle = Throttle()
    reads = ["GetParameter", "GetParameters"] * 21
    answers = [throttle.admits("1", "r", "ssm", action, {}, 0.0) for action in reads]
    assert answers.count(True) == 40


def test_ec2_returns_503_request_limit_exceeded(aws: SimulatedAws) -> None:
    ec2 = aws.client("ec2", "owner", config=NO_RETRIES)
    ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    with pytest.raises(ClientError) as throttled:
        ec2.enable_image_block_public_access(ImageBlockPublicAccessState="block-new-sharing")
    answer = throttled.value.response
    assert answer["Error"] == {"Code": "RequestLimitExceeded", "Message": "Request limit exceeded."}
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 503
    recorded = aws.calls(action="EnableImageBlockPublicAccess")
    assert [(call.status, call.error_code) for call in recorded] == [(200, ""), (503, "RequestLimitExceeded")]


def test_kms_returns_400_throttling_exception(aws: SimulatedAws) -> None:
    kms = aws.client("kms", "owner", config=NO_RETRIES)
    key = kms.create_key()["KeyMetadata"]["KeyId"]

    def until_throttled() -> None:
        # Five a second: no machine that runs this needs a second for the sixth.
        for _ in range(200):
            kms.update_key_description(KeyId=key, Description="d")

    with pytest.raises(ClientError) as throttled:
        until_throttled()
    assert throttled.value.response["Error"]["Code"] == "ThrottlingException"
    assert throttled.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


def test_throttling_can_be_switched_off_and_a_reset_switches_it_on(aws: SimulatedAws) -> None:
    aws.set_throttling(False)
    ec2 = aws.client("ec2", "owner", config=NO_RETRIES)
    for _ in range(3):
        ec2.disable_image_block_public_access()
    aws.set_throttling(True)
    ec2.disable_image_block_public_access()
    with pytest.raises(ClientError, match="RequestLimitExceeded"):
        ec2.disable_image_block_public_access()


def test_a_factor_shrinks_every_bucket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SETTINGS, "request_rate_factor", 0.1)
    throttle = Throttle()

    def admitted(now: float) -> int:
        call = ("111111111111", "us-east-1", "ec2", "DescribeImages", {})
        return sum(throttle.admits(*call, now) for _ in range(50))

    assert admitted(0.0) == 10
    assert admitted(3.0) == 6
