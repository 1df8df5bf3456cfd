# SPDX-License-Identifier: GPL-3.0-or-later
"""The organization and OUs of an account, read from moto's Organizations."""

from __future__ import annotations

from typing import NamedTuple

from moto.organizations.models import FakeOrganizationalUnit, OrganizationsBackend, organizations_backends


def memberships(account_id: str) -> frozenset[str]:
    """ARNs of the account's organization and of all OUs above the account; empty without an organization.

    Sharing with an OU includes the OUs below it (EC2 User Guide, Share an AMI with organizations or OUs).
    """
    found = _placement(account_id)
    return frozenset() if found is None else frozenset({found.arn, *(unit.arn for unit in found.units)})


def organization_id(account_id: str) -> str | None:
    """ID of the account's organization, if any (IAM User Guide, Global condition keys: PrincipalOrgID)."""
    found = _placement(account_id)
    return found and found.organization_id


def organization_paths(account_id: str) -> tuple[str, ...] | None:
    """The path of IDs to the account's OU, as the values of a multivalued condition key.

    For example `o-…/r-…/ou-…/` (IAM User Guide, Global condition context keys: aws:PrincipalOrgPaths).
    """
    found = _placement(account_id)
    if found is None:
        return None
    ids = (found.organization_id, found.root_id, *(unit.id for unit in found.units))
    return ("".join(f"{one}/" for one in ids),)


def management_account(account_id: str) -> str | None:
    """The management account of the organization that the account is a member of, if any."""
    found = organizations_backends.master_accounts.get(account_id)
    return found[0] if found else None


def targets(account_id: str) -> frozenset[str]:
    """IDs of the root and of all OUs of the account's organization."""
    backend = _backend(account_id)
    if backend is None or backend.org is None:
        return frozenset()
    return frozenset({backend.org.root_id, *(unit.id for unit in backend.ou)})


class _Placement(NamedTuple):
    """The place of an account in its organization: its OUs, the topmost first."""

    organization_id: str
    arn: str
    root_id: str
    units: list[FakeOrganizationalUnit]


def _placement(account_id: str) -> _Placement | None:
    backend = _backend(account_id)
    if backend is None or backend.org is None:
        return None
    account = next((one for one in backend.accounts if one.id == account_id), None)
    if account is None:
        return None
    by_id = {unit.id: unit for unit in backend.ou}
    units: list[FakeOrganizationalUnit] = []
    parent = by_id.get(account.parent_id)
    while parent is not None and parent.type == "ORGANIZATIONAL_UNIT":
        units.insert(0, parent)
        parent = by_id.get(parent.parent_id or "")
    return _Placement(backend.org.id, backend.org.arn, backend.org.root_id, units)


def _backend(account_id: str) -> OrganizationsBackend | None:
    member_of = organizations_backends.master_accounts.get(account_id)
    if member_of:
        management_account, partition = member_of
        return organizations_backends[management_account][partition]
    if account_id not in organizations_backends:
        return None
    return next((one for one in organizations_backends[account_id].values() if one.org), None)
