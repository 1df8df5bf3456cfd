# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of launch and volume permissions: parsing both forms of requests, and checks of entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from ..settings import SETTINGS
from . import state
from .errors import Ec2Error, invalid_value
from .ids import ACCOUNT_ID, ORGANIZATION_ARN, ORGANIZATIONAL_UNIT_ARN
from .state import Grantee, Image, Snapshot

# Parameter of the flat form to the kind of its entries.
IMAGE_LISTS = {
    "UserIds": "UserId",
    "UserGroups": "Group",
    "OrganizationArns": "OrganizationArn",
    "OrganizationalUnitArns": "OrganizationalUnitArn",
}
SNAPSHOT_LISTS = {"UserIds": "UserId", "GroupNames": "Group"}

# Names of the kinds in AWS's error messages.
_ITEM_TYPES = {"UserId": "userId", "Group": "UserGroup"}
_VALID: dict[str, Callable[[str], object]] = {
    "UserId": ACCOUNT_ID.fullmatch,
    "Group": "all".__eq__,
    "OrganizationArn": ORGANIZATION_ARN.fullmatch,
    "OrganizationalUnitArn": ORGANIZATIONAL_UNIT_ARN.fullmatch,
}


@dataclass(frozen=True)
class Change:
    """The entries that a request adds or removes; never both."""

    adds: bool
    entries: tuple[Grantee, ...]

    def apply(self, permissions: dict[Grantee, None]) -> dict[Grantee, None]:
        """The permissions after the change.

        Adding an existing entry or removing a missing one has no effect; AWS documents neither as an error.
        """
        if self.adds:
            return {**permissions, **dict.fromkeys(self.entries)}
        gone = set(self.entries)
        return {entry: None for entry in permissions if entry not in gone}


@dataclass(frozen=True)
class FormerPermissions:
    """What reads still return after a change, since `changed`."""

    entries: tuple[Grantee, ...]
    changed: datetime


def replace_permissions(resource: Image | Snapshot, permissions: dict[Grantee, None], seconds: float) -> None:
    """Set the permissions, which reads return only after so many seconds."""
    resource.former_permissions = FormerPermissions(
        tuple(permissions_to_read(resource, seconds)), state.now()
    )
    resource.former_grantees = FormerPermissions(tuple(effective_permissions(resource)), state.now())
    resource.permissions = permissions


def effective_permissions(resource: Image | Snapshot) -> tuple[Grantee, ...]:
    """The permissions as other accounts have them, for which a change takes effect later."""
    former, seconds = resource.former_grantees, SETTINGS.permissions_reach_accounts_after_seconds
    if former is not None and state.now() < former.changed + timedelta(seconds=seconds):
        return tuple(former.entries)
    return tuple(resource.permissions)


def permissions_to_read(resource: Image | Snapshot, seconds: float) -> Iterable[Grantee]:
    """The permissions that a read returns, which may be former ones."""
    former = resource.former_permissions
    if former is not None and state.now() < former.changed + timedelta(seconds=seconds):
        return tuple(former.entries)
    return tuple(resource.permissions)


def read_change(params: dict[str, Any], nested: str, lists: dict[str, str]) -> Change:
    """Parse the change of a request, in its nested form (`nested`: Add, Remove) or its flat form (`lists`).

    A request that adds and removes is rejected. AWS documents that for snapshots (botocore operation
    ModifySnapshotAttribute), but not for images.
    """
    operation = params.get("OperationType")
    if operation not in (None, "add", "remove"):
        raise invalid_value("operationType", operation, "Expected add or remove.")
    flat = [Grantee(kind, value) for name, kind in lists.items() for value in params.get(name, [])]
    if flat and operation is None:
        raise Ec2Error("MissingParameter", "The request must contain the parameter operationType")
    added, removed = (_nested_entries(params.get(nested, {}).get(side, [])) for side in ("Add", "Remove"))
    if operation == "add":
        added += flat
    else:
        removed += flat
    if added and removed:
        message = "Permissions cannot be added and removed in the same request"
        raise Ec2Error("InvalidParameterCombination", message)
    if not added and not removed:
        raise Ec2Error("MissingParameter", f"The request must contain the parameter {nested}")
    return Change(adds=bool(added), entries=tuple(added or removed))


def require_valid(entries: Iterable[Grantee]) -> None:
    """Reject the first malformed entry (EC2 API Reference, Error codes: InvalidAMIAttributeItemValue)."""
    for kind, value in entries:
        if not _VALID[kind](value):
            message = f'Invalid attribute item value "{value}" for {_ITEM_TYPES.get(kind, kind)} item type.'
            raise Ec2Error("InvalidAMIAttributeItemValue", message)


def _nested_entries(items: list[dict[str, str]]) -> list[Grantee]:
    entries = []
    for item in items:
        if not item:
            raise Ec2Error("InvalidParameterValue", "A permission must name its grantee")
        entries += [Grantee(kind, value) for kind, value in item.items()]
    return entries
