# SPDX-License-Identifier: GPL-3.0-or-later
"""The valid attributes of a queue (botocore shape SetQueueAttributesRequest, Attributes)."""

from __future__ import annotations

import json
from collections.abc import Mapping

from moto.sqs.exceptions import InvalidAttributeName, InvalidAttributeValue

_NUMBERS = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
_DOCUMENTS = frozenset({"Policy", "RedriveAllowPolicy", "RedrivePolicy"})
_TEXTS = frozenset(
    {
        *("ContentBasedDeduplication", "DeduplicationScope", "FifoQueue", "FifoThroughputLimit"),
        *("KmsMasterKeyId", "SqsManagedSseEnabled"),
    }
)


def require(attributes: Mapping[str, str]) -> None:
    """Reject unknown names and values that are out of range; an empty policy document deletes the policy."""
    for name, value in attributes.items():
        if name in _NUMBERS:
            least, most = _NUMBERS[name]
            if not (value.isascii() and value.isdigit() and least <= int(value) <= most):
                raise InvalidAttributeValue(name)
        elif name in _DOCUMENTS:
            if value and not _is_object(value):
                raise InvalidAttributeValue(name)
        elif name not in _TEXTS:
            raise InvalidAttributeName(name)


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False
