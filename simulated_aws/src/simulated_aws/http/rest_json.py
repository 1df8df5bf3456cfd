# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and errors of services with the protocol `rest-json` that moto does not have."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.model import OperationModel
from botocore.validate import ParamValidator

from ..exceptions import AwsError


def members(
    operation: OperationModel, body: bytes, named: Mapping[str, str], not_valid: Callable[[str], AwsError]
) -> dict[str, Any]:
    """The members of a request: those of its body, and those `named` in its address.

    Raises:
        AwsError: from `not_valid`, if they are not those of botocore's model of the operation.
    """
    found = {**_of_body(body, not_valid), **named}
    shape = operation.input_shape
    assert shape is not None
    report = ParamValidator().validate(found, shape)
    if report.has_errors():
        raise not_valid(report.generate_report())
    return found


def error_response(error: AwsError) -> tuple[int, bytes]:
    """HTTP status and body of an error."""
    return error.status, json.dumps({"__type": error.code, "message": error.message}).encode()


def _of_body(body: bytes, not_valid: Callable[[str], AwsError]) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        raise not_valid("The body is not valid JSON") from None
    if not isinstance(found, dict):
        raise not_valid("The body is not a JSON object")
    return found
