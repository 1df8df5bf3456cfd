# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS answers about shared images and their keys, and what ``ami_shared_info`` returns of it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._shared_info.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._shared_info.options import SharedInfoOptions
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from tests.unit.cleanup.aws_answers import Answers
from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID, as_read

HERE = "eu-west-1"
KEY = f"arn:aws:kms:eu-west-1:{OWNER}:key/1"
ME = f"arn:aws:iam::{CONSUMER}:root"
ALLOWED, DENIED = "DryRunOperationException", "AccessDeniedException"
DRY = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
DRY_RUNS: dict[str, dict[str, Any]] = {
    "create_grant": {"KeyId": KEY, "GranteePrincipal": ME, "Operations": ["Decrypt"], "DryRun": True},
    "decrypt": {"KeyId": KEY, **DRY},
    "generate_data_key_without_plaintext": {"KeyId": KEY, "KeySpec": "AES_256", "DryRun": True},
    "re_encrypt": {"SourceKeyId": KEY, "DestinationKeyId": KEY, **DRY},
}
REQUEST = {"ExecutableUsers": ["self"], "Filters": [], "IncludeDeprecated": True, "MaxResults": 1000}
DEVICES = [
    {"DeviceName": "/dev/sda", "Ebs": {"SnapshotId": "snap-a", "Encrypted": True}},
    {"DeviceName": "/dev/sdb", "Ebs": {"SnapshotId": "snap-b", "Encrypted": True}},
]
IMAGE = {"ImageId": SOURCE_ID, "OwnerId": OWNER, "State": "available"}
ENCRYPTED = {**IMAGE, "BlockDeviceMappings": DEVICES}


def images(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"describe_images": {"Images": list(listed)}}


def snapshot(name: str, **members: Any) -> dict[str, Any]:
    return {"SnapshotId": name, "State": "completed", "KmsKeyId": KEY, **members}


def key(state: str = "Enabled") -> dict[str, Any]:
    return {"describe_key": {"KeyMetadata": {"KeyId": "1", "KeyState": state}}}


USABLE: dict[str, Any] = {
    "get_caller_identity": {"UserId": "u", "Account": CONSUMER, "Arn": f"arn:aws:iam::{CONSUMER}:user/me"},
    **images(ENCRYPTED),
    "describe_snapshots": {"Snapshots": [snapshot("snap-a"), snapshot("snap-b")]},
    **key(),
    **dict.fromkeys(DRY_RUNS, ALLOWED),
}


class Run:
    """A run with an image whose encrypted snapshots have one key, which can be used, but for ``answers``."""

    def __init__(self, options: dict[str, Any] | None = None, **answers: Any) -> None:
        self.clients: Any = Answers(**{**USABLE, **answers})
        wanted = SharedInfoOptions.read(as_read(SharedInfoOptions.argument_spec(), options or {}), False)
        seen = FLOW.read(self.clients, wanted)
        plan: Any = FLOW.plan(wanted, seen)
        assert plan.actions == ()
        self.outcome = FLOW.apply(self.clients, wanted, seen, plan, lambda _line: None)
        self.result = FLOW.result(wanted, seen, plan, self.outcome)
        self.images: list[dict[str, Any]] = self.result["results"]

    @property
    def access(self) -> tuple[str, str]:
        (one,) = self.images
        return one["key_access"], one["key_access_reason"]

    def requests(self, method: str) -> list[Any]:
        return [request for name, request in self.clients.calls if name == method]


def test_images_are_read_page_by_page() -> None:
    second = {**IMAGE, "ImageId": "ami-2"}
    run = Run(describe_images=[{"Images": [IMAGE], "NextToken": "more"}, {"Images": [second]}])
    assert {one["image_id"] for one in run.images} == {SOURCE_ID, "ami-2"}
    assert run.requests("describe_images") == [REQUEST, {**REQUEST, "NextToken": "more"}]


def test_ids_are_passed_as_filters_of_200_values() -> None:
    """With ImageIds, one ID of another region would fail the whole call."""
    ids = [f"ami-{number:08x}" for number in range(250)]
    options = {
        "executable_users": ["self", "all"],
        "owners": ["amazon"],
        "image_ids": ids,
        "filters": {"state": "available"},
        "include_deprecated": False,
    }
    run = Run(options, **images())
    state = {"Name": "state", "Values": ["available"]}
    assert run.requests("describe_images") == [
        {
            "ExecutableUsers": ["self", "all"],
            "Filters": [state, {"Name": "image-id", "Values": portion}],
            "IncludeDeprecated": False,
            "MaxResults": 1000,
            "Owners": ["amazon"],
        }
        for portion in (ids[:200], ids[200:])
    ]
    assert run.images == []


def test_a_warning_names_ids_that_were_not_found() -> None:
    run = Run({"image_ids": [SOURCE_ID, "ami-00000000"]})
    (warning,) = run.outcome.warnings
    assert "ami-00000000" in warning
    assert SOURCE_ID not in warning


def test_an_image() -> None:
    described = {
        **ENCRYPTED,
        "Architecture": "arm64",
        "CreationDate": "2026-11-24T12:00:00.000Z",
        "DeprecationTime": "2127-11-24T12:00:00.000Z",
        "Description": "Golden",
        "ImageOwnerAlias": "amazon",
        "Name": "golden",
        "PlatformDetails": "Linux/UNIX",
        "ProductCodes": [{"ProductCodeId": "p-1", "ProductCodeType": "marketplace"}],
        "Public": True,
        "Tags": [{"Key": "ec2:SharedTag/a", "Value": "b"}],
    }
    (found,) = Run(**images(described)).images
    assert found.pop("age_days") >= 0
    assert found == {
        "architecture": "arm64",
        "creation_date": "2026-11-24T12:00:00.000Z",
        "deprecated": False,
        "deprecation_time": "2127-11-24T12:00:00.000Z",
        "description": "Golden",
        "encrypted": True,
        "image_id": SOURCE_ID,
        "image_owner_alias": "amazon",
        "key_access": "yes",
        "key_access_reason": "KMS allows these credentials every operation that launching and copying need.",
        "kms_key_arns": [KEY],
        "name": "golden",
        "owner_id": OWNER,
        "platform_details": "Linux/UNIX",
        "product_codes": ["p-1"],
        "public": True,
        "region": HERE,
        "snapshot_ids": ["snap-a", "snap-b"],
        "state": "available",
        "tags": {"ec2:SharedTag/a": "b"},
    }


@pytest.mark.parametrize(
    ("state", "devices", "encrypted"),
    [
        ("available", [{"VolumeSize": 5, "Encrypted": True}], False),
        # It may not list its snapshots yet.
        ("pending", [{"VolumeSize": 5, "Encrypted": True}], True),
        ("pending", [{"VolumeSize": 5, "Encrypted": False}], False),
        ("available", [{"SnapshotId": "snap-a", "Encrypted": False}], False),
        ("available", [{"SnapshotId": "snap-a", "Encrypted": True}], True),
        ("available", [], False),
    ],
)
def test_a_volume_without_a_snapshot_is_created_empty_unless_the_image_is_pending(
    state: str, devices: list[dict[str, Any]], encrypted: bool
) -> None:
    mapped = [{"DeviceName": f"/dev/sd{number}", "Ebs": ebs} for number, ebs in enumerate(devices)]
    mapped.append({"DeviceName": "/dev/sdz", "VirtualName": "ephemeral0"})
    (found,) = Run(**images({**IMAGE, "State": state, "BlockDeviceMappings": mapped})).images
    assert found["encrypted"] is encrypted
    assert (found["key_access"] == "not_needed") is not encrypted


def test_own_images_are_left_out_and_of_unencrypted_ones_no_snapshots_are_read() -> None:
    run = Run(**images(IMAGE, {**ENCRYPTED, "OwnerId": CONSUMER, "ImageId": "ami-mine"}))
    assert [(one["image_id"], one["key_access"]) for one in run.images] == [(SOURCE_ID, "not_needed")]
    assert (run.result["account_id"], run.result["regions"]) == (CONSUMER, [HERE])
    assert run.requests("describe_snapshots") == []


def test_keys_are_not_read_without_check_key_access() -> None:
    run = Run({"check_key_access": False})
    assert run.access == ("unknown", "check_key_access is false.")
    assert run.requests("describe_snapshots") == run.requests("describe_key") == []


def test_a_key_of_several_snapshots_is_tested_once_by_dry_runs() -> None:
    run = Run()
    assert run.access[0] == "yes"
    asked = [one for one in run.clients.calls if one[0] in ("describe_key", "describe_snapshots", *DRY_RUNS)]
    filters = [{"Name": "snapshot-id", "Values": ["snap-a", "snap-b"]}]
    snapshots = {"RestorableByUserIds": ["self"], "Filters": filters, "MaxResults": 1000}
    assert asked == [
        ("describe_snapshots", snapshots),
        ("describe_key", {"KeyId": KEY}),
        *DRY_RUNS.items(),
    ]


EXPLICIT = "You may not, with an explicit deny in a service control policy"


def denied(message: str = "No.") -> ClientError:
    return ClientError({"Error": {"Code": DENIED, "Message": message}}, "Decrypt")


@pytest.mark.parametrize(
    ("answers", "access", "reason"),
    [
        pytest.param({"decrypt": denied(EXPLICIT)}, "no", "Decrypt with", id="explicitly denied"),
        pytest.param({"decrypt": denied()}, "unknown", "denies these credentials Decrypt", id="denied"),
        pytest.param({"create_grant": DENIED}, "unknown", "CreateGrant", id="CreateGrant"),
        pytest.param({"re_encrypt": DENIED}, "unknown", "but denies ReEncrypt", id="another operation"),
        pytest.param(
            {"generate_data_key_without_plaintext": "NotFoundException"},
            "unknown",
            "but denies GenerateDataKeyWithoutPlaintext",
            id="not found",
        ),
        pytest.param({"describe_key": DENIED}, "unknown", "but denies DescribeKey", id="not described"),
        pytest.param(
            {"describe_key": "NotFoundException"}, "unknown", "but denies DescribeKey", id="key not found"
        ),
        # A dry run always ends in an error. Any other answer proves nothing.
        pytest.param({"decrypt": {"KeyId": KEY}}, "unknown", "Decrypt", id="no error"),
        pytest.param(key("Disabled"), "no", "Disabled", id="disabled"),
        # Whether DescribeKey is denied, or the state has just changed.
        *(
            pytest.param(
                {"create_grant": code, **described}, "no", f"permits no use: {code}: No.", id=f"{code} {name}"
            )
            for code in ("DisabledException", "KMSInvalidStateException")
            for name, described in (("described", {}), ("not described", {"describe_key": DENIED}))
        ),
        pytest.param(
            {"create_grant": "ThrottlingException"}, "unknown", "ThrottlingException: No.", id="error"
        ),
        pytest.param(
            {"describe_key": ReadTimeoutError(endpoint_url="https://kms.example.com")},
            "unknown",
            "Read timeout",
            id="not reached",
        ),
        pytest.param(
            {"create_grant": ParamValidationError(report="Unknown parameter")},
            "unknown",
            "update botocore and boto3",
            id="older botocore",
        ),
        # botocore shape KeyMetadata requires KeyId only: the key is neither usable nor denied.
        pytest.param({"describe_key": {}}, "unknown", "DescribeKey lacks KeyMetadata.", id="no metadata"),
        pytest.param(
            {"describe_key": {"KeyMetadata": {"KeyId": "1"}}}, "unknown", "lacks KeyState.", id="no state"
        ),
        pytest.param(
            {"describe_snapshots": {"Snapshots": []}},
            "unknown",
            "snap-a, snap-b cannot be read",
            id="not shared",
        ),
        pytest.param(
            {"describe_snapshots": {"Snapshots": [snapshot("snap-a")]}},
            "unknown",
            "The key of snap-b cannot be read",
            id="one of two is shared",
        ),
        pytest.param(
            {"describe_snapshots": "UnauthorizedOperation"},
            "unknown",
            "Allow DescribeSnapshots",
            id="snapshots cannot be read",
        ),
        # botocore operation AssociateKmsKeyId.
        pytest.param(
            {
                **images({**IMAGE, "BlockDeviceMappings": DEVICES[:1]}),
                "describe_snapshots": {
                    "Snapshots": [snapshot("snap-a", AssociatedKmsKeys=[{"KmsKeyId": "arn:other"}])]
                },
                **key("Disabled"),
            },
            "unknown",
            "arn:other, associated with snap-a",
            id="another key is associated",
        ),
    ],
)
def test_what_the_dry_runs_show_of_a_key(answers: dict[str, Any], access: str, reason: str) -> None:
    run = Run(**answers)
    assert run.access[0] == access
    assert reason in run.access[1]
    assert run.outcome.failures == ()


def test_a_disabled_key_is_not_tested() -> None:
    run = Run(**key("Disabled"))
    assert [name for name, _request in run.clients.calls if name in DRY_RUNS] == []


def test_a_region_that_cannot_be_read_is_a_failure() -> None:
    for answer, code in (
        ("UnauthorizedOperation", "UnauthorizedOperation"),
        ({}, "incomplete_response"),
        *(
            (
                {"Images": [{name: value for name, value in IMAGE.items() if name != member}]},
                "incomplete_response",
            )
            for member in IMAGE
        ),
    ):
        run = Run(describe_images=answer)
        assert [(one.region, one.account_id, one.error_code) for one in run.outcome.failures] == [
            (HERE, CONSUMER, code)
        ]
        assert (run.result["regions"], run.images) == ([], [])


@pytest.mark.parametrize(
    ("options", "answers", "action"),
    [
        ({}, {"describe_regions": "UnauthorizedOperation"}, "DescribeRegions"),
        ({"regions": ["eu-north-7"]}, {}, "regions"),
    ],
)
def test_without_known_regions_nothing_is_read(
    options: dict[str, Any], answers: dict[str, Any], action: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Run(options, **answers)
    assert [failure.action for failure in caught.value.failures] == [action]
