# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting this package in front of moto's STS."""

from __future__ import annotations

from moto.sts import urls

from .moto_responses import StrictTokenResponse


def patch_moto() -> None:
    """To be called before the first request, and harmless afterwards."""
    urls.url_paths["{0}/$"] = StrictTokenResponse.dispatch
