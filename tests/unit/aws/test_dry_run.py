# SPDX-License-Identifier: GPL-3.0-or-later

"""Requests that only check, and what AWS's answers to them mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws import dry_run as dry_runs
from ansible_collections.golden.images.plugins.module_utils.keys.access import KeyDryRun
from botocore.exceptions import ClientError, ParamValidationError

from tests.unit.examples import CONSUMER, OWNER, SOURCE_ID
from tests.unit.wire import Wire

ARN = f"arn:aws:kms:eu-west-1:{OWNER}:key/1234abcd"
ROOT = f"arn:aws:iam::{CONSUMER}:root"
WITHOUT = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}
REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "DescribeKey": ("describe_key", {"KeyId": ARN}),
    "CreateGrant": (
        "create_grant",
        {"KeyId": ARN, "GranteePrincipal": ROOT, "Operations": ["Decrypt"], "DryRun": True},
    ),
    "Decrypt": ("decrypt", {"KeyId": ARN, **WITHOUT}),
    "GenerateDataKeyWithoutPlaintext": (
        "generate_data_key_without_plaintext",
        {"KeyId": ARN, "KeySpec": "AES_256", "DryRun": True},
    ),
    "ReEncrypt": ("re_encrypt", {"SourceKeyId": ARN, "DestinationKeyId": ARN, **WITHOUT}),
}
ALL = frozenset(REQUESTS)
LAUNCH = {"ImageId": SOURCE_ID, "MinCount": 1, "MaxCount": 1, "DryRun": True}


@pytest.fixture
def kms() -> Iterator[Wire]:
    with Wire("kms").spoken() as wire:
        yield wire


@pytest.fixture
def ec2() -> Iterator[Wire]:
    with Wire("ec2").spoken() as wire:
        yield wire


def answer(kms: Wire, codes: dict[str, str]) -> None:
    """Answer each request with success, or with the code given for it."""
    for operation, (method, request) in REQUESTS.items():
        if operation in codes:
            kms.refuse(method, request, codes[operation])
        elif operation == "DescribeKey":
            kms.expect(method, request, {"KeyMetadata": {"KeyId": "1234abcd"}})
        else:
            kms.refuse(method, request, "DryRunOperationException")


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param({}, KeyDryRun(ALL), id="all allowed"),
        pytest.param(
            {"Decrypt": "AccessDeniedException"},
            KeyDryRun(ALL - {"Decrypt"}, frozenset({"Decrypt"})),
            id="one refused",
        ),
        pytest.param(
            dict.fromkeys(REQUESTS, "NotFoundException"), KeyDryRun(frozenset(), ALL), id="nothing to be seen"
        ),
        pytest.param(
            {"ReEncrypt": "DisabledException"},
            KeyDryRun(ALL - {"ReEncrypt"}, problem="DisabledException: No."),
            id="neither",
        ),
    ],
)
def test_what_is_allowed_of_a_key(kms: Wire, codes: dict[str, str], expected: KeyDryRun) -> None:
    answer(kms, codes)
    assert dry_runs.key(kms.client, ARN, ROOT) == expected


def test_a_botocore_that_knows_no_dry_runs() -> None:
    class Old:
        def describe_key(self, **_request: str) -> None:
            """Old enough for this."""

        def __getattr__(self, _name: str) -> Any:
            def call(**_request: str) -> None:
                raise ParamValidationError(report="Unknown parameter")

            return call

    found = dry_runs.key(Old(), ARN, ROOT)  # type: ignore[arg-type]
    assert found.allowed == {"DescribeKey"}
    assert found.problem is not None
    assert "update botocore" in found.problem


@pytest.mark.parametrize(
    "code", ["DryRunOperation", "UnauthorizedOperation", "InvalidAMIID.NotFound", "InvalidSubnetID.NotFound"]
)
def test_how_a_launch_ends(ec2: Wire, code: str) -> None:
    ec2.refuse("run_instances", LAUNCH, code, "Words.")
    assert dry_runs.launch(ec2.client, ImageId=SOURCE_ID) == (code, "Words.")


def test_a_dry_run_that_is_answered_proves_nothing(ec2: Wire) -> None:
    ec2.expect("run_instances", LAUNCH, {})
    code, message = dry_runs.launch(ec2.client, ImageId=SOURCE_ID)
    assert (code, "as if it were none" in message) == ("", True)


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda nobody: dry_runs.launch(nobody, ImageId=SOURCE_ID), id="launch"),
        pytest.param(lambda nobody: dry_runs.key(nobody, ARN, ROOT), id="key"),
    ],
)
def test_that_nobody_acts_is_no_answer(attempt: Callable[[Any], object]) -> None:
    class Nobody:
        def __getattr__(self, _name: str) -> Any:
            def call(**_request: str) -> None:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")

            return call

    with pytest.raises(ClientError):
        attempt(Nobody())
