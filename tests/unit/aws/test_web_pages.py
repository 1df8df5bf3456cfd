# SPDX-License-Identifier: GPL-3.0-or-later

"""A web page is not taken for an answer of AWS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws.clients import Clients, Connection
from ansible_collections.golden.images.plugins.module_utils._aws.errors import AWS_ERRORS, WebPage, failure
from ansible_collections.golden.images.plugins.module_utils._aws.web_pages import refuse_web_pages
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.hooks import HierarchicalEmitter
from botocore.parsers import ResponseParserError

from tests.unit.examples import SOURCE_ID, target_in

REGION = "us-east-1"
XML = b'<?xml version="1.0" encoding="UTF-8"?>\n'


def emitted(
    body: Any, status: int = 200, content_type: str = "", protocol: str = "ec2"
) -> tuple[dict[str, Any], dict[str, Any]]:
    """An answer of an endpoint, and what replaces members of it, after the event ``before-parse``."""
    events = HierarchicalEmitter()
    refuse_web_pages(events, "https://ec2.example.com")
    headers = HeadersDict({"Content-Type": content_type} if content_type else {})
    response = {"body": body, "status_code": status, "headers": headers}
    replaced: dict[str, Any] = {}
    events.emit(
        "before-parse.ec2.DescribeImages",
        operation_model=SimpleNamespace(
            name="DescribeImages", service_model=SimpleNamespace(resolved_protocol=protocol)
        ),
        response_dict=response,
        customized_response_dict=replaced,
    )
    return response, replaced


@pytest.mark.parametrize("status", [200, 403])
@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html>\n<html></html>",
        b"\n <html><body>",
        b'<HTML lang="en">',
        b"<!doctype HTML>",
        b"\xef\xbb\xbf<!DOCTYPE html><html></html>",
        "\ufeff<html></html>".encode("utf-16-le"),
        "\ufeff<html></html>".encode("utf-16-be"),
        XML + b'<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "xhtml1-strict.dtd"><html/>',
        XML + b'<html xmlns="http://www.w3.org/1999/xhtml"/>',
        b"<!-- gateway -->\n<!-- a > b\n --> <html></html>",
        XML + b"<?xml-stylesheet href='a.css'?><!-- <Response> --><html/>",
        b"<head></head>",
        b"<h1>Forbidden</h1>",
    ],
)
def test_a_page_is_refused(body: bytes, status: int) -> None:
    told = (
        "The response of https://ec2.example.com to DescribeImages is a web page with the HTTP status "
        f"{status}, which AWS does not send."
    )
    with pytest.raises(WebPage, match=re.escape(told)):
        emitted(body, status)


@pytest.mark.parametrize("body", [b"<Login/>", b"Sign in", b"<TABLE></TABLE>"])
@pytest.mark.parametrize("content_type", ["text/html", "Text/HTML; charset=utf-8", "application/xhtml+xml"])
def test_what_is_sent_as_a_page_is_refused(body: bytes, content_type: str) -> None:
    with pytest.raises(WebPage):
        emitted(body, content_type=content_type)


def test_a_page_of_a_server_error_becomes_one_that_botocore_recognizes() -> None:
    response, replaced = emitted(b"<!DOCTYPE html><html></html>", 503)
    assert (response["body"], response["status_code"], replaced) == (b"<html>", 503, {})


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, b"upstream connect error"),
        (502, b"Bad Gateway"),
        (503, b'{"error": 1}'),
        (504, XML + b"<Respo"),
    ],
)
def test_no_xml_of_a_server_error_becomes_one_that_botocore_recognizes(status: int, body: bytes) -> None:
    response, replaced = emitted(body, status, "text/plain")
    assert (response["body"], response["status_code"], replaced) == (b"<html>", status, {})


@pytest.mark.parametrize(
    ("body", "status"), [(b"RBAC: access denied", 403), (XML + b"<Response><Errors/></Response>", 503)]
)
def test_other_text_and_xml_are_left_to_botocore(body: bytes, status: int) -> None:
    response, replaced = emitted(body, status, "text/plain")
    assert (response["body"], response["status_code"], replaced) == (body, status, {})


@pytest.mark.parametrize("protocol", ["json", "rest-json"])
@pytest.mark.parametrize("body", [b"OK", b"<Response/>", b"[]"])
def test_no_json_of_a_success_is_refused(body: bytes, protocol: str) -> None:
    with pytest.raises(ResponseParserError, match="DescribeImages is not JSON"):
        emitted(body, 200, "text/plain", protocol)
    # botocore makes errors of these.
    assert emitted(body, 503, "text/plain", protocol)[0]["body"] == body


@pytest.mark.parametrize("body", [b"", b" ", b"{}", b' {"Keys": []}'])
def test_json_and_nothing_are_left_alone(body: bytes) -> None:
    assert emitted(body, 200, "application/x-amz-json-1.1", "json")[0]["body"] == body


# As the services send them (boto/botocore, tests/unit/response_parsing/xml).
ANSWERS = [
    b'<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"/>',
    XML + b'<DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">',
    XML + b"<Response><Errors><Error><Code>UnauthorizedOperation</Code></Error></Errors></Response>",
    b'<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">',
    b'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">',
    XML + b'\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    XML + b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
    b'{"Keys": []}',
    b"{}",
    b"",
]


@pytest.mark.parametrize("body", ANSWERS)
def test_answers_of_aws_are_left_alone(body: bytes) -> None:
    for content_type in ("", "text/xml;charset=UTF-8", "text/html; charset=utf-8"):
        response, replaced = emitted(body, content_type=content_type)
        assert (response["body"], response["status_code"], replaced) == (body, 200, {})


@pytest.mark.parametrize("body", [None, object()])
def test_streams_are_left_alone(body: Any) -> None:
    assert emitted(body, content_type="text/html")[0]["body"] is body


PAGE = b"<!DOCTYPE html>\n<html><head><title>Gateway</title></head><body></body></html>"


@pytest.fixture
def gateway() -> Iterator[ThreadingHTTPServer]:
    """A server that answers every request with its ``page`` and its ``status``; ``requests`` counts them."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            server.requests += 1
            self.send_response(server.status)
            self.send_header("Content-Length", str(len(server.page)))
            self.end_headers()
            self.wfile.write(server.page)

        def log_message(self, *_message: Any) -> None:
            """Print nothing."""

    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.status, server.page, server.requests = 200, PAGE, 0
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def clients(gateway: Any, mode: str = "standard") -> Clients:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "not-a-secret"}
    config = Config(retries={"mode": mode, "total_max_attempts": 2})
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
        found = failure(raised.value, target_in(REGION), operation)
        assert (found.action, found.error_code, found.source) == (operation, "WebPage", "sdk")
        assert str(status) in found.message
        assert f"http://127.0.0.1:{gateway.server_port}" in found.message
        assert "proxy" in found.remedy
    assert gateway.requests == len(calls)


@pytest.mark.parametrize("page", [PAGE, b"upstream connect error"])
@pytest.mark.parametrize("service", ["ec2", "kms"])
def test_a_server_error_is_repeated(gateway: Any, service: str, page: bytes) -> None:
    gateway.status, gateway.page = 503, page
    made = clients(gateway)
    with pytest.raises(ClientError) as raised:
        made.ec2(REGION).describe_images() if service == "ec2" else made.kms(REGION).list_keys()
    assert gateway.requests == 2
    found = failure(raised.value, target_in(REGION), "any")
    # Of JSON services, botocore takes any text for AWS's message.
    is_message = service == "kms" and page != PAGE
    assert (found.error_code, found.message) == (
        "503",
        page.decode() if is_message else "Service Unavailable",
    )
    assert found.remedy.startswith("Rerun later")


@pytest.mark.parametrize(
    ("service", "mode", "status", "code"),
    [
        ("ec2", "legacy", 429, "TooManyRequestsException"),
        ("ec2", "standard", 429, "TooManyRequestsException"),
        ("kms", "adaptive", 429, "TooManyRequestsException"),
        ("kms", "standard", 408, "RequestTimeout"),
        ("ec2", "adaptive", 408, "RequestTimeout"),
    ],
)
def test_too_many_and_too_slow_requests_are_repeated(
    gateway: Any, service: str, mode: str, status: int, code: str
) -> None:
    gateway.status = status
    made = clients(gateway, mode)
    with pytest.raises(ClientError) as raised:
        made.ec2(REGION).describe_images() if service == "ec2" else made.kms(REGION).list_keys()
    assert gateway.requests == 2
    found = failure(raised.value, target_in(REGION), "any")
    assert found.error_code == code
    assert f"is a web page with the HTTP status {status}" in found.message
    assert found.remedy.startswith("Rerun later")


def test_a_call_with_an_effect_each_time_is_sent_once(gateway: Any) -> None:
    gateway.status = 429
    once = clients(gateway).without_retries()
    once.open("ec2", [REGION])
    with pytest.raises(ClientError):
        once.ec2(REGION).copy_image(SourceImageId=SOURCE_ID, SourceRegion=REGION, Name="golden")
    assert gateway.requests == 1


def test_botocores_own_clients_refuse_pages(gateway: Any) -> None:
    made = clients(gateway)._session.client(
        "sts", region_name=REGION, endpoint_url=f"http://127.0.0.1:{gateway.server_port}"
    )
    with pytest.raises(WebPage, match="The response of the endpoint to GetCallerIdentity is a web page"):
        made.get_caller_identity()
