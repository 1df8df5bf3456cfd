# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's queues, refusing what AWS refuses of how they are made and changed."""

from __future__ import annotations

import time
from weakref import WeakKeyDictionary

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend
from moto.sqs.responses import SQSResponse

from . import queue_attributes

_GONE_SECONDS = 60
"""For how long the name of a deleted queue can't be had (botocore operation DeleteQueue)."""

_MOST_WAIT = 20
_LONGEST_POLL = 2
"""Seconds that a request for messages waits here. AWS waits as long as it is asked to; here, a thread that
waits for a client which has gone would keep the server from ending."""

_deleted: WeakKeyDictionary[SQSBackend, dict[str, float]] = WeakKeyDictionary()
"""When queues of an account and Region were deleted; forgotten with moto's backend at a reset."""


class StrictSqsResponse(SQSResponse):
    """moto's, which takes any attribute and loses a queue's policy when another attribute is set."""

    def create_queue(self) -> ActionResult:
        """moto's, for attributes that exist and a name that is not still being deleted."""
        queue_attributes.require(self._get_param("Attributes", {}))
        deleted = _deleted.get(self.sqs_backend, {}).get(self._get_param("QueueName"), -_GONE_SECONDS)
        if time.monotonic() - deleted < _GONE_SECONDS:
            raise SQSException(
                "AWS.SimpleQueueService.QueueDeletedRecently",
                f"You must wait {_GONE_SECONDS} seconds after deleting a queue before you can create another "
                "with the same name.",
            )
        return super().create_queue()

    def set_queue_attributes(self) -> ActionResult:
        """moto's, but what isn't named stays as it is."""
        changed = self._get_param("Attributes", {})
        queue_attributes.require(changed)
        queue = self.sqs_backend.get_queue(self._get_queue_name())
        if "Policy" not in changed and queue.policy:
            self.params["Attributes"] = {**changed, "Policy": queue.policy}
        return super().set_queue_attributes()

    def receive_message(self) -> ActionResult:
        """moto's, but a long poll finds nothing sooner, and has to be repeated sooner."""
        wait = self._get_param("WaitTimeSeconds")
        if wait is not None and wait <= _MOST_WAIT:
            self.params["WaitTimeSeconds"] = min(wait, _LONGEST_POLL)
        return super().receive_message()

    def delete_queue(self) -> ActionResult:
        """moto's; the name can't be had again at once."""
        answer = super().delete_queue()
        _deleted.setdefault(self.sqs_backend, {})[self._get_queue_name()] = time.monotonic()
        return answer
