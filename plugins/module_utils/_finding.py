# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A finding: a stable code, how bad it is, what to do. Audits, diagnoses and launch probes return them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from ._failures import Failure
from ._model import Target


class Severity(IntEnum):
    """How bad a finding is. A higher value is worse."""

    LOW = 1
    MEDIUM = 2
    HIGH = 3

    @property
    def label(self) -> str:
        """Return ``low``, ``medium`` or ``high``, as in options, results and reports."""
        return self.name.lower()


class BlocksLaunch(Enum):
    """Whether a finding keeps the account from launching the image."""

    BLOCKING = "blocking"
    UNKNOWN = "unknown"
    HARMLESS = "harmless"

    @property
    def severity(self) -> Severity:
        """Return how bad a finding with this effect on launches is."""
        return _SEVERITIES[self]


_SEVERITIES = {
    BlocksLaunch.BLOCKING: Severity.HIGH,
    BlocksLaunch.UNKNOWN: Severity.MEDIUM,
    BlocksLaunch.HARMLESS: Severity.LOW,
}
UNREADABLE = frozenset({"consumer_unreadable", "key_unreadable", "owner_unreadable", "parameter_unreadable"})
"""The codes of a diagnosis that say that something could not be read."""


@dataclass(frozen=True)
class Finding:
    """One finding.

    ``resource`` is the image, snapshot, key or region that it is about. ``image_id`` is the (first) image
    that it concerns, ``principal`` who has or lacks access: an account, an ARN, or ``all``. Only findings of
    a diagnosis or a launch probe have ``blocks_launch``: they are about ``image_id`` in the account
    ``account_id``. ``error_code`` is that of the failed call, if there was one.
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
    error_code: str | None = None

    @classmethod
    def read(cls, result: Mapping[str, Any]) -> Finding:
        """Return the audit finding that ``to_dict`` returned. Raise ``KeyError`` for anything else."""
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
        """Return a sort key, so that the same findings always have the same order."""
        place = (self.account_id, self.region, self.image_id or "")
        return (*place, self.resource, self.code, self.principal or "", self.message)

    def to_dict(self) -> dict[str, str | None]:
        """Return the finding as modules return it.

        A finding of an audit has its resource, others have blocks_launch and error_code.
        """
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
                else {"blocks_launch": self.blocks_launch.value, "error_code": self.error_code}
            ),
        }

    def as_failure(self, action: str) -> Failure:
        """Return the finding as a failure of the task. ``action`` is what failed."""
        return Failure(self.message, self.remedy, self.code, action, self.region, self.account_id)


def consumer_unreadable(target: Target, problem: Failure) -> Finding:
    """Return the finding of a diagnosis or a launch probe about an account that could not be checked."""
    return Finding(
        "consumer_unreadable",
        BlocksLaunch.UNKNOWN.severity,
        f"Account {target.account_id} cannot be checked in {target.region}: {problem.message}",
        problem.remedy,
        target.account_id,
        target.region,
        blocks_launch=BlocksLaunch.UNKNOWN,
        error_code=problem.error_code,
    )
