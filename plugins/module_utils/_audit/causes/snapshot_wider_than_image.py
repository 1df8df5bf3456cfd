# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accounts that can read a snapshot, but launch none of the images that use it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..._finding import Severity
from ..._model import Sharing
from ..cause import Cause, Evidence, Remediation
from ..region import AuditedRegion, all_disabled


def wider_than_images(volume: Sharing, launches: Iterable[Sharing | None]) -> frozenset[str]:
    """Return the accounts that may use a snapshot, but launch none of its images.

    Empty where this is unknown: if an image was not read (None), or is public or shared with an organization
    or organizational unit.
    """
    known = Sharing()
    for launch in launches:
        if launch is None or launch.public or launch.org_arns or launch.org_unit_arns:
            return frozenset()
        known |= launch
    return volume.account_ids - known.account_ids


def _find(region: AuditedRegion) -> Iterator[Evidence]:
    for snapshot in region.snapshots:
        if not snapshot.images or all_disabled(snapshot.images):
            continue
        launches = (region.current.sharing.get(image.image_id) for image in snapshot.images)
        for account_id in wider_than_images(snapshot.sharing, launches):
            yield Evidence(
                snapshot.snapshot_id,
                f"Account {account_id} can read {snapshot.snapshot_id}, but may not launch "
                f"{snapshot.image_id}, which uses it.",
                "Remove the permission (ModifySnapshotAttribute, createVolumePermission), or share the "
                "image.",
                snapshot.image_id,
                account_id,
            )


CAUSE = Cause(
    code="snapshot_wider_than_image",
    severity=Severity.MEDIUM,
    meaning="An account can read the snapshot, but may launch none of the images that use it.",
    remedy="Unshare the snapshot, or share the image with the account, too.",
    find=_find,
    remediation=Remediation.IF_SELECTED,
    remediated="the snapshot from an account that can launch none of its images",
    title="{who} can read the snapshots of {resources}, but may not launch it.",
)
