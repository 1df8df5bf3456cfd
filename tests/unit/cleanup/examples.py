# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of retiring images share: short ways to say what is wanted and seen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import (
    CleanupSeen,
    CleanupWanted,
)
from ansible_collections.golden.images.plugins.module_utils.cleanup.families import FamilyBy
from ansible_collections.golden.images.plugins.module_utils.cleanup.limit import Limit
from ansible_collections.golden.images.plugins.module_utils.cleanup.rules import Rules
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import Clocks
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    CloserLook,
    Evidence,
    OwnImage,
    OwnSnapshot,
    RegionFacts,
    SnapshotLook,
    UsageReport,
)
from ansible_collections.golden.images.plugins.module_utils.model import Image, ImageRef, Sharing, SnapshotRef
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.examples import OWNER, volumes

REGION = "eu-west-1"
NOW = datetime(2026, 11, 24, 12, 0, 30, tzinfo=UTC)
FAMILY = {"family": "web"}
USED = Evidence("instance", "i-1", "running")
EVERY_ONE = Limit(percent=100)


def ago(**time: float) -> datetime:
    """So long before now."""
    return NOW - timedelta(**time)


def own(image_id: str = "ami-1", days: float = 100, **changes: Any) -> OwnImage:
    """An image of the family ``web``, made that many days ago, with one snapshot named after it."""
    beyond = {
        key: changes.pop(key) for key in ("base", "last_launched", "protection", "alias") if key in changes
    }
    values: dict[str, Any] = {
        "image_id": image_id,
        "name": f"web {image_id}",
        "owner_id": OWNER,
        "state": "available",
        "devices": volumes(f"snap-{image_id}"),
        "tags": FAMILY,
        **changes,
    }
    return OwnImage(Image(**values), ago(days=days), **beyond)


def facts(*images: OwnImage, **changes: Any) -> RegionFacts:
    """A region with these images and their snapshots."""
    snapshots = {one: OwnSnapshot(one) for image in images for one in image.image.snapshot_ids}
    return RegionFacts(**{"images": images, "snapshots": snapshots, **changes})


def seen(
    *regions: RegionFacts,
    looks: Mapping[ImageRef, CloserLook] | None = None,
    snapshot_looks: Mapping[SnapshotRef, SnapshotLook] | None = None,
) -> CleanupSeen:
    """Regions by turns, and looks at everything, that find nothing, unless other looks are given."""
    named = dict(zip((REGION, "us-east-1", "ap-south-1"), regions, strict=False))
    every = {
        ImageRef(name, one.image.image_id): CloserLook()
        for name, part in named.items()
        for one in part.images
    }
    snapshots = {
        SnapshotRef(name, one): SnapshotLook()
        for name, part in named.items()
        for one in {*part.snapshots, *(one for own in part.images for one in own.image.snapshot_ids)}
    }
    return CleanupSeen(
        OWNER, NOW, named, {**every, **(looks or {})}, snapshot_looks={**snapshots, **(snapshot_looks or {})}
    )


def wanted(*, clocks: Clocks | None = None, **changes: Any) -> CleanupWanted:
    """To deregister at once all but the latest of each family; other names are rules."""
    beyond = {
        key: changes.pop(key)
        for key in ("by", "limit", "include_shared", "orphan_snapshots")
        if key in changes
    }
    values: dict[str, Any] = {"by": FamilyBy(tag="family"), "limit": EVERY_ONE, **beyond}
    return CleanupWanted(rules=Rules(**changes), clocks=clocks or Clocks(deregister=0), **values)


def shared(*account_ids: str, **changes: Any) -> CloserLook:
    """A look that finds the image shared with these accounts."""
    return CloserLook(sharing=Sharing(account_ids=frozenset(account_ids)), **changes)


def report(**changes: Any) -> UsageReport:
    """A finished report of an hour ago that found no use."""
    values: dict[str, Any] = {
        "state": "available",
        "created": ago(hours=1),
        "resource_types": frozenset({"ec2:Instance", "ec2:LaunchTemplate"}),
        **changes,
    }
    return UsageReport(**values)


def calls(actions: tuple[Action, ...]) -> list[tuple[str, str | None]]:
    """Which calls on what."""
    return [(action.operation, action.resource) for action in actions]
