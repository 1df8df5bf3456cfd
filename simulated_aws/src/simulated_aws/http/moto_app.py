# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's WSGI application, called in threads so that it does not block the event loop."""

from __future__ import annotations

import asyncio
import io
import logging
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import Any

from botocore.model import OperationNotFoundError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from . import errors
from .api_calls import Call
from .connection import Request, Response
from .protocols import ApiError, is_document

LOG = logging.getLogger(__name__)

_REQUEST_ID = re.compile(rb"(<request_?id>)[^<]*(?=</request_?id>)", re.IGNORECASE)

# moto holds the interpreter lock while it computes: more threads make no response faster.
_THREADS = 4


class MotoApp:
    """Handles the requests that moto implements; responds to others with an error of the service."""

    def __init__(self) -> None:
        self._application = DomainDispatcherApplication(create_backend_app)
        self._implemented: dict[str, bool] = {}
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="moto")

    async def answer(self, request: Request, call: Call, account_id: str, request_id: str) -> Response:
        """moto's response to a caller of this account."""
        loop = asyncio.get_running_loop()
        # Threads of the pool don't inherit context variables such as the current principal.
        answer = partial(copy_context().run, self._answer, request, call, account_id, request_id)
        return await loop.run_in_executor(self._threads, answer)

    def _answer(self, request: Request, call: Call, account_id: str, request_id: str) -> Response:
        environ = _environ(request, account_id)
        if not self._implements(call.service, environ):
            return errors.unknown_action(call.protocol, call.action).response(call.protocol, request_id)
        try:
            response = self._through_wsgi(environ)
        except (NotImplementedError, OperationNotFoundError) as missing:
            return _not_implemented(call, missing).response(call.protocol, request_id)
        except ModuleNotFoundError as missing:
            # An extra of moto that this package does not ask for.
            LOG.warning("%s %s: %s", call.service, call.action, missing)
            return errors.unknown_action(call.protocol, call.action).response(call.protocol, request_id)
        except Exception:
            LOG.exception("%s %s crashed", call.service, call.action)
            return errors.internal_error().response(call.protocol, request_id)
        if response.status >= 400 and not is_document(call.protocol, response.body):
            return _repaired(response, call).response(call.protocol, request_id)
        return _with_request_id(response, request_id)

    def _implements(self, service: str, environ: dict[str, Any]) -> bool:
        # Checked before the first call of each service: moto crashes on a service that it doesn't know.
        if service not in self._implemented:
            host = self._application.infer_service_region_host(environ, environ["PATH_INFO"])
            self._implemented[service] = self._application.get_backend_for_host(host) is not None
        return self._implemented[service]

    def _through_wsgi(self, environ: dict[str, Any]) -> Response:
        status = 0
        headers: list[tuple[str, str]] = []

        def start_response(line: str, fields: list[tuple[str, str]], _exc_info: Any = None) -> None:
            nonlocal status, headers
            status, headers = int(line.split(" ", 1)[0]), fields

        chunks = self._application(environ, start_response)
        try:
            body = b"".join(chunks)
        finally:
            if hasattr(chunks, "close"):
                chunks.close()
        return Response(status, body, tuple(headers))


def _environ(request: Request, account_id: str) -> dict[str, Any]:
    """The WSGI environment (PEP 3333); moto reads the account from the header x-moto-account-id."""
    headers = {**request.headers, "x-moto-account-id": account_id}
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path.encode().decode("latin-1"),
        "RAW_URI": request.target,
        "QUERY_STRING": request.query,
        "CONTENT_TYPE": headers.pop("content-type", ""),
        "CONTENT_LENGTH": str(len(request.body)),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(request.body),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    # The body is complete; these describe how it was sent.
    for name in ("content-length", "transfer-encoding"):
        headers.pop(name, None)
    environ.update({f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()})
    return environ


def _with_request_id(response: Response, request_id: str) -> Response:
    """Set the request ID where botocore.parsers reads it; moto sends none, a constant, or its own."""
    kept = [(name, value) for name, value in response.headers if name.lower() != "x-amzn-requestid"]
    body = _REQUEST_ID.sub(rb"\g<1>" + request_id.encode(), response.body, count=1)
    return Response(response.status, body, (*kept, ("x-amzn-RequestId", request_id)))


def _not_implemented(call: Call, missing: Exception) -> ApiError:
    text = str(missing)
    whole_action = isinstance(missing, OperationNotFoundError) or "action has not been implemented" in text
    return errors.unknown_action(call.protocol, call.action, "" if whole_action else text)


def _repaired(response: Response, call: Call) -> ApiError:
    """The error in place of an error page of moto that clients of the service can't parse."""
    if response.status in (404, 405, 501):
        return errors.unknown_action(call.protocol, call.action)
    if response.status >= 500:
        LOG.error("%s %s: %s", call.service, call.action, response.body.decode("utf-8", "replace"))
        return errors.internal_error()
    text = response.body.decode("utf-8", "replace").strip()
    return ApiError("ValidationError", text, response.status)
