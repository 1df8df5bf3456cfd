# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatches a request to its action: parses it, calls the action, writes the result or the error.

All requests for the actions of this package pass here, from the fast path and from moto, so that they are
parsed and locked in one place.
"""

from __future__ import annotations

from moto.core.exceptions import ServiceException

from ..http.fast_path import FastPathRequest
from . import serialization, state
from .access import Caller
from .actions import ACTIONS
from .authorization import require_authorized
from .errors import Ec2Error, dry_run


def answer(request: FastPathRequest) -> tuple[int, bytes]:
    """Handle a request for one of ACTIONS; return HTTP status and XML body."""
    name = request.params["Action"]
    try:
        params = serialization.read(name, request.params)
        caller = Caller(request.account_id, request.region)
        with state.LOCK:
            require_authorized(caller, name, params)
            if params.get("DryRun"):
                raise dry_run()
            result = ACTIONS[name](caller, params)
        return 200, serialization.write(name, result, request.request_id)
    except ServiceException as error:
        return error_response(error, request.request_id)


def error_response(error: ServiceException, request_id: str) -> tuple[int, bytes]:
    """HTTP status and XML body for an error of this package, or of moto, such as for an unknown volume."""
    ec2_error = error if isinstance(error, Ec2Error) else Ec2Error(error.code, error.message)
    return ec2_error.status, serialization.write_error(ec2_error, request_id)
