# SPDX-License-Identifier: GPL-3.0-or-later

"""A boto3 client with scripted responses instead of calls to AWS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
from botocore import xform_name
from botocore.stub import Stubber


class Wire:
    """A client of one service, and the requests that it expects, in order.

    botocore validates every request and response with the service's model, so that a misspelled
    parameter fails the test.
    """

    def __init__(self, service: str) -> None:
        self.client: Any = boto3.client(
            service,  # type: ignore[call-overload]
            region_name="eu-west-1",
            aws_access_key_id="AKIAEXAMPLE",
            aws_secret_access_key="not-a-secret",
        )
        self._stubber = Stubber(self.client)

    @contextmanager
    def spoken(self) -> Iterator[Wire]:
        """No request is sent in the context. At its end, the whole script must have been used."""
        with self._stubber:
            yield self
        self._stubber.assert_no_pending_responses()

    def expect(
        self, method: str, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None
    ) -> None:
        """Expect this request, and return this response."""
        self._stubber.add_response(method, dict(answer or {}), dict(request))

    def refuse(
        self,
        method: str,
        request: Mapping[str, Any],
        code: str,
        message: str = "No.",
        request_id: str = "req-1",
        repeated: int = 0,
    ) -> None:
        """Expect this request, and reject it with this code, as if botocore ``repeated`` it so often."""
        self._stubber.add_client_error(
            method,
            service_error_code=code,
            service_message=message,
            expected_params=dict(request),
            response_meta={"RequestId": request_id, **({"RetryAttempts": repeated} if repeated else {})},
        )


def answering(service: str, **answers: Mapping[str, Any]) -> Any:
    """A client whose methods return these answers, by the methods' names, whatever is requested."""
    client = Wire(service).client
    client._make_api_call = lambda operation, _request: answers[xform_name(operation)]
    return client
