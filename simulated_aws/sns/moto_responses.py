# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for SNS, with checks when an endpoint is subscribed."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.sns.responses import SNSResponse

from . import endpoints


class StrictSnsResponse(SNSResponse):
    """Adds checks: moto accepts any endpoint of most protocols."""

    def subscribe(self) -> ActionResult:
        """Check that the endpoint is of its protocol."""
        attributes = self._get_attributes() or {}
        endpoints.require(self._get_param("Protocol"), self._get_param("Endpoint") or "", attributes)
        return super().subscribe()
