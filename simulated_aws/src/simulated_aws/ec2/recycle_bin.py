# SPDX-License-Identifier: GPL-3.0-or-later
"""Recycle Bin: retains deregistered images, deleted snapshots and volumes, and restores the first two.

(EBS User Guide, Considerations for Recycle Bin.)
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from . import state
from .access import Caller
from .state import Binned, BinnedVolume, Image, RetentionRule, Snapshot

IMAGE, SNAPSHOT, VOLUME = "EC2_IMAGE", "EBS_SNAPSHOT", "EBS_VOLUME"
IN_BIN = "aws:recycle-bin:resource-in-bin"
"""Tag of a resource in the Recycle Bin; removed when the resource is restored (the same page)."""


def remove_image(image: Image) -> None:
    """Move an image to the Recycle Bin, with permissions and tags, if a rule retains it; else delete it.

    Only EBS-backed images are retained (the same page; botocore operation DeregisterImage).
    """
    drop_image(image)
    days = _retained(image, IMAGE) if image.root_device_type == "ebs" else 0
    if days:
        now = state.now()
        image.tags[IN_BIN] = "true"
        binned = Binned(image, now, now + timedelta(days=days))
        state.region(image.region).binned_images[image.id] = binned


def remove_snapshot(snapshot: Snapshot) -> None:
    """Move a snapshot to the Recycle Bin if a rule retains it; else delete it."""
    region = state.region(snapshot.region)
    del region.snapshots[snapshot.id]
    days = _retained(snapshot, SNAPSHOT)
    if days:
        now = state.now()
        snapshot.tags[IN_BIN] = "true"
        region.binned_snapshots[snapshot.id] = Binned(snapshot, now, now + timedelta(days=days))


def retain_volume(caller: Caller, volume: Any) -> None:
    """Keep a volume of moto that was deleted, if a rule retains it."""
    region, now = state.region(caller.region), state.now()
    tags = {one["key"]: one["value"] for one in volume.get_tags()}
    days = _days(caller, VOLUME, tags)
    if days:
        region.binned_volumes[volume.id] = BinnedVolume(
            volume, caller.account_id, now, now + timedelta(days=days), len(region.binned_volumes) + 1
        )


def drop_image(image: Image) -> None:
    """Delete an image. What is kept of it is for its snapshots, and for instances that still run."""
    region = state.region(image.region)
    del region.images[image.id]
    used = () if image.state == "failed" else tuple(image.snapshot_ids)
    region.deregistered[image.id] = state.Deregistered(image.owner_id, state.now(), used, image)


def images(account_id: str, region_name: str) -> dict[str, Binned[Image]]:
    """The account's images in the Recycle Bin that have not expired."""
    region, now = state.region(region_name), state.now()
    region.binned_images = {key: one for key, one in region.binned_images.items() if _kept(one.exits, now)}
    return {key: one for key, one in region.binned_images.items() if one.resource.owner_id == account_id}


def snapshots(account_id: str, region_name: str) -> dict[str, Binned[Snapshot]]:
    """The account's snapshots in the Recycle Bin that have not expired."""
    region, now = state.region(region_name), state.now()
    region.binned_snapshots = {
        key: one for key, one in region.binned_snapshots.items() if _kept(one.exits, now)
    }
    return {key: one for key, one in region.binned_snapshots.items() if one.resource.owner_id == account_id}


def volumes(caller: Caller) -> dict[str, BinnedVolume]:
    """The account's volumes in the Recycle Bin that have not expired."""
    region, now = state.region(caller.region), state.now()
    return {
        key: one
        for key, one in region.binned_volumes.items()
        if one.owner_id == caller.account_id and _kept(one.exits, now)
    }


def restore_image(image: Image) -> None:
    """Restore an image, with its launch permissions (the same page)."""
    region = state.region(image.region)
    del region.binned_images[image.id]
    del region.deregistered[image.id]
    del image.tags[IN_BIN]
    region.images[image.id] = image


def restore_snapshot(snapshot: Snapshot) -> None:
    """Restore a snapshot."""
    region = state.region(snapshot.region)
    del region.binned_snapshots[snapshot.id]
    del snapshot.tags[IN_BIN]
    region.snapshots[snapshot.id] = snapshot


def _kept(exits: datetime, now: datetime) -> bool:
    return now < exits


def _retained(resource: Image | Snapshot, resource_type: str) -> int:
    """Days of retention; the longest if several rules match (the same page), 0 if none."""
    return _days(Caller(resource.owner_id, resource.region), resource_type, resource.tags)


def _days(caller: Caller, resource_type: str, tags: dict[str, str]) -> int:
    rules = state.account_region(*caller).retention_rules.values()
    return max((rule.days for rule in rules if _fits(rule, resource_type, tags)), default=0)


def _fits(rule: RetentionRule, resource_type: str, tags: dict[str, str]) -> bool:
    if rule.resource_type != resource_type:
        return False
    if rule.tags:
        return any(tags.get(key) == value for key, value in rule.tags)
    return not any(tags.get(key) == value for key, value in rule.excluded)
