# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin that answers DescribeInstanceImageMetadata inside the processes that call it.

The simulated AWS would need more of the processors for ten thousand answers than the run that is measured.
"""

from __future__ import annotations

import json
import os
import re
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase
from botocore.awsrequest import AWSResponse
from botocore.httpsession import URLLib3Session

DOCUMENTATION = """
name: replayed_instances
type: notification
short_description: Answers calls about the images of instances
description:
  - Answers DescribeInstanceImageMetadata with the recorded answer of the region, in which each account has
    instances of its own, and passes all other requests on.
  - The environment variable E(BENCHMARK_ANSWERS) names a directory with a file for each region, and a file
    C(settings.json) with the seconds that a call takes, C(latency). The file C(count) gets a byte for each
    answer.
"""

_ACTION = "Action=DescribeInstanceImageMetadata"
# IAM User Guide, "Elements of an AWS API request signature": Credential=KEY/DATE/REGION/SERVICE/aws4_request.
_CREDENTIAL = re.compile(r"Credential=(\w+)/\d+/([\w-]+)/")
_INSTANCE = re.compile(rb"(?<=<instanceId>i-)[0-9a-f]{8}")

Send = Callable[[Any, Any], Any]


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Changes the HTTP sessions of the processes that Ansible forks from its own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "replayed_instances"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        URLLib3Session.send = replaying(Path(os.environ["BENCHMARK_ANSWERS"]), URLLib3Session.send)


def replaying(folder: Path, send: Send) -> Send:
    """A method that answers from the files of a directory, or else by ``send``."""
    answers = {path.stem: path.read_bytes() for path in folder.glob("*.xml")}
    latency = json.loads((folder / "settings.json").read_text(encoding="utf-8"))["latency"]
    # Forks share it, and a write that appends one byte is one step.
    count = os.open(folder / "count", os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def replay(self: Any, request: Any) -> Any:
        if not isinstance(request.body, str) or _ACTION not in request.body:
            return send(self, request)
        found = _CREDENTIAL.search(_text(request.headers["Authorization"]))
        if found is None:
            raise ValueError("the request is not signed")
        key, region = found.groups()
        number = b"%08x" % zlib.crc32(key.encode())
        os.write(count, b".")
        time.sleep(latency)
        body = _INSTANCE.sub(number, answers[region])
        return AWSResponse(request.url, 200, {"Content-Type": "text/xml;charset=UTF-8"}, _Body(body))

    return replay


class _Body:
    """The part of urllib3's response that botocore reads."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self) -> Iterator[bytes]:
        """Yield the content."""
        yield self._content


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
