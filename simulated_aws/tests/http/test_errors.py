# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests that are not simulated, and exceptions, are errors that botocore can parse."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import botocore.parsers
import pytest
from botocore.awsrequest import HeadersDict
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.model import StringShape

from simulated_aws.client import SimulatedAws
from simulated_aws.http.connection import Request
from simulated_aws.http.fast_path import FastPathRequest
from simulated_aws.http.moto_app import MotoApp
from simulated_aws.http.pipeline import Pipeline
from simulated_aws.http.protocols import ApiError, Protocol, is_document

ONCE = Config(retries={"total_max_attempts": 1})

NOT_SIMULATED: list[tuple[str, Callable[[Any], object], str]] = [
    ("ec2", lambda ec2: ec2.describe_fpga_images(), "InvalidAction"),
    ("iam", lambda iam: iam.get_context_keys_for_custom_policy(PolicyInputList=["x"]), "InvalidAction"),
    ("ssm", lambda ssm: ssm.describe_patch_groups(), "UnknownOperationException"),
    ("cloudwatch", lambda cloudwatch: cloudwatch.list_metric_streams(), "UnknownOperationException"),
    ("eks", lambda eks: eks.list_insights(clusterName="x"), "UnknownOperationException"),
    # A service that moto doesn't have at all.
    ("imagebuilder", lambda imagebuilder: imagebuilder.list_images(), "UnknownOperationException"),
    # An action that moto has, with a filter it hasn't.
    (
        "ec2",
        lambda ec2: ec2.describe_subnets(Filters=[{"Name": "odd", "Values": ["x"]}]),
        "InvalidAction",
    ),
]


@pytest.mark.parametrize(("service", "call", "code"), NOT_SIMULATED)
def test_what_is_not_simulated_is_an_unknown_action(
    aws: SimulatedAws, service: str, call: Callable[[Any], object], code: str
) -> None:
    with pytest.raises(ClientError) as refused:
        call(aws.client(service, "owner", config=ONCE))
    assert refused.value.response["Error"]["Code"] == code
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("service", "method", "arguments", "lacks"),
    [
        ("ec2", "describe_fpga_images", {}, "the operation DescribeFpgaImages"),
        ("ssm", "describe_patch_groups", {}, "the operation DescribePatchGroups"),
        (
            "ec2",
            "enable_allowed_images_settings",
            {"AllowedImagesSettingsState": "enabled"},
            "all of the operation EnableAllowedImagesSettings (Allowed AMIs without criteria)",
        ),
    ],
)
def test_the_message_says_that_the_simulation_lacks_it(
    aws: SimulatedAws, service: str, method: str, arguments: dict[str, Any], lacks: str
) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(service, "owner"), method)(**arguments)
    assert refused.value.response["Error"]["Message"] == f"The simulated AWS does not have {lacks}."


@pytest.mark.parametrize("protocol", list(Protocol))
@pytest.mark.parametrize("status", [400, 503])
def test_botocore_parses_an_error_of_every_protocol(protocol: Protocol, status: int) -> None:
    answer = ApiError("Odd.Code", 'it\'s <"odd"> & more', status).response(protocol, "the-request")
    parser = botocore.parsers.create_parser(protocol.value)
    answered = {"status_code": answer.status, "headers": HeadersDict(answer.headers), "body": answer.body}
    parsed = parser.parse(answered, StringShape("Nothing", {"type": "string"}))
    assert parsed["Error"]["Code"] == "Odd.Code"
    assert parsed["Error"]["Message"] == 'it\'s <"odd"> & more'
    assert is_document(protocol, answer.body)


@pytest.mark.parametrize(
    ("protocol", "body", "readable"),
    [
        (Protocol.EC2, b"<!doctype html><title>500</title>", False),
        (Protocol.QUERY, b"no such thing", False),
        (Protocol.JSON, b"<html></html>", False),
        (Protocol.JSON, b"", True),
        (Protocol.REST_XML, b"\n<?xml version='1.0'?><Error/>", True),
    ],
)
def test_a_page_that_no_client_reads_is_recognized(protocol: Protocol, body: bytes, readable: bool) -> None:
    assert is_document(protocol, body) is readable


def signed(service: str, body: bytes, **headers: str) -> Request:
    credential = f"Credential=AKIAOWNER/20260101/us-east-1/{service}/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 {credential}, SignedHeaders=host, Signature=0"
    return Request("POST", "/", {"authorization": authorization, **headers}, body)


def is_missing(_request: FastPathRequest) -> tuple[int, bytes]:
    raise NotImplementedError("hibernation")


def test_what_a_lean_handler_lacks_is_named() -> None:
    pipeline = Pipeline({("ec2", "RunInstances"): is_missing}, MotoApp())
    pipeline.callers.register({"AKIAOWNER": "012345678901"})
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = asyncio.run(pipeline.answer(signed("ec2", b"Action=RunInstances", **form), asyncio.Event()))
    assert answer is not None
    assert (answer.status, b"<Code>InvalidAction</Code>" in answer.body) == (400, True)
    assert b"(hibernation)" in answer.body


def crash(_request: FastPathRequest) -> tuple[int, bytes]:
    raise LookupError("the simulation's own mistake")


def test_a_crash_of_a_lean_handler_is_an_internal_error(caplog: pytest.LogCaptureFixture) -> None:
    pipeline = Pipeline({("ec2", "DescribeImages"): crash}, MotoApp())
    pipeline.callers.register({"AKIAOWNER": "012345678901"})
    form = {"content-type": "application/x-www-form-urlencoded"}
    request = signed("ec2", b"Action=DescribeImages", **form)
    answer = asyncio.run(pipeline.answer(request, asyncio.Event()))
    assert answer is not None
    assert answer.status == 500
    assert b"<Code>InternalError</Code>" in answer.body
    assert "the simulation's own mistake" in caplog.text


def test_a_crash_of_moto_is_an_internal_error(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crashes(*_: object) -> None:
        raise LookupError("moto's mistake")

    monkeypatch.setattr("moto.kms.responses.KmsResponse.list_keys", crashes)
    pipeline = Pipeline({}, MotoApp())
    pipeline.callers.register({"AKIAOWNER": "012345678901"})
    request = signed("kms", b"{}", **{"x-amz-target": "TrentService.ListKeys"})
    answer = asyncio.run(pipeline.answer(request, asyncio.Event()))
    assert answer is not None
    assert (answer.status, b'"InternalError"' in answer.body) == (500, True)
    assert "moto's mistake" in caplog.text
