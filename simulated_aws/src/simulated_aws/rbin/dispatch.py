# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatches a request to its operation by HTTP method and path, since moto has no Recycle Bin."""

from __future__ import annotations

import json
import re
from functools import cache

import botocore.session
from botocore.model import OperationModel

from ..ec2 import state
from ..ec2.access import Caller
from ..http import rest_json
from ..http.fast_path import RestRequest
from . import retention_rules
from .errors import RbinError, not_valid

OPERATIONS: dict[str, retention_rules.Operation] = {
    "CreateRule": retention_rules.create_rule,
    "DeleteRule": retention_rules.delete_rule,
    "GetRule": retention_rules.get_rule,
    "ListRules": retention_rules.list_rules,
}


def answer(request: RestRequest) -> tuple[int, bytes]:
    """Handle a request; return HTTP status and body.

    Raises:
        NotImplementedError: an operation that is not simulated.
    """
    try:
        operation, named = _operation(request.method, request.path)
        params = rest_json.members(operation, request.body, named, not_valid)
        with state.LOCK:
            result = OPERATIONS[operation.name](Caller(request.account_id, request.region), params)
        return operation.http["responseCode"], json.dumps(result).encode() if result else b""
    except RbinError as error:
        return rest_json.error_response(error)


def _operation(method: str, path: str) -> tuple[OperationModel, dict[str, str]]:
    for operation, pattern in _routes():
        found = pattern.fullmatch(path)
        if operation.http["method"] == method and found:
            # In a path, the member's name is in lower case (botocore shape GetRuleRequest, Identifier).
            return operation, {name.capitalize(): value for name, value in found.groupdict().items()}
    raise NotImplementedError(f"{method} {path}")


@cache
def _routes() -> list[tuple[OperationModel, re.Pattern[str]]]:
    model = botocore.session.get_session().get_service_model("rbin")
    operations = [model.operation_model(name) for name in OPERATIONS]
    return [
        (one, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", one.http["requestUri"])))
        for one in operations
    ]
