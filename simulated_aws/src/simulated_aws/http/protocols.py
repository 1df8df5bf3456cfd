# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS's protocols, and the error document of each as the parsers in botocore.parsers read it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from xml.sax.saxutils import escape

from .connection import Response


class Protocol(Enum):
    """The protocols of botocore's service models."""

    EC2 = "ec2"
    QUERY = "query"
    JSON = "json"
    REST_JSON = "rest-json"
    REST_XML = "rest-xml"


_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error of an API, independent of the protocol: code, message and HTTP status."""

    code: str
    message: str
    status: int

    def response(self, protocol: Protocol, request_id: str) -> Response:
        """The response that makes botocore raise ClientError with this code, message and HTTP status."""
        content_type, text = _DOCUMENTS[protocol](self, request_id)
        headers = (
            ("Content-Type", content_type),
            ("x-amzn-RequestId", request_id),
            # For the JSON protocols, botocore prefers this header to __type in the document.
            ("x-amzn-ErrorType", self.code),
        )
        return Response(self.status, text.encode(), headers)


def is_document(protocol: Protocol, body: bytes) -> bool:
    """Whether the body of an error is empty or can be parsed by botocore in this protocol."""
    start = body.lstrip()[:14].lower()
    if not start:
        return True
    if protocol in (Protocol.JSON, Protocol.REST_JSON):
        return start.startswith(b"{")
    return start.startswith(b"<") and not start.startswith((b"<!doctype html", b"<html"))


def _ec2(error: ApiError, request_id: str) -> tuple[str, str]:
    return "text/xml;charset=UTF-8", (
        f"{_DECLARATION}<Response><Errors><Error><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error></Errors><RequestID>{request_id}</RequestID></Response>"
    )


def _query(error: ApiError, request_id: str) -> tuple[str, str]:
    fault = "Sender" if error.status < 500 else "Receiver"
    return "text/xml", (
        f"{_DECLARATION}<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(error.code)}</Code>"
        f"<Message>{escape(error.message)}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>"
    )


def _rest_xml(error: ApiError, request_id: str) -> tuple[str, str]:
    return "application/xml", (
        f"{_DECLARATION}<Error><Code>{escape(error.code)}</Code><Message>{escape(error.message)}</Message>"
        f"<RequestId>{request_id}</RequestId></Error>"
    )


def _json(error: ApiError, _request_id: str) -> tuple[str, str]:
    return "application/x-amz-json-1.1", json.dumps({"__type": error.code, "message": error.message})


_DOCUMENTS: dict[Protocol, Callable[[ApiError, str], tuple[str, str]]] = {
    Protocol.EC2: _ec2,
    Protocol.QUERY: _query,
    Protocol.JSON: _json,
    Protocol.REST_JSON: _json,
    Protocol.REST_XML: _rest_xml,
}
