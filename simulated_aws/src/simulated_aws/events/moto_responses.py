# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for EventBridge, with checks when a rule is created or changed."""

from __future__ import annotations

from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.events.responses import EventsHandler

# botocore shape EventPattern, and EventBridge User Guide, "Amazon EventBridge quotas": the default quota.
_LONGEST, _QUOTA = 4096, 2048


class StrictEventsHandler(EventsHandler):
    """Adds checks: moto accepts an event pattern of any length."""

    def put_rule(self) -> tuple[str, dict[str, Any]]:
        """Check the length of the event pattern (botocore operation PutRule)."""
        length = len(self._get_param("EventPattern") or "")
        if length > _LONGEST:
            raise JsonRESTError(
                "ValidationException",
                "1 validation error detected: Value at 'eventPattern' failed to satisfy constraint: Member "
                f"must have length less than or equal to {_LONGEST}",
            )
        if length > _QUOTA:
            message = f"The event pattern exceeds the quota of {_QUOTA} characters."
            raise JsonRESTError("LimitExceededException", message)
        return super().put_rule()
