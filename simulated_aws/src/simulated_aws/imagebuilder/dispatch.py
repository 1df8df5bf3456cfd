# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatches a request to its operation by HTTP method and path, since moto has no Image Builder."""

from __future__ import annotations

import json
from functools import cache
from urllib.parse import parse_qsl

import botocore.session
from botocore.model import OperationModel

from ..ec2 import state
from ..ec2.access import Caller
from ..http import rest_json
from ..http.fast_path import RestRequest
from . import image_builds, lifecycle_policies, recipes
from .errors import ImageBuilderError, not_valid

OPERATIONS: dict[str, recipes.Operation] = {
    "CreateContainerRecipe": recipes.create_container_recipe,
    "CreateImageRecipe": recipes.create_image_recipe,
    "CreateLifecyclePolicy": lifecycle_policies.create_lifecycle_policy,
    "GetLifecyclePolicy": lifecycle_policies.get_lifecycle_policy,
    "ListImageBuildVersions": image_builds.list_image_build_versions,
    "ListLifecyclePolicies": lifecycle_policies.list_lifecycle_policies,
}


def answer(request: RestRequest) -> tuple[int, bytes]:
    """Handle a request; return HTTP status and body.

    Raises:
        NotImplementedError: an operation that is not simulated.
    """
    try:
        operation = _operation(request.method, request.path)
        params = rest_json.members(operation, request.body, dict(parse_qsl(request.query)), not_valid)
        with state.LOCK:
            result = OPERATIONS[operation.name](Caller(request.account_id, request.region), params)
        return 200, json.dumps(result).encode()
    except ImageBuilderError as error:
        return rest_json.error_response(error)


def _operation(method: str, path: str) -> OperationModel:
    for operation in _operations():
        if (operation.http["method"], operation.http["requestUri"]) == (method, path):
            return operation
    raise NotImplementedError(f"{method} {path}")


@cache
def _operations() -> list[OperationModel]:
    model = botocore.session.get_session().get_service_model("imagebuilder")
    return [model.operation_model(name) for name in OPERATIONS]
