# SPDX-License-Identifier: GPL-3.0-or-later
"""Buckets: operations HeadBucket and PutObject of the botocore model, and the bucket owner condition."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

HOME, AWAY = "us-east-1", "eu-west-1"
OWNER, OTHER = "111111111111", "222222222222"
BUCKET = "reports"


@pytest.fixture(scope="module")
def server() -> Iterator[SimulatedAws]:
    with SimulatedAws.start() as started:
        yield started


@pytest.fixture
def aws(server: SimulatedAws) -> SimulatedAws:
    server.reset()
    server.load_fixture({"accounts": {"owner": OWNER, "other": OTHER}})
    place = {"LocationConstraint": AWAY}
    server.client("s3", "owner", AWAY).create_bucket(Bucket=BUCKET, CreateBucketConfiguration=place)
    return server


def error(call: Callable[..., Any], **parameters: Any) -> tuple[str, int]:
    """Code and HTTP status of the error of a call."""
    with pytest.raises(ClientError) as raised:
        call(**parameters)
    response = raised.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def put(client: Any, **parameters: Any) -> Any:
    return client.put_object(Bucket=BUCKET, Key="web/report.json", Body=b"{}", **parameters)


def test_missing_bucket(aws: SimulatedAws) -> None:
    s3 = aws.client("s3", "owner", HOME)
    assert error(s3.put_object, Bucket="none-here", Key="a", Body=b"") == ("NoSuchBucket", 404)
    # The response has no body, and therefore no code.
    assert error(s3.head_bucket, Bucket="none-here") == ("404", 404)


def test_sdk_is_redirected_to_the_region_of_the_bucket(aws: SimulatedAws) -> None:
    put(aws.client("s3", "owner", HOME))
    calls = [(call.region, call.status) for call in aws.calls() if call.action.startswith("PUT /reports/web")]
    assert calls == [(HOME, 301), (AWAY, 200)]
    found = aws.client("s3", "owner", HOME).head_bucket(Bucket=BUCKET)
    assert found["BucketRegion"] == AWAY


def test_expected_owner(aws: SimulatedAws) -> None:
    s3 = aws.client("s3", "owner", AWAY)
    put(s3, ExpectedBucketOwner=OWNER)
    assert error(put, client=s3, ExpectedBucketOwner=OTHER) == ("AccessDenied", 403)
    assert error(s3.head_bucket, Bucket=BUCKET, ExpectedBucketOwner=OTHER) == ("403", 403)
    # S3 User Guide, "Verifying bucket ownership with bucket owner condition": on reads as on writes.
    found = {"Bucket": BUCKET, "Key": "web/report.json"}
    assert s3.get_object(**found, ExpectedBucketOwner=OWNER)["Body"].read() == b"{}"
    assert error(s3.get_object, **found, ExpectedBucketOwner=OTHER) == ("AccessDenied", 403)
    assert s3.list_objects_v2(Bucket=BUCKET, ExpectedBucketOwner=OWNER)["KeyCount"] == 1
    assert error(s3.list_objects_v2, Bucket=BUCKET, ExpectedBucketOwner=OTHER) == ("AccessDenied", 403)


def test_bucket_of_another_account(aws: SimulatedAws) -> None:
    s3 = aws.client("s3", "other", AWAY)
    assert error(put, client=s3) == ("AccessDenied", 403)
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{BUCKET}/web/*",
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    aws.client("s3", "owner", AWAY).put_bucket_policy(Bucket=BUCKET, Policy=policy)
    put(s3, ExpectedBucketOwner=OWNER)
    elsewhere = {"Bucket": BUCKET, "Key": "db/report.json", "Body": b"{}"}
    assert error(s3.put_object, **elsewhere) == ("AccessDenied", 403)
    assert error(put, client=s3, ExpectedBucketOwner=OTHER) == ("AccessDenied", 403)
