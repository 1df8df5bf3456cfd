# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Check something right before each attempt of a call, when all its waiting is over.

A rate limit delays an attempt, and a throttled call is repeated for about a minute: what was checked before
the call may be out of date by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

Check = Callable[[], None]

# Each thread has a context of its own.
_check: ContextVar[Check | None] = ContextVar("golden_images_check", default=None)


def check_attempts(client: Any, operation: str) -> None:
    """Let a client call the check of the thread before each attempt of the operation, retries included.

    Botocore emits ``request-created`` for each attempt, before it is signed. A rate limit is a handler of it,
    too: it comes first.
    """
    event = f"request-created.{client.meta.service_model.service_id.hyphenize()}.{operation}"
    client.meta.events.register_last(event, _run, "golden.images.each_attempt")


@contextmanager
def before_each_attempt(check: Check) -> Iterator[None]:
    """Set the check for the thread's calls in the context.

    An exception of the check ends the call, whose attempt is not sent, and is the call's exception.
    """
    token = _check.set(check)
    try:
        yield
    finally:
        _check.reset(token)


def _run(**_event: Any) -> None:
    check = _check.get()
    if check is not None:
        check()
