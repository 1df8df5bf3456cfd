# SPDX-License-Identifier: GPL-3.0-or-later
"""Fast path: the requests for handlers that the pipeline calls directly, without moto's WSGI application.

It exists because moto's application takes much longer than the actions that this package implements itself: a
thread, werkzeug, moto's parser and dispatcher for each request, and the creation of backends for each account
and Region. ec2/fast_path.py and kms/fast_path.py list the handlers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class FastPathRequest:
    """An authenticated request; `params` are flat query parameters, with `Action`, or JSON members."""

    account_id: str
    region: str
    params: Mapping[str, str]
    request_id: str


@dataclass(frozen=True)
class RestRequest:
    """An authenticated request to a service with a REST protocol."""

    account_id: str
    region: str
    method: str
    path: str
    body: bytes
    query: str = ""
