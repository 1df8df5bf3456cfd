# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a diagnosis finds: a stable code, a sentence, what to do, and what it means for a launch."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

# Stable: scripts match on them. docs/diagnosing.md adds when each counts, and what to do.
MEANINGS = {
    "AllowedImagesAudit": "The account's Allowed AMIs settings would hide the image, but are in audit mode.",
    "BlockPublicAccess": (
        "The image stays public although that is blocked, but once withdrawn it cannot be made public again."
    ),
    "ConsumerUnreadable": "The account could not be asked in that region.",
    "CreateGrantRefused": (
        "The account's role may not create grants on the key itself. EC2 may all the same, if the role's "
        "policy allows that to AWS services alone."
    ),
    "DefaultKey": "The image is under a key that AWS manages, which no other account can ever use.",
    "Deprecated": "The image can be launched, but others find it only by its id.",
    "DryRunInconclusive": "The dry run failed for its network or its instance type.",
    "HiddenByAllowedImages": "The account's Allowed AMIs settings hide the image.",
    "ImageDisabled": "The image is disabled: nobody can launch it, and its launch permissions are lost.",
    "ImageNotAvailable": "The image is pending or failed.",
    "ImageNotFound": "The account that the image should be in does not see it in that region.",
    "ImagePlanned": "The image is a copy that is only planned.",
    "KeyAccessUnknown": (
        "Whether the account can use the key depends on conditions that cannot be judged, or on its "
        "organization."
    ),
    "KeyDeniedByPolicy": (
        "A statement of the key policy denies the account the use of the key, which goes before every grant."
    ),
    "KeyForRolesOnly": "Only single roles or users of the account can use the key.",
    "KeyNotEnabled": "The key is disabled, or is to be deleted.",
    "KeyNotShared": "No grant and no statement of the key policy lets the account use the key.",
    "KeyOperationsMissing": "The account lacks operations on the key that AWS names as needed.",
    "KeyRefused": (
        "The key's owner lets the account use it, but KMS refuses the account's role: its own account does "
        "not allow it."
    ),
    "KeyUnreadable": "The key could not be looked at, or not be tried.",
    "KeyWithoutCreateGrant": "The account may use the key, but not let EBS use it.",
    "LaunchDenied": "The account's role may not launch instances.",
    "LaunchRefused": "AWS would refuse the account the launch of the image.",
    "MissingVolumePermission": "The account can launch the image, not copy it.",
    "NotShared": "The image is neither public nor shared with the account, an organization or a unit.",
    "NotTheOwner": (
        "The image belongs to another account than was asked, which alone is told whom it is shared with."
    ),
    "NotVisible": "The account does not see the image, although it is shared, or its owner cannot tell.",
    "OutsideOrganization": "The image is shared with organizations or units that do not hold the account.",
    "OwnerUnreadable": "The owner's side of the image could not be asked.",
    "Public": "Every AWS account can launch the image.",
    "ThroughOrganization": (
        "Only organizations or units that may hold the account can launch the image, and it can never copy "
        "it."
    ),
    "WrongRegion": "The image is one of another of the named regions.",
}
CODES = frozenset(MEANINGS)


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
