# SPDX-License-Identifier: GPL-3.0-or-later
"""Authentication: finds the principal that an access key belongs to.

Keys come from fixtures, or from moto, which creates them for IAM users and for the sessions of AssumeRole.
Those of sessions expire.
Signatures are not verified: the ID of an access key is sufficient.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..iam.principals import Principal, of_access_key, root, session_end

_SESSION_KEY = "ASIA"
"""Prefix of the access keys of sessions (IAM User Guide, IAM identifiers: unique ID prefixes)."""


class Callers:
    """The principals behind access keys."""

    def __init__(self) -> None:
        self._registered: dict[str, Principal] = {}
        self._sessions: dict[str, Principal] = {}
        self._ends: dict[str, float | None] = {}

    def register(self, accounts_by_key: Mapping[str, str]) -> None:
        """Accept these access keys (key to account ID), for their IAM user or else for the account's root."""
        for access_key, account_id in accounts_by_key.items():
            self._registered[access_key] = of_access_key(access_key) or root(account_id)

    def clear(self) -> None:
        """Remove all registered keys and cached sessions."""
        self._registered.clear()
        self._sessions.clear()
        self._ends.clear()

    def account_of(self, access_key: str) -> str | None:
        """The account ID that the key belongs to; None for an unknown key."""
        principal = self.principal_of(access_key)
        return principal.account_id if principal is not None else None

    def principal_of(self, access_key: str) -> Principal | None:
        """The principal that the key belongs to; None for an unknown key."""
        known = self._registered.get(access_key) or self._sessions.get(access_key)
        if known is not None:
            return known
        principal = of_access_key(access_key)
        if principal is not None and access_key.startswith(_SESSION_KEY):
            # Cached: moto searches all accounts for it, and the principal of a session never changes.
            self._sessions[access_key] = principal
            self._ends[access_key] = session_end(principal, access_key)
        return principal

    def has_expired(self, access_key: str, now: float) -> bool:
        """Whether it is the key of a session that ended before `now`, in Unix time."""
        end = self._ends.get(access_key) if self.principal_of(access_key) else None
        return end is not None and end <= now
