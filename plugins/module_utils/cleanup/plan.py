# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of retiring images: pure, the AWS calls are made elsewhere."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..failures import Failure
from ..model import ImageRef, KeyRef, SnapshotRef
from ..plan import Action, Plan, TargetPlan
from .actions import region_actions, takes_away
from .decisions import CleanupSeen, CleanupWanted, Verdict, chosen, verdicts
from .families import bequeathed, families, untold
from .grants import images_under, keys_at_stake, revocations
from .snapshots import fates, leftovers, orphans, recoverable_until
from .stages import DEREGISTER, DISABLE, stamp
from .state import OwnImage, OwnSnapshot, RegionFacts

# Region to former image to the snapshots that it has left.
Orphans = dict[str, dict[str, tuple[OwnSnapshot, ...]]]

# Examples in a refusal.
_NAMED = 5


@dataclass(frozen=True)
class CleanupPlan(Plan):
    """The plans of all regions, and the verdicts that they come from.

    It is performed in two steps, each in all regions: what takes something away comes last, once evidence has
    been read again.
    """

    verdicts: tuple[Verdict, ...] = ()

    @property
    def harmless(self) -> tuple[Action, ...]:
        """The actions of the first step."""
        return tuple(action for action in self.actions if not takes_away(action))

    @property
    def taking_away(self) -> tuple[Action, ...]:
        """The actions of the second step."""
        return tuple(action for action in self.actions if takes_away(action))


def plan(wanted: CleanupWanted, seen: CleanupSeen) -> CleanupPlan:
    """Plan every region. Over the limit the plan is refused as a whole."""
    judged = _with_snapshots(verdicts(wanted, seen), seen)
    orphaned = _without_shared(wanted, seen, _orphans(wanted, seen))
    refusals = tuple(_over_limit(wanted, seen, judged, orphaned))
    going = {verdict.ref for verdict in judged if verdict.decision == DEREGISTER}
    heirs = bequeathed(seen.images, families(seen.images, wanted.by), wanted.by, going)
    revoked = {
        ref: revocations(seen, ref, going)
        for ref in (
            keys_at_stake(seen, _going_snapshots(wanted, seen, judged, orphaned))
            if wanted.revoke_grants
            else ()
        )
    }
    targets = []
    for region in sorted(seen.regions):
        here = tuple(verdict for verdict in judged if verdict.ref.region == region)
        snapshots = (
            *leftovers(seen.regions[region], wanted.rules.protect_tags),
            *(one for of_image in orphaned.get(region, {}).values() for one in of_image),
        )
        in_region = {ref.image_id: tags for ref, tags in heirs.items() if ref.region == region}
        keys = {ref.key_arn: one for ref, one in revoked.items() if ref.region == region}
        grants = {key_arn: one.grants for key_arn, one in keys.items() if one.grants}
        actions = tuple(region_actions(seen, seen.target(region), here, snapshots, in_region, grants))
        targets.append(
            TargetPlan(
                seen.target(region),
                actions=actions,
                before=_view(seen.regions[region], here, snapshots, actions, ()),
                after=_view(seen.regions[region], here, snapshots, actions, actions),
                warnings=tuple(warning for one in keys.values() for warning in one.warnings),
            )
        )
    if targets and refusals:
        targets[0] = replace(targets[0], refusals=refusals)
    return CleanupPlan(tuple(targets), judged)


def snapshots_to_look_at(wanted: CleanupWanted, seen: CleanupSeen) -> tuple[SnapshotRef, ...]:
    """The snapshots of images that something is taken from, and orphans, of which sharing decides."""
    of_images = (
        SnapshotRef(ref.region, snapshot_id)
        for ref in chosen(wanted, seen)
        for snapshot_id in seen.images[ref].image.snapshot_ids
    )
    of_none = (
        SnapshotRef(region, one.snapshot_id)
        for region, former in _orphans(wanted, seen).items()
        for left in former.values()
        for one in left
        if not wanted.include_shared
    )
    return tuple(dict.fromkeys((*of_images, *of_none)))


def keys_to_look_at(wanted: CleanupWanted, seen: CleanupSeen) -> dict[KeyRef, tuple[OwnImage, ...]]:
    """The keys whose grants may go, each with the images under it that stay."""
    if not wanted.revoke_grants:
        return {}
    judged = _with_snapshots(verdicts(wanted, seen), seen)
    orphaned = _without_shared(wanted, seen, _orphans(wanted, seen))
    going = {verdict.ref for verdict in judged if verdict.decision == DEREGISTER}
    return {
        ref: tuple(
            own
            for own in images_under(seen.regions[ref.region], ref.key_arn)
            if ImageRef(ref.region, own.image.image_id) not in going
        )
        for ref in keys_at_stake(seen, _going_snapshots(wanted, seen, judged, orphaned))
    }


def images_of(
    seen: CleanupSeen, going: Iterable[Verdict], actions: Iterable[Action]
) -> dict[str, dict[str, set[str]]]:
    """Region to snapshots and grants to the images without which these go: not if one of them is refused.

    A snapshot that goes alone takes the place of its image: it stays where a grant on its key does.
    """
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    under: dict[KeyRef, set[str]] = defaultdict(set)
    for verdict in going:
        facts = seen.regions[verdict.ref.region]
        for fate in verdict.fates:
            found[verdict.ref.region][fate.snapshot_id].add(verdict.ref.image_id)
            key_arn = facts.snapshots[fate.snapshot_id].kms_key_id
            if key_arn:
                under[KeyRef(verdict.ref.region, key_arn)].add(verdict.ref.image_id)
    actions = tuple(actions)
    for action in actions:
        region, resource = action.target.region, str(action.resource)
        if action.operation == "DeleteSnapshot" and resource not in found[region]:
            key_arn = seen.regions[region].snapshots[resource].kms_key_id
            if key_arn:
                under[KeyRef(region, key_arn)].add(resource)
    for action in actions:
        if action.operation == "RevokeGrant":
            region = action.target.region
            found[region][str(action.resource)] |= under[KeyRef(region, action.parameters["KeyId"])]
    return found


def with_untold(wanted: CleanupWanted, seen: CleanupSeen, done: Iterable[Action]) -> CleanupSeen:
    """What was seen, and which images stay for now, since what only they tell of others is in no tag yet.

    ``done`` are the actions that were to write such tags, as far as AWS took them.
    """
    told = {
        (ImageRef(action.target.region, resource), tag["Key"], tag["Value"])
        for action in done
        if action.operation == "CreateTags"
        for resource in action.parameters["Resources"]
        for tag in action.parameters["Tags"]
    }
    going = {verdict.ref for verdict in verdicts(wanted, seen) if verdict.decision == DEREGISTER}
    family_of = families(seen.images, wanted.by)
    return replace(seen, untold=untold(seen.images, family_of, wanted.by, going, told))


def confirmed(first: CleanupPlan, again: CleanupPlan) -> tuple[CleanupPlan, tuple[Verdict, ...]]:
    """The plan made again, of evidence read again, as far as the first one decided the same.

    The verdicts beside it are the new ones on images that the first plan would have taken away. What only the
    new plan would do is left to the next run.
    """
    before = {verdict.ref: verdict for verdict in first.verdicts}
    disputed = {
        verdict.ref
        for verdict in again.verdicts
        if verdict.ref not in before or before[verdict.ref].decision != verdict.decision
    }
    known = {(action.target, action.operation, action.resource) for action in first.actions}
    # What the new plan takes for gone there stays, and may need a grant.
    staying_in = {
        verdict.ref.region
        for verdict in again.verdicts
        if verdict.ref in disputed and verdict.decision == DEREGISTER
    }
    targets = []
    for target in again.targets:
        region = target.target.region
        left_out = {ref.image_id for ref in disputed if ref.region == region}
        left_out |= {
            fate.snapshot_id
            for verdict in (*first.verdicts, *again.verdicts)
            if verdict.ref in disputed and verdict.ref.region == region
            for fate in verdict.fates
        }
        # What is marked and not deleted now is deleted by the next run.
        agreed = (
            action
            for action in target.actions
            if action.operation not in ("DeleteSnapshot", "RevokeGrant")
            or (action.target, action.operation, action.resource) in known
            if action.operation != "RevokeGrant" or region not in staying_in
        )
        targets.append(replace(target, actions=tuple(_without(agreed, left_out))))
    changed = tuple(
        verdict
        for verdict in again.verdicts
        if verdict.ref in disputed
        and verdict.ref in before
        and before[verdict.ref].decision in (DISABLE, DEREGISTER)
    )
    return replace(again, targets=tuple(targets)), changed


def _orphans(wanted: CleanupWanted, seen: CleanupSeen) -> Orphans:
    if not wanted.orphan_snapshots:
        return {}
    return {region: orphans(facts, wanted.rules.protect_tags) for region, facts in seen.regions.items()}


def _going_snapshots(
    wanted: CleanupWanted, seen: CleanupSeen, judged: Iterable[Verdict], orphaned: Orphans
) -> Iterator[SnapshotRef]:
    """Every snapshot that goes, or whose image does."""
    for verdict in judged:
        yield from (SnapshotRef(verdict.ref.region, fate.snapshot_id) for fate in verdict.fates)
    for region, facts in seen.regions.items():
        left = leftovers(facts, wanted.rules.protect_tags)
        alone = (*left, *(one for of_image in orphaned.get(region, {}).values() for one in of_image))
        yield from (SnapshotRef(region, one.snapshot_id) for one in alone)


def _without_shared(wanted: CleanupWanted, seen: CleanupSeen, orphaned: Orphans) -> Orphans:
    """Those orphans that nobody else may use: nothing shows whether they do, the user has to include them."""

    def goes(region: str, snapshot_id: str) -> bool:
        look = seen.snapshot_looks.get(SnapshotRef(region, snapshot_id))
        return wanted.include_shared or (look is not None and not look.unread and not look.sharing)

    found: Orphans = {}
    for region, former in orphaned.items():
        for image_id, left in former.items():
            going = tuple(one for one in left if goes(region, one.snapshot_id))
            if going:
                found.setdefault(region, {})[image_id] = going
    return found


def _with_snapshots(judged: tuple[Verdict, ...], seen: CleanupSeen) -> tuple[Verdict, ...]:
    """The verdicts, those of deregistrations with what becomes of the snapshots."""
    leaving: dict[str, set[str]] = defaultdict(set)
    for verdict in judged:
        if verdict.decision == DEREGISTER:
            leaving[verdict.ref.region].add(verdict.ref.image_id)
    return tuple(
        _with_fates(verdict, seen, leaving[verdict.ref.region]) if verdict.decision == DEREGISTER else verdict
        for verdict in judged
    )


def _with_fates(verdict: Verdict, seen: CleanupSeen, leaving: Collection[str]) -> Verdict:
    own, facts = seen.images[verdict.ref], seen.regions[verdict.ref.region]
    decided = fates(own, facts, leaving)
    going = tuple(fate.snapshot_id for fate in decided if not fate.kept)
    return replace(verdict, fates=decided, recoverable_until=recoverable_until(own, facts, going, seen.now))


def _over_limit(
    wanted: CleanupWanted,
    seen: CleanupSeen,
    judged: tuple[Verdict, ...],
    orphaned: Orphans,
) -> Iterator[Failure]:
    going = [str(verdict.ref) for verdict in judged if verdict.decision == DEREGISTER]
    former = [f"{region}/{image_id}" for region, left in sorted(orphaned.items()) for image_id in left]
    deletions = len(going) + len(former)
    if wanted.limit.allows(deletions, len(judged)):
        return
    named = ", ".join((going + former)[:_NAMED]) + (" …" if deletions > _NAMED else "")
    what = f"{len(going)} of {len(judged)} images would be deregistered"
    what += f" and the snapshots that {len(former)} former images left deleted" if former else ""
    yield Failure(
        message=f"max_deletions: {what} ({named}); {wanted.limit} are allowed.",
        remedy="Check the policy. If all of this is meant, allow it with max_deletions.",
        error_code="too_many_deletions",
        action="max_deletions",
        account_id=seen.account_id,
    )


def _without(actions: Iterable[Action], left_out: Collection[str]) -> Iterator[Action]:
    """The actions, without those images and snapshots."""
    for action in actions:
        if "Resources" in action.parameters:
            resources = [one for one in action.parameters["Resources"] if one not in left_out]
            if resources:
                parameters = {**action.parameters, "Resources": resources}
                yield replace(action, parameters=parameters, resource=", ".join(resources))
        elif action.resource not in left_out:
            yield action


def _view(
    facts: RegionFacts,
    judged: tuple[Verdict, ...],
    orphaned: tuple[OwnSnapshot, ...],
    planned: tuple[Action, ...],
    done: tuple[Action, ...],
) -> dict[str, Any]:
    """The images, snapshots and grants that the plan is about, once the actions are ``done``."""
    about = {verdict.ref.image_id for verdict in judged}
    images = {
        own.image.image_id: {"deprecation_time": own.image.deprecation_time, "state": own.image.state}
        for own in facts.images
        if own.image.image_id in about
    }
    snapshots = {fate.snapshot_id for verdict in judged for fate in verdict.fates}
    snapshots |= {snapshot.snapshot_id for snapshot in orphaned}
    going = {verdict.ref.image_id: verdict.fates for verdict in judged}
    revoked = sorted(str(action.resource) for action in planned if action.operation == "RevokeGrant")
    grants = {"grants": [] if done else revoked} if revoked else {}
    for action in done:
        resource = str(action.resource)
        if action.operation == "EnableImageDeprecation":
            images[resource]["deprecation_time"] = stamp(action.parameters["DeprecateAt"])
        elif action.operation == "DisableImage":
            images[resource]["state"] = "disabled"
        elif action.operation == "DeregisterImage":
            del images[resource]
            snapshots -= {fate.snapshot_id for fate in going[resource] if not fate.kept}
        elif action.operation == "DeleteSnapshot":
            snapshots.discard(resource)
    return {**grants, "images": images, "snapshots": sorted(snapshots)}
