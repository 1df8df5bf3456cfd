# SPDX-License-Identifier: GPL-3.0-or-later

"""Dry runs of launches and key operations, and the meaning of AWS's errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import attempts
from ansible_collections.golden.images.plugins.module_utils._aws import dry_run as dry_runs
from ansible_collections.golden.images.plugins.module_utils._keys import simulation
from ansible_collections.golden.images.plugins.module_utils._keys.access import Access, KeyDryRun, Simulation
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError

from tests.unit.clock import Clock
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
            KeyDryRun(ALL - {"Decrypt"}, {"Decrypt": "No."}),
            id="one refused",
        ),
        pytest.param(
            dict.fromkeys(REQUESTS, "NotFoundException"),
            KeyDryRun(frozenset(), dict.fromkeys(ALL, "No.")),
            id="key not visible",
        ),
        *(
            pytest.param(
                {"ReEncrypt": code}, KeyDryRun(ALL - {"ReEncrypt"}, unusable=f"{code}: No."), id=code
            )
            for code in dry_runs.NOT_ENABLED
        ),
        pytest.param(
            {"CreateGrant": "LimitExceededException"},
            KeyDryRun(ALL - {"CreateGrant"}, problem="LimitExceededException: No."),
            id="another error",
        ),
    ],
)
def test_allowed_key_operations(kms: Wire, codes: dict[str, str], expected: KeyDryRun) -> None:
    answer(kms, codes)
    assert dry_runs.key(kms.client, ARN, ROOT) == expected


def test_a_botocore_without_dry_runs_of_kms() -> None:
    class Old:
        def describe_key(self, **_request: str) -> None:
            """DescribeKey has no dry run."""

        def __getattr__(self, _name: str) -> Any:
            def call(**_request: str) -> None:
                raise ParamValidationError(report="Unknown parameter")

            return call

    found = dry_runs.key(Old(), ARN, ROOT)  # type: ignore[arg-type]
    assert found.allowed == {"DescribeKey"}
    assert (found.problem, found.supported) == (None, False)


@pytest.mark.parametrize(
    "code", ["DryRunOperation", "UnauthorizedOperation", "InvalidAMIID.NotFound", "InvalidSubnetID.NotFound"]
)
def test_the_error_of_a_launch(ec2: Wire, code: str) -> None:
    ec2.refuse("run_instances", LAUNCH, code, "Reason.")
    assert dry_runs.launch(ec2.client, ImageId=SOURCE_ID) == (code, "Reason.")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AuthFailure", f"Not authorized for images: [{SOURCE_ID}]"),
        ("InvalidAMIID.NotFound", "Reason."),
        ("InvalidAMIID.Unavailable", "Reason."),
    ],
)
def test_a_launch_of_an_image_that_the_caller_sees_is_tried_again_for_a_while(
    ec2: Wire, monkeypatch: pytest.MonkeyPatch, code: str, message: str
) -> None:
    clock = Clock.of(monkeypatch, attempts)
    started = clock.now
    for answer in ((code, message), ("DryRunOperation", "It would.")):
        ec2.refuse("run_instances", LAUNCH, *answer)
    found = dry_runs.launch(ec2.client, is_available=True, ImageId=SOURCE_ID)
    assert (found, clock.now) == (("DryRunOperation", "It would."), started + 2)
    for _time in range(16):
        ec2.refuse("run_instances", LAUNCH, code, message)
    found = dry_runs.launch(ec2.client, is_available=True, ImageId=SOURCE_ID)
    assert (found, clock.now) == ((code, message), started + 32)


@pytest.mark.parametrize("code", ["InternalError", "ServiceUnavailable", "RequestLimitExceeded", "503"])
def test_a_launch_that_a_server_did_not_check(ec2: Wire, code: str) -> None:
    ec2.refuse("run_instances", LAUNCH, code)
    with pytest.raises(ClientError, match=code):
        dry_runs.launch(ec2.client, ImageId=SOURCE_ID)


def test_a_dry_run_without_an_error(ec2: Wire) -> None:
    ec2.expect("run_instances", LAUNCH, {})
    assert dry_runs.launch(ec2.client, ImageId=SOURCE_ID) == ("", "AWS returned no error for the dry run.")


def test_an_error_without_a_code_is_no_permission() -> None:
    """As from a proxy: an XML or HTML document in which botocore finds no Error."""

    class Proxy:
        def __getattr__(self, _name: str) -> Any:
            def call(**_request: Any) -> None:
                raise ClientError({}, "RunInstances")

            return call

    code, message = dry_runs.launch(Proxy(), ImageId=SOURCE_ID)  # type: ignore[arg-type]
    assert code == ""
    assert "RunInstances" in message
    found = dry_runs.key(Proxy(), ARN, ROOT)  # type: ignore[arg-type]
    assert (found.allowed, found.refused) == (frozenset(), {})
    assert found.problem


def test_dry_runs_of_the_key_operations_of_a_launch(kms: Wire) -> None:
    answer(kms, {})
    kms.client.describe_key(KeyId=ARN)
    requests = dry_runs.requests(kms.client, ARN, ROOT)
    assert {"DescribeKey", *requests} == ALL
    for request in requests.values():
        with pytest.raises(ClientError, match="DryRunOperationException"):
            request()


@pytest.mark.parametrize(
    "attempt",
    [
        pytest.param(lambda client: dry_runs.launch(client, ImageId=SOURCE_ID), id="launch"),
        pytest.param(lambda client: dry_runs.key(client, ARN, ROOT), id="key"),
    ],
)
def test_a_denied_assume_role_is_raised(attempt: Callable[[Any], object]) -> None:
    class DeniedRole:
        def __getattr__(self, _name: str) -> Any:
            def call(**_request: str) -> None:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": "No."}}, "AssumeRole")

            return call

    with pytest.raises(ClientError):
        attempt(DeniedRole())


def test_a_key_that_cannot_be_reached_is_tried_once() -> None:
    """What KMS answered before is kept."""
    calls = []

    class Lost:
        def describe_key(self, **_request: str) -> None:
            """It may be described."""

        def __getattr__(self, name: str) -> Any:
            def call(**_request: str) -> None:
                calls.append(name)
                raise ReadTimeoutError(endpoint_url="https://kms.example.com")

            return call

    found = dry_runs.key(Lost(), ARN, ROOT)  # type: ignore[arg-type]
    assert found.allowed == {"DescribeKey"}
    assert found.problem is not None
    assert "Read timeout" in found.problem
    assert calls == ["create_grant"]


ROLE = f"arn:aws:iam::{CONSUMER}:role/golden"


@pytest.fixture
def iam() -> Iterator[Wire]:
    with Wire("iam").spoken() as wire:
        yield wire


def expect(iam: Wire, through_ec2: bool, *results: dict[str, Any]) -> None:
    request = simulation.request(ROLE, ARN, ["Decrypt"], through_ec2)
    iam.expect("simulate_principal_policy", request, {"EvaluationResults": results, "IsTruncated": False})


def test_iam_decides_about_calls_through_ec2_and_directly(iam: Wire) -> None:
    for through_ec2, decision in ((True, "allowed"), (False, "implicitDeny")):
        expect(iam, through_ec2, {"EvalActionName": "kms:Decrypt", "EvalDecision": decision})
    assert dry_runs.simulate(iam.client, ROLE, ARN, ["Decrypt"]) == Simulation(
        ROLE, {"Decrypt": Access.ALLOWED}, {"Decrypt": Access.DENIED}
    )


def test_a_role_that_may_not_ask_iam(iam: Wire) -> None:
    request = simulation.request(ROLE, ARN, ["Decrypt"], through_ec2=True)
    iam.refuse("simulate_principal_policy", request, "AccessDenied")
    found = dry_runs.simulate(iam.client, ROLE, ARN, ["Decrypt"])
    assert (found.principal, found.through_ec2, found.directly) == (ROLE, {}, {})
    assert found.problem


def test_iam_is_not_asked_where_the_name_of_ec2_is_not_documented(iam: Wire) -> None:
    found = dry_runs.simulate(iam.client, ROLE, ARN.replace("arn:aws:", "arn:aws-cn:"), ["Decrypt"])
    assert "aws-cn" in str(found.problem)
