# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting this package in front of moto's Organizations."""

from __future__ import annotations

from moto.organizations import urls

from .moto_responses import StrictOrganizationsResponse


def patch_moto() -> None:
    """To be called before the first request, and harmless afterwards."""
    urls.url_paths["{0}/$"] = StrictOrganizationsResponse.dispatch
