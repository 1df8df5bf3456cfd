# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn exceptions of AWS calls into failures with a remedy."""

from __future__ import annotations

import traceback
from dataclasses import replace

from .._denial import NO_CREDENTIALS, denied_action, is_without_permission
from .._denial import remedy as remedy_of_denial
from .._failures import CHECK_CREDENTIALS, Failure, TargetFailed, ValidationError, incomplete_response
from .._fanout import DidNotAnswer
from .._model import Target
from .iam_actions import ACTION
from .sdk import (
    AWS_ERRORS,
    BotoCoreError,
    ClientError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    ResponseParserError,
    WaiterError,
)

# The exceptions that packages other than this one use.
__all__ = [
    "AWS_ERRORS",
    "BotoCoreError",
    "ClientError",
    "EndpointConnectionError",
    "ParamValidationError",
    "WaiterError",
]

# What botocore's reading of credentials and settings raises besides its own exceptions: a program or a token
# file that does not exist, output of a program that is not JSON, an endpoint_url without a scheme, and
# renewed credentials that have expired.
UNREADABLE = (OSError, RuntimeError, ValueError)
# Botocore's exceptions for settings that it cannot read or does not know. Older versions lack some of them.
_SETTINGS = frozenset(
    {
        *("ConfigParseError", "ProfileNotFound", "InvalidDefaultsMode", "InvalidProxiesConfigError"),
        *("InvalidChecksumConfigError", "InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError"),
        *("InvalidMaxRetryAttemptsError", "InvalidRetryConfigurationError", "InvalidRetryModeError"),
        *("InvalidEndpointConfigurationError", "InvalidRegionError"),
        *("InvalidSTSRegionalEndpointsConfigError", "InvalidS3AddressingStyleError"),
        "InvalidS3UsEast1RegionalEndpointConfigError",
    }
)


class IncompleteAnswer(BotoCoreError):
    """A response of AWS without a member that the caller needs.

    As an exception of botocore, it counts as a failed read wherever failed reads are expected.
    """

    fmt = "AWS's response to {operation} lacks {member}."

    def __init__(self, operation: str, member: str) -> None:
        super().__init__(operation=operation, member=member)
        self.operation = operation
        self.member = member


class WebPage(BotoCoreError):
    """A web page instead of an answer: it comes from a proxy, a gateway or a login page, not from AWS."""

    fmt = (
        "The response of {endpoint} to {operation} is a web page with the HTTP status {status}, which AWS "
        "does not send."
    )


_IN_POLICY = "in the IAM policy of the credentials used."
_PERMISSION = f"Allow {{action}} {_IN_POLICY}"
_ROLE = (
    "Check that the role exists, that its trust policy allows these credentials, with the external ID that "
    "is set if it requires one, and that their IAM policy allows sts:AssumeRole."
)
_RETRY = "Rerun later."
_IMAGE_NOT_FOUND = (
    "Check the AMI ID and the region; a deregistered or unshared image is not found from that moment on."
)
_FITTING_TYPE = "Set an instance_type that the image supports."
_FITTING_FIRMWARE = (
    "Set an instance_type with the boot mode of the image, and with NitroTPM if the image has it: "
    "SupportedBootModes and NitroTpmSupport of DescribeInstanceTypes."
)
# Of a launch: "The t2.micro instance type does not support an AMI with a boot mode of UEFI."
# (RhinoSecurityLabs/cloudgoat#247), and "… with TPM version v2.0", which users report without a code.
_OF_FIRMWARE = ("AMI with a boot mode of", "AMI with TPM version")
_PUBLIC_DEPRECATION = "Remove the public launch permission of the image first: AWS keeps its date."
_NO_SUCH_OPERATION = "The endpoint does not offer {action}: check endpoint_url and AWS_ENDPOINT_URL."
_AMI_QUOTAS = (
    "Share with organizations or organizational units instead of accounts, or request a higher quota: AMI "
    "sharing, 1,000 of these for each image by default, or Public AMIs, 5 in a region by default."
)
_FITTING_FILTER = (
    "Correct the filter: {action} in the EC2 API reference has the names, such as name or tag:KEY."
)
_OTHER_CODE = "See the error {code} of {action} in AWS's API reference."
_LOG_IN = (
    f"{CHECK_CREDENTIALS} If they come from a login, log in again (aws sso login, or aws login), as the user "
    "who runs Ansible."
)
_CHECK_SETTINGS = (
    "Check profile or AWS_PROFILE, endpoint_url, and the files and environment variables of the AWS CLI, as "
    "the user who runs Ansible."
)
_NO_ANSWER = "The region did not respond before all other regions were done."

# EC2 Developer Guide, "Error codes for the Amazon EC2 API": AuthFailure is about credentials or permissions.
# In the first case, and in a region that is not enabled, AWS's message is "AWS was not able to validate the
# provided access credentials". Examples of the second: "Not authorized to use key", "managed by AWS Backup".
_NOT_ALLOWED = (
    "AWS's message names what these credentials may not use or change. For a KMS key, allow it in the key "
    "policy and in their IAM policy."
)

_NO_LAUNCH_PERMISSION = (
    "Share the image with the account (ami_share). If it was shared just now, rerun: AWS documents no limit "
    "for how long that takes to reach the account. No KMS key is the cause."
)

_SIGNATURE = (
    "If AWS's message names times, correct this machine's clock. Otherwise check the secret key and the "
    "session token."
)
_NOT_VALID = (
    f"{CHECK_CREDENTIALS} AWS returns the same code for a region that the account has not enabled, or that "
    "is in another partition."
)

# The codes of servers that failed: EC2 Developer Guide, "Error codes for the Amazon EC2 API"; botocore shapes
# InternalServerError of SSM, KMSInternalException and DependencyTimeoutException of KMS; and the codes for
# answers that do not come from AWS with such a status, or 408.
SERVER_ERRORS = (
    "InternalError",
    "InternalFailure",
    "InternalServerError",
    "ServiceUnavailable",
    "Unavailable",
    "DependencyTimeoutException",
    "KMSInternalException",
    "500",
    "502",
    "503",
    "504",
    "RequestTimeout",
)

# EC2 Developer Guide, "Error codes for the Amazon EC2 API".
REMEDIES = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    # SNS API Reference, "Common Errors".
    "AuthorizationError": _PERMISSION,
    "UnauthorizedOperation": _PERMISSION,
    # Of EC2, of the query protocol (hashicorp/terraform-provider-aws#12940), and of JSON
    # (awslabs/landing-zone-accelerator-on-aws#269).
    **dict.fromkeys(("AuthFailure", "InvalidClientTokenId", "UnrecognizedClientException"), _NOT_VALID),
    # S3 API Reference, "Error responses".
    "InvalidAccessKeyId": _NOT_VALID,
    "ExpiredToken": CHECK_CREDENTIALS,
    # KMS and Systems Manager (boto/boto3#1127), and STS (botocore shape ExpiredTokenException).
    "ExpiredTokenException": CHECK_CREDENTIALS,
    "RequestExpired": "Get new credentials, or correct this machine's clock.",
    # Of JSON (aws/aws-sdk-go#2194) and of the query protocol (aws/aws-cli#6676): "Signature expired: … is now
    # earlier than …", "Signature not yet current: …", or that the signature does not match.
    **dict.fromkeys(("InvalidSignatureException", "SignatureDoesNotMatch"), _SIGNATURE),
    # S3 API Reference, "Error responses".
    "RequestTimeTooSkewed": "Correct this machine's clock.",
    # botocore shape RegionDisabledException.
    "RegionDisabledException": "Enable the region in the account of the role.",
    "OptInRequired": "Enable the region, or subscribe to the product, in this account.",
    **dict.fromkeys(SERVER_ERRORS, _RETRY),
    # Of EC2, of the query protocol, of JSON and of S3.
    **dict.fromkeys(("RequestLimitExceeded", "Throttling", "ThrottlingException", "SlowDown"), _RETRY),
    # botocore shape IDPCommunicationErrorException of STS: often a transient error of the network.
    "IDPCommunicationError": _RETRY,
    # botocore shape ResourceContentionFault of Auto Scaling: the resource has a pending update.
    "ResourceContention": _RETRY,
    # Organizations, and web pages with the HTTP status 429.
    "TooManyRequestsException": _RETRY,
    "ResourceLimitExceeded": "A quota of {action} is reached: request a higher one in Service Quotas.",
    # KMS Developer Guide, "Quotas": grants per key, and the size of a key policy.
    "LimitExceededException": "Revoke access to the key that is no longer needed, or request a higher quota "
    "of grants per key.",
    "TagLimitExceeded": "A resource can have 50 tags: set fewer.",
    "SnapshotLimitExceeded": "Request a higher quota for EBS snapshots in this region, or delete snapshots.",
    # EC2's and the JSON services' codes for an operation that the endpoint lacks.
    **dict.fromkeys(("InvalidAction", "UnknownOperationException", "501"), _NO_SUCH_OPERATION),
    "InvalidAMIID.NotFound": _IMAGE_NOT_FOUND,
    "InvalidSnapshot.NotFound": "Check that the snapshot still exists and belongs to the account.",
    "InvalidAMIID.Unavailable": "Wait until the image is available.",
    "InvalidAMIName.Duplicate": "Choose another name; it can contain {{region}} and {{source_image_id}}.",
    "InsufficientInstanceCapacity": "Set another instance type or another subnet, or rerun later.",
    "InvalidGroup.NotFound": "Check the security group IDs: each account and region has its own.",
    "InvalidSubnetID.NotFound": "Check the subnet ID: each account and region has its own.",
    "Unsupported": "Set an instance type that the subnet's Availability Zone offers and the image supports.",
    "VcpuLimitExceeded": "Request a higher quota for On-Demand vCPUs in the account.",
    "NoSuchBucket": "Create the bucket, or set another one.",
    "NotFoundException": "Create the key or the alias in this region, or set another key. An alias begins "
    "with alias/.",
    "IdempotentParameterMismatch": "Another run copies this source with other options: rerun.",
    "ParameterLimitExceeded": "Delete parameters that are no longer needed, or use the advanced tier.",
    "TooManyUpdates": "Another process is updating the parameter: rerun.",
}

# Codes with many reasons: "Error codes for the Amazon EC2 API" only says that the operation is not permitted
# or not supported, or that parameters cannot be combined. The documentation of each action says more.
REMEDIES_OF_ACTIONS = {
    # botocore operation ReplaceImageInstanceTypeSpecification; for ENA hashicorp/terraform#19763.
    ("RunInstances", "InvalidParameterCombination"): _FITTING_TYPE,
    # For example "SQL Server Enterprise Edition is not supported for the instance type".
    ("RunInstances", "UnsupportedOperation"): _FITTING_TYPE,
    # EC2 User Guide, "Terminate Amazon EC2 instances": termination protection.
    ("TerminateInstances", "OperationNotPermitted"): "Turn off the termination protection of the instance "
    "(ModifyInstanceAttribute, DisableApiTermination).",
    # EC2 User Guide, "Understand block public access for AMIs" and "Use AMI watermarks to track and identify
    # AMIs".
    ("ModifyImageAttribute", "OperationNotPermitted"): "Share with accounts, not with the public. If the "
    "image must be public, detach its watermarks (DetachImageWatermark), call DisableImageBlockPublicAccess "
    "in this region, or change the declarative policy that blocks public access.",
    # botocore operation ModifySnapshotAttribute; EBS User Guide, "Share an Amazon EBS snapshot".
    ("ModifySnapshotAttribute", "OperationNotPermitted"): "Copy the image under a customer managed key: a "
    "snapshot under aws/ebs cannot be shared. A snapshot that is encrypted, or has product codes of AWS "
    "Marketplace, cannot be public at all.",
    # EC2 User Guide, "Protect an Amazon EC2 AMI from deregistration".
    ("DeregisterImage", "OperationNotPermitted"): "Call DisableImageDeregistrationProtection for the image, "
    "and rerun: 24 hours later, if the protection has a cooldown.",
    # EC2 User Guide, "Deprecate an Amazon EC2 AMI": a public AMI's date can only be brought forward.
    ("EnableImageDeprecation", "OperationNotPermitted"): _PUBLIC_DEPRECATION,
    ("DisableImageDeprecation", "OperationNotPermitted"): _PUBLIC_DEPRECATION,
    # botocore operation UnlockSnapshot; EBS User Guide, "Amazon EBS snapshot lock".
    ("DeleteSnapshot", "OperationNotPermitted"): "Wait until the lock of the snapshot expires, or call "
    "UnlockSnapshot, which AWS allows in governance mode, and in compliance mode during the cooling-off "
    "period.",
    # "The snapshot … is currently in use by ami-…", for a few minutes also after that image is deregistered
    # (boto/boto#3019).
    ("DeleteSnapshot", "InvalidSnapshot.InUse"): "If the image that AWS's message names is deregistered, "
    "rerun a few minutes later. Otherwise, deregister it if it is no longer needed: a rerun keeps the "
    "snapshot of a registered image.",
    # EC2 User Guide, "AMI quotas in Amazon EC2".
    ("ModifyImageAttribute", "ResourceLimitExceeded"): _AMI_QUOTAS,
    ("ModifySnapshotAttribute", "ResourceLimitExceeded"): "Unshare the snapshot from accounts that do not "
    "need it, or request a higher quota of accounts that a snapshot can be shared with.",
    # EC2 Developer Guide, "Error codes for the Amazon EC2 API": too many copies at a time.
    ("CopyImage", "ResourceLimitExceeded"): "A quota is reached: wait until other copies are done, or "
    "request an increase.",
    # botocore operation CopyImage: the copies that it does not support.
    ("CopyImage", "UnsupportedOperation"): "Set a source and regions of the same partition. A source on an "
    "Outpost cannot be copied to a region, and one in a Local Zone to the zone's own region only.",
    # Systems Manager User Guide, "Working with shared parameters in Parameter Store", prerequisites; RAM User
    # Guide, "Errors when trying to share with accounts outside of my organization". Without sharing with AWS
    # Organizations: "Organization o-… could not be found" (hashicorp/terraform-provider-aws#28848).
    **{
        (operation, code): remedy
        for operation in ("AssociateResourceShare", "CreateResourceShare")
        for code, remedy in {
            "InvalidParameterException": "Correct the account that AWS's message names, or remove it from "
            "publish_share. If it may be outside of the organization, set publish_share_external: true. If "
            "it is inside, the management account must enable sharing (aws ram "
            "enable-sharing-with-aws-organization).",
            "OperationNotPermittedException": "Share only what AWS's message allows: of parameters, "
            "advanced ones.",
            "ResourceShareLimitExceededException": "Share with an organization or an organizational unit "
            "instead of accounts, or request a higher quota of AWS RAM.",
            "UnknownResourceException": "Correct the ARN of the organization or organizational unit. If it "
            "is right, the management account must enable sharing once (aws ram "
            "enable-sharing-with-aws-organization).",
        }.items()
    },
    # botocore shape InvalidStateTransitionException; another run, or AWS, still changes the same consumers.
    **dict.fromkeys(
        (
            ("AssociateResourceShare", "InvalidStateTransitionException"),
            ("DeleteResourceShare", "InvalidStateTransitionException"),
            ("DisassociateResourceShare", "InvalidStateTransitionException"),
            ("DisassociateResourceShare", "UnknownResourceException"),
        ),
        "Rerun: AWS RAM may still be performing an earlier change of the resource share.",
    ),
    # The policy of who publishes has these in a file of its own, which not all need.
    **{
        (operation, "AccessDeniedException"): f"{_PERMISSION} docs/iam/README.md#sharing-parameters has it."
        for operation in (
            *("AssociateResourceShare", "CreateResourceShare"),
            *("DeleteResourceShare", "DisassociateResourceShare"),
            *("GetResourceShareAssociations", "GetResourceShares"),
        )
    },
    # S3's message can be "Access Denied" alone, and not every action is named after its operation (Amazon S3
    # User Guide, "Required permissions for Amazon S3 API operations").
    ("GetObject", "AccessDenied"): f"Allow s3:GetObject {_IN_POLICY}",
    ("ListObjectsV2", "AccessDenied"): f"Allow s3:ListBucket {_IN_POLICY}",
    ("PutObject", "AccessDenied"): f"Allow s3:PutObject {_IN_POLICY}",
}


# botocore's waiters of EC2 that other packages use, with the operations that they repeat.
_OPERATIONS_OF_WAITERS = {
    "ImageAvailable": "DescribeImages",
    "ImageExists": "DescribeImages",
    "InstanceRunning": "DescribeInstances",
    "SnapshotCompleted": "DescribeSnapshots",
}

_DENIALS = frozenset(code for code, remedy in REMEDIES.items() if remedy is _PERMISSION)


def code_of(exception: ClientError) -> str:
    """Return AWS's code of an error; empty if the response has none."""
    return str(exception.response.get("Error", {}).get("Code", ""))


def message_of(exception: ClientError) -> str:
    """Return AWS's message of an error; botocore's if the response has none."""
    return str(exception.response.get("Error", {}).get("Message", exception))


def error_of_waiter(exception: WaiterError) -> ClientError | None:
    """Return AWS's error that ended a waiter; None if a state or the timeout has ended it.

    After the timeout, the last response may be an error that the waiter tolerates: the instance does not
    exist yet, for example.
    """
    name, reason = (str(exception.kwargs[key]) for key in ("name", "reason"))
    if reason.startswith("Max attempts exceeded") or "Error" not in exception.last_response:
        return None
    return ClientError(exception.last_response, _OPERATIONS_OF_WAITERS.get(name, ""))


def is_temporary(exception: ClientError) -> bool:
    """Whether the call may succeed later as it is: AWS throttled it, or a server failed.

    These are the codes whose whole remedy is a rerun.
    """
    return REMEDIES.get(code_of(exception)) is _RETRY


def is_of_server(exception: ClientError) -> bool:
    """Whether the HTTP status says that a server has failed, whatever the code is."""
    return int(exception.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) >= 500


def without_region(failed: Failure, region: str) -> Failure:
    """Return the failure of a call in a region that is only assumed, with a remedy if that may be the reason.

    AWS Fault Isolation Boundaries, "Partitions": each has an IAM of its own, which does not know the
    credentials of the others.
    """
    if failed.remedy != _NOT_VALID:
        return failed
    remedy = (
        f"{CHECK_CREDENTIALS} No region is set, so that {region} was used: for another partition, such as "
        "aws-cn or aws-us-gov, set region or AWS_REGION."
    )
    return replace(failed, remedy=remedy)


def of_assumed_role(failed: Failure) -> Failure:
    """Return the failure of a call with the credentials of a role that was assumed in another account.

    STS has just made them, so that only the region can be the reason why they are not valid there.
    """
    if failed.remedy != _NOT_VALID:
        return failed
    remedy = (
        f"Enable {failed.region} in account {failed.account_id}, or leave one of the two out: AWS returns "
        "this for a region that the account has not enabled."
    )
    return replace(failed, remedy=remedy)


def failure(exception: Exception, target: Target | None, action: str) -> Failure:
    """Return the failure for an exception of an AWS call.

    ``action`` is the operation that was called; a ``ClientError`` names its own. An exception that neither
    AWS nor botocore raised is a bug in this collection. Its failure contains the traceback and concerns one
    target only, so that it does not hide the success of other targets.
    """
    if isinstance(exception, TargetFailed):
        return exception.failure
    if isinstance(exception, ValidationError):
        return _at(target, exception.failures[0])
    if isinstance(exception, ClientError):
        return _aws_failure(exception, target, action)
    if isinstance(exception, WaiterError) and (error := error_of_waiter(exception)):
        return _aws_failure(error, target, action)
    if isinstance(exception, IncompleteAnswer):
        return incomplete_response(exception.operation, exception.member, target)
    if isinstance(exception, (BotoCoreError, ResponseParserError)):
        unreadable = isinstance(exception, ResponseParserError)
        return Failure(
            # The exception's message contains the whole answer.
            message=f"The response to {action} does not come from AWS." if unreadable else str(exception),
            remedy=_sdk_remedy(exception),
            error_code=type(exception).__name__,
            action=action,
            region=target.region if target else None,
            account_id=target.account_id if target else None,
            source="sdk",
        )
    no_answer = isinstance(exception, DidNotAnswer)
    return Failure(
        message=_NO_ANSWER if no_answer else "".join(traceback.format_exception(exception)),
        remedy=_RETRY if no_answer else "This is a bug in golden.images: please report it.",
        error_code="region_timeout" if no_answer else "unexpected_error",
        action=action,
        region=target.region if target else None,
        account_id=target.account_id if target else None,
    )


def _at(target: Target | None, failed: Failure) -> Failure:
    """Return the failure at the target of the call, unless it names a region already."""
    if target is None or failed.region:
        return failed
    return replace(failed, region=target.region, account_id=target.account_id)


def _aws_failure(exception: ClientError, target: Target | None, action: str) -> Failure:
    code = code_of(exception) or type(exception).__name__
    operation = exception.operation_name or action
    message = message_of(exception)
    metadata = exception.response.get("ResponseMetadata", {})
    remedy = REMEDIES_OF_ACTIONS.get((operation, code)) or REMEDIES.get(code, _OTHER_CODE)
    if operation == "AssumeRole" and code == "AccessDenied":
        remedy = _ROLE
    elif is_without_permission(code, message):
        remedy = _NO_LAUNCH_PERMISSION
    elif code == "AuthFailure" and "credentials" not in message:
        remedy = _NOT_ALLOWED
    elif code == "InvalidParameterValue" and any(part in message for part in _OF_FIRMWARE):
        remedy = _FITTING_FIRMWARE
    elif code == "InvalidParameterValue" and message.startswith("The filter "):
        remedy = _FITTING_FILTER
    if code in _DENIALS:
        action = denied_action(message, str(metadata.get(ACTION, operation)))
        remedy = remedy_of_denial(message, remedy.format(action=action))
    else:
        remedy = remedy.format(action=operation, code=code)
    return Failure(
        message=message,
        remedy=remedy,
        error_code=code,
        action=operation,
        region=target.region if target else None,
        account_id=target.account_id if target else None,
        request_id=metadata.get("RequestId"),
        source="aws",
        # Set by botocore's retry handlers of all modes.
        repeated=metadata.get("RetryAttempts", 0) > 0,
        of_server=is_of_server(exception),
    )


def _sdk_remedy(exception: Exception) -> str:
    if isinstance(exception, NoCredentialsError):
        return "Set access_key and secret_key, a profile, or the environment variables of the AWS CLI."
    if type(exception).__name__ == "NoRegionError":
        return "Set region or AWS_REGION."
    if type(exception).__name__ in NO_CREDENTIALS:
        return _LOG_IN
    if type(exception).__name__ in _SETTINGS:
        return _CHECK_SETTINGS
    if isinstance(exception, WaiterError):
        return _RETRY
    if isinstance(exception, ParamValidationError):
        return "A newer botocore may support this parameter: update botocore and boto3."
    return "Check the network, the proxy and endpoint_url, and rerun."


def unreadable(exception: Exception, action: str) -> Failure:
    """Return the failure for credentials or settings whose reading raised one of ``UNREADABLE``."""
    return Failure(
        message=f"The credentials or settings cannot be read: {exception}",
        remedy=_CHECK_SETTINGS,
        error_code=type(exception).__name__,
        action=action,
        source="sdk",
    )


def no_image(image_id: str, target: Target) -> Failure:
    """Return the failure for an image that does not exist in a target, or is not visible to its account."""
    return Failure.at(
        target,
        "DescribeImages",
        "image_not_found",
        f"{image_id} does not exist or is not visible to account {target.account_id}.",
        "Check the AMI ID and the region: the copy in each region has its own ID.",
    )
