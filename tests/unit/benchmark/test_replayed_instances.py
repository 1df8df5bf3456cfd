# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that are replayed reach botocore as AWS's, for the account and region of the call."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import boto3.session
import pytest
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

from tests.benchmark.callback.replayed_instances import replaying

ANSWER = (
    '<DescribeInstanceImageMetadataResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">'
    "<instanceImageMetadataSet><item><instanceId>i-0123456789abcdef0</instanceId>"
    "<imageMetadata><imageId>{}</imageId></imageMetadata></item></instanceImageMetadataSet>"
    "</DescribeInstanceImageMetadataResponse>"
)


@pytest.fixture
def passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The requests that were not replayed."""
    for region in ("us-east-1", "eu-west-1"):
        Path(tmp_path, f"{region}.xml").write_text(ANSWER.format(f"ami-{region}"))
    Path(tmp_path, "settings.json").write_text(json.dumps({"latency": 0}))
    found: list[str] = []

    class Empty:
        def stream(self) -> list[bytes]:
            return [b"<DescribeImagesResponse/>"]

    def send(_self: Any, request: Any) -> AWSResponse:
        found.append(request.body)
        return AWSResponse(request.url, 200, {}, Empty())

    monkeypatch.setattr(URLLib3Session, "send", replaying(tmp_path, send))
    return found


def _instance(key: str, region: str) -> tuple[str, str]:
    ec2 = boto3.session.Session(key, "secret", region_name=region).client("ec2")
    (found,) = ec2.describe_instance_image_metadata(MaxResults=1000)["InstanceImageMetadata"]
    return found["InstanceId"], found["ImageMetadata"]["ImageId"]


def test_each_account_has_instances_of_its_own_with_the_image_of_the_region(
    passed_on: list[str], tmp_path: Path
) -> None:
    first, second = (_instance(key, "us-east-1") for key in ("AKIAONE", "AKIATWO"))
    assert first == _instance("AKIAONE", "us-east-1")
    assert first[0] != second[0]
    assert {len(name) for name, _image in (first, second)} == {len("i-0123456789abcdef0")}
    images = first[1], _instance("AKIAONE", "eu-west-1")[1]
    assert images == ("ami-us-east-1", "ami-eu-west-1")
    assert (tmp_path / "count").stat().st_size == 4
    assert passed_on == []


def test_all_other_calls_are_passed_on(passed_on: list[str], tmp_path: Path) -> None:
    ec2 = boto3.session.Session("AKIAONE", "secret", region_name="us-east-1").client("ec2")
    assert ec2.describe_images(Owners=["self"]).get("Images", []) == []
    assert len(passed_on) == 1
    assert (tmp_path / "count").stat().st_size == 0
