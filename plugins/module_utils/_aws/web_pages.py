# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Refuse answers that come from a proxy, a gateway or a login page on the way to AWS."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from functools import partial
from typing import Any

from .errors import WebPage
from .sdk import ResponseParserError

_EVENT = "before-parse"
_HANDLER = "golden.images.web_pages"
# What XML and HTML may begin with: byte order marks, white space, declarations, comments.
_MARKS = b"\xef\xbb\xbf\xff\xfe"
_BEFORE = re.compile(rb"(?:\s|<\?.*?\?>|<!--.*?-->)*", re.DOTALL)
# The tags of html, head and body may be omitted (HTML Living Standard, "Optional tags").
_PAGE = re.compile(
    rb"<(?:!doctype|html|head|title|meta|link|base|style|script|body|h[1-6]|p|div|center|table)[\s/>]",
    re.IGNORECASE,
)
_HTML = ("text/html", "application/xhtml+xml")
# The answers of EC2, STS and S3, and of JSON services; some emulators send them as text/html.
_OF_AWS = re.compile(rb"<\w*(?:Response|Result|Error)[\s/>]|\{")
# botocore's protocols whose answers are XML, and JSON.
_XML_PROTOCOLS = frozenset({"ec2", "query", "rest-xml"})
_JSON_PROTOCOLS = frozenset({"json", "rest-json"})
# The status codes below 500 that pass, and the codes for them that botocore repeats.
_REPEATED = {408: "RequestTimeout", 429: "TooManyRequestsException"}
# What botocore recognizes as the page of a server error.
_SERVER_ERROR = b"<html>"


def refuse_web_pages(events: Any, endpoint: str | None = None) -> None:
    """Refuse web pages as the answers to the calls of a client, or of a session's later clients.

    ``events`` are those of the client or the session. ``endpoint`` is the client's URL, for the message.
    """
    events.unregister(_EVENT, unique_id=_HANDLER)
    events.register(_EVENT, partial(_refuse_web_page, endpoint or "the endpoint"), unique_id=_HANDLER)


def _refuse_web_page(
    endpoint: str,
    response_dict: dict[str, Any],
    operation_model: Any,
    customized_response_dict: dict[str, Any],
    **_event: Any,
) -> None:
    """Refuse an answer that is a web page, at botocore's event ``before-parse``.

    Botocore would read a well-formed page as an empty answer, and with the HTTP status 200 as success:
    nothing found, or a change made. If the status is a server error, botocore recognizes pages that begin
    with <html> (botocore.parsers, ``_is_generic_error_response``): the call fails with the status as its
    code, and is repeated like other server errors. So any answer of a server error that is not XML becomes
    such a page: botocore would not repeat the call, because it cannot parse the answer. A page with the
    status 408 or 429 gets a code that botocore's retry modes standard and adaptive repeat. Any text in the
    place of JSON is an empty answer for botocore, too (botocore.parsers, ``_parse_body_as_json``).

    Raises:
        WebPage: the page has another status.
        ResponseParserError: the answer of a success is not JSON, but has to be.
    """
    body = response_dict.get("body")
    if not isinstance(body, bytes):
        return
    status = response_dict["status_code"]
    if _is_page(body, response_dict["headers"].get("Content-Type", "")):
        page = WebPage(endpoint=endpoint, operation=operation_model.name, status=status)
        if status in _REPEATED:
            response_dict["status_code"] = 503
            customized_response_dict["Error"] = {"Code": _REPEATED[status], "Message": str(page)}
        elif status < 500:
            raise page
        response_dict["body"] = _SERVER_ERROR
        return
    protocol = operation_model.service_model.resolved_protocol
    if status >= 500 and protocol in _XML_PROTOCOLS and not _is_xml(body):
        response_dict["body"] = _SERVER_ERROR
    elif status < 300 and protocol in _JSON_PROTOCOLS and not _may_be_json(body):
        raise ResponseParserError(f"The response of {endpoint} to {operation_model.name} is not JSON.")


def _may_be_json(body: bytes) -> bool:
    """Whether the answer is empty or begins like an object. Botocore parses the rest."""
    return not body.strip() or body.lstrip().startswith(b"{")


def _is_xml(body: bytes) -> bool:
    try:
        ET.fromstring(body)
    except ET.ParseError:
        return False
    return True


def _is_page(body: bytes, content_type: str) -> bool:
    # In UTF-16, each character of a tag has a zero byte.
    text = body.replace(b"\0", b"").lstrip(_MARKS)
    prefix = _BEFORE.match(text)
    begins = prefix.end() if prefix else 0
    if _PAGE.match(text, begins):
        return True
    is_html = content_type.partition(";")[0].strip().lower() in _HTML
    return is_html and begins < len(text) and not _OF_AWS.match(text, begins)
