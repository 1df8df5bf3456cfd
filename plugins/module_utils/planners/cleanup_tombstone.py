# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is written down of an image before it is disabled or deregistered: enough to make it anew."""

from __future__ import annotations

from typing import Any

from .cleanup_facts import CloserLook, OwnImage, RegionFacts
from .cleanup_stages import stamp
from .cleanup_verdicts import CleanupSeen, Verdict


def tombstone(seen: CleanupSeen, verdict: Verdict) -> dict[str, Any]:
    """Everything that is lost with the image, ready for JSON: attributes, tags, permissions, snapshots.

    Disabling loses the permissions (EC2 API Reference, DisableImage), deregistering the rest.
    """
    facts = seen.regions[verdict.ref.region]
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
        "snapshots": _snapshots(own, facts, verdict),
        "stage": verdict.decision,
        "tags": dict(own.image.tags),
        "written_at": stamp(seen.now),
    }


def _snapshots(own: OwnImage, facts: RegionFacts, verdict: Verdict) -> list[dict[str, Any]]:
    going = {fate.snapshot_id for fate in verdict.fates if not fate.kept}
    described = []
    for device in own.image.devices:
        snapshot = facts.snapshots.get(device.snapshot_id or "")
        described.append(
            {
                "deleted": device.snapshot_id in going,
                "description": snapshot.description if snapshot else "",
                "device_name": device.name,
                "encrypted": device.encrypted,
                "snapshot_id": device.snapshot_id,
                "tags": dict(snapshot.tags) if snapshot else {},
            }
        )
    return described
