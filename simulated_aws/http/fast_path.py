# SPDX-License-Identifier: GPL-3.0-or-later
"""What a handler of the lean path is given: one request, already authenticated and read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FastPathRequest:
    """One request as the caller sent it; `params` are its flat query parameters, `Action` among them."""

    account_id: str
    region: str
    params: Mapping[str, str]
    request_id: str


@dataclass(frozen=True)
class RestRequest:
    """One request to a service whose operations are methods and paths."""

    account_id: str
    region: str
    method: str
    path: str
    body: bytes
