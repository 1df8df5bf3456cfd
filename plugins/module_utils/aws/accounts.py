# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting in many accounts: the own one with the user's credentials, any other by a role that it has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..failures import Failure, TargetFailed
from ..model import ConsumerRole
from .clients import Clients
from .read import Caller

if TYPE_CHECKING:
    pass


class Accounts:
    """The clients of every account.

    ``clients`` are the own account's, with the STS client of ``sts_region`` open. Other accounts' sessions
    are not for several threads: give each account to one thread, which opens what it needs.
    """

    def __init__(self, clients: Clients, caller: Caller, role: ConsumerRole | None, sts_region: str) -> None:
        self._clients = clients
        self._caller = caller
        self._role = role
        self._sts_region = sts_region

    def clients(self, account_id: str) -> Clients:
        """The account's clients. Its role is assumed at the first call that is made with them.

        Raises:
            TargetFailed: it is another account, and no role of it is named.
        """
        if account_id == self._caller.account_id:
            return self._clients
        if self._role is None:
            raise TargetFailed(
                Failure(
                    message=f"Account {account_id} cannot be looked at with credentials of "
                    f"{self._caller.account_id}.",
                    remedy="Name a role of it that these credentials may assume in consumer_role_name.",
                    error_code="missing_consumer_role",
                    action="AssumeRole",
                    account_id=account_id,
                )
            )
        role_arn = self._role_arn(account_id, self._role)
        return self._clients.with_role(role_arn, self._role.external_id, self._sts_region)

    def role_arn(self, account_id: str) -> str | None:
        """The role that is assumed in an account; None for the own one, and where no role is named."""
        if self._role is None or account_id == self._caller.account_id:
            return None
        return self._role_arn(account_id, self._role)

    def _role_arn(self, account_id: str, role: ConsumerRole) -> str:
        return f"arn:{self._caller.partition}:iam::{account_id}:role/{role.name}"
