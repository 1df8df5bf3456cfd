# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an audit can find: code, severity, condition, words, and what a remediation does about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from .._finding import Finding, Severity
from .._model import Target
from .region import AuditedRegion


class Evidence(NamedTuple):
    """What a finding has besides what all findings of its cause have in common."""

    resource: str
    message: str
    remedy: str
    image_id: str | None = None
    principal: str | None = None


class Remediation(Enum):
    """What ``remediation_plan`` does about a finding."""

    BY_DEFAULT = "removes the access, which is not allowed, if no other code is selected"
    IF_SELECTED = "removes the access if this code is selected; it may be allowed"
    NEVER = "nothing"
    INCOMPLETE = "fails, since what could not be read may have access to remove"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A cause of findings. The code is stable: scripts match on it.

    ``meaning`` is what reports and docs/auditing.md say, ``remedy`` what docs/codes.md says, and
    ``remediated`` what docs/remediating.md says: what is removed, or why nothing is.

    ``part`` is ``keys``, ``snapshots`` or ``parameters`` where an option leaves out what findings about what
    could not be read are about, or all findings about parameters. If they are about images, ``of_snapshots``
    says that they also need the permissions of the snapshots.

    In reports, access of every AWS account has the urgencies 0 to 2, and what could not be read has 4. A
    group of findings has a title. ``title`` is about images, ``title_of_snapshots`` about their snapshots if
    it differs, ``title_of_unused`` about snapshots that no image uses. In titles, {who} are the principals,
    which ``noun`` names, and {resources} the images or snapshots. With ``same_images``, the principals that
    can use the same images are one group.
    """

    code: str
    severity: Severity
    meaning: str
    remedy: str
    find: Callable[[AuditedRegion], Iterable[Evidence]] = lambda _region: ()
    remediation: Remediation = Remediation.NEVER
    remediated: str = ""
    part: str = ""
    of_snapshots: bool = False
    urgency: int = 3
    title: str = ""
    title_of_snapshots: str = ""
    title_of_unused: str = ""
    noun: str = ""
    same_images: bool = False

    def findings(self, region: AuditedRegion) -> Iterator[Finding]:
        """Yield the findings about a region."""
        return (self.finding(region.target, evidence) for evidence in self.find(region))

    def finding(self, target: Target, evidence: Evidence) -> Finding:
        """Return a finding in a target."""
        resource, message, remedy, image_id, principal = evidence
        return Finding(
            self.code,
            self.severity,
            message,
            remedy,
            target.account_id,
            target.region,
            resource,
            image_id,
            principal,
        )
