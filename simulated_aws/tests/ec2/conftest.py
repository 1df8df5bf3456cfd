# SPDX-License-Identifier: GPL-3.0-or-later
"""Real boto3 clients against the simulated EC2, and a clock that tests can move.

What the fast path handles never leaves the process: botocore's request goes to its handler, and the handler's
document back through botocore's parser. The rest goes over HTTP to moto's dispatcher.
"""

from __future__ import annotations

import io
import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.exceptions import ClientError
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from simulated_aws import imagebuilder, rbin
from simulated_aws.ec2 import patch_moto, state
from simulated_aws.ec2.fast_path import HANDLERS
from simulated_aws.fixtures import loader
from simulated_aws.http.fast_path import FastPathRequest, RestRequest

OWNER = "111111111111"
CONSUMER = "012345678901"
STRANGER = "999999999999"

TWO_DISKS = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 20}]
# For each key moto generates an RSA key, so only tests that need one have it.
KEYS = {"golden": {"account": "owner", "regions": ["us-east-1", "us-west-2"], "alias": "alias/golden"}}
ENCRYPTED_DISKS = [{**disk, "encrypted": True, "kms_key": "golden"} for disk in TWO_DISKS]


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    patch_moto()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def any_client(endpoint: str) -> Callable[..., Any]:
    """Clients by account, Region and service, each made once: that takes longer than most tests."""
    session: Any = boto3.Session()

    @cache
    def make(account_id: str = OWNER, region: str = "us-east-1", service: str = "ec2") -> Any:
        made = session.client(
            service,
            region_name=region,
            endpoint_url=endpoint,
            aws_access_key_id="AKIASIMU",
            aws_secret_access_key="secret",
            config=Config(retries={"total_max_attempts": 1}, proxies={}),
        )

        def send(request: Any, **_: Any) -> AWSResponse | None:
            if service in ("imagebuilder", "rbin"):
                url = urlsplit(request.url)
                body = request.body.encode() if isinstance(request.body, str) else request.body or b""
                status, text = {"imagebuilder": imagebuilder, "rbin": rbin}[service].answer(
                    RestRequest(account_id, region, request.method, url.path, body, url.query)
                )
                return AWSResponse(request.url, status, HTTPHeaders(), _Body(text))
            params = dict(parse_qsl(request.body, keep_blank_values=True)) if service == "ec2" else {}
            handler = HANDLERS.get((service, params.get("Action", "")))
            fast = FastPathRequest(account_id, region, params, "request-id")
            answered = handler(fast) if handler is not None else None
            if answered is None:
                request.headers["x-moto-account-id"] = account_id
                return None
            status, body = answered
            return AWSResponse(request.url, status, HTTPHeaders(), _Body(body))

        made.meta.events.register("before-send", send)
        return made

    return make


@pytest.fixture
def client(any_client: Callable[..., Any]) -> Iterator[Callable[..., Any]]:
    """Gives a client for an account, a Region and a service; the simulated AWS is empty before and after."""
    loader.reset()
    yield any_client
    loader.reset()


class _Body(io.BytesIO):
    """A body as urllib3 would hand it out."""

    def stream(self, **_: Any) -> Iterator[bytes]:
        yield self.read()


class Clock:
    """The simulated EC2's clock, standing still until it is moved."""

    def __init__(self) -> None:
        self.moment = state.now()

    def now(self) -> datetime:
        return self.moment

    def forward(self, **by: float) -> None:
        self.moment += timedelta(**by)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    stopped = Clock()
    monkeypatch.setattr(state, "now", stopped.now)
    return stopped


def build(*, images: dict[str, dict[str, Any]] | None = None, **parts: Any) -> dict[str, Any]:
    """Owner, consumer and stranger; each image is the owner's two-disk one but for what is given."""
    base = {"account": "owner", "region": "us-east-1", "devices": TWO_DISKS}
    return loader.load(
        {
            "accounts": {"owner": OWNER, "consumer": CONSUMER, "stranger": STRANGER},
            "images": {name: {**base, **content} for name, content in (images or {"golden": {}}).items()},
            **parts,
        }
    )


def image_id(built: dict[str, Any], name: str = "golden") -> str:
    return str(built["images"][name]["image_id"])


def error_code(call: Callable[..., Any], **params: Any) -> str:
    """The code of the error that the call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    return str(caught.value.response["Error"]["Code"])


def names(answer: dict[str, Any]) -> list[str]:
    return [image["Name"] for image in answer["Images"]]
