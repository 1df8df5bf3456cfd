# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A finding of ``ami_share_audit`` or ``ami_share_diagnose``: a stable code, how bad it is, what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from .failures import Failure


class Severity(IntEnum):
    """How bad a finding is; a higher value is worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """``low``, ``medium`` or ``high``, as in options, results and reports."""
        return self.name.lower()


class BlocksLaunch(Enum):
    """Whether a finding keeps the account from launching the image."""

    BLOCKING = "blocking"
    UNKNOWN = "unknown"
    HARMLESS = "harmless"


@dataclass(frozen=True)
class Finding:
    """One finding.

    ``resource`` is the image, snapshot, key or region that it is about, ``image_id`` the (first) image that
    it concerns, ``principal`` who has or lacks access: an account, an ARN, or ``all``. ``blocks_launch`` is
    set for a diagnosis only, whose findings are about ``image_id`` in the account ``account_id``.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    account_id: str = ""
    region: str = ""
    resource: str = ""
    image_id: str | None = None
    principal: str | None = None
    blocks_launch: BlocksLaunch | None = None

    @classmethod
    def read(cls, result: Mapping[str, Any]) -> Finding:
        """The audit finding that ``as_result`` returned; raises ``KeyError`` for anything else."""
        return cls(
            code=result["code"],
            severity=Severity[result["severity"].upper()],
            message=result["message"],
            remedy=result["remedy"],
            account_id=result["account_id"],
            region=result["region"],
            resource=result["resource"],
            image_id=result["image_id"],
            principal=result["principal"],
        )

    @property
    def order(self) -> tuple[str, ...]:
        """A sort key, so that the same findings are always returned in the same order."""
        place = (self.account_id, self.region, self.image_id or "")
        return (*place, self.resource, self.code, self.principal or "", self.message)

    def as_result(self) -> dict[str, str | None]:
        """The finding as modules return it: an audit's names its resource, a diagnosis's blocks_launch."""
        return {
            "account_id": self.account_id,
            "code": self.code,
            "image_id": self.image_id,
            "message": self.message,
            "region": self.region,
            "remedy": self.remedy,
            "severity": self.severity.label,
            **(
                {"principal": self.principal, "resource": self.resource}
                if self.blocks_launch is None
                else {"blocks_launch": self.blocks_launch.value}
            ),
        }

    def as_failure(self, action: str) -> Failure:
        """The finding as a failure of the task; ``action`` is what failed."""
        return Failure(self.message, self.remedy, self.code, action, self.region, self.account_id)
