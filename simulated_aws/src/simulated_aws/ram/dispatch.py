# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatches a request to its operation by HTTP method and path."""

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
from . import resource_shares
from .errors import RamError, not_valid

OPERATIONS: dict[str, resource_shares.Operation] = {
    "AssociateResourceShare": resource_shares.associate_resource_share,
    "CreateResourceShare": resource_shares.create_resource_share,
    "DeleteResourceShare": resource_shares.delete_resource_share,
    "DisassociateResourceShare": resource_shares.disassociate_resource_share,
    "EnableSharingWithAwsOrganization": resource_shares.enable_sharing_with_aws_organization,
    "GetResourceShareAssociations": resource_shares.get_resource_share_associations,
    "GetResourceShares": resource_shares.get_resource_shares,
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
    except RamError as error:
        return rest_json.error_response(error)


def _operation(method: str, path: str) -> OperationModel:
    for operation in _operations():
        if (operation.http["method"], operation.http["requestUri"]) == (method, path):
            return operation
    raise NotImplementedError(f"{method} {path}")


@cache
def _operations() -> list[OperationModel]:
    model = botocore.session.get_session().get_service_model("ram")
    return [model.operation_model(name) for name in OPERATIONS]
