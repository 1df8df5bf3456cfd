# SPDX-License-Identifier: GPL-3.0-or-later
"""Who calls: which account an access key belongs to.

Keys come from the estate, or from moto, which issues them for IAM users and for the sessions of AssumeRole.
Signatures aren't verified: whoever knows a key's id has the key.
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.iam.models import iam_backends


class Callers:
    """The accounts behind access keys."""

    def __init__(self) -> None:
        self._accounts: dict[str, str] = {}

    def learn(self, accounts_by_key: Mapping[str, str]) -> None:
        """Accept these access keys, each for its account id."""
        self._accounts.update(accounts_by_key)

    def forget(self) -> None:
        """Accept none of the learned keys any longer."""
        self._accounts.clear()

    def account_of(self, access_key: str) -> str | None:
        """The account id that the key belongs to; None if nobody issued it."""
        return self._accounts.get(access_key) or _issued_by_moto(access_key)


def _issued_by_moto(access_key: str) -> str | None:
    # Copies, since other threads add backends.
    for account_id, partitions in list(iam_backends.items()):
        for backend in list(partitions.values()):
            if access_key in backend.access_keys:
                return str(account_id)
    return None
