# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The calls that carry the verdicts of one region out, in their order."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from ..model import Grant, Target
from ..plan import Action
from ..tags import MAX_VALUE, tag_list
from .decisions import CleanupSeen, Verdict
from .sharing import INSTANCES, TEMPLATES
from .snapshots import SNAPSHOT_MARK, marked_for
from .stages import DEPRECATE, DEREGISTER, DISABLE, STAGE_MARKS, deprecate_at, set_marks
from .state import OwnSnapshot, RegionFacts

# EC2 API Reference, CreateTags and DeleteTags: resources per request.
TAG_BATCH = 1000
# EC2 API Reference, CreateImageUsageReport: the versions of launch templates that it can look back.
ALL_VERSIONS = "10000"


def region_actions(
    seen: CleanupSeen,
    target: Target,
    judged: tuple[Verdict, ...],
    snapshots: tuple[OwnSnapshot, ...],
    bequeathed: Mapping[str, dict[str, str]],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    """The calls of one region: first those that take nothing away, then those that do.

    ``snapshots`` are deleted beside those of the images. ``bequeathed`` maps images to tags that keep what is
    known of them only by images that go, ``grants`` keys to the grants that are revoked after the images.

    Dates are written after what they date, so that none is claimed too early. Snapshots are marked before
    their image goes: whatever ends the run, the next one finds them.
    """
    facts = seen.regions[target.region]
    yield from _report_actions(seen, target, judged)
    for verdict in judged:
        if verdict.decision == DEPRECATE:
            parameters = {"DeprecateAt": deprecate_at(seen.now), "ImageId": verdict.ref.image_id}
            yield Action(target, "EnableImageDeprecation", parameters, verdict.ref.image_id)
    yield from _tag_actions(target, _marks(verdict for verdict in judged if verdict.decision != DISABLE))
    yield from _tag_actions(target, bequeathed)
    yield from _untag_actions(target, {**_ended_marks(facts, judged), **_snapshots_that_stay(facts, judged)})
    yield from _taking_away(target, facts, judged, snapshots, grants)


def takes_away(action: Action) -> bool:
    """Whether an action takes something away, or is the first step of doing so."""
    if action.operation == "CreateTags":
        return any(tag["Key"] in (SNAPSHOT_MARK, STAGE_MARKS[DISABLE]) for tag in action.parameters["Tags"])
    return action.operation in ("DisableImage", "DeregisterImage", "RevokeGrant", "DeleteSnapshot")


def _taking_away(
    target: Target,
    facts: RegionFacts,
    judged: tuple[Verdict, ...],
    snapshots: tuple[OwnSnapshot, ...],
    grants: Mapping[str, tuple[Grant, ...]],
) -> Iterator[Action]:
    disabled = tuple(verdict for verdict in judged if verdict.decision == DISABLE)
    for verdict in disabled:
        image_id = verdict.ref.image_id
        yield Action(target, "DisableImage", {"ImageId": image_id}, image_id)
    yield from _tag_actions(target, _marks(disabled))
    deregistered = tuple(verdict for verdict in judged if verdict.decision == DEREGISTER)
    yield from _tag_actions(target, _snapshot_marks(facts, deregistered))
    alone: list[str] = []
    for verdict in deregistered:
        image_id = verdict.ref.image_id
        together = _together(verdict, facts, grants)
        parameters = {"ImageId": image_id, **({"DeleteAssociatedSnapshots": True} if together else {})}
        yield Action(target, "DeregisterImage", parameters, image_id)
        alone += () if together else _going(verdict)
    for key_arn, revoked in grants.items():
        for grant in revoked:
            parameters = {"GrantId": grant.grant_id, "KeyId": key_arn}
            yield Action(target, "RevokeGrant", parameters, grant.grant_id, service="kms")
    # Only now nothing that is to go uses them any more.
    for snapshot_id in dict.fromkeys((*alone, *(snapshot.snapshot_id for snapshot in snapshots))):
        yield Action(target, "DeleteSnapshot", {"SnapshotId": snapshot_id}, snapshot_id)


def _marks(judged: Iterable[Verdict]) -> dict[str, dict[str, str]]:
    return {verdict.ref.image_id: dict(verdict.step.marks) for verdict in judged if verdict.step.marks}


def _ended_marks(facts: RegionFacts, judged: tuple[Verdict, ...]) -> dict[str, tuple[str, ...]]:
    """The dates that no longer hold: all of an image that is wanted, else those of undone stages."""
    own = {one.image.image_id: one for one in facts.images}
    return {
        verdict.ref.image_id: set_marks(own[verdict.ref.image_id]) if verdict.released else verdict.step.drop
        for verdict in judged
    }


def _snapshots_that_stay(facts: RegionFacts, judged: tuple[Verdict, ...]) -> dict[str, tuple[str, ...]]:
    """Snapshots marked for an image that stays after all: whoever deregisters it later may want them.

    That holds as well if the policy is no longer about the image.
    """
    going = {verdict.ref.image_id for verdict in judged if verdict.decision == DEREGISTER}
    return {
        snapshot_id: (SNAPSHOT_MARK,)
        for own in facts.images
        if own.image.image_id not in going
        for snapshot_id in own.image.snapshot_ids
        if snapshot_id in facts.snapshots and marked_for(facts.snapshots[snapshot_id])
    }


def _snapshot_marks(facts: RegionFacts, deregistered: Iterable[Verdict]) -> dict[str, dict[str, str]]:
    """Snapshots that go with images, and the mark that says so, where it is missing.

    As many images as a tag's value can name share one mark, so that one call writes it for all of them.
    """
    unmarked: dict[str, list[str]] = {}
    marked: set[str] = set()
    for verdict in deregistered:
        missing = [one for one in _going(verdict) if one not in marked and not _is_marked(facts, one)]
        if missing:
            unmarked[verdict.ref.image_id] = missing
            marked.update(missing)
    return {
        snapshot_id: {SNAPSHOT_MARK: value}
        for value in _values(unmarked)
        for image_id in value.split()
        for snapshot_id in unmarked[image_id]
    }


def _is_marked(facts: RegionFacts, snapshot_id: str) -> bool:
    """Whether the snapshot's mark names an image that it is part of."""
    snapshot = facts.snapshots.get(snapshot_id)
    named = marked_for(snapshot) if snapshot else ()
    return any(image_id in named for image_id in facts.images_with.get(snapshot_id, ()))


def _values(image_ids: Iterable[str]) -> list[str]:
    """The ids in as few tag values as hold them."""
    values: list[str] = []
    for image_id in image_ids:
        if values and len(values[-1]) + 1 + len(image_id) <= MAX_VALUE:
            values[-1] += f" {image_id}"
        else:
            values.append(image_id)
    return values


def _going(verdict: Verdict) -> list[str]:
    return [fate.snapshot_id for fate in verdict.fates if not fate.kept]


def _together(verdict: Verdict, facts: RegionFacts, grants: Mapping[str, tuple[Grant, ...]]) -> bool:
    """Whether AWS can delete the snapshots with the image: it spares other images' only, nothing else's.

    Those under a key with grants to revoke go after these, and those of several images that go after all of
    them: as these go at the same time, AWS could spare such a snapshot each time for the others.
    """
    if any(len(facts.images_with[one]) > 1 for one in _going(verdict)):
        return False
    going = [facts.snapshots[one] for one in _going(verdict) if one in facts.snapshots]
    if any(snapshot.kms_key_id in grants for snapshot in going):
        return False
    return bool(verdict.fates) and len(_going(verdict)) == len(verdict.fates)


def _report_actions(seen: CleanupSeen, target: Target, judged: tuple[Verdict, ...]) -> Iterator[Action]:
    for verdict in judged:
        if verdict.report_wanted:
            # The same run twice asks for one report; a later run may ask for another.
            token = f"{target.account_id}/{verdict.ref}/{seen.now:%Y-%m-%d}"
            parameters = {
                "ClientToken": hashlib.sha256(token.encode()).hexdigest(),
                "ImageId": verdict.ref.image_id,
                "ResourceTypes": [
                    {"ResourceType": INSTANCES},
                    {
                        "ResourceType": TEMPLATES,
                        "ResourceTypeOptions": [
                            {"OptionName": "version-depth", "OptionValues": [ALL_VERSIONS]}
                        ],
                    },
                ],
            }
            yield Action(target, "CreateImageUsageReport", parameters, verdict.ref.image_id)


def _tag_actions(target: Target, tags: Mapping[str, Mapping[str, str]]) -> Iterator[Action]:
    """What gets the same tags is tagged with one call."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = defaultdict(list)
    for resource, wanted in tags.items():
        alike[tuple(sorted(wanted.items()))].append(resource)
    for pairs, resources in alike.items():
        for batch in _batches(resources):
            parameters = {"Resources": batch, "Tags": tag_list(dict(pairs))}
            yield Action(target, "CreateTags", parameters, ", ".join(batch))


def _untag_actions(target: Target, unwanted: dict[str, tuple[str, ...]]) -> Iterator[Action]:
    alike: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for resource, keys in unwanted.items():
        if keys:
            alike[keys].append(resource)
    for keys, resources in alike.items():
        for batch in _batches(resources):
            parameters = {"Resources": batch, "Tags": [{"Key": key} for key in keys]}
            yield Action(target, "DeleteTags", parameters, ", ".join(batch))


def _batches(resources: list[str]) -> Iterable[list[str]]:
    return (resources[start : start + TAG_BATCH] for start in range(0, len(resources), TAG_BATCH))
