# SPDX-License-Identifier: GPL-3.0-or-later
"""How many requests a second the simulated AWS answers: if it were too slow, benchmarks would measure it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from simulated_aws.client import SimulatedAws

from .fixtures import IMAGE, OWNER, consumers, fixture
from .measuring import Scale
from .results import Sample, Series

CONNECTIONS, REQUESTS = 64, 6000

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def measure(aws: SimulatedAws, scale: Scale) -> Iterator[Series]:
    """The requests are boto3's own, sent repeatedly on many persistent connections."""
    aws.reset()
    aws.load_fixture(fixture(accounts=50))
    aws.set_throttling(False)
    image = aws.description()["images"][IMAGE]
    snapshot_id = image["snapshot_ids"][0]
    ec2 = aws.client("ec2", OWNER)
    ec2.modify_image_attribute(
        ImageId=image["image_id"], OperationType="add", UserIds=consumers(50), Attribute="launchPermission"
    )
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot_id, OperationType="add", UserIds=consumers(50), Attribute="createVolumePermission"
    )
    calls: dict[str, Callable[[], Any]] = {
        "DescribeImageAttribute": lambda: ec2.describe_image_attribute(
            ImageId=image["image_id"], Attribute="launchPermission"
        ),
        "DescribeImages": lambda: ec2.describe_images(ImageIds=[image["image_id"]]),
        "DescribeSnapshotAttribute": lambda: ec2.describe_snapshot_attribute(
            SnapshotId=snapshot_id, Attribute="createVolumePermission"
        ),
    }
    for name, call in calls.items():
        request = _request(ec2, call)
        rates = [asyncio.run(_rate(aws.url, request)) for _ in range(scale.rounds)]
        samples = tuple(Sample(1 / rate, 0, 0, 0, facts={"requests_a_second": rate}) for rate in rates)
        yield Series("requests a second", name, samples)


def _request(client: Any, call: Callable[[], Any]) -> bytes:
    """The request that boto3 sends for a call."""
    seen: list[Any] = []
    client.meta.events.register_last("before-send.ec2", lambda request, **_rest: seen.append(request))
    call()
    request = seen[-1]
    parts = urlsplit(request.url)
    headers = {"Host": parts.netloc, **{name: _text(value) for name, value in request.headers.items()}}
    lines = [
        f"{request.method} {parts.path or '/'} HTTP/1.1",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    body = request.body if isinstance(request.body, bytes) else request.body.encode()
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


async def _rate(url: str, request: bytes) -> float:
    address = urlsplit(url)
    connections = [await asyncio.open_connection(address.hostname, address.port) for _ in range(CONNECTIONS)]
    started = time.monotonic()
    await asyncio.gather(*(_send(*one, request, REQUESTS // CONNECTIONS) for one in connections))
    seconds = time.monotonic() - started
    for _reader, writer in connections:
        writer.close()
    return REQUESTS // CONNECTIONS * CONNECTIONS / seconds


async def _send(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, times: int
) -> None:
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200 ") or length is None:
            raise RuntimeError(f"the simulated AWS answers {head.decode()}")
        await reader.readexactly(int(length[1]))
