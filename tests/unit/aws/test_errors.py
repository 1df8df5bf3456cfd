# SPDX-License-Identifier: GPL-3.0-or-later

"""An exception becomes a failure with AWS's message, the error's source and a remedy."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import errors
from ansible_collections.golden.images.plugins.module_utils._aws.errors import (
    REMEDIES,
    REMEDIES_OF_ACTIONS,
    code_of,
    error_of_waiter,
    failure,
    is_of_server,
    is_temporary,
    message_of,
    no_image,
    of_assumed_role,
    unreadable,
    without_region,
)
from ansible_collections.golden.images.plugins.module_utils._denial import NO_CREDENTIALS
from ansible_collections.golden.images.plugins.module_utils._failures import (
    TargetFailed,
    ValidationError,
    invalid_option,
)
from ansible_collections.golden.images.plugins.module_utils._fanout import DidNotAnswer
from botocore import exceptions
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    WaiterError,
)
from botocore.parsers import ResponseParserError

from tests.unit.examples import OWNER, SOURCE_ID, target_in


def refused(code: str, message: str = "AWS's message.", operation: str = "CopyImage") -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"RequestId": "req-1"}}
    return ClientError(response, operation)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("RequestLimitExceeded", True),
        ("503", True),
        ("InternalError", True),
        ("KMSInternalException", True),
        ("Throttling", True),
        ("SlowDown", True),
        ("RequestTimeout", True),
        ("IDPCommunicationError", True),
        ("UnauthorizedOperation", False),
    ],
)
def test_errors_of_calls_that_may_succeed_later(code: str, expected: bool) -> None:
    assert is_temporary(refused(code)) is expected


@pytest.mark.parametrize(("status", "expected"), [(400, False), (500, True), (503, True), (None, False)])
def test_errors_of_servers_by_their_status(status: int | None, expected: bool) -> None:
    error = refused("ServerException")
    if status:
        error.response["ResponseMetadata"]["HTTPStatusCode"] = status
    assert is_of_server(error) is expected


@pytest.mark.parametrize(
    ("code", "names_region"),
    [("UnrecognizedClientException", True), ("AuthFailure", True), ("AccessDenied", False)],
)
def test_credentials_of_a_role_are_only_invalid_where_the_region_is_not_enabled(
    code: str, names_region: bool
) -> None:
    message = "AWS was not able to validate the provided access credentials"
    found = of_assumed_role(failure(refused(code, message), target_in("me-south-1"), "DescribeImages"))
    assert found.remedy.startswith(f"Enable me-south-1 in account {OWNER}") is names_region


def test_aws_message_is_kept() -> None:
    found = failure(refused("ResourceLimitExceeded"), target_in("eu-west-1"), "DescribeImages")
    assert found.to_dict() == {
        "account_id": OWNER,
        "action": "CopyImage",
        "error_code": "ResourceLimitExceeded",
        "message": "AWS's message.",
        "region": "eu-west-1",
        "remedy": "A quota is reached: wait until other copies are done, or request an increase.",
        "request_id": "req-1",
        "source": "aws",
    }


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("UnauthorizedOperation", "Allow CopyImage in the IAM policy of the credentials used."),
        ("AccessDenied", "Allow CopyImage"),
        ("ExpiredToken", "Check the credentials"),
        ("ExpiredTokenException", "Check the credentials"),
        ("InvalidClientTokenId", "a region that the account has not enabled"),
        ("UnrecognizedClientException", "a region that the account has not enabled"),
        ("InvalidAccessKeyId", "that is in another partition."),
        ("RequestExpired", "clock"),
        ("InvalidSignatureException", "If AWS's message names times, correct this machine's clock."),
        ("SignatureDoesNotMatch", "If AWS's message names times, correct this machine's clock."),
        ("RequestTimeTooSkewed", "clock"),
        ("OptInRequired", "Enable the region"),
        ("RequestLimitExceeded", "Rerun later"),
        ("InvalidAMIID.NotFound", "Check the AMI ID and the region"),
        ("InvalidAMIName.Duplicate", "{region} and {source_image_id}"),
        ("IdempotentParameterMismatch", "rerun"),
        ("OperationNotPermitted", "See the error OperationNotPermitted of CopyImage in AWS's API reference."),
        ("InvalidParameterCombination", "See the error InvalidParameterCombination of CopyImage"),
        ("UnsupportedOperation", "on an Outpost"),
        ("LimitExceededException", "quota of grants per key"),
        ("InvalidAction", "The endpoint does not offer CopyImage: check endpoint_url"),
        ("501", "The endpoint does not offer CopyImage"),
        ("SomethingNew", "See the error SomethingNew of"),
    ],
)
def test_remedies(code: str, remedy: str) -> None:
    assert remedy in failure(refused(code), None, "CopyImage").remedy


@pytest.mark.parametrize(
    ("action", "code", "remedy"),
    [
        ("RunInstances", "InvalidParameterCombination", "instance_type that the image supports"),
        ("RunInstances", "UnsupportedOperation", "instance_type that the image supports"),
        ("TerminateInstances", "OperationNotPermitted", "termination protection"),
        ("ModifyImageAttribute", "OperationNotPermitted", "DisableImageBlockPublicAccess"),
        ("ModifySnapshotAttribute", "OperationNotPermitted", "customer managed key"),
        ("DeregisterImage", "OperationNotPermitted", "DisableImageDeregistrationProtection"),
        ("DisableImageDeprecation", "OperationNotPermitted", "public launch permission"),
        ("DeleteSnapshot", "OperationNotPermitted", "UnlockSnapshot"),
        ("DisableImage", "OperationNotPermitted", "See the error OperationNotPermitted of DisableImage"),
        ("PutObject", "AccessDenied", "Allow s3:PutObject in the IAM policy"),
        ("GetObject", "AccessDenied", "Allow s3:GetObject in the IAM policy"),
        ("ListObjectsV2", "AccessDenied", "Allow s3:ListBucket in the IAM policy"),
        ("ModifyImageAttribute", "ResourceLimitExceeded", "a higher quota: AMI sharing, 1,000 of these"),
        ("ModifySnapshotAttribute", "ResourceLimitExceeded", "Unshare the snapshot"),
        ("CopyImage", "ResourceLimitExceeded", "wait until other copies are done"),
        ("CreateImageUsageReport", "ResourceLimitExceeded", "A quota of CreateImageUsageReport is reached: "),
    ],
)
def test_remedies_of_actions(action: str, code: str, remedy: str) -> None:
    refusal = ClientError({"Error": {"Code": code, "Message": "No."}}, action)
    found = failure(refusal, None, action)
    assert remedy in found.remedy
    assert "AWS's message" not in found.remedy


def test_the_remedy_of_a_denial_names_the_policy_that_denies() -> None:
    denied = "You may not: not authorized to perform: ec2:CopyImage with an explicit deny in a"
    by_scp = failure(refused("UnauthorizedOperation", f"{denied} service control policy"), None, "CopyImage")
    assert by_scp.remedy.startswith("Change the service control policy of the account's organization")
    by_iam = failure(refused("AccessDenied", f"{denied}n identity-based policy"), None, "CopyImage")
    assert by_iam.remedy.startswith("Change the statement that denies it in the identity-based policy")
    quota = failure(refused("ResourceLimitExceeded", f"{denied} service control policy"), None, "CopyImage")
    assert quota.remedy.startswith("A quota is reached")


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        pytest.param(
            "You are not authorized to perform this operation. User: arn:aws:iam::111111111111:user/ci is "
            "not authorized to perform: ec2:CreateTags on resource: arn:aws:ec2:us-east-1::image/* because "
            "no identity-based policy allows the ec2:CreateTags action. Encoded authorization failure "
            "message: x",
            "Allow ec2:CreateTags in the IAM policy",
            id="another action than the operation",
        ),
        pytest.param(
            "You are not authorized to perform this operation.", "Allow CopyImage in", id="no action"
        ),
        pytest.param("is not authorized to perform: anything", "Allow CopyImage in", id="not an action"),
    ],
)
def test_the_remedy_of_a_denial_names_the_denied_action(message: str, remedy: str) -> None:
    """(IAM User Guide, "Troubleshoot access denied error messages".)"""
    assert remedy in failure(refused("UnauthorizedOperation", message), None, "CopyImage").remedy


@pytest.mark.parametrize(
    ("message", "remedy"),
    [
        ("AWS was not able to validate the provided access credentials", "not enabled"),
        ("Not authorized to use key arn:aws:kms:us-west-2:111111111111:key/k", "key policy"),
        ("The AMI ami-1 is managed by AWS Backup", "AWS's message names"),
    ],
)
def test_the_remedy_of_a_failure_of_credentials_or_of_a_permission(message: str, remedy: str) -> None:
    """(EC2 Developer Guide, "Error codes for the Amazon EC2 API": AuthFailure.)"""
    assert remedy in failure(refused("AuthFailure", message), None, "ModifySnapshotAttribute").remedy


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("AccessDenied", "trust policy"),
        ("ExpiredToken", "Check the credentials"),
        ("InvalidClientTokenId", "Check the credentials"),
        ("ValidationError", "See the error ValidationError of"),
    ],
)
def test_the_remedy_of_a_role_that_cannot_be_assumed(code: str, remedy: str) -> None:
    """A session that expires during a run fails with ExpiredToken (cloud-custodian/cloud-custodian#9216)."""
    assert remedy in failure(refused(code, operation="AssumeRole"), None, "DescribeImages").remedy


def test_the_remedy_of_a_region_that_is_not_set() -> None:
    found = without_region(failure(refused("InvalidClientTokenId"), None, "GetCallerIdentity"), "us-east-1")
    assert found.remedy.startswith("Check the credentials")
    assert "No region is set, so that us-east-1 was used" in found.remedy
    denied = failure(refused("AccessDenied"), None, "GetCallerIdentity")
    assert without_region(denied, "us-east-1") == denied


def test_a_region_that_the_role_s_account_has_not_enabled() -> None:
    """(botocore shape RegionDisabledException.)"""
    found = failure(refused("RegionDisabledException", operation="AssumeRole"), None, "DescribeImages")
    assert found.remedy == "Enable the region in the account of the role."
    assert "trust policy" in failure(refused("AccessDenied", operation="AssumeRole"), None, "X").remedy


def test_every_remedy_is_a_sentence() -> None:
    for action, code in [*(("CopyImage", code) for code in sorted(REMEDIES)), *REMEDIES_OF_ACTIONS]:
        remedy = failure(refused(code, operation=action), None, action).remedy
        assert remedy[0].isupper(), code
        assert remedy.endswith((".", "source_image_id}.")), code
        assert "{action}" not in remedy, code


@pytest.mark.parametrize("text", ["{action}", "100 %s", "{"])
def test_aws_message_is_no_template(text: str) -> None:
    assert failure(refused("UnauthorizedOperation", text), None, "CopyImage").message == text


def test_an_answer_without_details() -> None:
    found = failure(ClientError({}, "CopyImage"), None, "DescribeImages")
    assert found.error_code == "ClientError"
    assert "CopyImage" in found.message
    assert found.request_id is None


@pytest.mark.parametrize(
    ("exception", "code", "source", "remedy"),
    [
        pytest.param(NoCredentialsError(), "NoCredentialsError", "sdk", "access_key", id="no credentials"),
        pytest.param(exceptions.NoRegionError(), "NoRegionError", "sdk", "AWS_REGION", id="no region"),
        pytest.param(
            EndpointConnectionError(endpoint_url="https://ec2.example"),
            "EndpointConnectionError",
            "sdk",
            "Check the network",
            id="unreachable",
        ),
        pytest.param(
            ParamValidationError(report="Unknown parameter"),
            "ParamValidationError",
            "sdk",
            "update botocore",
            id="old botocore",
        ),
        pytest.param(
            ResponseParserError("Unable to parse response: b'garbage'"),
            "ResponseParserError",
            "sdk",
            "the proxy",
            id="not an answer of AWS",
        ),
        pytest.param(DidNotAnswer(), "region_timeout", "collection", "Rerun later", id="no answer"),
        pytest.param(KeyError("Images"), "unexpected_error", "collection", "report it", id="a bug"),
    ],
)
def test_failures_without_an_answer_of_aws(exception: Exception, code: str, source: str, remedy: str) -> None:
    found = failure(exception, target_in("eu-west-1"), "DescribeImages")
    assert found.error_code == code
    assert found.source == source
    assert found.action == "DescribeImages"
    assert found.region == "eu-west-1"
    assert found.message
    assert "garbage" not in found.message
    assert remedy in found.remedy


def raised(name: str) -> Exception:
    """Botocore's exception of this name."""
    found: type[BotoCoreError] = getattr(exceptions, name)
    parts = re.findall(r"\{(\w+)\}", found.fmt)
    return found(**{part: part for part in parts})


def test_the_remedy_of_credentials_that_botocore_cannot_get() -> None:
    for name in sorted(NO_CREDENTIALS - {"NoCredentialsError"}):
        found = failure(raised(name), target_in(), "DescribeImages")
        assert (found.error_code, found.source) == (name, "sdk")
        assert found.remedy.startswith("Check the credentials")
        assert "aws sso login" in found.remedy


def test_the_remedy_of_settings_that_botocore_does_not_accept() -> None:
    for name in sorted(errors._SETTINGS):
        found = failure(raised(name), None, "GetCallerIdentity")
        assert (found.error_code, found.source) == (name, "sdk")
        assert "AWS_PROFILE" in found.remedy


def test_every_exception_for_credentials_has_the_remedy() -> None:
    """Botocore derives those of SSO, of a login and of wrong settings from these."""
    bases = (exceptions.SSOError, exceptions.LoginError, exceptions.InvalidConfigError)
    known = {
        name for name, one in vars(exceptions).items() if isinstance(one, type) and issubclass(one, bases)
    }
    assert known <= NO_CREDENTIALS


def ended(reason: str, response: Mapping[str, Any], name: str = "ImageAvailable") -> WaiterError:
    return WaiterError(name, reason, dict(response))


DENIED = {"Error": {"Code": "UnauthorizedOperation", "Message": "No."}}
TIMEOUT = "Max attempts exceeded. Previously accepted state: Matched expected service error code"


def test_the_error_of_aws_that_ended_a_waiter() -> None:
    raised = ended("An error occurred (UnauthorizedOperation): No.", DENIED, "SnapshotCompleted")
    error = error_of_waiter(raised)
    assert error is not None
    assert (code_of(error), message_of(error)) == ("UnauthorizedOperation", "No.")
    assert error.operation_name == "DescribeSnapshots"
    found = failure(raised, target_in("eu-west-1"), "RestoreImageFromRecycleBin")
    assert (found.error_code, found.source, found.region) == ("UnauthorizedOperation", "aws", "eu-west-1")
    assert found.remedy == "Allow DescribeSnapshots in the IAM policy of the credentials used."
    other = ended("An error occurred (UnauthorizedOperation): No.", DENIED, "AnotherWaiter")
    assert failure(other, target_in(), "EnableImage").action == "EnableImage"


@pytest.mark.parametrize(
    ("reason", "response"),
    [
        ("Max attempts exceeded", {"Images": []}),
        (TIMEOUT, {"Error": {"Code": "InvalidAMIID.NotFound"}}),
        ("Waiter encountered a terminal failure state", {"Images": [{"State": "failed"}]}),
    ],
)
def test_a_waiter_that_no_error_of_aws_ended(reason: str, response: Mapping[str, Any]) -> None:
    raised = ended(reason, response)
    assert error_of_waiter(raised) is None
    found = failure(raised, target_in(), "EnableImage")
    assert (found.error_code, found.source, found.action) == ("WaiterError", "sdk", "EnableImage")
    assert found.remedy == "Rerun later."


def test_a_bug_is_reported_with_its_traceback() -> None:
    def fails() -> None:
        raise KeyError("Images")

    with pytest.raises(KeyError) as caught:
        fails()
    assert "in fails" in failure(caught.value, None, "DescribeImages").message


def test_a_failure_that_is_known_already_stays_as_it_is() -> None:
    known = invalid_option("images", "no such image", "check")
    assert failure(TargetFailed(known), target_in(), "DescribeImages") == known


def test_a_refusal_of_settings_is_that_of_the_target() -> None:
    refused_settings = ValidationError([unreadable(ValueError("Invalid endpoint: ssm.internal"), "ssm")])
    found = failure(refused_settings, target_in("eu-west-1"), "GetParameter")
    assert (found.region, found.account_id, found.error_code) == (
        "eu-west-1",
        target_in().account_id,
        "ValueError",
    )
    assert found.message == "The credentials or settings cannot be read: Invalid endpoint: ssm.internal"
    assert failure(refused_settings, None, "GetParameter").region is None
    elsewhere = replace(refused_settings.failures[0], region="us-east-1")
    assert failure(ValidationError([elsewhere]), target_in("eu-west-1"), "GetParameter") == elsewhere


def test_credentials_that_cannot_be_read() -> None:
    failed = unreadable(FileNotFoundError("no such program"), "GetCallerIdentity")
    assert (failed.error_code, failed.source, failed.action) == (
        "FileNotFoundError",
        "sdk",
        "GetCallerIdentity",
    )
    assert failed.text().startswith("The credentials or settings cannot be read: no such program")


def test_an_image_that_the_account_cannot_see() -> None:
    found = no_image(SOURCE_ID, target_in("eu-west-1"))
    assert (found.error_code, found.action) == ("image_not_found", "DescribeImages")
    assert (found.region, found.account_id) == ("eu-west-1", OWNER)
    assert SOURCE_ID in found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("message", "is_of_firmware"),
    [
        # RhinoSecurityLabs/cloudgoat#247.
        ("The t2.micro instance type does not support an AMI with a boot mode of UEFI. Only instance", True),
        ("The t2.small instance type does not support an AMI with TPM version v2.0. Specify", True),
        ("Value (x) for parameter instanceType is invalid.", False),
    ],
)
def test_a_launch_without_the_boot_mode_of_the_image_has_a_remedy_of_its_own(
    message: str, is_of_firmware: bool
) -> None:
    found = failure(refused("InvalidParameterValue", message, "RunInstances"), target_in(), "RunInstances")
    assert found.message == message
    assert ("SupportedBootModes and NitroTpmSupport" in (found.remedy or "")) is is_of_firmware
