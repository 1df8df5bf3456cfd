# SPDX-License-Identifier: GPL-3.0-or-later

"""An AWS behind botocore's connections, which sees with whose credentials each call is signed."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import botocore.session
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from botocore.model import ServiceModel

_EXPIRES = (datetime.now(UTC) + timedelta(hours=1)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Call(NamedTuple):
    """A call: whose token it has (empty without one), and its parameters as they are sent."""

    account_id: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass
class SignedCalls:
    """Roles can be assumed in every account. Each call is answered after a random pause.

    ``answer`` returns the text of the answer to a call; None if it has empty lists only.
    """

    answer: Callable[[Call], str | None]
    calls: list[Call] = field(default_factory=list)
    lock: Any = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, monkeypatch: pytest.MonkeyPatch, answer: Callable[[Call], str | None]) -> SignedCalls:
        """Let all connections of the test end here."""
        aws = cls(answer)
        monkeypatch.setattr(URLLib3Session, "send", aws._send)
        return aws

    def _send(self, request: AWSPreparedRequest) -> AWSResponse:
        service = urlsplit(request.url).netloc.partition(".")[0]
        text = request.body if isinstance(request.body, str) else bytes(request.body).decode()
        target = request.headers.get("X-Amz-Target", "")
        if target:
            operation = (target if isinstance(target, str) else target.decode()).rpartition(".")[2]
            parameters = json.loads(text)
        else:
            parameters = {name: values[0] for name, values in parse_qs(text).items()}
            operation = parameters["Action"]
        if operation == "AssumeRole":
            content = _credentials(parameters["RoleArn"].split(":")[4])
        else:
            token = request.headers.get("X-Amz-Security-Token", "")
            call = Call(token if isinstance(token, str) else token.decode(), operation, parameters)
            self.calls.append(call)
            # One thread at a time: only the first has to read the service's model, which is large.
            with self.lock:
                content = self.answer(call) or _empty(service, operation)
        time.sleep(random.uniform(0, 0.01))
        response: AWSResponse = AWSResponse(request.url, 200, {}, None)
        response._content = content.encode()
        return response


def _credentials(account_id: str) -> str:
    return (
        f"<Answer><AssumeRoleResult><Credentials><AccessKeyId>ASIA{account_id}</AccessKeyId>"
        f"<SecretAccessKey>secret</SecretAccessKey><SessionToken>{account_id}</SessionToken>"
        f"<Expiration>{_EXPIRES}</Expiration></Credentials></AssumeRoleResult></Answer>"
    )


@cache
def _model(service: str) -> ServiceModel:
    return botocore.session.get_session().get_service_model(service)


@cache
def _empty(service: str, operation: str) -> str:
    """An answer whose lists are empty."""
    shape = _model(service).operation_model(operation).output_shape
    lists = {
        name: member.serialization.get("name", name)
        for name, member in (shape.members if shape else {}).items()
        if member.type_name == "list"
    }
    if service == "ec2":
        return f"<Answer>{''.join(f'<{name}/>' for name in lists.values())}</Answer>"
    if _model(service).protocol == "query":
        members = "".join(f"<{name}/>" for name in lists.values())
        return f"<Answer><{operation}Result>{members}</{operation}Result></Answer>"
    return json.dumps({name: [] for name in lists.values()})
