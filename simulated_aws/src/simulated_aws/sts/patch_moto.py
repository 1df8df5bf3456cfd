# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that requests to STS get the stricter checks."""

from __future__ import annotations

from moto.sts import urls

from .moto_responses import StrictTokenResponse


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = StrictTokenResponse.dispatch
