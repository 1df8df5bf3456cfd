# SPDX-License-Identifier: GPL-3.0-or-later
"""Handles an API call: authentication, record, faults, throttling, authorization, then service or moto."""

from __future__ import annotations

import asyncio
import logging
import re
import time
import uuid
from collections.abc import Callable, Mapping

from ..ec2.regions import opt_in_status
from ..iam.current_principal import as_principal
from . import denials, errors
from .api_calls import Call, read
from .callers import Callers
from .changes import is_change
from .connection import Request, Response
from .fast_path import FastPathRequest, RestRequest
from .faults import Fault, Faults
from .moto_app import MotoApp
from .protocols import ApiError, Protocol
from .record import Record, RecordedCall
from .throttling import Throttle

LOG = logging.getLogger(__name__)

FastPathHandler = Callable[[FastPathRequest], tuple[int, bytes] | None]
"""Returns HTTP status and body, or None to pass the request to moto."""

RestHandler = Callable[[RestRequest], tuple[int, bytes]]
"""Returns HTTP status and body, for a service that moto lacks."""

Authorize = Callable[[Call, str], ApiError | None]
"""Takes a call and the caller's account; returns the error if the caller's policies do not allow it."""

_ANONYMOUS_ACCOUNT = "000000000000"
"""The account ID for calls that need no signature."""

_CONTENT_TYPES = {
    Protocol.EC2: "text/xml;charset=UTF-8",
    Protocol.QUERY: "text/xml",
    Protocol.JSON: "application/x-amz-json-1.1",
    Protocol.REST_JSON: "application/json",
}
"""For the protocols of the handlers."""

_XML_CODE = re.compile(rb"<Code>([^<]*)</Code>")
_JSON_CODE = re.compile(rb'"(?:__type|code|Code)"\s*:\s*"(?:[^"#]*#)?([^"]*)"')

# As nginx writes it; botocore recognizes only pages that begin with <html>.
_PAGE = b"<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body><h1>Gateway</h1></body></html>\n"


class Pipeline:
    """Handles all API calls; the control API changes its parts."""

    def __init__(
        self,
        fast_path_handlers: Mapping[tuple[str, str], FastPathHandler],
        moto: MotoApp,
        rest_handlers: Mapping[str, RestHandler] | None = None,
        authorize: Authorize | None = None,
    ) -> None:
        self.callers = Callers()
        self.record = Record()
        self.faults = Faults()
        self.throttle = Throttle()
        self.latency = 0.0
        """Seconds that every response is delayed."""
        self._fast_path_handlers = fast_path_handlers
        self._rest_handlers = rest_handlers or {}
        self._authorize = authorize
        self._moto = moto

    def reset(self) -> None:
        """Return to the initial state: no access keys, calls, faults or latency; throttling is on."""
        self.callers.clear()
        self.record.clear()
        self.faults.clear()
        self.throttle.reset()
        self.latency = 0.0

    async def answer(self, request: Request, gone: asyncio.Event) -> Response | None:
        """Respond to a request; None closes the connection without a response."""
        call = read(request)
        request_id = str(uuid.uuid4())
        account_id = self._account_of(call)
        user_agent = request.headers.get("user-agent", "")
        entry = self.record.begin(call, account_id or "", user_agent, request_id, time.time())
        entry.changes = is_change(call)
        if account_id is None:
            error = errors.unknown_key(call.protocol) if call.access_key else errors.unsigned()
            response: Response | None = error.response(call.protocol, request_id)
        elif call.protocol is not Protocol.REST_XML and _is_closed(call.region, account_id):
            response = errors.unknown_key(call.protocol).response(call.protocol, request_id)
        elif self.callers.has_expired(call.access_key, time.time()):
            response = errors.expired(call.protocol).response(call.protocol, request_id)
        else:
            response = await self._with_faults(request, call, account_id, entry, gone)
        if self.latency:
            await asyncio.sleep(self.latency)
        if response is not None:
            entry.status = response.status
            if response.status >= 400:
                entry.error_code = _error_code(response, call.protocol)
        return response

    def _account_of(self, call: Call) -> str | None:
        if not call.access_key and call.service:
            return _ANONYMOUS_ACCOUNT
        return self.callers.account_of(call.access_key)

    async def _with_faults(
        self, request: Request, call: Call, account_id: str, entry: RecordedCall, gone: asyncio.Event
    ) -> Response | None:
        fault = self.faults.count(
            {"service": call.service, "action": call.action, "region": call.region, "account_id": account_id},
            is_change(call),
        )
        if fault is None:
            return await self._execute(request, call, account_id, entry.request_id)
        entry.faulted = fault.kind
        if fault.kind == "error":
            error = ApiError(fault.code, fault.message, fault.status)
            return error.response(call.protocol, entry.request_id)
        if fault.kind == "denied":
            return self._denial(call, account_id).response(call.protocol, entry.request_id)
        if fault.kind == "expired":
            return errors.expired(call.protocol).response(call.protocol, entry.request_id)
        if fault.kind == "page":
            return Response(fault.status, _PAGE, (("Content-Type", "text/html; charset=utf-8"),))
        if fault.when == "before" and not await self._continues_after(fault, gone):
            return None
        response = await self._execute(request, call, account_id, entry.request_id)
        if fault.when == "after" and not await self._continues_after(fault, gone):
            return None
        return response

    def _denial(self, call: Call, account_id: str) -> ApiError:
        principal = self.callers.principal_of(call.access_key)
        return denials.denied(call, account_id, principal.caller_arn if principal else "anonymous")

    async def _continues_after(self, fault: Fault, gone: asyncio.Event) -> bool:
        if fault.kind == "freeze":
            return await self.faults.freeze(gone)
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        return fault.kind != "drop"

    async def _execute(self, request: Request, call: Call, account_id: str, request_id: str) -> Response:
        now = time.monotonic()
        if not self.throttle.admits(account_id, call.region, call.service, call.action, call.params, now):
            return errors.throttled(call.service, call.protocol).response(call.protocol, request_id)
        handler = self._fast_path_handlers.get((call.service, call.action))
        try:
            with as_principal(self.callers.principal_of(call.access_key)):
                answered = None
                if self._authorize is not None and (denied := self._authorize(call, account_id)):
                    return denied.response(call.protocol, request_id)
                if call.service in self._rest_handlers:
                    rest = RestRequest(
                        account_id, call.region, request.method, request.path, request.body, request.query
                    )
                    answered = self._rest_handlers[call.service](rest)
                elif handler is not None:
                    answered = handler(FastPathRequest(account_id, call.region, call.params, request_id))
                if answered is None:
                    return await self._moto.answer(request, call, account_id, request_id)
                status, body = answered
        except NotImplementedError as missing:
            error = errors.unknown_action(call.protocol, call.action, str(missing))
            return error.response(call.protocol, request_id)
        except Exception:
            LOG.exception("%s %s crashed", call.service, call.action)
            return errors.internal_error().response(call.protocol, request_id)
        content_type = _CONTENT_TYPES[call.protocol]
        return Response(status, body, (("Content-Type", content_type), ("x-amzn-RequestId", request_id)))


def _is_closed(region: str, account_id: str) -> bool:
    """Whether the account has not opted in to the Region, whose services then know none of its credentials.

    Sources: EC2 API Reference, "Error codes for the Amazon EC2 API", AuthFailure;
    hashicorp/terraform-provider-aws#12940 for STS; awslabs/landing-zone-accelerator-on-aws#269 for SSM;
    mozilla/guardduty-multi-account-manager#42 for EventBridge. There is none for S3.
    """
    return opt_in_status(region, account_id) == "not-opted-in"


def _error_code(response: Response, protocol: Protocol) -> str:
    pattern = _JSON_CODE if protocol in (Protocol.JSON, Protocol.REST_JSON) else _XML_CODE
    found = pattern.search(response.body)
    if found:
        return found[1].decode("utf-8", "replace")
    return next((value for name, value in response.headers if name.lower() == "x-amzn-errortype"), "")
