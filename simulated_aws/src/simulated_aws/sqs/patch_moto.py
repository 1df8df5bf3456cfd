# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that requests to SQS get the stricter checks."""

from __future__ import annotations

from moto.sqs import urls

from .moto_responses import StrictSqsResponse


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    for path in urls.url_paths:
        urls.url_paths[path] = StrictSqsResponse.dispatch
