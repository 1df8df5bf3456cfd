# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients of several accounts: the own one with the user's credentials, others with an assumed role."""

from __future__ import annotations

from ..failures import Failure, TargetFailed
from ..model import ConsumerRole
from .clients import Clients
from .read import Caller

# AWS Account Management Reference Guide, "Enable or disable AWS Regions in your account": those that every
# account has. Other partitions have no opt-in regions.
_ENABLED_BY_DEFAULT = frozenset(
    {
        *("ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-southeast-1"),
        *("ap-southeast-2", "ca-central-1", "eu-central-1", "eu-north-1", "eu-west-1", "eu-west-2"),
        *("eu-west-3", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2"),
    }
)


class Accounts:
    """The clients of every account.

    ``clients`` are the own account's, with the STS client of ``sts_region`` open. Roles are assumed there, or
    in a region that every account has: STS gives no credentials of an account that has not opted in to the
    region of the request (botocore shape ``RegionDisabledException``). Sessions of other accounts are not
    thread-safe: use each account in one thread, which opens the clients that it needs.
    """

    def __init__(self, clients: Clients, caller: Caller, role: ConsumerRole | None, sts_region: str) -> None:
        self._clients = clients
        self._caller = caller
        self._role = role
        self._sts_region = sts_region
        if role is not None and caller.partition == "aws" and sts_region not in _ENABLED_BY_DEFAULT:
            self._sts_region = _region_of_every_account(clients.default_region)
            clients.open("sts", [self._sts_region])

    def clients(self, account_id: str) -> Clients:
        """The account's clients. The first call with them assumes its role.

        Raises:
            TargetFailed: it is another account, and there is no role.
        """
        if account_id == self._caller.account_id:
            return self._clients
        if self._role is None:
            raise TargetFailed(
                Failure(
                    message=f"Account {account_id} cannot be read with credentials of account "
                    f"{self._caller.account_id}.",
                    remedy="Set consumer_role_name to a role that these credentials can assume there.",
                    error_code="missing_consumer_role",
                    action="AssumeRole",
                    account_id=account_id,
                )
            )
        role_arn = self._role_arn(account_id, self._role)
        return self._clients.with_role(role_arn, self._role.external_id, self._sts_region)

    def role_arn(self, account_id: str) -> str | None:
        """The ARN of the role that is assumed in an account; None for the own account and without a role."""
        if self._role is None or account_id == self._caller.account_id:
            return None
        return self._role_arn(account_id, self._role)

    def _role_arn(self, account_id: str, role: ConsumerRole) -> str:
        return f"arn:{self._caller.partition}:iam::{account_id}:role/{role.name}"


def _region_of_every_account(preferred: str) -> str:
    return preferred if preferred in _ENABLED_BY_DEFAULT else "us-east-1"
