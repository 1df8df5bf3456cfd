# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that reads of trails are as strict as AWS's."""

from __future__ import annotations

from moto.cloudtrail import urls

from .moto_responses import StrictCloudTrailResponse


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = StrictCloudTrailResponse.dispatch
