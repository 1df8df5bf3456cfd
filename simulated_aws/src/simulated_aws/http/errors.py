# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors that the pipeline returns itself, with the codes and messages of the service in question."""

from __future__ import annotations

from .protocols import ApiError, Protocol


def unknown_key(protocol: Protocol) -> ApiError:
    """An unknown access key.

    Sources: "Error codes for the Amazon EC2 API"; S3's "Error responses"; "Common Error Types" of the others.
    """
    if protocol is Protocol.EC2:
        message = "AWS was not able to validate the provided access credentials"
        return ApiError("AuthFailure", message, 401)
    if protocol is Protocol.REST_XML:
        message = "The AWS Access Key Id you provided does not exist in our records."
        return ApiError("InvalidAccessKeyId", message, 403)
    message = "The security token included in the request is invalid."
    if protocol is Protocol.QUERY:
        return ApiError("InvalidClientTokenId", message, 403)
    return ApiError("UnrecognizedClientException", message, 400 if protocol is Protocol.JSON else 403)


def expired(protocol: Protocol) -> ApiError:
    """The expired credentials of a session.

    Sources: aws/aws-sdk-java#1443 for EC2; "Error responses" of S3; "Common errors" of the JSON services;
    jenkinsci/ec2-plugin#1008 for STS.
    """
    if protocol is Protocol.EC2:
        return ApiError("RequestExpired", "Request has expired.", 400)
    if protocol is Protocol.REST_XML:
        return ApiError("ExpiredToken", "The provided token has expired.", 400)
    message = "The security token included in the request is expired"
    if protocol is Protocol.QUERY:
        return ApiError("ExpiredToken", message, 403)
    return ApiError("ExpiredTokenException", message, 400 if protocol is Protocol.JSON else 403)


def unsigned() -> ApiError:
    """A request without a signature (IAM User Guide, Common Errors: MissingAuthenticationToken)."""
    return ApiError("MissingAuthenticationToken", "Request is missing Authentication Token", 403)


def unknown_action(protocol: Protocol, action: str, detail: str = "") -> ApiError:
    """An unknown action; `detail` names the feature that is not simulated of a known action.

    The code is the service's own, the message is not: AWS may well have what the simulation lacks.
    """
    lacks = f"all of the operation {action} ({detail})" if detail else f"the operation {action}"
    code = "UnknownOperationException" if protocol in (Protocol.JSON, Protocol.REST_JSON) else "InvalidAction"
    return ApiError(code, f"The simulated AWS does not have {lacks}.", 400)


def throttled(service: str, protocol: Protocol) -> ApiError:
    """A throttled call.

    Sources: EC2 Developer Guide, "Request throttling"; KMS Developer Guide, "Throttling AWS KMS requests".
    """
    if protocol is Protocol.EC2:
        return ApiError("RequestLimitExceeded", "Request limit exceeded.", 503)
    if service == "kms":
        message = "You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls."
        return ApiError("ThrottlingException", message, 400)
    if protocol in (Protocol.JSON, Protocol.REST_JSON):
        return ApiError("ThrottlingException", "Rate exceeded", 400)
    return ApiError("Throttling", "Rate exceeded", 400)


def internal_error() -> ApiError:
    """An unexpected exception; the server logs it to standard error."""
    return ApiError("InternalError", "An internal error has occurred.", 500)
