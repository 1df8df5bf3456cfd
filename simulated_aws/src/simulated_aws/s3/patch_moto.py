# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto, so that requests to S3 get the stricter checks."""

from __future__ import annotations

from moto.s3 import responses

from .moto_responses import StrictS3Response


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect.

    moto.s3.models reloads moto.s3.urls, which then imports the handler that is registered here.
    """
    vars(responses)["S3Response"] = StrictS3Response
