# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits the results about several accounts to some hundred characters, as if there were a thousand accounts.

Ansible loads a callback before it forks the process of the first task.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible_collections.golden.images.plugins.plugin_utils import _large_results as large_results
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display

DOCUMENTATION = """
name: small_results
type: notification
short_description: Limits results
description: Limits results.
"""

_COMPLETE = large_results.LARGEST
_LISTS = ("results", "images", "consumer_images", "verified", "published")


def _accounts(result: Mapping[str, Any]) -> Iterator[str]:
    for part in (result, result.get("report") or {}):
        for name in _LISTS:
            rows = part.get(name) or []
            yield from (row.get("account_id") for row in rows if isinstance(row, dict) and "region" in row)


def _limit_result(result: Mapping[str, Any], share: int) -> Mapping[str, Any]:
    large_results.LARGEST = 100 if len({*_accounts(result)}) > 1 else _COMPLETE
    limited: Mapping[str, Any] = large_results.limit_result(result, share)
    return limited


class CallbackModule(CallbackBase):
    """A callback that changes the limit while it is loaded."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "small_results"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        large_results._SMALLEST = 250
        result_display.limit_result = _limit_result
