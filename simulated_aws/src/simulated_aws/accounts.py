# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts that exist: those of loaded fixtures, and those that Organizations has created."""

from __future__ import annotations

from moto.organizations.models import organizations_backends

_known: set[str] = set()


def register(account_id: str) -> None:
    """Add an account."""
    _known.add(account_id)


def exists(account_id: str) -> bool:
    """Whether there is an account with this ID."""
    return account_id in _known or account_id in organizations_backends.master_accounts


def known() -> tuple[str, ...]:
    """The IDs of all accounts of fixtures, sorted."""
    return tuple(sorted(_known))


def reset() -> None:
    """Remove all accounts of fixtures."""
    _known.clear()
