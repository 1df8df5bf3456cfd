# SPDX-License-Identifier: GPL-3.0-or-later

"""What AWS makes of the calls of a cleanup, as far as the planner sees it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils.cleanup.decisions import CleanupSeen
from ansible_collections.golden.images.plugins.module_utils.cleanup.stages import stamp
from ansible_collections.golden.images.plugins.module_utils.cleanup.state import (
    OwnImage,
    RegionFacts,
    UsageReport,
)
from ansible_collections.golden.images.plugins.module_utils.model import ImageRef, Sharing
from ansible_collections.golden.images.plugins.module_utils.plan import Action


def performed(saw: CleanupSeen, actions: Iterable[Action]) -> CleanupSeen:
    """What is seen once the calls are done; an AssertionError for one that AWS would refuse."""
    for action in actions:
        facts = saw.regions[action.target.region]
        if action.operation == "CreateImageUsageReport":
            saw = _reported(saw, ImageRef(action.target.region, str(action.resource)))
        elif action.operation == "DisableImage":
            saw = _unshared(saw, ImageRef(action.target.region, str(action.resource)))
            facts = _image(facts, str(action.resource), state="disabled")
        elif action.operation == "EnableImageDeprecation":
            assert action.parameters["DeprecateAt"] > saw.now
            moment = stamp(action.parameters["DeprecateAt"])
            facts = _image(facts, str(action.resource), deprecation_time=moment)
        elif action.operation == "DeregisterImage":
            facts = _deregistered(facts, action)
        elif action.operation == "DeleteSnapshot":
            facts = _deleted(facts, str(action.resource))
        else:
            facts = _tagged(facts, action)
        saw = replace(saw, regions={**saw.regions, action.target.region: facts})
    return saw


def _image(facts: RegionFacts, image_id: str, **changes: Any) -> RegionFacts:
    found = [one for one in facts.images if one.image.image_id == image_id]
    assert [one.image.state for one in found] in (["available"], ["disabled"])
    return replace(
        facts, images=tuple(_changed(one, **changes) if one in found else one for one in facts.images)
    )


def _changed(own: OwnImage, **changes: Any) -> OwnImage:
    return replace(own, image=replace(own.image, **changes))


def _deregistered(facts: RegionFacts, action: Action) -> RegionFacts:
    (gone,) = (one for one in facts.images if one.image.image_id == action.resource)
    assert gone.protection == "disabled"
    facts = replace(facts, images=tuple(one for one in facts.images if one is not gone))
    if action.parameters.get("DeleteAssociatedSnapshots"):
        for snapshot_id in gone.image.snapshot_ids:
            if snapshot_id not in facts.images_with:
                facts = _deleted(facts, snapshot_id)
    return facts


def _deleted(facts: RegionFacts, snapshot_id: str) -> RegionFacts:
    assert snapshot_id not in facts.images_with, "a registered image uses it"
    assert not facts.snapshots[snapshot_id].locked
    return replace(facts, snapshots={key: one for key, one in facts.snapshots.items() if key != snapshot_id})


def _tagged(facts: RegionFacts, action: Action) -> RegionFacts:
    resources = action.parameters["Resources"]
    images = tuple(
        _changed(one, tags=_new_tags(one.image.tags, action)) if one.image.image_id in resources else one
        for one in facts.images
    )
    snapshots = {
        key: replace(one, tags=_new_tags(one.tags, action)) if key in resources else one
        for key, one in facts.snapshots.items()
    }
    assert set(resources) <= {one.image.image_id for one in images} | set(snapshots)
    return replace(facts, images=images, snapshots=snapshots)


def _new_tags(tags: Any, action: Action) -> dict[str, str]:
    if action.operation == "CreateTags":
        return {**tags, **{tag["Key"]: tag["Value"] for tag in action.parameters["Tags"]}}
    assert action.operation == "DeleteTags"
    unwanted = {tag["Key"] for tag in action.parameters["Tags"]}
    return {key: value for key, value in tags.items() if key not in unwanted}


def _reported(saw: CleanupSeen, ref: ImageRef) -> CleanupSeen:
    pending = UsageReport("pending", saw.now)
    return replace(saw, looks={**saw.looks, ref: replace(saw.looks[ref], report=pending)})


def _unshared(saw: CleanupSeen, ref: ImageRef) -> CleanupSeen:
    return replace(saw, looks={**saw.looks, ref: replace(saw.looks[ref], sharing=Sharing())})
