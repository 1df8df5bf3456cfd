# SPDX-License-Identifier: GPL-3.0-or-later
"""moto's request handler for SQS, with checks when queues are created and changed."""

from __future__ import annotations

import time
from typing import cast
from weakref import WeakKeyDictionary

from moto.core.responses import ActionResult
from moto.sqs.exceptions import SQSException
from moto.sqs.models import SQSBackend
from moto.sqs.responses import SQSResponse

from . import queue_attributes

_GONE_SECONDS = 60
"""Time until the name of a deleted queue can be reused (botocore operation DeleteQueue)."""

_MOST_WAIT = 20
_LONGEST_POLL = 2
"""Longest wait of ReceiveMessage in seconds. AWS waits as long as requested; here a thread that waits for a
client that has disconnected would keep the server from stopping."""

_deleted: WeakKeyDictionary[SQSBackend, dict[str, float]] = WeakKeyDictionary()
"""Backend of an account and Region to queue name to the time of deletion; a reset drops the backends."""


class StrictSqsResponse(SQSResponse):
    """Adds checks: moto accepts any attribute, and drops the policy when another attribute is set."""

    def create_queue(self) -> ActionResult:
        """Check the attributes, and that no queue of this name was deleted less than 60 seconds ago."""
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
        """Check the attributes, and keep those that the request doesn't set."""
        changed = self._get_param("Attributes", {})
        queue_attributes.require(changed)
        queue = self.sqs_backend.get_queue(self._get_queue_name())
        if "Policy" not in changed and queue.policy:
            self.params["Attributes"] = {**changed, "Policy": queue.policy}
        return super().set_queue_attributes()

    def receive_message(self) -> ActionResult:
        """Limit the wait time of a long poll."""
        wait = self._get_param("WaitTimeSeconds")
        if wait is not None and wait <= _MOST_WAIT:
            self.params["WaitTimeSeconds"] = min(wait, _LONGEST_POLL)
        return super().receive_message()

    def delete_message_batch(self) -> ActionResult:
        """Delete messages; the response has no list of failures if there are none.

        The model calls the list required, but AWS omits it (https://github.com/aws/aws-sdk/issues/657, for
        SendMessageBatch).
        """
        answer = cast(dict[str, list[object]], super().delete_message_batch().result)
        return ActionResult({name: items for name, items in answer.items() if items})

    def delete_queue(self) -> ActionResult:
        """Delete the queue and store when that was."""
        answer = super().delete_queue()
        _deleted.setdefault(self.sqs_backend, {})[self._get_queue_name()] = time.monotonic()
        return answer
