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
from .actions import is_destructive, list_disabled, list_region_actions
from .decisions import Decision, assign_families, decide_images, list_deregistered
from .deletions import (
    Orphans,
    find_deletable_orphans,
    find_used_deregistered_images,
    list_concerned_snapshots,
    list_counted_images,
    list_deleted_without_image,
    list_kept_without_image,
    list_removals,
    map_unread_deletions,
)
from .families import block_until_tagged, list_inherited_tags, warn_of_unmatched_options
from .grants import Revocations, list_keys, plan_revocations
from .options import CleanupOptions
from .stages import render_time
from .state import UNREADABLE, CleanupState, Evidence, OwnSnapshot, RegionState
from .tombstone import LONGEST_PARAMETER, render_tombstone
from .unread import list_unread_failures

# How many images a refusal names as examples.
_EXAMPLES = 5


@dataclass(frozen=True)
class CleanupPlan(Plan):
    """The plans of all regions, the decisions behind them, and what happens to grants on keys.

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
        """Return what could not be read, if the task is to fail because of it."""
        return self.unread if self.fails else ()

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return all warnings, with one for each failed read that keeps something from being retired."""
        return (*super().warnings, *self.notes, *sentences(self.unread))

    @property
    def non_destructive(self) -> tuple[Action, ...]:
        """Return the actions of the first step."""
        disabling = list_disabled(self.actions)
        return tuple(action for action in self.actions if not is_destructive(action, disabling))

    @property
    def destructive(self) -> tuple[Action, ...]:
        """Return the actions of the second step."""
        disabling = list_disabled(self.actions)
        return tuple(action for action in self.actions if is_destructive(action, disabling))


def plan(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> CleanupPlan:
    """Plan every region, and refuse the whole plan if it exceeds the limit.

    ``blocked`` maps images that cannot be disabled or deregistered in this run to the reason (see
    ``block_untagged_images``).
    """
    decisions = decide(options, state, blocked)
    orphaned = find_deletable_orphans(options, state)
    deregistering = list_deregistered(decisions)
    inherited = list_inherited_tags(state.images, assign_families(options, state), options.by, deregistering)
    revoked = _plan_revocations(options, state, decisions, orphaned)
    kept_snapshots = list_kept_without_image(options, state)
    targets = []
    for region, region_state in sorted(state.regions.items()):
        decisions_here = tuple(decision for decision in decisions if decision.ref.region == region)
        without_image = list_deleted_without_image(options, state, region, orphaned)
        tags = {ref.image_id: image_tags for ref, image_tags in inherited.items() if ref.region == region}
        keys = {ref.key_arn: revocations for ref, revocations in revoked.items() if ref.region == region}
        grants = {key_arn: revocations.grants for key_arn, revocations in keys.items() if revocations.grants}
        actions = tuple(
            list_region_actions(state, state.target(region), decisions_here, without_image, tags, grants)
        )
        targets.append(
            TargetPlan(
                state.target(region),
                actions=actions,
                before=_render_region(region_state, decisions_here, without_image, actions, ()),
                after=_render_region(region_state, decisions_here, without_image, actions, actions),
                warnings=(
                    *(warning for revocations in keys.values() for warning in revocations.warnings),
                    *_warn_of_kept_snapshots(region, kept_snapshots),
                    *_warn_of_used_images(region, find_used_deregistered_images(options, state, region)),
                    *_warn_of_unread_rules(region, region_state, decisions_here),
                ),
            )
        )
    refusals = tuple(_check_limit(options, state, decisions, orphaned))
    if targets and refusals:
        targets[0] = replace(targets[0], refusals=refusals)
    unread = list_unread_failures(state.account_id, decisions, map_unread_deletions(options, state))
    fails = options.fail_on == UNREADABLE
    notes = tuple(warn_of_unmatched_options(state.images, options.by))
    return CleanupPlan(tuple(targets), decisions, revoked, unread, fails, notes)


def decide(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> tuple[Decision, ...]:
    """Return the decisions; an image stays if Parameter Store cannot hold its tombstone.

    An image that stays keeps snapshots that it shares with others, whose tombstones then get longer.
    """
    while True:
        decisions = decide_images(options, state, blocked)
        large = dict(_find_large_tombstones(options, state, decisions))
        if not large:
            return decisions
        blocked = {**(blocked or {}), **large}


def block_untagged_images(
    options: CleanupOptions, state: CleanupState, done: Iterable[Action]
) -> dict[ImageRef, str]:
    """Return why images cannot be deregistered yet: tags that others inherit are not written.

    ``done`` are the performed actions. Their tags count even if DescribeImages does not show them yet.
    """
    written = {
        (ImageRef(action.target.region, resource), tag["Key"], tag["Value"])
        for action in done
        if action.operation == "CreateTags"
        for resource in action.parameters["Resources"]
        for tag in action.parameters["Tags"]
    }
    deregistering = list_deregistered(decide(options, state))
    family_of = assign_families(options, state)
    return block_until_tagged(state.images, family_of, options.by, deregistering, written)


def _plan_revocations(
    options: CleanupOptions, state: CleanupState, decisions: tuple[Decision, ...], orphaned: Orphans
) -> dict[KeyRef, Revocations]:
    """Return what happens to the grants on the keys of the snapshots, if they are to be revoked."""
    if not options.revoke_grants:
        return {}
    concerned = list_concerned_snapshots(options, state, decisions, orphaned)
    removals = list_removals(options, state, decisions, orphaned)
    return {ref: plan_revocations(state, ref, removals) for ref in list_keys(state, concerned)}


def _check_limit(
    options: CleanupOptions, state: CleanupState, decisions: tuple[Decision, ...], orphaned: Orphans
) -> Iterator[Failure]:
    images = [str(decision.ref) for decision in decisions if decision.is_destructive]
    deletable = list(list_counted_images(options, state, orphaned))
    deletions = len(images) + len(deletable)
    # With 100%, all of them.
    evaluated = len(decisions) + len(deletable)
    limit = options.max_deletions
    if limit.allows(deletions, evaluated):
        return
    examples = join_texts(images + deletable, _EXAMPLES)
    subject = f"{len(images)} of {len(decisions)} images would be disabled or deregistered"
    subject += f", and the snapshots of {len(deletable)} deregistered images deleted" if deletable else ""
    yield Failure(
        message=f"max_deletions: {subject} ({examples}), but at most {limit.of(evaluated)} are allowed.",
        remedy="Check the policy. If all of these are intended, raise max_deletions.",
        error_code="too_many_deletions",
        action="max_deletions",
        account_id=state.account_id,
    )


def _find_large_tombstones(
    options: CleanupOptions, state: CleanupState, decisions: Iterable[Decision]
) -> Iterator[tuple[ImageRef, str]]:
    """Yield the images to retire whose tombstone is too large for Parameter Store, with the reason."""
    if options.tombstone_ssm_path is None:
        return
    for decision in decisions:
        if decision.is_destructive and (length := len(render_tombstone(state, decision))) > LONGEST_PARAMETER:
            reason = (
                f"Its tombstone has {length} characters, and a parameter can have {LONGEST_PARAMETER}: set "
                "tombstone_s3_uri or tombstone_path instead of tombstone_ssm_path."
            )
            yield decision.ref, reason


def _warn_of_kept_snapshots(region: str, kept: Mapping[SnapshotRef, str]) -> Iterator[str]:
    """Yield a warning for each reason that keeps snapshots of deregistered images in a region."""
    ids_by_reason: dict[str, list[str]] = {}
    for ref, reason in kept.items():
        if ref.region == region:
            ids_by_reason.setdefault(reason, []).append(ref.snapshot_id)
    for reason, snapshot_ids in ids_by_reason.items():
        yield f"{region}: snapshots of deregistered images are kept ({examples_of(snapshot_ids)}): {reason}"


def _warn_of_unread_rules(
    region: str, region_state: RegionState, decisions: Iterable[Decision]
) -> Iterator[str]:
    """Yield warnings if images are deregistered and rules of the Recycle Bin could not be read."""
    if list_deregistered(decisions):
        for item in region_state.rules_unread:
            yield (
                f"{region}: the retention rules of the Recycle Bin could not be read, so "
                f"recoverable_until is null for every image: {item.subject}: {item.detail} {item.remedy}"
            )


def _warn_of_used_images(region: str, used: Mapping[str, Evidence]) -> Iterator[str]:
    """Yield a warning about deregistered images whose uses keep their snapshots."""
    if used:
        names = [f"{image_id} ({use.label})" for image_id, use in sorted(used.items())]
        yield (
            f"{region}: the snapshots of {len(used)} deregistered images are kept, because these images are "
            f"still named: {join_texts(names, _EXAMPLES)}"
        )


def _render_region(
    region_state: RegionState,
    decisions: tuple[Decision, ...],
    without_image: tuple[OwnSnapshot, ...],
    planned: tuple[Action, ...],
    done: tuple[Action, ...],
) -> dict[str, Any]:
    """Return the images, snapshots and grants of the plan as they are after the actions ``done``."""
    evaluated = {decision.ref.image_id for decision in decisions}
    images = {
        own.image.image_id: {"deprecation_time": own.image.deprecation_time, "state": own.image.state}
        for own in region_state.images
        if own.image.image_id in evaluated
    }
    snapshots_of = {decision.ref.image_id: decision.snapshots for decision in decisions}
    snapshots = {snapshot.snapshot_id for of_image in snapshots_of.values() for snapshot in of_image}
    snapshots |= {snapshot.snapshot_id for snapshot in without_image}
    revoked = sorted(str(action.resource) for action in planned if action.operation == "RevokeGrant")
    grants = {"grants": [] if done else revoked} if revoked else {}
    for action in done:
        resource = str(action.resource)
        if action.operation == "EnableImageDeprecation":
            images[resource]["deprecation_time"] = render_time(action.parameters["DeprecateAt"])
        elif action.operation == "DisableImage":
            images[resource]["state"] = "disabled"
        elif action.operation == "DeregisterImage":
            del images[resource]
            snapshots -= {
                snapshot.snapshot_id for snapshot in snapshots_of[resource] if not snapshot.keep_reason
            }
        elif action.operation == "DeleteSnapshot":
            snapshots.discard(resource)
    return {**grants, "images": images, "snapshots": sorted(snapshots)}
