# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Trying without doing: what AWS answers to requests that only check whether they would be allowed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..keys.access import KeyDryRun
from .errors import ClientError, ParamValidationError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

# botocore shape DryRunOperationException: how a dry run of KMS ends that would have succeeded.
_ALLOWED = "DryRunOperationException"
# KMS does not tell whether a key exists that the caller may not see (KMS API Reference, DescribeKey).
_REFUSED = frozenset({"AccessDeniedException", "NotFoundException"})
_WITHOUT_CIPHERTEXT: dict[str, Any] = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}


def launch(ec2: EC2Client, **request: Any) -> tuple[str, str]:
    """The code and the message that a dry run of RunInstances ends with.

    It checks permissions and what the request names, but no keys.
    """
    try:
        ec2.run_instances(**request, MinCount=1, MaxCount=1, DryRun=True)
    except ClientError as exception:
        error = exception.response["Error"]
        if exception.operation_name != "RunInstances":
            # The role could not be assumed: nothing was tried.
            raise
        return error["Code"], error["Message"]
    return "", "AWS answered the dry run as if it were none."


def key(kms: KMSClient, arn: str, grantee: str) -> KeyDryRun:
    """What the caller may do of what a launch does with a key; ``grantee`` is its account, as an ARN."""
    allowed, refused = set(), set()
    problem = None
    described: dict[str, Callable[[], object]] = {"DescribeKey": lambda: kms.describe_key(KeyId=arn)}
    for operation, request in {**described, **requests(kms, arn, grantee)}.items():
        try:
            request()
        except ParamValidationError:
            problem = "this botocore does not know how to try a key: update botocore and boto3."
        except ClientError as exception:
            if exception.operation_name == "AssumeRole":
                raise
            error = exception.response["Error"]
            if error["Code"] == _ALLOWED:
                allowed.add(operation)
            elif error["Code"] in _REFUSED:
                refused.add(operation)
            else:
                problem = f"{error['Code']}: {error['Message']}"
        else:
            allowed.add(operation)
    return KeyDryRun(frozenset(allowed), frozenset(refused), problem)


def requests(kms: KMSClient, arn: str, grantee: str) -> dict[str, Callable[[], object]]:
    """Dry runs of what a launch does with a key (KMS Developer Guide, "Testing your permissions").

    With IGNORE_CIPHERTEXT nothing that was encrypted is needed (botocore shape ``DecryptRequest``).
    """
    return {
        # What EC2 grants itself to attach a volume (EBS User Guide, "How Amazon EBS encryption works").
        "CreateGrant": lambda: kms.create_grant(
            KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt"], DryRun=True
        ),
        "Decrypt": lambda: kms.decrypt(KeyId=arn, **_WITHOUT_CIPHERTEXT),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(
            KeyId=arn, KeySpec="AES_256", DryRun=True
        ),
        "ReEncrypt": lambda: kms.re_encrypt(SourceKeyId=arn, DestinationKeyId=arn, **_WITHOUT_CIPHERTEXT),
    }
