# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading the images that other accounts share, and testing their keys by dry runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.shared_info import read as read_shared
from ansible_collections.golden.images.plugins.module_utils.shared_info.state import (
    KeysSeen,
    OwnKeyAccess,
    SharedImage,
    SharedInfoWanted,
)
from botocore.exceptions import ReadTimeoutError

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.wire import Wire

KEY = f"arn:aws:kms:eu-west-1:{OWNER}:key/1"
ME = f"arn:aws:iam::{CONSUMER}:root"
DRY = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
ALLOWED, DENIED = "DryRunOperationException", "AccessDeniedException"
DRY_RUNS: dict[str, tuple[str, dict[str, Any]]] = {
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


def test_images_are_read_page_by_page(ec2: Wire) -> None:
    ec2.expect("describe_images", REQUEST, {"Images": [IMAGE], "NextToken": "more"})
    ec2.expect(
        "describe_images", {**REQUEST, "NextToken": "more"}, {"Images": [{**IMAGE, "ImageId": "ami-2"}]}
    )
    found = read_shared.images(ec2.client, SharedInfoWanted(("self",)))
    assert [one.image_id for one in found] == [SOURCE_ID, "ami-2"]


def test_ids_are_passed_as_filters_of_200_values(ec2: Wire) -> None:
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
    described = {
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
    ec2.expect("describe_images", REQUEST, {"Images": [described]})
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


@pytest.mark.parametrize(("state", "encrypted"), [("available", False), ("pending", True)])
def test_a_volume_without_a_snapshot_is_created_empty_unless_the_image_is_pending(
    ec2: Wire, state: str, encrypted: bool
) -> None:
    devices = [
        {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-a", "Encrypted": False}},
        {"DeviceName": "/dev/sdb", "Ebs": {"VolumeSize": 5, "Encrypted": True}},
    ]
    described = {**IMAGE, "State": state, "BlockDeviceMappings": devices}
    ec2.expect("describe_images", REQUEST, {"Images": [described]})
    (found,) = read_shared.images(ec2.client, SharedInfoWanted(("self",)))
    assert (found.encrypted, found.encrypted_snapshots) == (encrypted, ())


def expect_snapshots(ec2: Wire, **keys: str) -> None:
    listed = [
        {"SnapshotId": name.replace("_", "-"), "State": "completed", "KmsKeyId": key}
        for name, key in keys.items()
    ]
    filters = [{"Name": "snapshot-id", "Values": ["snap-a", "snap-b"]}]
    request = {"RestorableByUserIds": ["self"], "Filters": filters, "MaxResults": 1000}
    ec2.expect("describe_snapshots", request, {"Snapshots": listed})


def expect_key(kms: Wire, state: str = "Enabled") -> None:
    kms.expect("describe_key", {"KeyId": KEY}, {"KeyMetadata": {"KeyId": "1", "KeyState": state}})


def keys(ec2: Wire, kms: Wire) -> KeysSeen:
    return read_shared.keys(ec2.client, kms.client, ["snap-b", "snap-a", "snap-a"], ME)


@pytest.mark.parametrize("refused", [(), ("Decrypt",), ("ReEncrypt", "CreateGrant"), tuple(DRY_RUNS)])
def test_a_key_of_several_snapshots_is_tested_once(ec2: Wire, kms: Wire, refused: tuple[str, ...]) -> None:
    expect_snapshots(ec2, snap_a=KEY, snap_b=KEY)
    expect_key(kms)
    for name, (method, request) in DRY_RUNS.items():
        kms.refuse(method, request, DENIED if name in refused else ALLOWED)
    seen = keys(ec2, kms)
    assert seen.of_snapshot == {"snap-a": KEY, "snap-b": KEY}
    assert (seen.access[KEY].state, {*seen.access[KEY].denied}) == ("Enabled", {*refused})


def test_a_snapshot_that_is_not_shared_has_no_known_key(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2)
    assert keys(ec2, kms) == KeysSeen()


def test_a_key_does_not_decide_alone_if_another_is_associated(ec2: Wire, kms: Wire) -> None:
    """botocore operation AssociateKmsKeyId."""
    filters = [{"Name": "snapshot-id", "Values": ["snap-a", "snap-b"]}]
    request = {"RestorableByUserIds": ["self"], "Filters": filters, "MaxResults": 1000}
    further = {"AssociatedKmsKeys": [{"KmsKeyId": "arn:other"}]}
    listed = {"SnapshotId": "snap-a", "State": "completed", "KmsKeyId": KEY, **further}
    ec2.expect("describe_snapshots", request, {"Snapshots": [listed]})
    expect_key(kms, "Disabled")
    seen = keys(ec2, kms)
    assert (seen.of_snapshot, seen.access) == ({"snap-a": KEY}, {KEY: OwnKeyAccess("Disabled")})
    assert seen.undecided.keys() == {"snap-a"}
    assert seen.undecided["snap-a"].associated_key_arns == ("arn:other",)


@pytest.mark.parametrize("code", [DENIED, "NotFoundException"])
def test_a_key_that_cannot_be_described_is_tested(ec2: Wire, kms: Wire, code: str) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    kms.refuse("describe_key", {"KeyId": KEY}, code)
    for method, request in DRY_RUNS.values():
        kms.refuse(method, request, ALLOWED)
    assert keys(ec2, kms).access == {KEY: OwnKeyAccess(None, {"DescribeKey": "No."})}


def test_a_disabled_key_is_not_tested(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms, "Disabled")
    assert keys(ec2, kms).access == {KEY: OwnKeyAccess("Disabled")}


@pytest.mark.parametrize("code", ["DisabledException", "KMSInvalidStateException"])
@pytest.mark.parametrize("described", [True, False])
def test_a_dry_run_shows_that_a_key_is_not_enabled(ec2: Wire, kms: Wire, code: str, described: bool) -> None:
    """Whether DescribeKey is denied, or the state has just changed."""
    expect_snapshots(ec2, snap_a=KEY)
    if described:
        expect_key(kms)
    else:
        kms.refuse("describe_key", {"KeyId": KEY}, DENIED)
    method, request = DRY_RUNS["CreateGrant"]
    kms.refuse(method, request, code, "Off.")
    found = keys(ec2, kms).access[KEY]
    assert (found.unusable, found.problem) == (f"{code}: Off.", None)
    assert found.state == ("Enabled" if described else None)


def test_an_answer_that_is_not_a_dry_runs_error_is_not_a_permission(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms)
    for name, (method, request) in DRY_RUNS.items():
        if name == "Decrypt":
            kms.expect(method, request, {"KeyId": KEY})
        else:
            kms.refuse(method, request, ALLOWED)
    assert keys(ec2, kms).access[KEY].denied.keys() == {"Decrypt"}


def test_another_error_is_a_problem(ec2: Wire, kms: Wire) -> None:
    expect_snapshots(ec2, snap_a=KEY)
    expect_key(kms)
    method, request = DRY_RUNS["CreateGrant"]
    kms.refuse(method, request, "ThrottlingException", "Slower.")
    assert keys(ec2, kms).access == {KEY: OwnKeyAccess(problem="ThrottlingException: Slower.")}


def test_a_key_that_cannot_be_reached_is_a_problem_of_this_key(
    ec2: Wire, kms: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    expect_snapshots(ec2, snap_a=KEY)

    def timed_out(**_request: str) -> None:
        raise ReadTimeoutError(endpoint_url="https://kms.example.com")

    monkeypatch.setattr(kms.client, "describe_key", timed_out)
    found = keys(ec2, kms).access[KEY]
    assert found.problem is not None
    assert "Read timeout" in found.problem


@pytest.mark.parametrize(
    ("answer", "member"), [({}, "KeyMetadata"), ({"KeyMetadata": {"KeyId": "1"}}, "KeyState")]
)
def test_a_key_without_a_state_is_a_problem(
    ec2: Wire, kms: Wire, answer: dict[str, Any], member: str
) -> None:
    """botocore shape KeyMetadata requires KeyId only: the key is neither usable nor denied."""
    expect_snapshots(ec2, snap_a=KEY)
    kms.expect("describe_key", {"KeyId": KEY}, answer)
    problem = f"AWS's response to DescribeKey lacks {member}."
    assert keys(ec2, kms).access == {KEY: OwnKeyAccess(problem=problem)}
