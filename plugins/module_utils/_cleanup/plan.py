# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a cleanup: decisions, the calls that carry them out, and the state before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._failures import Failure, sentences
from .._keys.needed import examples_of
from .._listing import join_texts
from .._model import ImageRef, KeyRef, SnapshotRef
from .._plan import Action, Plan, TargetPlan
from .actions import disabled_by, is_destructive, region_actions
from .decisions import Decision, decisions, deregistered, families_of
from .deletions import (
    Orphans,
    concerned_snapshots,
    deletable_orphans,
    deleted_alone,
    deregistered_images,
    going,
    kept_alone,
    unread_deletions,
    used_deregistered_images,
)
from .families import blocked_by_missing_tags, inherited_tags, unmatched_options
from .grants import Revocations, keys_of, revocations
from .options import CleanupOptions
from .stages import stamp
from .state import UNREADABLE, CleanupState, Evidence, OwnSnapshot, RegionState
from .tombstone import LONGEST_PARAMETER, tombstone_text
from .unread import unread_failures

# How many images a refusal names as examples.
_EXAMPLES = 5


@dataclass(frozen=True)
class CleanupPlan(Plan):
    """The plans of all regions, the decisions that they come from, and what happens to grants on keys.

    It is performed in two steps, each in all regions: the destructive actions come last, after the evidence
    has been read again. ``unread`` is what could not be read and alone keeps something from being retired; if
    it ``fails``, the task fails in the end. ``notes`` are warnings about the options.
    """

    decisions: tuple[Decision, ...] = ()
    keys: Mapping[KeyRef, Revocations] = field(default_factory=dict)
    unread: tuple[Failure, ...] = ()
    fails: bool = False
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """What could not be read, unless the user does not want the task to fail because of it."""
        return self.unread if self.fails else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings of all targets, and one for each read that keeps something from being retired."""
        return (*super().warnings, *self.notes, *sentences(self.unread))

    @property
    def non_destructive(self) -> tuple[Action, ...]:
        """The actions of the first step."""
        disabling = disabled_by(self.actions)
        return tuple(action for action in self.actions if not is_destructive(action, disabling))

    @property
    def destructive(self) -> tuple[Action, ...]:
        """The actions of the second step."""
        disabling = disabled_by(self.actions)
        return tuple(action for action in self.actions if is_destructive(action, disabling))


def plan(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> CleanupPlan:
    """Plan every region. If the limit is exceeded, the plan as a whole is refused.

    ``blocked`` maps images that cannot be disabled or deregistered in this run to the reason (see
    ``images_that_lack_tags``).
    """
    decided = decide(options, state, blocked)
    orphaned = deletable_orphans(options, state)
    deregistering = deregistered(decided)
    inherited = inherited_tags(state.images, families_of(options, state), options.by, deregistering)
    revoked = _revocations(options, state, decided, orphaned)
    kept = kept_alone(options, state)
    targets = []
    for region, region_state in sorted(state.regions.items()):
        here = tuple(decision for decision in decided if decision.ref.region == region)
        alone = deleted_alone(options, state, region, orphaned)
        tags = {ref.image_id: found for ref, found in inherited.items() if ref.region == region}
        keys = {ref.key_arn: one for ref, one in revoked.items() if ref.region == region}
        grants = {key_arn: one.grants for key_arn, one in keys.items() if one.grants}
        actions = tuple(region_actions(state, state.target(region), here, alone, tags, grants))
        targets.append(
            TargetPlan(
                state.target(region),
                actions=actions,
                before=_view(region_state, here, alone, actions, ()),
                after=_view(region_state, here, alone, actions, actions),
                warnings=(
                    *(warning for one in keys.values() for warning in one.warnings),
                    *_kept_warnings(region, kept),
                    *_used_warning(region, used_deregistered_images(options, state, region)),
                    *_rules_warnings(region, region_state, here),
                ),
            )
        )
    refusals = tuple(_over_limit(options, state, decided, orphaned))
    if targets and refusals:
        targets[0] = replace(targets[0], refusals=refusals)
    unread = unread_failures(state.account_id, decided, unread_deletions(options, state))
    fails = options.fail_on == UNREADABLE
    notes = tuple(unmatched_options(state.images, options.by))
    return CleanupPlan(tuple(targets), decided, revoked, unread, fails, notes)


def decide(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> tuple[Decision, ...]:
    """The decisions; no image is disabled or deregistered whose tombstone Parameter Store cannot hold.

    An image that stays keeps snapshots that it shares with others, whose tombstones then get longer.
    """
    while True:
        decided = decisions(options, state, blocked)
        large = dict(_large_tombstones(options, state, decided))
        if not large:
            return decided
        blocked = {**(blocked or {}), **large}


def images_that_lack_tags(
    options: CleanupOptions, state: CleanupState, done: Iterable[Action]
) -> dict[ImageRef, str]:
    """Images that cannot be deregistered yet, with the reason: the tags that images inherit are not written.

    ``done`` are the performed actions. Their tags count even if DescribeImages does not show them yet.
    """
    written = {
        (ImageRef(action.target.region, resource), tag["Key"], tag["Value"])
        for action in done
        if action.operation == "CreateTags"
        for resource in action.parameters["Resources"]
        for tag in action.parameters["Tags"]
    }
    deregistering = deregistered(decide(options, state))
    family_of = families_of(options, state)
    return blocked_by_missing_tags(state.images, family_of, options.by, deregistering, written)


def _revocations(
    options: CleanupOptions, state: CleanupState, decided: tuple[Decision, ...], orphaned: Orphans
) -> dict[KeyRef, Revocations]:
    """What happens to the grants on the keys of the concerned snapshots, if the user wants them revoked."""
    if not options.revoke_grants:
        return {}
    concerned = concerned_snapshots(options, state, decided, orphaned)
    gone = going(options, state, decided, orphaned)
    return {ref: revocations(state, ref, gone) for ref in keys_of(state, concerned)}


def _over_limit(
    options: CleanupOptions, state: CleanupState, decided: tuple[Decision, ...], orphaned: Orphans
) -> Iterator[Failure]:
    images = [str(decision.ref) for decision in decided if decision.is_destructive]
    deletable = list(deregistered_images(options, state, orphaned))
    deletions = len(images) + len(deletable)
    # With 100%, all of them.
    evaluated = len(decided) + len(deletable)
    limit = options.max_deletions
    if limit.allows(deletions, evaluated):
        return
    named = join_texts(images + deletable, _EXAMPLES)
    what = f"{len(images)} of {len(decided)} images would be disabled or deregistered"
    what += f", and the snapshots of {len(deletable)} deregistered images deleted" if deletable else ""
    yield Failure(
        message=f"max_deletions: {what} ({named}), but at most {limit.of(evaluated)} are allowed.",
        remedy="Check the policy. If all of these are intended, raise max_deletions.",
        error_code="too_many_deletions",
        action="max_deletions",
        account_id=state.account_id,
    )


def _large_tombstones(
    options: CleanupOptions, state: CleanupState, decided: Iterable[Decision]
) -> Iterator[tuple[ImageRef, str]]:
    """The images to disable or deregister whose tombstone Parameter Store cannot hold, with the reason."""
    if options.tombstone_ssm_path is None:
        return
    for one in decided:
        if one.is_destructive and (length := len(tombstone_text(state, one))) > LONGEST_PARAMETER:
            reason = (
                f"Its tombstone has {length} characters, and a parameter can have {LONGEST_PARAMETER}: set "
                "tombstone_s3_uri or tombstone_path instead of tombstone_ssm_path."
            )
            yield one.ref, reason


def _kept_warnings(region: str, kept: Mapping[SnapshotRef, str]) -> Iterator[str]:
    """A warning about the snapshots of deregistered images of a region for each reason that keeps some."""
    alike: dict[str, list[str]] = {}
    for ref, why in kept.items():
        if ref.region == region:
            alike.setdefault(why, []).append(ref.snapshot_id)
    for why, snapshot_ids in alike.items():
        yield f"{region}: snapshots of deregistered images are kept ({examples_of(snapshot_ids)}): {why}"


def _rules_warnings(region: str, region_state: RegionState, decided: Iterable[Decision]) -> Iterator[str]:
    """Warnings if images are deregistered, and what the Recycle Bin retains of them could not be read."""
    if deregistered(decided):
        for one in region_state.rules_unread:
            yield (
                f"{region}: the retention rules of the Recycle Bin could not be read, so "
                f"recoverable_until is null for every image: {one.subject}: {one.detail} {one.remedy}"
            )


def _used_warning(region: str, used: Mapping[str, Evidence]) -> Iterator[str]:
    """A warning about all deregistered images of a region whose snapshots are kept because of uses."""
    if used:
        named = [f"{image_id} ({one.label})" for image_id, one in sorted(used.items())]
        yield (
            f"{region}: the snapshots of {len(used)} deregistered images are kept, because these images are "
            f"still named: {join_texts(named, _EXAMPLES)}"
        )


def _view(
    region_state: RegionState,
    decided: tuple[Decision, ...],
    alone: tuple[OwnSnapshot, ...],
    planned: tuple[Action, ...],
    done: tuple[Action, ...],
) -> dict[str, Any]:
    """The images, snapshots and grants that the plan is about, once the actions are ``done``."""
    evaluated = {decision.ref.image_id for decision in decided}
    images = {
        own.image.image_id: {"deprecation_time": own.image.deprecation_time, "state": own.image.state}
        for own in region_state.images
        if own.image.image_id in evaluated
    }
    snapshots_of = {decision.ref.image_id: decision.snapshots for decision in decided}
    snapshots = {one.snapshot_id for found in snapshots_of.values() for one in found}
    snapshots |= {one.snapshot_id for one in alone}
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
            snapshots -= {one.snapshot_id for one in snapshots_of[resource] if not one.keep_reason}
        elif action.operation == "DeleteSnapshot":
            snapshots.discard(resource)
    return {**grants, "images": images, "snapshots": sorted(snapshots)}
