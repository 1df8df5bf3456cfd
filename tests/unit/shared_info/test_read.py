# SPDX-License-Identifier: GPL-3.0-or-later

"""How images that others share are asked for, and how their keys are tried without being used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.shared_info import read as read_shared
from ansible_collections.golden.images.plugins.module_utils.shared_info.evaluate import (
    KeysSeen,
    OwnKeyAccess,
    SharedImage,
    SharedInfoWanted,
)

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.wire import Wire

KEY = f"arn:aws:kms:eu-west-1:{OWNER}:key/1"
ME = f"arn:aws:iam::{CONSUMER}:root"
DRY = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
ALLOWED, DENIED = "DryRunOperationException", "AccessDeniedException"
TRIES: dict[str, tuple[str, dict[str, Any]]] = {
    "CreateGrant": (
        "create_grant",
        {"KeyId": KEY, "GranteePrincipal": ME, "Operations": ["Decrypt"], "DryRun": True},
    ),
    "Decrypt": ("decrypt", {"KeyId": KEY, **DRY}),
    "GenerateDataKeyWithoutPlaintext": (
        "generate_data_key_without_plaintext",
        {"KeyId": KEY, "KeySpec": "AES_256", "DryRun": True},
    ),
    "ReEncrypt": ("re_encrypt", {"SourceKeyId": KEY, "DestinationKeyId": KEY, **DRY}),
}
REQUEST = {"ExecutableUsers": ["self"], "Filters": [], "IncludeDeprecated": True, "MaxResults": 1000}
IMAGE = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available"}


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


def test_every_page_of_what_is_shared(ec2: Wire) -> None:
    ec2.expect("describe_images", REQUEST, {"Images": [IMAGE], "NextToken": "more"})
    ec2.expect(
        "describe_images", {**REQUEST, "NextToken": "more"}, {"Images": [{**IMAGE, "ImageId": "ami-2"}]}
    )
    found = read_shared.images(ec2.client, SharedInfoWanted(("self",)))
    assert [one.image_id for one in found] == [SOURCE_ID, "ami-2"]


def test_ids_are_filters_in_portions_and_owners_are_named(ec2: Wire) -> None:
    ids = tuple(f"ami-{number:08x}" for number in range(250))
    wanted = SharedInfoWanted(
        ("self", "all"),
        owners=("amazon",),
        image_ids=ids,
        filters={"state": ("available",)},
        include_deprecated=False,
    )
    state = {"Name": "state", "Values": ["available"]}
    for portion in (ids[:200], ids[200:]):
        request = {
            "ExecutableUsers": ["self", "all"],
            "Filters": [state, {"Name": "image-id", "Values": list(portion)}],
            "IncludeDeprecated": False,
            "MaxResults": 1000,
            "Owners": ["amazon"],
        }
        ec2.expect("describe_images", request, {"Images": []})
    assert read_shared.images(ec2.client, wanted) == ()


def test_an_image(ec2: Wire) -> None:
    devices = [
        {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-a", "Encrypted": True}},
        {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-b", "Encrypted": False}},
        {"DeviceName": "/dev/sdc", "VirtualName": "ephemeral0"},
    ]
    told = {
        **IMAGE,
        "Architecture": "arm64",
        "BlockDeviceMappings": devices,
        "CreationDate": "2026-11-24T12:00:00.000Z",
        "DeprecationTime": "2027-11-24T12:00:00.000Z",
        "Description": "Golden",
        "ImageOwnerAlias": "amazon",
        "Name": "golden",
        "PlatformDetails": "Linux/UNIX",
        "ProductCodes": [{"ProductCodeId": "p-1", "ProductCodeType": "marketplace"}],
        "Public": True,
        "Tags": [{"Key": "ec2:SharedTag/a", "Value": "b"}],
    }
    ec2.expect("describe_images", REQUEST, {"Images": [told]})
    (found,) = read_shared.images(ec2.client, SharedInfoWanted(("self",)))
    assert found == SharedImage(
        image_id=SOURCE_ID,
        owner_id=OWNER,
        name="golden",
        owner_alias="amazon",
        description="Golden",
        architecture="arm64",
        platform="Linux/UNIX",
        creation_date="2026-11-24T12:00:00.000Z",
        deprecation_time="2027-11-24T12:00:00.000Z",
        public=True,
        encrypted=True,
        snapshot_ids=("snap-a", "snap-b"),
        encrypted_snapshots=("snap-a",),
        product_codes=("p-1",),
        tags={"ec2:SharedTag/a": "b"},
    )


def expect_snapshots(ec2: Wire, **keys: str) -> None:
    listed = [
        {"SnapshotId": name.replace("_", "-"), "State": "completed", "KmsKeyId": key}
        for name, key in keys.items()
    ]
    filters = [{"Name": "snapshot-id", "Values": ["snap-a", "snap-b"]}]
    ec2.expect("describe_snapshots", {"Filters": filters, "MaxResults": 1000}, {"Snapshots": listed})


def expect_key(kms: Wire, state: str = "Enabled") -> None:
    kms.expect("describe_key", {"KeyId": KEY}, {"KeyMetadata": {"KeyId": "1", "KeyState": state}})


def look(ec2: Wire, kms: Wire) -> KeysSeen:
    return read_shared.keys(ec2.client, kms.client, ["snap-b", "snap-a", "snap-a"], ME)


@pytest.mark.parametrize("refused", [(), ("Decrypt",), ("ReEncrypt", "CreateGrant"), tuple(TRIES)])
def test_a_key_is_tried_once_whichever_snapshots_it_has(
    ec2: Wire, kms: Wire, refused: tuple[str, ...]
) -> None:
    expect_snapshots(ec2, snap_a=KEY, snap_b=KEY)
    expect_key(kms)
    for name, (method, request) in TRIES.items():
        kms.refuse(method, request, DENIED if name in refused else ALLOWED)
    seen = look(ec2, kms)
    assert seen.of_snapshot == {"snap-a": KEY, "snap-b": KEY}
    assert (seen.tried[KEY].state, {*seen.tried[KEY].refused}) == ("Enabled", {*refused})


def test_a_snapshot_that_is_not_shared_tells_no_key(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2)
    assert look(ec2, kms) == KeysSeen()


@pytest.mark.parametrize("code", [DENIED, "NotFoundException"])
def test_a_key_that_may_not_be_looked_at_is_tried_all_the_same(ec2: Wire, kms: Wire, code: str) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    kms.refuse("describe_key", {"KeyId": KEY}, code)
    for method, request in TRIES.values():
        kms.refuse(method, request, ALLOWED)
    assert look(ec2, kms).tried == {KEY: OwnKeyAccess(None, ("DescribeKey",))}


def test_a_key_that_is_off_is_not_tried(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms, "Disabled")
    assert look(ec2, kms).tried == {KEY: OwnKeyAccess("Disabled")}


def test_an_answer_that_is_no_dry_runs_is_no_permission(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms)
    for name, (method, request) in TRIES.items():
        if name == "Decrypt":
            kms.expect(method, request, {"KeyId": KEY})
        else:
            kms.refuse(method, request, ALLOWED)
    assert look(ec2, kms).tried[KEY].refused == ("Decrypt",)


def test_what_kms_fails_at_is_neither_yes_nor_no(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms)
    method, request = TRIES["CreateGrant"]
    kms.refuse(method, request, "ThrottlingException", "Slower.")
    assert look(ec2, kms).tried == {KEY: OwnKeyAccess(problem="ThrottlingException: Slower.")}
