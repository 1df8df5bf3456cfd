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
from dataclasses import dataclass
from typing import Any

Check = Callable[[], None]


@dataclass
class Checked:
    """The calls whose attempts are checked, and how many attempts of them were ``sent``."""

    check: Check
    sent: int = 0


# Each thread has a context of its own.
_checked: ContextVar[Checked | None] = ContextVar("golden_images_checked", default=None)


def check_attempts(client: Any, operation: str) -> None:
    """Let a client call the check of the thread before each attempt of the operation, retries included.

    Botocore emits two events for each attempt. This collection's rate limit waits at ``request-created``, and
    AWS refuses a signature that is older than five minutes: a check that takes long is made there, before the
    attempt is signed. Botocore's own limit, in its adaptive retry mode, waits at ``before-send`` of all
    operations, whose handlers come after those of one: so this is one of them, too, to check again.
    """
    of_operation = f"{client.meta.service_model.service_id.hyphenize()}.{operation}"
    before_send = f"before-send.{of_operation}"

    def run_before_send(event_name: str, **_event: Any) -> None:
        if event_name == before_send:
            _run()
            _count_sent()

    request_created, events = f"request-created.{of_operation}", client.meta.events
    # Botocore registers one handler for an ID, whatever the event is.
    events.register_last(request_created, _run, f"golden.images.{request_created}")
    events.register_last("before-send", run_before_send, f"golden.images.{before_send}")


@contextmanager
def before_each_attempt(check: Check) -> Iterator[Checked]:
    """Set the check for the thread's calls in the context. It may be made twice before an attempt.

    An exception of the check ends the call, whose attempt is not sent, and is the call's exception.
    """
    checked = Checked(check)
    token = _checked.set(checked)
    try:
        yield checked
    finally:
        _checked.reset(token)


def _run(**_event: Any) -> None:
    checked = _checked.get()
    if checked is not None:
        checked.check()


def _count_sent() -> None:
    checked = _checked.get()
    if checked is not None:
        checked.sent += 1
