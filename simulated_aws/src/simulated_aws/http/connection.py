# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP/1.1 with keep-alive on one event loop: a delayed response needs no thread and delays no other client.

httptools parses the requests. http.server, with a thread for each of 120 connections and email.parser for the
headers, took five times as long for the same responses.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; `target` is as in the request line, the names of `headers` are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """The target's path, percent-decoded."""
        return unquote(self.target.partition("?")[0])

    @property
    def query(self) -> str:
        """The query string, as sent."""
        return self.target.partition("?")[2]


@dataclass(frozen=True, slots=True)
class Response:
    """One response; Content-Length and Connection headers are added when it is sent."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


Answer = Callable[[Request, asyncio.Event], Awaitable[Response | None]]
"""Takes a request and an event that is set when the client has disconnected.

Returns the response, or None to close the connection without one.
"""

_OWN_HEADERS = frozenset({"connection", "content-length", "transfer-encoding"})


class Connection(asyncio.Protocol):
    """A client's connection: handles requests one at a time, in order."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._parser = HttpRequestParser(self)
        self._gone = asyncio.Event()
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._task: asyncio.Task[None] | None = None
        self._target = bytearray()
        self._headers: dict[str, str] = {}
        self._body = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _exc: Exception | None) -> None:
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._send(Response(400, b"not an HTTP request"), keep_alive=False)

    def on_message_begin(self) -> None:
        """Called by the parser, like all on_… methods."""
        self._target, self._headers, self._body = bytearray(), {}, bytearray()

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        if self._headers.get("expect", "").lower() == "100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        method, target = self._parser.get_method().decode(), self._target.decode("latin-1")
        request = Request(method, target, self._headers, bytes(self._body))
        self._waiting.append((request, self._parser.should_keep_alive()))
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._answer_waiting())

    async def _answer_waiting(self) -> None:
        while self._waiting:
            request, keep_alive = self._waiting.popleft()
            try:
                response = await self._answer(request, self._gone)
            except Exception:
                LOG.exception("%s %s crashed", request.method, request.target)
                response = Response(500, b"")
            if response is None:
                self._transport.abort()
                break
            self._send(response, keep_alive=keep_alive, with_body=request.method != "HEAD")
        self._task = None

    def _send(self, response: Response, *, keep_alive: bool, with_body: bool = True) -> None:
        if self._transport.is_closing():
            return
        lines = [f"HTTP/1.1 {response.status} {_reason(response.status)}"]
        lines += [f"{name}: {value}" for name, value in response.headers if name.lower() not in _OWN_HEADERS]
        lines.append(f"Content-Length: {len(response.body)}")
        if not keep_alive:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        self._transport.write(head + response.body if with_body else head)
        if not keep_alive:
            self._transport.close()


def _reason(status: int) -> str:
    return HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Unknown"
