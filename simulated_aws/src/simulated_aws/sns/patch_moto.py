# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that requests to SNS get the stricter checks."""

from __future__ import annotations

from moto.sns import urls

from .moto_responses import StrictSnsResponse


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = StrictSnsResponse.dispatch
