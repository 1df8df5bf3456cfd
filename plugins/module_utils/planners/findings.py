# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis finds: a stable code, a sentence, what to do, and what it means for a launch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# Stable: scripts match on them. docs/diagnosing.md explains each.
CODES = frozenset(
    {
        "AllowedImagesAudit",
        "BlockPublicAccess",
        "ConsumerUnreadable",
        "CreateGrantRefused",
        "DefaultKey",
        "Deprecated",
        "DryRunInconclusive",
        "HiddenByAllowedImages",
        "ImageDisabled",
        "ImageNotAvailable",
        "ImageNotFound",
        "ImagePlanned",
        "KeyAccessUnknown",
        "KeyDeniedByPolicy",
        "KeyForRolesOnly",
        "KeyNotEnabled",
        "KeyNotShared",
        "KeyOperationsMissing",
        "KeyRefused",
        "KeyUnreadable",
        "KeyWithoutCreateGrant",
        "LaunchDenied",
        "LaunchRefused",
        "MissingVolumePermission",
        "NotShared",
        "NotTheOwner",
        "NotVisible",
        "OutsideOrganization",
        "OwnerUnreadable",
        "Public",
        "ThroughOrganization",
        "WrongRegion",
    }
)


class Severity(Enum):
    """What a finding means for a launch."""

    BLOCKING = "blocking"
    UNKNOWN = "unknown"
    NOTE = "note"


@dataclass(frozen=True)
class Finding:
    """One thing that was found about an image and an account."""

    code: str
    message: str
    remedy: str
    severity: Severity = Severity.BLOCKING

    def __post_init__(self) -> None:
        if self.code not in CODES:
            raise ValueError(f"{self.code} is no code of a finding.")

    def as_result(self) -> dict[str, str]:
        """The finding as the module returns it."""
        return {
            "code": self.code,
            "message": self.message,
            "remedy": self.remedy,
            "severity": self.severity.value,
        }


def can_launch(findings: Iterable[Finding]) -> str:
    """``no`` if anything stands in the way, ``unknown`` if something may, else ``yes``."""
    severities = {finding.severity for finding in findings}
    if Severity.BLOCKING in severities:
        return "no"
    return "unknown" if Severity.UNKNOWN in severities else "yes"
