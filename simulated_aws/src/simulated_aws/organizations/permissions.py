# SPDX-License-Identifier: GPL-3.0-or-later
"""Which accounts can call an operation, read from the operation's documentation in botocore."""

from __future__ import annotations

import re
from functools import cache

import botocore.session
from moto.organizations.models import OrganizationsBackend, organizations_backends

_ONLY_MANAGEMENT = "You can only call this operation from the management account"
_OR_DELEGATED = f"{_ONLY_MANAGEMENT} or a member account that is a delegated administrator"


class OrganizationsError(Exception):
    """An error of Organizations, with the code and message of its error document."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def backend_for(account_id: str, partition: str, action: str) -> OrganizationsBackend:
    """moto's backend of the organization that a request is about, if the account can call the operation.

    (botocore shapes AccessDeniedException and AWSOrganizationsNotInUseException.)
    """
    own = organizations_backends[account_id][partition]
    text = _documentation(action)
    if own.org is not None or _ONLY_MANAGEMENT not in text:
        return own
    if account_id not in organizations_backends.master_accounts:
        raise OrganizationsError(
            "AWSOrganizationsNotInUseException", "Your account is not a member of an organization."
        )
    management, its_partition = organizations_backends.master_accounts[account_id]
    backend = organizations_backends[management][its_partition]
    delegated = any(admin.account.id == account_id for admin in backend.admins)
    if not (delegated and _OR_DELEGATED in text):
        raise OrganizationsError(
            "AccessDeniedException", "You don't have permissions to access this resource."
        )
    return backend


@cache
def _documentation(action: str) -> str:
    model = botocore.session.get_session().get_service_model("organizations")
    return re.sub(r"<[^>]+>|\s+", " ", model.operation_model(action).documentation).replace("  ", " ")
