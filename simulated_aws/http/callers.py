# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls: the principal that an access key belongs to.

Keys come from the fixture, or from moto, which issues them for IAM users and for the sessions of AssumeRole.
Signatures aren't verified: whoever knows a key's id has the key.
"""

from __future__ import annotations

from collections.abc import Mapping

from ..iam.principals import Principal, of_access_key, root

_SESSION_KEY = "ASIA"
"""What the keys of sessions begin with (IAM User Guide, IAM identifiers: unique ID prefixes)."""


class Callers:
    """The principals behind access keys."""

    def __init__(self) -> None:
        self._registered: dict[str, Principal] = {}
        self._sessions: dict[str, Principal] = {}

    def register(self, accounts_by_key: Mapping[str, str]) -> None:
        """Accept these access keys, each for its account id: its IAM user's, or the account's own."""
        for access_key, account_id in accounts_by_key.items():
            self._registered[access_key] = of_access_key(access_key) or root(account_id)

    def clear(self) -> None:
        """Accept none of the learned keys any longer."""
        self._registered.clear()
        self._sessions.clear()

    def account_of(self, access_key: str) -> str | None:
        """The account id that the key belongs to; None if nobody issued it."""
        principal = self.principal_of(access_key)
        return principal.account_id if principal is not None else None

    def principal_of(self, access_key: str) -> Principal | None:
        """Who the key belongs to; None if nobody issued it."""
        known = self._registered.get(access_key) or self._sessions.get(access_key)
        if known is not None:
            return known
        principal = of_access_key(access_key)
        if principal is not None and access_key.startswith(_SESSION_KEY):
            # To ask moto means to look through all accounts; a session never becomes another's.
            self._sessions[access_key] = principal
        return principal
