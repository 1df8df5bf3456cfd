# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS makes of the calls of a cleanup, as far as the planner sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._cleanup.stages import render_time
from ansible_collections.golden.images.plugins.module_utils._cleanup.state import (
    CleanupState,
    OwnImage,
    RegionState,
    UsageReport,
)
from ansible_collections.golden.images.plugins.module_utils._model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils._plan import Action


def performed(saw: CleanupState, actions: Iterable[Action]) -> CleanupState:
    """What is seen once the calls are done; an AssertionError for one that AWS would refuse."""
    for action in actions:
        region = saw.regions[action.target.region]
        if action.operation == "CreateImageUsageReport":
            saw = _reported(saw, ImageRef(action.target.region, str(action.resource)))
        elif action.operation == "DisableImage":
            saw = _unshared(saw, ImageRef(action.target.region, str(action.resource)))
            region = _image(region, str(action.resource), state="disabled")
        elif action.operation == "EnableImageDeprecation":
            assert action.parameters["DeprecateAt"] > saw.now
            moment = render_time(action.parameters["DeprecateAt"])
            region = _image(region, str(action.resource), deprecation_time=moment)
        elif action.operation == "DeregisterImage":
            region = _deregistered(region, action)
        elif action.operation == "DeleteSnapshot":
            region = _deleted(region, str(action.resource))
        else:
            region = _tagged(region, action)
        saw = replace(saw, regions={**saw.regions, action.target.region: region})
    return saw


def _image(region: RegionState, image_id: str, **changes: Any) -> RegionState:
    found = [one for one in region.images if one.image.image_id == image_id]
    assert [one.image.state for one in found] in (["available"], ["disabled"])
    return replace(
        region, images=tuple(_changed(one, **changes) if one in found else one for one in region.images)
    )


def _changed(own: OwnImage, **changes: Any) -> OwnImage:
    return replace(own, image=replace(own.image, **changes))


def _deregistered(region: RegionState, action: Action) -> RegionState:
    (gone,) = (one for one in region.images if one.image.image_id == action.resource)
    assert gone.protection == "disabled"
    region = replace(region, images=tuple(one for one in region.images if one is not gone))
    if action.parameters.get("DeleteAssociatedSnapshots"):
        for snapshot_id in gone.image.snapshot_ids:
            if snapshot_id not in region.images_with:
                region = _deleted(region, snapshot_id)
    return region


def _deleted(region: RegionState, snapshot_id: str) -> RegionState:
    assert snapshot_id not in region.images_with, "a registered image uses it"
    assert not region.snapshots[snapshot_id].locked
    return replace(
        region, snapshots={key: one for key, one in region.snapshots.items() if key != snapshot_id}
    )


def _tagged(region: RegionState, action: Action) -> RegionState:
    resources = action.parameters["Resources"]
    images = tuple(
        _changed(one, tags=_new_tags(one.image.tags, action)) if one.image.image_id in resources else one
        for one in region.images
    )
    snapshots = {
        key: replace(one, tags=_new_tags(one.tags, action)) if key in resources else one
        for key, one in region.snapshots.items()
    }
    assert set(resources) <= {one.image.image_id for one in images} | set(snapshots)
    return replace(region, images=images, snapshots=snapshots)


def _new_tags(tags: Any, action: Action) -> dict[str, str]:
    if action.operation == "CreateTags":
        return {**tags, **{tag["Key"]: tag["Value"] for tag in action.parameters["Tags"]}}
    assert action.operation == "DeleteTags"
    unwanted = {tag["Key"] for tag in action.parameters["Tags"]}
    return {key: value for key, value in tags.items() if key not in unwanted}


def _reported(saw: CleanupState, ref: ImageRef) -> CleanupState:
    pending = UsageReport("pending", saw.now)
    return replace(saw, usage={**saw.usage, ref: replace(saw.usage[ref], report=pending)})


def _unshared(saw: CleanupState, ref: ImageRef) -> CleanupState:
    return replace(saw, usage={**saw.usage, ref: replace(saw.usage[ref], sharing=Sharing())})
