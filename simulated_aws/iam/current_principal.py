# SPDX-License-Identifier: GPL-3.0-or-later
"""In whose name the present request is carried out.

A context variable, since moto's Auto Scaling calls moto's EC2 without saying for whom.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .principals import Principal, root

_PRINCIPAL: ContextVar[Principal | None] = ContextVar("acting", default=None)


@contextmanager
def as_principal(principal: Principal | None) -> Iterator[None]:
    """Everything inside happens in the name of this principal, or in nobody's."""
    token = _PRINCIPAL.set(principal)
    try:
        yield
    finally:
        _PRINCIPAL.reset(token)


def current_principal(account_id: str) -> Principal:
    """Who acts for an account now: the request's principal, or the account itself where none was named."""
    principal = _PRINCIPAL.get()
    return principal if principal is not None and principal.account_id == account_id else root(account_id)
