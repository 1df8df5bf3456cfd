# SPDX-License-Identifier: GPL-3.0-or-later
"""Dispatches a request to its action: checks parameters, calls the action, writes the result or the error.

All requests for the actions of this package pass here, so that they are checked and locked in one place.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from moto.core.exceptions import JsonRESTError

from ..http.fast_path import FastPathRequest
from ..http.rest_json import error_response
from ..iam.current_principal import current_principal
from . import state, validation
from .actions import ACTIONS
from .actions.registry import Action, Caller
from .errors import KmsError


def answer(name: str, request: FastPathRequest, actions: Mapping[str, Action] = ACTIONS) -> tuple[int, bytes]:
    """Handle a request for one of `actions`; return HTTP status and JSON body."""
    try:
        params = validation.read(name, request.params)
        caller = Caller(current_principal(request.account_id), request.region)
        with state.LOCK:
            result = actions[name](caller, params)
        return 200, (result if isinstance(result, str) else json.dumps(result)).encode()
    except KmsError as error:
        return error_response(error)
    except JsonRESTError as error:
        return error_response(KmsError(error.error_type, error.message))
