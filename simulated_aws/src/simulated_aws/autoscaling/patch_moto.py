# SPDX-License-Identifier: GPL-3.0-or-later
"""Registers this package's request handler in moto."""

from __future__ import annotations

from typing import Any

from moto.autoscaling import models, urls

from .instance_refreshes import StrictInstanceState
from .moto_responses import StrictAutoScalingResponse


def patch_moto() -> None:
    """Patch moto. Call it before the first request; further calls have no effect."""
    urls.url_paths["{0}/$"] = StrictAutoScalingResponse.dispatch
    patched: Any = models
    patched.InstanceState = StrictInstanceState
