# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a report of adoption can find: code, severity and words. Scripts match on the codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .._finding import Finding, Severity
from .._model import Target


@dataclass(frozen=True)
class Cause:
    """A cause of findings. ``meaning`` is what reports say, ``remedy`` what docs/codes.md says."""

    code: str
    severity: Severity
    meaning: str
    remedy: str

    def finding(
        self, target: Target, message: str, remedy: str, resource: str = "", image_id: str | None = None
    ) -> Finding:
        """Return a finding in an account and a region."""
        return Finding(
            self.code,
            self.severity,
            message,
            remedy,
            target.account_id,
            target.region,
            resource or image_id or target.region,
            image_id,
        )


DENIED_IMAGE = Cause(
    "denied_image_used",
    Severity.HIGH,
    "The account uses an image that deny_images names, a copy of it, or an image that was made from one.",
    "Replace what the finding names by the current release of the family. If that is denied, too, "
    "distribute a fixed one first.",
)
RECALLED = Cause(
    "recalled_release_used",
    Severity.HIGH,
    "The account uses an image of a release that was recalled, or a copy of it.",
    "Replace what the finding names by the current release of the family.",
)
VULNERABLE = Cause(
    "vulnerable_release_used",
    Severity.HIGH,
    "The account uses a release in which Amazon Inspector has found something of the severity critical or "
    "high.",
    "Replace what the finding names by a release without such findings. If the current release has them, "
    "distribute a fixed one first.",
)
WITHDRAWN = Cause(
    "withdrawn_release_used",
    Severity.MEDIUM,
    "The account uses an image of a release that is deprecated, disabled or deregistered.",
    "Replace what the finding names by the current release of the family.",
)
TOO_OLD = Cause(
    "release_too_old",
    Severity.MEDIUM,
    "The account uses a release that was created more than max_age_days days ago.",
    "Replace what the finding names by the current release of the family. If that is too old, too, "
    "distribute a new one.",
)
TOO_FAR_BEHIND = Cause(
    "release_too_far_behind",
    Severity.MEDIUM,
    "The account uses a release that more than max_releases_behind newer ones have followed.",
    "Replace what the finding names by the current release of the family.",
)
UNKNOWN = Cause(
    "release_unknown",
    Severity.MEDIUM,
    "The account uses an image of the owner that the owner does not have any more, and neither its name nor "
    "a watermark tells its family, or one of a family whose releases have no dates. It can be of an old "
    "release.",
    "Replace what the finding names if it is of the family. A name pattern or a watermark as the family "
    "tells that of deregistered images, too. A release whose first image is gone is as old as the tag "
    "golden.images:origin-created of its copies says.",
)
UNKNOWN_ORIGIN = Cause(
    "image_origin_unknown",
    Severity.LOW,
    "The account uses an image of its own, one that another account shares, or one that is gone, of which "
    "AWS does not tell what it was made from. It can be of any release. With deny_images, the severity "
    "is high.",
    "Find out what the image was made from. A watermark of the owner's images stays on copies of them.",
)
UNREADABLE = Cause(
    "adoption_unreadable",
    Severity.HIGH,
    "What the account uses in the region could not be read, or not all of it. It can use any release.",
    "The finding has AWS's error. Check the role in that account and its trust policy, and leave out regions "
    "that the account has not enabled.",
)
_ALL = (
    DENIED_IMAGE,
    RECALLED,
    VULNERABLE,
    WITHDRAWN,
    TOO_OLD,
    TOO_FAR_BEHIND,
    UNKNOWN,
    UNKNOWN_ORIGIN,
    UNREADABLE,
)
CAUSES: Mapping[str, Cause] = MappingProxyType(
    {cause.code: cause for cause in sorted(_ALL, key=lambda cause: cause.code)}
)
"""Each cause by its code, in their order."""
MEANINGS: Mapping[str, str] = MappingProxyType({code: cause.meaning for code, cause in CAUSES.items()})
"""Meaning of each code, in reports."""
