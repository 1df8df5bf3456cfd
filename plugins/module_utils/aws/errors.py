# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turns what AWS, or the way to it, refused into a failure that says what to do."""

from __future__ import annotations

import traceback

from ..failures import Failure, TargetFailed
from ..fanout import DidNotAnswer
from ..model import Target

# The exceptions that rooms outside of aws/ meet.
__all__ = ["BotoCoreError", "ClientError", "ParamValidationError", "WaiterError"]

try:
    from botocore.exceptions import (
        BotoCoreError,
        ClientError,
        NoCredentialsError,
        ParamValidationError,
        WaiterError,
    )
except ImportError:
    # AnsibleAWSModule ends the module before anything could raise one of these.
    class BotoCoreError(Exception):  # type: ignore[no-redef]
        """Stands for the exceptions of a botocore that is not installed."""

    ClientError = NoCredentialsError = ParamValidationError = WaiterError = BotoCoreError  # type: ignore[misc, assignment]

AWS_ERRORS: tuple[type[Exception], ...] = (BotoCoreError, ClientError)

_PERMISSION = "Allow {action} in the IAM policy of the credentials used."
_TRUST = (
    "Check that the role exists, trusts these credentials, and asks for this external id or none, "
    "and that they may call AssumeRole."
)
_CREDENTIALS = "Check the credentials: profile, keys and session token, and whether they have expired."
_THROTTLED = "Run again later: nothing that was done is lost."
_VANISHED = "Check the id and the region; an image that was just deregistered or unshared is gone at once."

# EC2 Developer Guide, "Error codes for the Amazon EC2 API".
REMEDIES = {
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "UnauthorizedOperation": _PERMISSION,
    "AuthFailure": f"{_CREDENTIALS} AWS says the same of a region that the account has not enabled.",
    "ExpiredToken": _CREDENTIALS,
    "InvalidClientTokenId": _CREDENTIALS,
    "RequestExpired": "Get new credentials, or set this machine's clock.",
    "UnrecognizedClientException": _CREDENTIALS,
    "OptInRequired": "Enable the region, or subscribe to the product, in the account named.",
    "RequestLimitExceeded": _THROTTLED,
    "ThrottlingException": _THROTTLED,
    "ResourceLimitExceeded": "A quota is used up: wait until other copies are done, or ask AWS for more.",
    "InvalidAMIID.NotFound": _VANISHED,
    "InvalidSnapshot.NotFound": "Check that the snapshot still exists and belongs to the account.",
    "InvalidAMIID.Unavailable": "Wait until the image is available.",
    "InvalidAMIName.Duplicate": "Choose another name; it may hold {{region}} and {{source_image_id}}.",
    "InsufficientInstanceCapacity": "Name another instance type or a subnet elsewhere, or run again later.",
    "InvalidGroup.NotFound": "Check the security groups: each account and region has its own.",
    "InvalidSubnetID.NotFound": "Check the subnet: each account and region has its own.",
    "Unsupported": "Name an instance type that the subnet's availability zone has and that runs the image.",
    "VcpuLimitExceeded": "Ask AWS for a higher quota of On-Demand vCPUs in the account.",
    "NotFoundException": "Create the key or the alias in this region, or name another key.",
    "IdempotentParameterMismatch": "Another run copies this source with other options: run again.",
    "ParameterLimitExceeded": "Delete parameters that are no longer needed, or use the advanced tier.",
    "TooManyUpdates": "Somebody else is changing the parameter: run again.",
    "OperationNotPermitted": "See AWS's reason; a snapshot under the key aws/ebs, say, cannot be shared.",
}


def failure(exception: Exception, target: Target | None, action: str) -> Failure:
    """The failure that ``exception`` stands for; ``action`` names what was tried, where AWS does not.

    An exception that is neither AWS's nor botocore's is a mistake of this collection: it is reported with
    its traceback, for one target like any other failure, so that it hides no other target's success.
    """
    if isinstance(exception, TargetFailed):
        return exception.failure
    code, message, remedy, request_id = type(exception).__name__, str(exception), _THROTTLED, None
    if isinstance(exception, ClientError):
        error = exception.response.get("Error", {})
        code, message = error.get("Code", code), error.get("Message", message)
        request_id = exception.response.get("ResponseMetadata", {}).get("RequestId")
        action = exception.operation_name or action
        remedy = REMEDIES.get(code, "AWS's message says what it refused.")
        remedy = _TRUST if action == "AssumeRole" else remedy.format(action=action)
    elif isinstance(exception, NoCredentialsError):
        remedy = "Set access_key and secret_key, a profile, or the environment that AWS's tools read."
    elif isinstance(exception, ParamValidationError):
        remedy = "A newer botocore may know this parameter: update botocore and boto3."
    elif isinstance(exception, BotoCoreError):
        remedy = (
            "Check the network, the proxy and endpoint_url, and run again: nothing that was done is lost."
        )
    elif isinstance(exception, DidNotAnswer):
        message = "The region did not answer while all others were done."
    else:
        message = "".join(traceback.format_exception(exception))
        remedy = "This is a mistake in golden.images: please report it."
    return Failure(
        message=message,
        remedy=remedy,
        error_code=code,
        action=action,
        region=target.region if target else None,
        account_id=target.account_id if target else None,
        request_id=request_id,
    )


def no_image(image_id: str, target: Target) -> Failure:
    """The failure of an image that is not in a target, or that its account cannot see."""
    return Failure(
        message=f"There is no image {image_id} that account {target.account_id} can see.",
        remedy="Check the id and that it is this region's; each region's copy has an id of its own.",
        error_code="image_not_found",
        action="DescribeImages",
        region=target.region,
        account_id=target.account_id,
    )
