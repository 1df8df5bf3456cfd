# SPDX-License-Identifier: GPL-3.0-or-later
"""The principal that makes the current request.

It is a context variable, because moto's Auto Scaling calls moto's EC2 without naming a caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .principals import Principal, root

_PRINCIPAL: ContextVar[Principal | None] = ContextVar("principal", default=None)


@contextmanager
def as_principal(principal: Principal | None) -> Iterator[None]:
    """Make this principal the current one inside the with statement; None for an anonymous call."""
    token = _PRINCIPAL.set(principal)
    try:
        yield
    finally:
        _PRINCIPAL.reset(token)


def current_principal(account_id: str) -> Principal:
    """The current principal if it belongs to the account, else the root of the account."""
    principal = _PRINCIPAL.get()
    return principal if principal is not None and principal.account_id == account_id else root(account_id)
