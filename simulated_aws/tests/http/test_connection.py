# SPDX-License-Identifier: GPL-3.0-or-later
"""HTTP as other clients than botocore send it, over plain sockets."""

from __future__ import annotations

import asyncio
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from botocore.config import Config

from simulated_aws.client import SimulatedAws
from simulated_aws.http.connection import Connection, Request, Response

HEALTH = b"GET /_simulated_aws/health HTTP/1.1\r\nHost: x\r\n\r\n"


def connect(aws: SimulatedAws) -> socket.socket:
    where = urlsplit(aws.url)
    assert where.hostname is not None
    assert where.port is not None
    return socket.create_connection((where.hostname, where.port), timeout=10)


def read_until(connection: socket.socket, end: bytes, times: int = 1) -> bytes:
    got = b""
    while got.count(end) < times:
        part = connection.recv(65536)
        assert part, f"the server hung up after {got!r}"
        got += part
    return got


def test_one_connection_serves_many_requests(aws: SimulatedAws) -> None:
    with connect(aws) as connection:
        for _ in range(3):
            connection.sendall(HEALTH)
            assert read_until(connection, b'{"status": "ok"}').startswith(b"HTTP/1.1 200 OK\r\n")


def test_requests_sent_together_are_answered_in_order(aws: SimulatedAws) -> None:
    with connect(aws) as connection:
        connection.sendall(HEALTH + b"GET /_simulated_aws/faults HTTP/1.1\r\nHost: x\r\n\r\n" + HEALTH)
        got = read_until(connection, b"HTTP/1.1 200", 3)
        while got.count(b"ok") < 2:
            got += connection.recv(65536)
    assert got.index(b"ok") < got.index(b'{"faults": []}') < got.rindex(b"ok")


def test_a_request_may_arrive_in_pieces_and_chunks(aws: SimulatedAws) -> None:
    head = b"PUT /_simulated_aws/latency HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = b'c\r\n{"seconds": \r\n2\r\n0}\r\n0\r\n\r\n'
    with connect(aws) as connection:
        for part in (head[:20], head[20:], chunks[:9], chunks[9:]):
            connection.sendall(part)
            time.sleep(0.02)
        assert b"200 OK" in read_until(connection, b'{"seconds": 0.0}')


def test_a_body_may_wait_for_the_go_ahead(aws: SimulatedAws) -> None:
    with connect(aws) as connection:
        start = b"PUT /_simulated_aws/latency HTTP/1.1\r\nHost: x\r\n"
        connection.sendall(start + b"Content-Length: 14\r\nExpect: 100-continue\r\n\r\n")
        assert read_until(connection, b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"seconds": 0}')
        assert b"200 OK" in read_until(connection, b'{"seconds": 0.0}')


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"this is no HTTP\r\n\r\n", b"400"),
        (b"GET /_simulated_aws/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200"),
        (b"GET /_simulated_aws/health HTTP/1.0\r\n\r\n", b"200"),
    ],
)
def test_the_server_hangs_up_when_it_should(aws: SimulatedAws, request_bytes: bytes, status: bytes) -> None:
    with connect(aws) as connection:
        connection.sendall(request_bytes)
        got = b""
        while part := connection.recv(65536):
            got += part
    assert got.startswith(b"HTTP/1.1 " + status)


def test_a_crash_is_an_answer_too(caplog: pytest.LogCaptureFixture) -> None:
    async def crash(_request: Request, _gone: asyncio.Event) -> Response:
        raise LookupError("the front's own mistake")

    async def ask() -> bytes:
        server = await asyncio.get_running_loop().create_server(lambda: Connection(crash), "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(HEALTH)
        answer = await reader.readuntil(b"\r\n\r\n")
        writer.close()
        server.close()
        return answer

    assert asyncio.run(ask()).startswith(b"HTTP/1.1 500 ")
    assert "the front's own mistake" in caplog.text


def test_held_up_answers_wait_side_by_side(aws: SimulatedAws) -> None:
    ec2 = aws.client("ec2", "owner", config=Config(max_pool_connections=60))
    ec2.describe_regions()
    aws.set_latency(0.5)
    started = time.monotonic()
    with ThreadPoolExecutor(60) as threads:
        answers = [threads.submit(ec2.describe_regions) for _ in range(60)]
        assert all(answer.result()["Regions"] for answer in answers)
    # One after the other they would take 30 seconds.
    assert 0.5 <= time.monotonic() - started < 10
