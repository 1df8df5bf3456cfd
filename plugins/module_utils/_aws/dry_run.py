# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Send dry runs: AWS only checks whether the caller has the permissions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from .. import _arns as arns
from .._denial import is_unsettled
from .._keys import simulation
from .._keys.access import Access, KeyDryRun, Simulation
from .._keys.policy_evaluation import VIA_SERVICE_KNOWN
from .attempts import repeat_until
from .errors import (
    AWS_ERRORS,
    ClientError,
    ParamValidationError,
    code_of,
    failure,
    is_temporary,
    message_of,
)
from .read import SETTLING_INTERVAL, SETTLING_TIMEOUT

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_kms import KMSClient

# botocore shape DryRunOperationException: the error of a KMS dry run that would have succeeded.
ALLOWED = "DryRunOperationException"
# KMS may return NotFoundException without permission to the key (KMS API Reference, DescribeKey).
_REFUSED = frozenset({"AccessDeniedException", "NotFoundException"})
# The errors for a key whose state permits no use (botocore shapes of these names).
NOT_ENABLED = ("DisabledException", "KMSInvalidStateException")
_WITHOUT_CIPHERTEXT: dict[str, Any] = {"DryRun": True, "DryRunModifiers": ["IGNORE_CIPHERTEXT"]}


def launch(ec2: EC2Client, *, is_available: bool = False, **request: Any) -> tuple[str, str]:
    """Return the error code and the message of a dry run of RunInstances.

    AWS checks permissions and the resources of the request, but no KMS keys. With ``is_available``,
    DescribeImages has shown the image to the caller as available: the dry run is then repeated for a while
    if RunInstances does not find it, or its launch permission.

    Raises:
        ClientError: there was no dry run: AssumeRole failed, AWS throttled the call, or a server failed.
    """
    return repeat_until(
        lambda: _launch(ec2, request),
        lambda answer: not is_unsettled(*answer),
        SETTLING_TIMEOUT if is_available else 0.0,
        SETTLING_INTERVAL,
    )


def _launch(ec2: EC2Client, request: Mapping[str, Any]) -> tuple[str, str]:
    try:
        ec2.run_instances(**request, MinCount=1, MaxCount=1, DryRun=True)
    except ClientError as exception:
        if exception.operation_name != "RunInstances" or is_temporary(exception):
            raise
        return code_of(exception), message_of(exception)
    return "", "AWS returned no error for the dry run."


def key(kms: KMSClient, arn: str, grantee: str) -> KeyDryRun:
    """Return which key operations of a launch the caller may call; ``grantee`` is the ARN of its account."""
    allowed: set[str] = set()
    refused: dict[str, str] = {}
    unusable = problem = None
    supported = True
    described: dict[str, Callable[[], object]] = {"DescribeKey": lambda: kms.describe_key(KeyId=arn)}
    for operation, request in {**described, **requests(kms, arn, grantee)}.items():
        try:
            request()
        except ParamValidationError:
            supported = False
        except ClientError as exception:
            if exception.operation_name == "AssumeRole":
                raise
            code = code_of(exception)
            if code == ALLOWED:
                allowed.add(operation)
            elif code in _REFUSED:
                refused[operation] = message_of(exception)
            elif code in NOT_ENABLED:
                unusable = f"{code}: {message_of(exception)}"
            else:
                problem = f"{code}: {message_of(exception)}"
        except AWS_ERRORS as exception:
            # The network, a proxy: the next requests would wait for it as long as this one did.
            problem = failure(exception, None, operation).message
            break
        else:
            allowed.add(operation)
    return KeyDryRun(frozenset(allowed), refused, unusable, problem, supported)


def simulate(iam: Any, principal: str, key_arn: str, operations: Iterable[str]) -> Simulation:
    """Return what a role's or user's own policies decide about operations on a key that KMS has refused.

    If the role lacks the permission for the simulation, that is the simulation's problem.
    """
    partition = arns.parse(key_arn).partition
    if partition not in VIA_SERVICE_KNOWN:
        return Simulation(principal, problem=f"The value of kms:ViaService in {partition} is not documented.")

    def decide(through_ec2: bool) -> Mapping[str, Access]:
        request = simulation.request(principal, key_arn, operations, through_ec2)
        pages = iam.get_paginator("simulate_principal_policy").paginate(**request)
        results = [result for page in pages for result in page.get("EvaluationResults", ())]
        return simulation.decisions(results, through_ec2)

    try:
        return Simulation(principal, decide(through_ec2=True), decide(through_ec2=False))
    except AWS_ERRORS as exception:
        return Simulation(principal, problem=failure(exception, None, "SimulatePrincipalPolicy").message)


def requests(kms: KMSClient, arn: str, grantee: str) -> dict[str, Callable[[], object]]:
    """Return dry runs of the key operations of a launch (KMS Developer Guide, "Testing your permissions").

    IGNORE_CIPHERTEXT makes the ciphertext optional (botocore shape ``DecryptRequest``).
    """
    return {
        # The grant that EC2 creates to attach a volume (EBS User Guide, "How Amazon EBS encryption works").
        "CreateGrant": lambda: kms.create_grant(
            KeyId=arn, GranteePrincipal=grantee, Operations=["Decrypt"], DryRun=True
        ),
        "Decrypt": lambda: kms.decrypt(KeyId=arn, **_WITHOUT_CIPHERTEXT),
        "GenerateDataKeyWithoutPlaintext": lambda: kms.generate_data_key_without_plaintext(
            KeyId=arn, KeySpec="AES_256", DryRun=True
        ),
        "ReEncrypt": lambda: kms.re_encrypt(SourceKeyId=arn, DestinationKeyId=arn, **_WITHOUT_CIPHERTEXT),
    }
