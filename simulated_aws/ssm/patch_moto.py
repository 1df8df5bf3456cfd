# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts the strict Parameter Store in moto's place."""

from __future__ import annotations

from moto.ssm import urls

from .moto_responses import StrictSsmResponse


def patch_moto() -> None:
    """To be called before the first request, and harmless afterwards."""
    urls.url_paths["{0}/$"] = StrictSsmResponse.dispatch
