# SPDX-License-Identifier: GPL-3.0-or-later

"""A web page is not taken for an answer of AWS."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils.aws.errors import AWS_ERRORS, WebPage, failure
from ansible_collections.golden.images.plugins.module_utils.aws.web_pages import refuse_web_page
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.unit.examples import SOURCE_ID, place

REGION = "us-east-1"
OPERATION = SimpleNamespace(name="DescribeImages")


@pytest.mark.parametrize(
    "body", [b"<!DOCTYPE html>\n<html></html>", b"\n <html><body>", b'<HTML lang="en">', b"<!doctype HTML>"]
)
def test_a_page_is_refused(body: bytes) -> None:
    with pytest.raises(WebPage, match="The answer to DescribeImages is a web page with the HTTP status 403"):
        refuse_web_page({"body": body, "status_code": 403}, OPERATION)


def test_a_page_of_a_server_error_becomes_one_that_botocore_recognizes() -> None:
    response = {"body": b"<!DOCTYPE html><html></html>", "status_code": 503}
    refuse_web_page(response, OPERATION)
    assert response == {"body": b"<html>", "status_code": 503}


@pytest.mark.parametrize("body", [b"", None, b"<DescribeImagesResponse/>", b'{"Keys": []}', object()])
def test_other_answers_are_left_alone(body: Any) -> None:
    response = {"body": body, "status_code": 200}
    refuse_web_page(response, OPERATION)
    assert response == {"body": body, "status_code": 200}


PAGE = b"<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body></body></html>"


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    """A server that answers every request with the page and its ``status``; ``requests`` counts them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.requests += 1
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(PAGE)))
            self.end_headers()
            self.wfile.write(PAGE)

        def log_message(self, *_message: Any) -> None:
            """Print nothing."""

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.requests = 200, 0
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def clients(gateway: Any) -> Clients:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "not-a-secret"}
    config = Config(retries={"mode": "standard", "total_max_attempts": 2})
    found = Clients(Connection(keys, endpoint_url=f"http://127.0.0.1:{gateway.server_port}", config=config))
    for service in ("ec2", "kms"):
        found.open(service, [REGION])
    return found


@pytest.mark.parametrize("status", [200, 403])
def test_calls_of_every_protocol_fail(gateway: Any, status: int) -> None:
    gateway.status = status
    made = clients(gateway)
    calls = {
        "ModifyImageAttribute": lambda: made.ec2(REGION).modify_image_attribute(ImageId=SOURCE_ID),
        "ListKeys": lambda: made.kms(REGION).list_keys(),
    }
    for operation, call in calls.items():
        with pytest.raises(AWS_ERRORS) as raised:
            call()
        found = failure(raised.value, place(REGION), operation)
        assert (found.action, found.error_code, found.source) == (operation, "WebPage", "sdk")
        assert str(status) in found.message
        assert "proxy" in found.remedy
    assert gateway.requests == len(calls)


@pytest.mark.parametrize("service", ["ec2", "kms"])
def test_a_server_error_is_repeated(gateway: Any, service: str) -> None:
    gateway.status = 503
    made = clients(gateway)
    with pytest.raises(ClientError) as raised:
        made.ec2(REGION).describe_images() if service == "ec2" else made.kms(REGION).list_keys()
    assert gateway.requests == 2
    found = failure(raised.value, place(REGION), "any")
    assert (found.error_code, found.message) == ("503", "Service Unavailable")
    assert found.remedy.startswith("Rerun later")
