# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One set of clients for hundreds of accounts, with the credentials of the account of each request.

The creation of a client costs as much as ten requests. Botocore reads the credentials again for each request
that it signs, so a context variable, which each thread has of its own, can supply them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from ..model import ConsumerRole
from . import sdk
from .accounts import Accounts
from .clients import Clients
from .read import Caller

_CURRENT_CREDENTIALS: ContextVar[sdk.Credentials | None] = ContextVar("current", default=None)


class AssumedAccounts(Accounts):
    """The clients of every account, which all threads share.

    ``open`` the clients before threads start, and make the requests of each account inside ``as_account``.
    """

    def __init__(self, clients: Clients, caller: Caller, role: ConsumerRole | None, sts_region: str) -> None:
        super().__init__(clients, caller, role, sts_region)
        self._shared = clients.with_credentials(_context_credentials()) if role else clients
        self._credentials: dict[str, sdk.Credentials | None] = {}
        if role:
            self._credentials[caller.account_id] = clients.credentials()

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Create the clients of ``service`` in ``regions`` that do not exist yet, for all accounts."""
        self._shared.open(service, regions)

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Clients]:
        """The account's clients. They have no credentials outside of the context.

        The first request assumes the account's role.

        Raises:
            TargetFailed: it is another account, and there is no role.
        """
        if self._role is None:
            # The own account's, or TargetFailed.
            yield self.clients(account_id)
            return
        token = _CURRENT_CREDENTIALS.set(self._credentials_of(account_id, self._role))
        try:
            yield self._shared
        finally:
            _CURRENT_CREDENTIALS.reset(token)

    def _credentials_of(self, account_id: str, role: ConsumerRole) -> sdk.Credentials | None:
        """The credentials of an account, the same in all threads."""
        if account_id not in self._credentials:
            new = self._clients.role_credentials(
                self._role_arn(account_id, role), role.external_id, self._sts_region
            )
            self._credentials.setdefault(account_id, new)
        return self._credentials[account_id]


def _context_credentials() -> sdk.Credentials:
    """Credentials with the keys of the account of the current context."""

    class _ContextCredentials(sdk.Credentials):
        def get_frozen_credentials(self) -> sdk.ReadOnlyCredentials:
            credentials = _CURRENT_CREDENTIALS.get()
            if credentials is None:
                raise sdk.NoCredentialsError
            return credentials.get_frozen_credentials()

    return _ContextCredentials(access_key="", secret_key="")
