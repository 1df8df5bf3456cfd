# SPDX-License-Identifier: GPL-3.0-or-later

"""A client of EC2 whose attempts get an answer by status, whatever botocore does before and between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from botocore.awsrequest import AWSPreparedRequest, AWSResponse

_THROTTLED = b"<Response><Errors><Error><Code>RequestLimitExceeded</Code></Error></Errors></Response>"
_DONE = b"<Response><return>true</return></Response>"


def sends(
    client: Any, operation: str, statuses: Iterator[int], when_sent: Callable[[], object] = lambda: None
) -> None:
    """Answer the attempts of an operation with these statuses, of which 503 is throttling."""
    others = client._endpoint._send

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        if f"Action={operation}&" not in str(request.body):
            response: AWSResponse = others(request)
            return response
        when_sent()
        status = next(statuses)
        response = AWSResponse(request.url, status, {}, None)
        response._content = _DONE if status == 200 else _THROTTLED
        return response

    client._endpoint._send = answer


def refuse_twice() -> Iterator[int]:
    """AWS throttles two attempts, and does the third."""
    return iter([503, 503, 200])
