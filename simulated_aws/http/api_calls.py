# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an HTTP request as the API call it is."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .connection import Request
from .protocols import Protocol

_CREDENTIAL = re.compile(r"Credential=([^/\s]+)/\d{8}/([^/]+)/([^/]+)/aws4_request")
# What STS answers without a signature (STS API Reference, the descriptions of both operations).
_UNSIGNED_ACTIONS = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_REST_XML_SERVICES = frozenset({"cloudfront", "route53", "s3"})


@dataclass(frozen=True, slots=True)
class Call:
    """One API call.

    The signature names `access_key`, `region` and `service` (IAM User Guide, Elements of an AWS API request
    signature: credential scope), so `service` is the name it is signed with, such as `monitoring` for
    CloudWatch. All three are empty for an unsigned call, unless it is one that needs no signature.
    `params` are the flat query parameters as sent, or a JSON body's members. An action of a REST protocol
    is its method and path.
    """

    service: str
    region: str
    access_key: str
    protocol: Protocol
    action: str
    params: Mapping[str, Any]


def read(request: Request) -> Call:
    """The call a request makes; never refuses, what can't be read is empty."""
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    access_key, region, service = found.groups() if found else ("", "", "")
    target = request.headers.get("x-amz-target")
    if target:
        action = target.rpartition(".")[2]
        return Call(service, region, access_key, Protocol.JSON, action, _members(request.body))
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    text = request.body.decode("utf-8", "replace") if form else request.query
    params = dict(parse_qsl(text, keep_blank_values=True))
    if not access_key and params.get("Action") in _UNSIGNED_ACTIONS:
        service, region = "sts", "us-east-1"
    if service == "ec2" or "Action" in params:
        protocol = Protocol.EC2 if service == "ec2" else Protocol.QUERY
        return Call(service, region, access_key, protocol, params.get("Action", ""), params)
    protocol = Protocol.REST_XML if service in _REST_XML_SERVICES else Protocol.REST_JSON
    return Call(service, region, access_key, protocol, f"{request.method} {request.path}", params)


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
