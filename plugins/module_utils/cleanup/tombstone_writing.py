# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down of an image before it is disabled or deregistered: enough to make it anew.

A tombstone is one JSON object:

- ``region``, ``account_id``, ``image_id``, ``name``: which image it was.
- ``stage``: what was about to be done with it, ``disable`` or ``deregister``. An image that goes through both
  has two tombstones, of which only the first knows its launch permissions: AWS takes them from a disabled
  image.
- ``written_at``: when, as ``2026-11-24T12:00:00Z``. ``recoverable_until``: until when the Recycle Bin is to
  hold it with all its snapshots, in the same form, or null.
- ``family``: the family that it belonged to.
- ``launch_permissions``: with whom it was shared, as ``account_ids``, ``org_arns``, ``org_unit_arns`` (lists
  of strings) and ``public`` (a boolean).
- ``tags``: its tags, as an object.
- ``snapshots``: a list with an object for each EBS volume, in the order of the devices: ``device_name``,
  ``snapshot_id`` (null if it had none), ``encrypted``, ``description``, ``tags``, ``deleted`` (whether it was
  about to be deleted with the image) and ``volume_permissions``, who could make volumes of it, as
  ``account_ids`` (a list of strings) and ``public`` (a boolean).
- ``image``: all that DescribeImages said of it (botocore shape ``Image``).
"""

from __future__ import annotations

from typing import Any

from ..model import SnapshotRef
from .decisions import CleanupSeen, Verdict
from .stages import stamp
from .state import CloserLook, OwnImage, SnapshotLook


def tombstone(seen: CleanupSeen, verdict: Verdict) -> dict[str, Any]:
    """Everything that is lost with the image, ready for JSON, in the shape above."""
    own = seen.images[verdict.ref]
    look = seen.looks.get(verdict.ref, CloserLook())
    return {
        "account_id": seen.account_id,
        "family": verdict.family,
        "image": dict(own.described),
        "image_id": verdict.ref.image_id,
        "launch_permissions": look.sharing.as_result(),
        "name": own.image.name,
        "recoverable_until": stamp(verdict.recoverable_until) if verdict.recoverable_until else None,
        "region": verdict.ref.region,
        "snapshots": _snapshots(seen, own, verdict),
        "stage": verdict.decision,
        "tags": dict(own.image.tags),
        "written_at": stamp(seen.now),
    }


def _snapshots(seen: CleanupSeen, own: OwnImage, verdict: Verdict) -> list[dict[str, Any]]:
    region = verdict.ref.region
    going = {fate.snapshot_id for fate in verdict.fates if not fate.kept}
    described = []
    for device in own.image.devices:
        snapshot_id = device.snapshot_id or ""
        snapshot = seen.regions[region].snapshots.get(snapshot_id)
        sharing = seen.snapshot_looks.get(SnapshotRef(region, snapshot_id), SnapshotLook()).sharing
        described.append(
            {
                "deleted": device.snapshot_id in going,
                "description": snapshot.description if snapshot else "",
                "device_name": device.name,
                "encrypted": device.encrypted,
                "snapshot_id": device.snapshot_id,
                "tags": dict(snapshot.tags) if snapshot else {},
                "volume_permissions": {
                    "account_ids": sorted(sharing.account_ids),
                    "public": sharing.public,
                },
            }
        )
    return described
