# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit finds: a stable code with its severity, a sentence, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from ..model import Target


class Severity(IntEnum):
    """How bad a finding is: the higher the worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3


# Stable: scripts match on them. docs/auditing.md explains each.
CODES: dict[str, Severity] = {
    "access_remains_through_organization": Severity.LOW,
    "block_public_access_unreadable": Severity.MEDIUM,
    "default_key": Severity.LOW,
    "grant_without_share": Severity.MEDIUM,
    "image_unreadable": Severity.HIGH,
    "key_not_enabled": Severity.MEDIUM,
    "key_of_other_account": Severity.LOW,
    "key_unreachable": Severity.MEDIUM,
    "key_unreadable": Severity.MEDIUM,
    "public": Severity.HIGH,
    "region_unreadable": Severity.HIGH,
    "shared_but_disabled": Severity.MEDIUM,
    "snapshot_public": Severity.HIGH,
    "snapshot_unreadable": Severity.HIGH,
    "snapshot_wider_than_image": Severity.MEDIUM,
    "stale_principal": Severity.LOW,
    "statement_without_share": Severity.MEDIUM,
    "unknown_account": Severity.HIGH,
    "unknown_organization": Severity.HIGH,
    "unknown_organizational_unit": Severity.HIGH,
}


@dataclass(frozen=True)
class Finding:
    """One thing that was found in a target.

    ``resource`` is the image, snapshot, key or region that it is about, ``image_id`` the first image that it
    concerns, ``principal`` who has or lacks access: an account, an ARN, or ``all``.
    """

    target: Target
    code: str
    resource: str
    message: str
    remedy: str
    image_id: str | None = None
    principal: str | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return CODES[self.code]

    @property
    def order(self) -> tuple[str, ...]:
        """Where it stands among others: the same findings are always in the same order."""
        place = (self.target.account_id, self.target.region, self.image_id or "")
        return (*place, self.resource, self.code, self.principal or "", self.message)

    def as_result(self) -> dict[str, str | None]:
        """The finding as the module returns it."""
        return {
            "account_id": self.target.account_id,
            "code": self.code,
            "image_id": self.image_id,
            "message": self.message,
            "principal": self.principal,
            "region": self.target.region,
            "remedy": self.remedy,
            "resource": self.resource,
            "severity": self.severity.name.lower(),
        }
