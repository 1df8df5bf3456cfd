# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin that leaves the rate limit out of the modules, which Ansible's processes run themselves.

Where AWS refuses no call, an operation without a documented rate is never delayed.
"""

from __future__ import annotations

from ansible.plugins.callback import CallbackBase
from ansible_collections.golden.images.plugins.module_utils._aws import rate_limit

DOCUMENTATION = """
name: without_rate_limit
type: notification
short_description: Leaves the rate limit out of a benchmark's run
description:
  - Modules call AWS as if it documented no rates.
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Changes the modules of the processes that Ansible forks from its own."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "without_rate_limit"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        rate_limit.rate_of = lambda _service, _operation: None
