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
from .snapshots import SNAPSHOT_TAG, marked_for
from .stages import (
    DEPRECATE,
    DEPRECATION_TAG,
    DEREGISTER,
    DISABLE,
    RESTORE_TAG,
    STAGE_TAGS,
    deprecate_at,
    deprecation_tag,
    set_marks,
)
from .state import CleanupState, OwnSnapshot, RegionState

# EC2 API Reference, CreateTags and DeleteTags: resources per request.
TAG_BATCH = 1000


def region_actions(
    state: CleanupState,
    target: Target,
    decided: tuple[Decision, ...],
    snapshots: tuple[OwnSnapshot, ...],
    inherited_tags: Mapping[str, dict[str, str]],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    """The calls of one region: first the non-destructive ones, then the destructive ones.

    ``snapshots`` are deleted in addition to those of the images. ``inherited_tags`` maps images to the tags
    that they inherit from deregistered ones, ``grants`` maps keys to the grants to revoke.

    The date of a stage is written after the stage is reached, so that no date is too early. The date of a
    deprecation is written before it is set, so that a restore knows whose it is even if this run is killed;
    and snapshots are marked before their image is deregistered, so that the next run finds them.
    """
    region_state = state.regions[target.region]
    yield from _report_actions(state, target, decided)
    date = deprecate_at(state.now)
    deprecating = {decision.ref.image_id for decision in decided if decision.kind == DEPRECATE}
    deprecated = [own.image for own in region_state.images if own.image.image_id in deprecating]
    dates = {image.image_id: {DEPRECATION_TAG: deprecation_tag(image, date)} for image in deprecated}
    yield from _tag_actions(target, dates)
    for image_id in dates:
        parameters = {"DeprecateAt": date, "ImageId": image_id}
        yield Action(target, "EnableImageDeprecation", parameters, image_id)
    yield from _tag_actions(target, _marks(decision for decision in decided if decision.kind != DISABLE))
    yield from _tag_actions(target, inherited_tags)
    yield from _untag_actions(
        target, {**_ended_marks(region_state, decided), **_marks_to_remove(region_state, decided)}
    )
    yield from _destructive_actions(target, region_state, decided, snapshots, grants)


def disabled_by(actions: Iterable[Action]) -> frozenset[tuple[Target, str | None]]:
    """The images that the actions disable, each with its account and region."""
    return frozenset((one.target, one.resource) for one in actions if one.operation == "DisableImage")


def is_destructive(action: Action, disabling: Collection[tuple[Target, str | None]]) -> bool:
    """Whether an action removes something, prepares a removal, or dates one. ``disabling``: ``disabled_by``.

    An image that was disabled earlier gets the mark that it lacks at once, because its next stage counts from
    there: if its run was killed before it wrote the mark, or if the image was disabled by other means.
    """
    if action.operation != "CreateTags":
        return action.operation in ("DisableImage", "DeregisterImage", "RevokeGrant", "DeleteSnapshot")
    keys = {tag["Key"] for tag in action.parameters["Tags"]}
    resources = action.parameters["Resources"]
    return SNAPSHOT_TAG in keys or (
        STAGE_TAGS[DISABLE] in keys and any((action.target, one) in disabling for one in resources)
    )


def _destructive_actions(
    target: Target,
    region_state: RegionState,
    decided: tuple[Decision, ...],
    snapshots: tuple[OwnSnapshot, ...],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    disabled = tuple(decision for decision in decided if decision.kind == DISABLE)
    for decision in disabled:
        image_id = decision.ref.image_id
        yield Action(target, "DisableImage", {"ImageId": image_id}, image_id)
    yield from _tag_actions(target, _marks(disabled))
    deregistered = tuple(decision for decision in decided if decision.kind == DEREGISTER)
    yield from _tag_actions(target, _snapshot_marks(region_state, deregistered))
    one_by_one: list[str] = []
    for decision in deregistered:
        image_id = decision.ref.image_id
        with_snapshots = _deletes_snapshots(decision, region_state, grants)
        parameters = {"ImageId": image_id, **({"DeleteAssociatedSnapshots": True} if with_snapshots else {})}
        yield Action(target, "DeregisterImage", parameters, image_id)
        one_by_one += () if with_snapshots else _deleted(decision)
    for key_arn, revoked in grants.items():
        for grant in revoked:
            parameters = {"GrantId": grant.grant_id, "KeyId": key_arn}
            yield Action(target, "RevokeGrant", parameters, grant.grant_id, service="kms")
    # Snapshots come last: until now, images to deregister used them.
    for snapshot_id in dict.fromkeys((*one_by_one, *(snapshot.snapshot_id for snapshot in snapshots))):
        yield Action(target, "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


def _marks(decided: Iterable[Decision]) -> dict[str, dict[str, str]]:
    return {decision.ref.image_id: dict(decision.step.marks) for decision in decided if decision.step.marks}


def _ended_marks(region_state: RegionState, decided: tuple[Decision, ...]) -> dict[str, tuple[str, ...]]:
    """The tags whose dates are no longer valid: all of a needed image, else those of undone stages.

    An image whose restore is incomplete keeps them: they show the next restore that permissions may be
    missing, and it deletes them.
    """
    own = {one.image.image_id: one for one in region_state.images}
    return {
        decision.ref.image_id: set_marks(own[decision.ref.image_id])
        if decision.is_needed
        else decision.step.drop
        for decision in decided
        if RESTORE_TAG not in own[decision.ref.image_id].image.tags
    }


def _marks_to_remove(region_state: RegionState, decided: tuple[Decision, ...]) -> dict[str, tuple[str, ...]]:
    """Snapshots that an earlier run marked and whose image stays, even if the policy no longer applies to it.

    A user who deregisters the image later may want to keep them.
    """
    deregistered = {decision.ref.image_id for decision in decided if decision.kind == DEREGISTER}
    return {
        snapshot_id: (SNAPSHOT_TAG,)
        for own in region_state.images
        if own.image.image_id not in deregistered
        for snapshot_id in own.image.snapshot_ids
        if snapshot_id in region_state.snapshots and marked_for(region_state.snapshots[snapshot_id])
    }


def _snapshot_marks(region_state: RegionState, deregistered: Iterable[Decision]) -> dict[str, dict[str, str]]:
    """The mark of each snapshot that is deleted with an image, where the mark is missing.

    As many images as fit into a tag's value share one mark: one call writes it to all their snapshots.
    """
    unmarked: dict[str, list[str]] = {}
    marked: set[str] = set()
    for decision in deregistered:
        missing = [
            one for one in _deleted(decision) if one not in marked and not _is_marked(region_state, one)
        ]
        if missing:
            unmarked[decision.ref.image_id] = missing
            marked.update(missing)
    return {
        snapshot_id: {SNAPSHOT_TAG: value}
        for value in _values(unmarked)
        for image_id in value.split()
        for snapshot_id in unmarked[image_id]
    }


def _is_marked(region_state: RegionState, snapshot_id: str) -> bool:
    """Whether the snapshot's mark names an image that the snapshot is part of."""
    snapshot = region_state.snapshots.get(snapshot_id)
    named = marked_for(snapshot) if snapshot else ()
    return any(image_id in named for image_id in region_state.images_with.get(snapshot_id, ()))


def _values(image_ids: Iterable[str]) -> list[str]:
    """The IDs in as few tag values as hold them."""
    values: list[str] = []
    for image_id in image_ids:
        if values and len(values[-1]) + 1 + len(image_id) <= MAX_VALUE:
            values[-1] += f" {image_id}"
        else:
            values.append(image_id)
    return values


def _deleted(decision: Decision) -> list[str]:
    return [one.snapshot_id for one in decision.snapshots if not one.keep_reason]


def _deletes_snapshots(
    decision: Decision, region_state: RegionState, grants: Mapping[str, tuple[Grant, ...]]
) -> bool:
    """Whether DeregisterImage can delete the image's snapshots as well.

    Not if one of them is kept: AWS skips snapshots of other images, but not those that launch templates use.
    Not if one belongs to several images, which are deregistered side by side: AWS could skip it each time
    because of the others. Not if its key has grants to revoke: these are revoked first.
    """
    if any(len(region_state.images_with[one]) > 1 for one in _deleted(decision)):
        return False
    deleted = [region_state.snapshots[one] for one in _deleted(decision) if one in region_state.snapshots]
    if any(snapshot.kms_key_id in grants for snapshot in deleted):
        return False
    return bool(decision.snapshots) and len(_deleted(decision)) == len(decision.snapshots)


def _report_actions(state: CleanupState, target: Target, decided: tuple[Decision, ...]) -> Iterator[Action]:
    depth = {"OptionName": "version-depth", "OptionValues": [str(ALL_VERSIONS)]}
    for decision in decided:
        if decision.requests_report:
            parameters = {
                "ClientToken": _report_token(state, target, decision.ref),
                "ImageId": decision.ref.image_id,
                "ResourceTypes": [
                    {"ResourceType": one, **({"ResourceTypeOptions": [depth]} if one == TEMPLATES else {})}
                    for one in REPORTED_TYPES
                ],
            }
            yield Action(target, "CreateImageUsageReport", parameters, decision.ref.image_id)


def _report_token(state: CleanupState, target: Target, ref: ImageRef) -> str:
    """Return the token of a usage report: one a day, and another one after each that failed.

    The same token returns the same report (botocore shape CreateImageUsageReportRequest, ClientToken).
    """
    report = state.usage[ref].report if ref in state.usage else None
    failed = f"/{report.report_id}" if report and report.state == "error" else ""
    token = f"{target.account_id}/{ref}/{state.now:%Y-%m-%d}{failed}"
    return hashlib.sha256(token.encode()).hexdigest()


def _tag_actions(target: Target, tags: Mapping[str, Mapping[str, str]]) -> Iterator[Action]:
    """One call for all resources that get the same tags."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for resource, new_tags in tags.items():
        alike[tuple(sorted(new_tags.items()))].append(resource)
    for pairs, resources in alike.items():
        for batch in batches(resources, TAG_BATCH):
            parameters = {"Resources": batch, "Tags": tag_list(dict(pairs))}
            yield Action(target, "CreateTags", parameters, ", ".join(batch))


def _untag_actions(target: Target, unwanted: dict[str, tuple[str, ...]]) -> Iterator[Action]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, keys in unwanted.items():
        if keys:
            alike[keys].append(resource)
    for keys, resources in alike.items():
        for batch in batches(resources, TAG_BATCH):
            parameters = {"Resources": batch, "Tags": [{"Key": key} for key in keys]}
            yield Action(target, "DeleteTags", parameters, ", ".join(batch))
