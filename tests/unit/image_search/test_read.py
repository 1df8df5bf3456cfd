# SPDX-License-Identifier: GPL-3.0-or-later

"""The requests of a search, and parameters that name no image."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._image_search import read
from ansible_collections.golden.images.plugins.module_utils._image_search.state import Search
from ansible_collections.golden.images.plugins.module_utils._model import Device, Image
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
    assert read.resolve_parameter(ssm.client, NAMED, "eu-west-1") == replace(NAMED, image_id=IMAGE)


def test_a_search_without_a_parameter_stays(ssm: Wire) -> None:
    assert read.resolve_parameter(ssm.client, Search(name="web"), "eu-west-1") == Search(name="web")


def test_a_parameter_that_does_not_exist(ssm: Wire) -> None:
    ssm.refuse("get_parameter", {"Name": "/golden/web"}, "ParameterNotFound")
    with pytest.raises(ValidationError, match="eu-west-1: The parameter /golden/web does not exist"):
        read.resolve_parameter(ssm.client, NAMED, "eu-west-1")


def test_the_value_of_another_kind_is_not_shown(ssm: Wire) -> None:
    ssm.expect("get_parameter", {"Name": "/golden/web"}, {"Parameter": {"Value": "hunter2", "Version": 1}})
    with pytest.raises(ValidationError, match="not an AMI ID") as refused:
        read.resolve_parameter(ssm.client, NAMED, "eu-west-1")
    assert "hunter2" not in str(refused.value)


def test_an_answer_that_is_not_one_names_its_own_operation() -> None:
    def get_parameter(**_request: str) -> None:
        raise ResponseParserError("<html>")

    ssm: Any = SimpleNamespace(get_parameter=get_parameter)
    with pytest.raises(ValidationError, match="The response to GetParameter does not come from AWS"):
        read.resolve_parameter(ssm, NAMED, "eu-west-1")


OWNER = "111111111111"
KEYS = [f"arn:aws:kms:eu-west-1:{OWNER}:key/{number}" for number in (1, 2)]
VOLUMES = (
    *(Device(f"/dev/xvd{number}", f"snap-{number}", True) for number in (1, 2)),
    Device("/dev/xvd3", "snap-3", False),
)
ENCRYPTED = Image(IMAGE, "web", OWNER, "available", VOLUMES)
SHARED = {
    "Filters": [{"Name": "snapshot-id", "Values": ["snap-1", "snap-2"]}],
    "RestorableByUserIds": ["self"],
    "MaxResults": 1000,
}


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


def expect_snapshots(ec2: Wire, **of_first: Any) -> None:
    first, second = (
        {"SnapshotId": f"snap-{number}", "State": "completed", "KmsKeyId": key}
        for number, key in enumerate(KEYS, start=1)
    )
    ec2.expect("describe_snapshots", SHARED, {"Snapshots": [{**first, **of_first}, second]})


def expect_key(kms: Wire, key: str, state: str) -> None:
    described = {"Arn": key, "KeyId": "1", "KeyState": state, "KeyManager": "CUSTOMER"}
    described |= {"KeySpec": "SYMMETRIC_DEFAULT", "KeyUsage": "ENCRYPT_DECRYPT"}
    kms.expect("describe_key", {"KeyId": key}, {"KeyMetadata": described})


def obstacle(ec2: Wire, kms: Wire, is_own: bool = False) -> str | None:
    return read.key_obstacle(ec2.client, read.key_reader(lambda: kms.client), ENCRYPTED, is_own)


@pytest.mark.parametrize("state", ["Enabled", "Updating", "Disabled", "PendingDeletion"])
def test_each_key_of_an_image_has_to_be_enabled(ec2: Wire, kms: Wire, state: str) -> None:
    expect_snapshots(ec2)
    expect_key(kms, KEYS[0], "Enabled")
    expect_key(kms, KEYS[1], state)
    found = obstacle(ec2, kms)
    if state in ("Enabled", "Updating"):
        assert found is None
    else:
        assert found == f"has a key that cannot be used ({KEYS[1]} is in the state {state})"


def test_a_key_does_not_decide_if_another_is_associated(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, AssociatedKmsKeys=[{"KmsKeyId": "arn:other"}])
    expect_key(kms, KEYS[1], "Enabled")
    assert obstacle(ec2, kms) is None


def test_snapshots_that_cannot_be_read_exclude_no_image(ec2: Wire, kms: Wire) -> None:
    ec2.refuse("describe_snapshots", SHARED, "UnauthorizedOperation")
    assert obstacle(ec2, kms, is_own=True) is None


@pytest.mark.parametrize("is_own", [True, False])
@pytest.mark.parametrize("code", ["AccessDeniedException", "NotFoundException"])
def test_a_key_that_cannot_be_read_excludes_no_image_unless_it_is_gone(
    ec2: Wire, kms: Wire, code: str, is_own: bool
) -> None:
    expect_snapshots(ec2)
    kms.refuse("describe_key", {"KeyId": KEYS[0]}, code)
    if is_own and code == "NotFoundException":
        gone = f"has a key that cannot be used ({KEYS[0]} does not exist any more)"
        assert obstacle(ec2, kms, is_own) == gone
    else:
        # The other key is read nevertheless.
        expect_key(kms, KEYS[1], "Disabled")
        disabled = f"has a key that cannot be used ({KEYS[1]} is in the state Disabled)"
        assert obstacle(ec2, kms, is_own) == disabled


def test_a_key_is_read_once_with_one_client(kms: Wire) -> None:
    clients = []

    def client() -> Any:
        clients.append(kms.client)
        return kms.client

    expect_key(kms, KEYS[0], "Enabled")
    expect_key(kms, KEYS[1], "Disabled")
    key = read.key_reader(client)
    assert clients == []
    assert [key(KEYS[0]).state, key(KEYS[1]).state, key(KEYS[0]).state] == ["Enabled", "Disabled", "Enabled"]
    assert len(clients) == 1


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
