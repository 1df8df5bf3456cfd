# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of several accounts: the own one with the user's credentials, others with an assumed role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from .._failures import Failure, TargetFailed
from .._model import ConsumerRole
from .._regions import ENABLED_BY_DEFAULT, REGION_OF_EVERY_ACCOUNT
from . import sdk
from .clients import Clients
from .read import Caller

_CURRENT_CREDENTIALS: ContextVar[sdk.Credentials | None] = ContextVar("current", default=None)


class AssumedAccounts:
    """One set of clients for hundreds of accounts, with the credentials of the account of each request.

    The creation of a client costs as much as ten requests. Botocore reads the credentials again for each
    request that it signs, so a context variable, which each thread has of its own, can supply them. ``open``
    the clients before threads start, and make the requests of each account inside ``as_account``.

    ``clients`` are the own account's. Roles are assumed in ``sts_region``, or in a region that every account
    has: STS gives no credentials of an account that has not opted in to the region of the request (botocore
    shape ``RegionDisabledException``). Without a role, there is only the own account.
    """

    def __init__(self, clients: Clients, caller: Caller, role: ConsumerRole | None, sts_region: str) -> None:
        self._clients = clients
        self._caller = caller
        self._role = role
        self._sts_region = sts_region
        self._shared = clients
        self._credentials: dict[str, sdk.Credentials | None] = {}
        if role is None:
            return
        if caller.partition == "aws" and sts_region not in ENABLED_BY_DEFAULT:
            self._sts_region = _region_of_every_account(clients.default_region)
        clients.open("sts", [self._sts_region])
        self._shared = clients.with_credentials(_context_credentials())
        self._credentials[caller.account_id] = clients.credentials()

    def open(self, service: str, regions: Iterable[str]) -> None:
        """Create the clients of ``service`` in ``regions`` that do not exist yet, for all accounts."""
        self._shared.open(service, regions)

    def open_without_retries(self, service: str, regions: Iterable[str]) -> None:
        """Create the same clients that send each call once: ``without_retries`` of an account's clients."""
        self._shared.without_retries().open(service, regions)

    def close_connections(self) -> None:
        """Close all connections to AWS; a client that is used again opens a new one."""
        self._clients.close_connections()
        self._shared.close_connections()

    def of_fork(self) -> AssumedAccounts:
        """Return clients for a fork of this process, which uses none of its parent's."""
        return AssumedAccounts(self._clients.of_fork(), self._caller, self._role, self._sts_region)

    @contextmanager
    def as_account(self, account_id: str) -> Iterator[Clients]:
        """Yield the account's clients. They have no credentials outside of the context.

        The first request assumes the account's role.

        Raises:
            TargetFailed: it is another account, and there is no role.
        """
        if self._role is None:
            if account_id != self._caller.account_id:
                raise TargetFailed(self._explain_missing_role(account_id))
            yield self._clients
            return
        token = _CURRENT_CREDENTIALS.set(self._credentials_of(account_id, self._role))
        try:
            yield self._shared
        finally:
            _CURRENT_CREDENTIALS.reset(token)

    def _explain_missing_role(self, account_id: str) -> Failure:
        return Failure(
            message=f"Account {account_id} cannot be read with credentials of account "
            f"{self._caller.account_id}.",
            remedy="Set consumer_role_name to a role that these credentials can assume there.",
            error_code="missing_consumer_role",
            action="AssumeRole",
            account_id=account_id,
        )

    def _credentials_of(self, account_id: str, role: ConsumerRole) -> sdk.Credentials | None:
        """Return the credentials of an account, the same in all threads."""
        if account_id not in self._credentials:
            new = self._clients.role_credentials(
                self._role_arn(account_id, role), role.external_id, self._sts_region
            )
            self._credentials.setdefault(account_id, new)
        return self._credentials[account_id]

    def role_arn(self, account_id: str) -> str | None:
        """Return the ARN of the role to assume in an account; None for the own account and without a role."""
        if self._role is None or account_id == self._caller.account_id:
            return None
        return self._role_arn(account_id, self._role)

    def _role_arn(self, account_id: str, role: ConsumerRole) -> str:
        return f"arn:{self._caller.partition}:iam::{account_id}:role/{role.name}"


def _context_credentials() -> sdk.Credentials:
    """Return credentials with the keys of the account of the current context."""

    class _ContextCredentials(sdk.Credentials):
        def get_frozen_credentials(self) -> sdk.ReadOnlyCredentials:
            credentials = _CURRENT_CREDENTIALS.get()
            if credentials is None:
                raise sdk.NoCredentialsError
            return credentials.get_frozen_credentials()

    return _ContextCredentials(access_key="", secret_key="")


def _region_of_every_account(preferred: str) -> str:
    return preferred if preferred in ENABLED_BY_DEFAULT else REGION_OF_EVERY_ACCOUNT
