# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for SNS, with checks when an endpoint is subscribed."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sns.responses import SNSResponse

from . import endpoints


class StrictSnsResponse(SNSResponse):
    """Adds checks: moto accepts any endpoint of most protocols, and shows all subscriptions as confirmed."""

    def subscribe(self) -> ActionResult:
        """Check that the endpoint is of its protocol."""
        attributes = self._get_attributes() or {}
        endpoints.require(self._get_param("Protocol"), self._get_param("Endpoint") or "", attributes)
        return super().subscribe()

    def list_subscriptions(self) -> ActionResult:
        """Show which subscriptions are not confirmed."""
        return _shown(super().list_subscriptions())

    def list_subscriptions_by_topic(self) -> ActionResult:
        """Show which subscriptions are not confirmed."""
        return _shown(super().list_subscriptions_by_topic())


def _shown(listed: ActionResult) -> ActionResult:
    """The list with PendingConfirmation in place of the ARNs that there are none of before a confirmation.

    (SNS API Reference, ConfirmSubscription.)
    """
    result: Any = listed.result
    subscriptions = [
        {
            "Endpoint": one.endpoint,
            "Owner": one.owner,
            "Protocol": one.protocol,
            "SubscriptionArn": one.arn
            if endpoints.is_confirmed(one.protocol, one.endpoint)
            else "PendingConfirmation",
            "TopicArn": one.topic_arn,
        }
        for one in result["Subscriptions"]
    ]
    return ActionResult({**result, "Subscriptions": subscriptions})
