# SPDX-License-Identifier: GPL-3.0-or-later
"""Which organization and OUs an account is in, asked of moto's Organizations."""

from __future__ import annotations

from moto.organizations.models import OrganizationsBackend, organizations_backends


def memberships(account_id: str) -> frozenset[str]:
    """ARNs of the account's organization and of every OU above it, nested ones included; empty without one.

    An OU share covers the OUs inside it (EC2 User Guide, Share an AMI with organizations or OUs).
    """
    backend = _backend(account_id)
    if backend is None or backend.org is None:
        return frozenset()
    account = next((one for one in backend.accounts if one.id == account_id), None)
    if account is None:
        return frozenset()
    units = {unit.id: unit for unit in backend.ou}
    arns = {backend.org.arn}
    parent = units.get(account.parent_id)
    while parent is not None and parent.type == "ORGANIZATIONAL_UNIT":
        arns.add(parent.arn)
        parent = units.get(parent.parent_id or "")
    return frozenset(arns)


def _backend(account_id: str) -> OrganizationsBackend | None:
    member_of = organizations_backends.master_accounts.get(account_id)
    if member_of:
        management_account, partition = member_of
        return organizations_backends[management_account][partition]
    if account_id not in organizations_backends:
        return None
    return next((one for one in organizations_backends[account_id].values() if one.org), None)
