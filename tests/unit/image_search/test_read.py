# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of a search, and parameters that name no image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.image_search import read
from ansible_collections.golden.images.plugins.module_utils.image_search.state import Search
from ansible_collections.golden.images.plugins.module_utils.model import Device, Image
from botocore.parsers import ResponseParserError

from tests.unit.wire import Wire

IMAGE = "ami-0123456789abcdef0"
NAMED = Search(parameter="/golden/web")


@pytest.fixture
def ssm() -> Iterator[Wire]:
    with Wire("ssm").spoken() as wire:
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


def test_a_parameter_names_the_image(ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": "/golden/web"}, {"Parameter": {"Value": IMAGE, "Version": 1}})
    assert read.of_parameter(ssm.client, NAMED, "eu-west-1") == replace(NAMED, image_id=IMAGE)


def test_a_search_without_a_parameter_stays(ssm: Wire) -> None:
    assert read.of_parameter(ssm.client, Search(name="web"), "eu-west-1") == Search(name="web")


def test_a_parameter_that_does_not_exist(ssm: Wire) -> None:
    ssm.refuse("get_parameter", {"Name": "/golden/web"}, "ParameterNotFound")
    with pytest.raises(Refused, match="eu-west-1: The parameter /golden/web does not exist"):
        read.of_parameter(ssm.client, NAMED, "eu-west-1")


def test_the_value_of_another_kind_is_not_shown(ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": "/golden/web"}, {"Parameter": {"Value": "hunter2", "Version": 1}})
    with pytest.raises(Refused, match="not an AMI ID") as refused:
        read.of_parameter(ssm.client, NAMED, "eu-west-1")
    assert "hunter2" not in str(refused.value)


def test_an_answer_that_is_not_one_names_its_own_operation() -> None:
    def get_parameter(**_request: str) -> None:
        raise ResponseParserError("<html>")

    ssm: Any = SimpleNamespace(get_parameter=get_parameter)
    with pytest.raises(Refused, match="The response to GetParameter does not come from AWS"):
        read.of_parameter(ssm, NAMED, "eu-west-1")


OWN, THEIRS = "111111111111", "222222222222"
KEY = f"arn:aws:kms:eu-west-1:{OWN}:key/1"
VOLUMES = (Device("/dev/xvda", "snap-1", True), Device("/dev/xvdb", "snap-2", False))
SHARED = {"Filters": [{"Name": "snapshot-id", "Values": ["snap-1"]}], "RestorableByUserIds": ["self"]}


@pytest.fixture
def sts() -> Iterator[Wire]:
    with Wire("sts").spoken() as wire:
        wire.expect("get_caller_identity", {}, {"Account": THEIRS, "Arn": f"arn:aws-cn:iam::{THEIRS}:user/a"})
        yield wire


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


def test_the_keys_of_encrypted_volumes_are_tried(ec2: Wire, kms: Wire, sts: Wire) -> None:
    ec2.expect(
        "describe_snapshots",
        {**SHARED, "MaxResults": 1000},
        {"Snapshots": [{"SnapshotId": "snap-1", "State": "completed", "KmsKeyId": KEY}]},
    )
    kms.refuse("describe_key", {"KeyId": KEY}, "AccessDeniedException")
    grant = {
        "KeyId": KEY,
        "GranteePrincipal": f"arn:aws-cn:iam::{THEIRS}:root",
        "Operations": ["Decrypt"],
        "DryRun": True,
    }
    kms.refuse("create_grant", grant, "DisabledException")
    found = read.keys(ec2.client, kms.client, sts.client, [Image(IMAGE, "web", OWN, "available", VOLUMES)])
    assert found.of_snapshot == {"snap-1": KEY}
    assert [*found.access] == [KEY]
    assert (found.access[KEY].unusable or "").startswith("DisabledException")


def test_keys_that_cannot_be_read_are_unknown(ec2: Wire, kms: Wire, sts: Wire) -> None:
    ec2.refuse("describe_snapshots", {**SHARED, "MaxResults": 1000}, "UnauthorizedOperation")
    found = read.keys(ec2.client, kms.client, sts.client, [Image(IMAGE, "web", OWN, "available", VOLUMES)])
    assert found.of_snapshot == {}
    assert (found.problem or "").startswith("No (UnauthorizedOperation). Allow DescribeSnapshots")


def test_images(ec2: Wire) -> None:
    search = Search(name="golden-*", tags={"family": "web"}, architecture="arm64", owners=("self",))
    ec2.expect(
        "describe_images",
        {
            "Filters": [
                {"Name": "tag:family", "Values": ["web"]},
                {"Name": "name", "Values": ["golden-*"]},
                {"Name": "architecture", "Values": ["arm64"]},
            ],
            "Owners": ["self"],
            "IncludeDisabled": True,
            "IncludeDeprecated": True,
            "MaxResults": 1000,
        },
        {"Images": [{"ImageId": IMAGE, "Name": "golden-1", "OwnerId": "111111111111", "State": "pending"}]},
    )
    assert [(image.image_id, image.state) for image in read.images(ec2.client, search)] == [
        (IMAGE, "pending")
    ]
