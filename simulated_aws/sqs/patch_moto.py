# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the strict queues in moto's place."""

from __future__ import annotations

from moto.sqs import urls

from .moto_responses import StrictSqsResponse


def patch_moto() -> None:
    """To be called before the first request, and harmless afterwards."""
    for path in urls.url_paths:
        urls.url_paths[path] = StrictSqsResponse.dispatch
