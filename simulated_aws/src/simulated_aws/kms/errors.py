# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of KMS. The codes are botocore's error shapes and KMS's Common Error Types."""

from __future__ import annotations

from ..exceptions import AwsError


class KmsError(AwsError):
    """An error of KMS."""


def not_found(message: str) -> KmsError:
    """No such key, alias or grant."""
    return KmsError("NotFoundException", message)


def access_denied(caller_arn: str, operation: str, key_arn: str, why: str) -> KmsError:
    """The caller is not authorized for the operation on the key."""
    what = f"User: {caller_arn} is not authorized to perform: kms:{operation} on resource: {key_arn}"
    return KmsError("AccessDeniedException", f"{what} {why}")


def not_valid(message: str) -> KmsError:
    """A parameter value that is not valid by its documentation."""
    return KmsError("ValidationException", message)


def dry_run() -> KmsError:
    """The response of a successful dry run (botocore shape DryRunOperationException)."""
    message = "The request would have succeeded, but the DryRun option is set."
    return KmsError("DryRunOperationException", message, 412)
