# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts there are: those of the fixtures, and those that Organizations made since."""

from __future__ import annotations

from moto.organizations.models import organizations_backends

_known: set[str] = set()


def register(account_id: str) -> None:
    """From now on the account exists."""
    _known.add(account_id)


def exists(account_id: str) -> bool:
    """Whether anybody has an account with this id."""
    return account_id in _known or account_id in organizations_backends.master_accounts


def reset() -> None:
    """There are none."""
    _known.clear()
