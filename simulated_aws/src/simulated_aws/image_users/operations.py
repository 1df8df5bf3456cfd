# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers operations of services with the JSON protocol: validates the request, writes the response."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache, partial
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from ..ec2 import state
from ..ec2.access import Caller
from ..exceptions import AwsError
from ..http import rest_json
from ..http.fast_path import FastPathRequest

Operation = Callable[[Caller, Mapping[str, Any]], dict[str, Any]]
Handler = Callable[[FastPathRequest], tuple[int, bytes] | None]
Resource = dict[str, Any]


def handlers(service: str, operations: Mapping[str, Operation]) -> dict[tuple[str, str], Handler]:
    """Return the handlers of a service, which botocore knows by this name."""
    signing_name = _model(service).signing_name
    return {
        (signing_name, name): partial(_answer, service, name, operation)
        for name, operation in operations.items()
    }


def resources(caller: Caller, kind: str) -> dict[str, Resource]:
    """Return the caller's resources of a kind in the Region, by the ID or name of each."""
    return state.account_region(*caller).image_users.setdefault(kind, {})


def page(
    found: list[Any], params: Mapping[str, Any], size: int, token: str
) -> tuple[list[Any], dict[str, str]]:
    """Return a page, and the member ``token`` with which the next one begins, if there is one."""
    start = int(params.get(token, 0))
    rest = found[start:]
    return rest[:size], {token: str(start + size)} if len(rest) > size else {}


def _answer(service: str, name: str, operation: Operation, request: FastPathRequest) -> tuple[int, bytes]:
    params: Mapping[str, Any] = request.params
    shape = _model(service).operation_model(name).input_shape
    assert shape is not None
    report = ParamValidator().validate(dict(params), shape)
    try:
        if report.has_errors():
            raise AwsError("ValidationException", report.generate_report())
        with state.LOCK:
            result = operation(Caller(request.account_id, request.region), params)
    except AwsError as error:
        return rest_json.error_response(error)
    return 200, json.dumps(result).encode()


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)
