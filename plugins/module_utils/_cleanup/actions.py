# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that carry out the decisions of one region, in their order."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from .._model import Grant, ImageRef, Target
from .._plan import Action, batches
from .._tags import MAX_VALUE, tag_list
from .decisions import Decision
from .sharing import ALL_VERSIONS, REPORTED_TYPES, TEMPLATES
from .snapshots import SNAPSHOT_TAG, list_marked_images
from .stages import (
    DEPRECATE,
    DEPRECATION_TAG,
    DEREGISTER,
    DISABLE,
    RESTORE_TAG,
    STAGE_TAGS,
    choose_deprecation_date,
    list_marks,
    render_deprecation_tag,
)
from .state import CleanupState, OwnSnapshot, RegionState

# EC2 API Reference, CreateTags and DeleteTags: resources per request.
TAG_BATCH = 1000


def list_region_actions(
    state: CleanupState,
    target: Target,
    decisions: tuple[Decision, ...],
    snapshots: tuple[OwnSnapshot, ...],
    inherited_tags: Mapping[str, dict[str, str]],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    """Yield the calls of one region: first those that destroy nothing, then the destructive ones.

    ``snapshots`` are deleted in addition to those of the images. ``inherited_tags`` maps images to the tags
    that they inherit from deregistered ones, ``grants`` maps keys to the grants to revoke.

    The date of a stage is written after the stage is reached, so that no date is too early. The date of a
    deprecation is written before it is set, so that a restore knows whose it is even if this run is killed;
    and snapshots are marked before their image is deregistered, so that the next run finds them.
    """
    region_state = state.regions[target.region]
    yield from _request_reports(state, target, decisions)
    date = choose_deprecation_date(state.now)
    deprecating = {decision.ref.image_id for decision in decisions if decision.kind == DEPRECATE}
    deprecated = [own.image for own in region_state.images if own.image.image_id in deprecating]
    dates = {image.image_id: {DEPRECATION_TAG: render_deprecation_tag(image, date)} for image in deprecated}
    yield from _create_tags(target, dates)
    for image_id in dates:
        parameters = {"DeprecateAt": date, "ImageId": image_id}
        yield Action(target, "EnableImageDeprecation", parameters, image_id)
    yield from _create_tags(
        target, _list_marks(decision for decision in decisions if decision.kind != DISABLE)
    )
    yield from _create_tags(target, inherited_tags)
    yield from _delete_tags(
        target,
        {**_list_ended_marks(region_state, decisions), **_list_marks_to_remove(region_state, decisions)},
    )
    yield from _list_destructive_actions(target, region_state, decisions, snapshots, grants)


def list_disabled(actions: Iterable[Action]) -> frozenset[tuple[Target, str | None]]:
    """Return the account, region and ID of each image that the actions disable."""
    return frozenset(
        (action.target, action.resource) for action in actions if action.operation == "DisableImage"
    )


def is_destructive(action: Action, disabling: Collection[tuple[Target, str | None]]) -> bool:
    """Whether an action removes something, prepares a removal, or dates one.

    ``disabling`` is what ``list_disabled`` returns.

    An image that was disabled earlier gets the mark that it lacks at once, because its next stage counts from
    there: if its run was killed before it wrote the mark, or if the image was disabled by other means.
    """
    if action.operation != "CreateTags":
        return action.operation in ("DisableImage", "DeregisterImage", "RevokeGrant", "DeleteSnapshot")
    keys = {tag["Key"] for tag in action.parameters["Tags"]}
    resources = action.parameters["Resources"]
    return SNAPSHOT_TAG in keys or (
        STAGE_TAGS[DISABLE] in keys and any((action.target, resource) in disabling for resource in resources)
    )


def _list_destructive_actions(
    target: Target,
    region_state: RegionState,
    decisions: tuple[Decision, ...],
    snapshots: tuple[OwnSnapshot, ...],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    disabled = tuple(decision for decision in decisions if decision.kind == DISABLE)
    for decision in disabled:
        image_id = decision.ref.image_id
        yield Action(target, "DisableImage", {"ImageId": image_id}, image_id)
    yield from _create_tags(target, _list_marks(disabled))
    deregistered = tuple(decision for decision in decisions if decision.kind == DEREGISTER)
    yield from _create_tags(target, _list_snapshot_marks(region_state, deregistered))
    one_by_one: list[str] = []
    for decision in deregistered:
        image_id = decision.ref.image_id
        with_snapshots = _can_delete_snapshots(decision, region_state, grants)
        parameters = {"ImageId": image_id, **({"DeleteAssociatedSnapshots": True} if with_snapshots else {})}
        yield Action(target, "DeregisterImage", parameters, image_id)
        one_by_one += () if with_snapshots else _list_deleted(decision)
    for key_arn, revoked in grants.items():
        for grant in revoked:
            parameters = {"GrantId": grant.grant_id, "KeyId": key_arn}
            yield Action(target, "RevokeGrant", parameters, grant.grant_id, service="kms")
    # Snapshots come last: until now, images to deregister used them.
    for snapshot_id in dict.fromkeys((*one_by_one, *(snapshot.snapshot_id for snapshot in snapshots))):
        yield Action(target, "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


def _list_marks(decisions: Iterable[Decision]) -> dict[str, dict[str, str]]:
    return {decision.ref.image_id: dict(decision.step.marks) for decision in decisions if decision.step.marks}


def _list_ended_marks(
    region_state: RegionState, decisions: tuple[Decision, ...]
) -> dict[str, tuple[str, ...]]:
    """Return the tags whose dates no longer count, by image.

    An image that is needed loses all of its tags, any other image the tags of stages that were undone.

    An image whose restore is incomplete keeps them: they show the next restore that permissions may be
    missing, and it deletes them.
    """
    own = {image.image.image_id: image for image in region_state.images}
    return {
        decision.ref.image_id: list_marks(own[decision.ref.image_id])
        if decision.is_needed
        else decision.step.drop
        for decision in decisions
        if RESTORE_TAG not in own[decision.ref.image_id].image.tags
    }


def _list_marks_to_remove(
    region_state: RegionState, decisions: tuple[Decision, ...]
) -> dict[str, tuple[str, ...]]:
    """Return the marks of snapshots whose image stays, whether or not the policy still applies to it.

    A user who deregisters the image later may want to keep them.
    """
    deregistered = {decision.ref.image_id for decision in decisions if decision.kind == DEREGISTER}
    return {
        snapshot_id: (SNAPSHOT_TAG,)
        for own in region_state.images
        if own.image.image_id not in deregistered
        for snapshot_id in own.image.snapshot_ids
        if snapshot_id in region_state.snapshots and list_marked_images(region_state.snapshots[snapshot_id])
    }


def _list_snapshot_marks(
    region_state: RegionState, deregistered: Iterable[Decision]
) -> dict[str, dict[str, str]]:
    """Return the mark that a snapshot still lacks before it is deleted with its image.

    As many images as fit into a tag's value share one mark: one call writes it to all their snapshots.
    """
    unmarked: dict[str, list[str]] = {}
    marked: set[str] = set()
    for decision in deregistered:
        missing = [
            snapshot_id
            for snapshot_id in _list_deleted(decision)
            if snapshot_id not in marked and not _is_marked(region_state, snapshot_id)
        ]
        if missing:
            unmarked[decision.ref.image_id] = missing
            marked.update(missing)
    return {
        snapshot_id: {SNAPSHOT_TAG: value}
        for value in _pack_values(unmarked)
        for image_id in value.split()
        for snapshot_id in unmarked[image_id]
    }


def _is_marked(region_state: RegionState, snapshot_id: str) -> bool:
    """Whether the snapshot's mark names an image that the snapshot is part of."""
    snapshot = region_state.snapshots.get(snapshot_id)
    named = list_marked_images(snapshot) if snapshot else ()
    return any(image_id in named for image_id in region_state.images_with.get(snapshot_id, ()))


def _pack_values(image_ids: Iterable[str]) -> list[str]:
    """Return the IDs in as few tag values as hold them."""
    values: list[str] = []
    for image_id in image_ids:
        if values and len(values[-1]) + 1 + len(image_id) <= MAX_VALUE:
            values[-1] += f" {image_id}"
        else:
            values.append(image_id)
    return values


def _list_deleted(decision: Decision) -> list[str]:
    return [snapshot.snapshot_id for snapshot in decision.snapshots if not snapshot.keep_reason]


def _can_delete_snapshots(
    decision: Decision, region_state: RegionState, grants: Mapping[str, tuple[Grant, ...]]
) -> bool:
    """Whether DeregisterImage can delete the image's snapshots as well.

    It cannot if one of them is kept: AWS skips snapshots of other images, but not snapshots that launch
    templates use. It cannot if one belongs to several images, which are deregistered in parallel: AWS could
    skip it each time because of the other images. It may not if its key has grants to revoke first.
    """
    if any(len(region_state.images_with[snapshot_id]) > 1 for snapshot_id in _list_deleted(decision)):
        return False
    deleted = [
        region_state.snapshots[snapshot_id]
        for snapshot_id in _list_deleted(decision)
        if snapshot_id in region_state.snapshots
    ]
    if any(snapshot.kms_key_id in grants for snapshot in deleted):
        return False
    return bool(decision.snapshots) and len(_list_deleted(decision)) == len(decision.snapshots)


def _request_reports(
    state: CleanupState, target: Target, decisions: tuple[Decision, ...]
) -> Iterator[Action]:
    depth = {"OptionName": "version-depth", "OptionValues": [str(ALL_VERSIONS)]}
    for decision in decisions:
        if decision.requests_report:
            parameters = {
                "ClientToken": _make_report_token(state, target, decision.ref),
                "ImageId": decision.ref.image_id,
                "ResourceTypes": [
                    {
                        "ResourceType": resource_type,
                        **({"ResourceTypeOptions": [depth]} if resource_type == TEMPLATES else {}),
                    }
                    for resource_type in REPORTED_TYPES
                ],
            }
            yield Action(target, "CreateImageUsageReport", parameters, decision.ref.image_id)


def _make_report_token(state: CleanupState, target: Target, ref: ImageRef) -> str:
    """Return the token of a usage report: one a day, and a new one after each report that failed.

    The same token returns the same report (botocore shape CreateImageUsageReportRequest, ClientToken).
    """
    report = state.usage[ref].report if ref in state.usage else None
    failed = f"/{report.report_id}" if report and report.state == "error" else ""
    token = f"{target.account_id}/{ref}/{state.now:%Y-%m-%d}{failed}"
    return hashlib.sha256(token.encode()).hexdigest()


def _create_tags(target: Target, tags: Mapping[str, Mapping[str, str]]) -> Iterator[Action]:
    """Yield one call for all resources that get the same tags."""
    resources_by_tags: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for resource, new_tags in tags.items():
        resources_by_tags[tuple(sorted(new_tags.items()))].append(resource)
    for pairs, resources in resources_by_tags.items():
        for batch in batches(resources, TAG_BATCH):
            parameters = {"Resources": batch, "Tags": tag_list(dict(pairs))}
            yield Action(target, "CreateTags", parameters, ", ".join(batch))


def _delete_tags(target: Target, keys_by_resource: dict[str, tuple[str, ...]]) -> Iterator[Action]:
    resources_by_keys: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, keys in keys_by_resource.items():
        if keys:
            resources_by_keys[keys].append(resource)
    for keys, resources in resources_by_keys.items():
        for batch in batches(resources, TAG_BATCH):
            parameters = {"Resources": batch, "Tags": [{"Key": key} for key in keys]}
            yield Action(target, "DeleteTags", parameters, ", ".join(batch))
