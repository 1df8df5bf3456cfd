# SPDX-License-Identifier: GPL-3.0-or-later
"""Parses an HTTP request into an AWS API call: service, Region, access key, action and parameters."""

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
# STS operations without a signature (STS API Reference, the descriptions of both operations).
_UNSIGNED_ACTIONS = frozenset({"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"})
_REST_XML_SERVICES = frozenset({"cloudfront", "route53", "s3"})
# Services with the protocol rest-json whose requests name their resources in the body, for policies.
_NAMED_IN_BODY = frozenset({"ram"})


@dataclass(frozen=True, slots=True)
class Call:
    """One API call.

    `access_key`, `region` and `service` are from the credential scope of the signature (IAM User Guide,
    Elements of an AWS API request signature), so `service` is the signing name, such as `monitoring` for
    CloudWatch. All three are empty for an unsigned call, unless the operation needs no signature.
    `params` are the flat query parameters as sent, or the members of a JSON body. For the REST protocols,
    `action` is the method and path, and `params` are those of the query; of AWS RAM, also those of the body.
    """

    service: str
    region: str
    access_key: str
    protocol: Protocol
    action: str
    params: Mapping[str, Any]


def read(request: Request) -> Call:
    """Parse a request. Never fails: what can't be parsed is empty."""
    found = _CREDENTIAL.search(request.headers.get("authorization", ""))
    access_key, region, service = found.groups() if found else ("", "", "")
    target = request.headers.get("x-amz-target")
    if target:
        action = target.rpartition(".")[2]
        return Call(service, region, access_key, Protocol.JSON, action, _members(request.body))
    form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    text = request.body.decode("utf-8", "replace") if form else request.query
    params: dict[str, Any] = dict(parse_qsl(text, keep_blank_values=True))
    if not access_key and params.get("Action") in _UNSIGNED_ACTIONS:
        service, region = "sts", "us-east-1"
    if service == "ec2" or "Action" in params:
        protocol = Protocol.EC2 if service == "ec2" else Protocol.QUERY
        return Call(service, region, access_key, protocol, params.get("Action", ""), params)
    protocol = Protocol.REST_XML if service in _REST_XML_SERVICES else Protocol.REST_JSON
    if service in _NAMED_IN_BODY:
        params |= _members(request.body)
    return Call(service, region, access_key, protocol, f"{request.method} {request.path}", params)


def _members(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body or b"{}")
    except ValueError:
        return {}
    return members if isinstance(members, dict) else {}
