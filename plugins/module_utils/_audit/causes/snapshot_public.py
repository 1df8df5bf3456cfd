# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Snapshots that every AWS account can read, or could without block public access."""

from __future__ import annotations

from collections.abc import Iterator

from ..._finding import Severity
from ..._model import PUBLIC
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion, AuditedSnapshot
from .remedies import then_block


def _remove(snapshot: AuditedSnapshot) -> str:
    """Return the beginning of a remedy."""
    verb = "Remove" if snapshot.images else "Delete it, or remove"
    return f"{verb} the group all (ModifySnapshotAttribute)"


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    then = then_block(region.current.snapshot_block)
    for snapshot in region.snapshots:
        if snapshot.not_allowed.public and not region.current.hides_public_snapshots:
            yield Evidence(
                snapshot.snapshot_id,
                f"Every AWS account can read {snapshot}.",
                f"{_remove(snapshot)}{then}",
                snapshot.image_id,
                PUBLIC,
            )


def _find_blocked(region: AuditedRegion) -> Iterator[Evidence]:
    for snapshot in region.snapshots:
        if snapshot.not_allowed.public and region.current.hides_public_snapshots:
            yield Evidence(
                snapshot.snapshot_id,
                f"{snapshot}, is public; only block public access hides it.",
                f"{_remove(snapshot)}{'' if snapshot.images else ','} before block public access is lowered.",
                snapshot.image_id,
                PUBLIC,
            )


CAUSE = Cause(
    code="snapshot_public",
    severity=Severity.HIGH,
    meaning="Every AWS account can read the snapshot.",
    remedy="Unshare it with `remediate_ami_sharing`, see [remediating](remediating.md), then enable block "
    "public access.",
    find=_find,
    remediation=Remediation.BY_DEFAULT,
    remediated="the snapshot from the public",
    urgency=1,
    title="{resources}: every AWS account can read its snapshots.",
    title_of_unused="{resources}: public, so every AWS account can read it.",
)
BLOCKED = Cause(
    code="snapshot_public_blocked",
    severity=Severity.MEDIUM,
    meaning="The snapshot is shared with the public, which only block public access of snapshots hides: "
    "without it, every AWS account could read the snapshot.",
    remedy="Unshare it before block public access is lowered, see [remediating](remediating.md).",
    find=_find_blocked,
    remediation=Remediation.BY_DEFAULT,
    remediated="the same, while block public access hides it",
    title="{resources}: only block public access hides its public snapshots.",
    title_of_unused="{resources}: public, and only block public access hides it.",
)
