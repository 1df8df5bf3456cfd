# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the current value of a parameter in SSM's Parameter Store, and put a value once.

Each PutParameter adds a version, even with the same value, and a parameter has at most 100 (Systems Manager
API Reference, PutParameter). So clients that repeat no call put a value (``Clients.without_retries``). If an
answer was lost, the parameter is read before the call is repeated.
"""

from __future__ import annotations

from time import sleep
from typing import TYPE_CHECKING, Any, NamedTuple

from .._model import IMAGE_DATA_TYPE
from .._option import is_image_id
from .answers import require_member
from .errors import AWS_ERRORS, ClientError, code_of, failure
from .unknown_outcome import is_unknown

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# botocore, retries.standard.ThrottledRetryableChecker: those of its codes that Systems Manager returns; and
# botocore shape TooManyUpdates, which no retry mode of botocore repeats.
THROTTLED = frozenset({"RequestLimitExceeded", "ThrottlingException", "TooManyUpdates"})
# botocore operation GetParameter, errors; the second one is for a version or a label after the name.
_MISSING = ("ParameterNotFound", "ParameterVersionNotFound")
# botocore shape ParameterType: the values of the other types are a list, and text that is encrypted.
_ONE_TEXT = "String"
# Systems Manager User Guide, "Native parameter support for Amazon Machine Image IDs".
_DATA_TYPES = (IMAGE_DATA_TYPE, "text")
# Seconds before each repeated call, about those of botocore's standard retry mode.
_PAUSES = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 20.0)


class CurrentParameter(NamedTuple):
    """Latest version of a parameter (botocore shape ``Parameter``)."""

    version: int
    value: str
    type: str = _ONE_TEXT
    data_type: str = "text"

    def not_an_image(self) -> str | None:
        """Return why the parameter names no image, None if it names one. Its value may be secret."""
        if self.type != _ONE_TEXT:
            return f"is of the type {self.type}, and only a {_ONE_TEXT} is one AMI ID"
        if self.data_type not in _DATA_TYPES:
            return f"has the data type {self.data_type}, which no AMI ID has"
        return None if is_image_id(self.value) else "has a value that is not an AMI ID"


def current(ssm: SSMClient, name: str) -> CurrentParameter | None:
    """Return the latest version of the parameter with a name or an ARN, None if there is none.

    Errors are botocore's.
    """
    try:
        parameter = require_member(ssm.get_parameter(Name=name), "Parameter", "GetParameter")
    except ClientError as exception:
        if is_missing(exception):
            return None
        raise
    return _parse(parameter, "GetParameter")


def _parse(parameter: Any, operation: str) -> CurrentParameter:
    return CurrentParameter(
        require_member(parameter, "Version", operation),
        require_member(parameter, "Value", operation),
        parameter.get("Type", _ONE_TEXT),
        parameter.get("DataType", "text"),
    )


def tier(ssm: SSMClient, name: str) -> str:
    """Return the tier of a parameter's latest version; errors are botocore's.

    botocore shape ParameterHistory, Tier. A parameter without a tier in the answer is a standard one
    (botocore shape PutParameterRequest, Tier).
    """
    pages = ssm.get_paginator("get_parameter_history").paginate(Name=name)
    versions = [item for page in pages for item in require_member(page, "Parameters", "GetParameterHistory")]
    latest = max(versions, key=lambda item: item.get("Version", 0), default=None)
    return str((latest or {}).get("Tier", "Standard"))


def read_by_arn(ssm: SSMClient, arn: str) -> CurrentParameter | None:
    """Return the parameter with an ARN as a launch by ``resolve:ssm:`` reads it, None if AWS returns none.

    A launch needs ssm:GetParameters (Systems Manager User Guide, "Native parameter support for Amazon Machine
    Image IDs"), which is another permission than ssm:GetParameter. Errors are botocore's. What AWS returns
    for a parameter of another account that is not shared is not documented.
    """
    answer = ssm.get_parameters(Names=[arn])
    return next((_parse(item, "GetParameters") for item in answer.get("Parameters", ())), None)


def is_missing(exception: ClientError) -> bool:
    """Whether the error code shows that there is no such parameter, or no such version of it."""
    return code_of(exception) in _MISSING


def put_once(once: SSMClient, ssm: SSMClient, request: Any) -> None:
    """Put a value that no other request puts, and add no second version. Errors are botocore's.

    ``once`` repeats no call, ``ssm`` reads the parameter. If it cannot be read, the call is repeated: a
    second version loses nothing.
    """
    for pause in _PAUSES:
        try:
            once.put_parameter(**request)
            return
        except AWS_ERRORS as exception:
            problem = failure(exception, None, "PutParameter")
            if not (is_unknown(problem) or problem.error_code in THROTTLED):
                raise
            if is_unknown(problem) and _has_value(ssm, request):
                return
        sleep(pause)
    once.put_parameter(**request)


def _has_value(ssm: SSMClient, request: Any) -> bool:
    try:
        parameter = current(ssm, request["Name"])
    except AWS_ERRORS:
        return False
    return parameter is not None and parameter.value == request["Value"]
