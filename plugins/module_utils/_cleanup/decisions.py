# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The decision on each image that the policy applies to, and its reasons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .._model import ImageRef, SnapshotRef
from .families import find_families, find_latest
from .grants import list_unread_keys
from .image_builder import find_managed_images, find_unknown_policies
from .options import CleanupOptions
from .rules import is_evaluated, list_keep_reasons
from .sharing import FINAL_REPORT_AGE, REPORT_AGE, find_report_start, list_sharing_evidence, needs_report
from .snapshots import (
    SnapshotDecision,
    decide_snapshots,
    find_recovery_end,
    list_deregistration_blockers,
    list_marketplace_blockers,
    list_sharing_blockers,
    list_unread_blockers,
)
from .stages import DEREGISTER, DISABLE, Step, find_step
from .state import UNPROVEN, UNREADABLE, CleanupState, Evidence, ImageUsage, LateUses, OwnImage, SnapshotUsage

KEEP, WAIT = "keep", "wait"

# What was not read counts as use.
_NOT_READ = "It was not read."


@dataclass(frozen=True)
class Decision:
    """The decision on one evaluated image: ``kind`` is a stage, ``wait`` or ``keep``.

    ``reasons`` are the rules that keep the image, or what blocks its next stage. ``evidence`` is its use.
    ``unread`` is what could not be read, if nothing else keeps the image or blocks its next stage.
    ``requests_report`` means that a new usage report could settle it, or is required by the final check.
    ``snapshots`` and ``recoverable_until`` are set for a deregistration.
    """

    ref: ImageRef
    family: str
    kind: str
    reasons: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    unread: tuple[Evidence, ...] = ()
    step: Step = field(default_factory=Step)
    requests_report: bool = False
    snapshots: tuple[SnapshotDecision, ...] = ()
    recoverable_until: datetime | None = None

    @property
    def is_needed(self) -> bool:
        """Whether the image is needed, so that its clocks end; a failed read ends none."""
        return self.kind == KEEP and (bool(self.reasons) or any(item.firm for item in self.evidence))

    @property
    def is_destructive(self) -> bool:
        """Whether the image's users lose something that a tombstone has to record."""
        return self.kind in (DISABLE, DEREGISTER)

    def to_dict(self, own: OwnImage) -> dict[str, Any]:
        """Return the decision as the module returns it."""
        return {
            "creation_date": own.created.isoformat() if own.created else None,
            "decision": self.kind,
            "evidence": [item.to_dict() for item in self.evidence],
            "family": self.family,
            "image_id": self.ref.image_id,
            "later_stages": [{"due": due.isoformat(), "stage": stage} for stage, due in self.step.later],
            "name": own.image.name,
            "next_stage": self.step.next_stage,
            "next_stage_at": self.step.due.isoformat() if self.step.due else None,
            "reasons": list(self.reasons),
            "recoverable_until": self.recoverable_until.isoformat() if self.recoverable_until else None,
            "region": self.ref.region,
            "size_gib": own.size_gib,
            "snapshots": [
                {
                    "keep_reason": snapshot.keep_reason,
                    "retention_days": snapshot.retention_days,
                    "size_gib": own.snapshot_sizes.get(snapshot.snapshot_id, 0),
                    "snapshot_id": snapshot.snapshot_id,
                }
                for snapshot in self.snapshots
            ],
        }


def decide_images(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> tuple[Decision, ...]:
    """Return the decision on every evaluated image, whatever the limit.

    What was not read counts as use.

    ``blocked`` maps images to a reason, found elsewhere, why they cannot be disabled or deregistered in this
    run.
    """
    late = LateUses(unread=(Evidence.unreadable("uses by further services", _NOT_READ),))
    context = _Context(options, state, None, SnapshotUsage(unread=_NOT_READ), late, blocked or {})
    return _add_snapshots(tuple(_decide_without_snapshots(context)), state)


def assign_families(options: CleanupOptions, state: CleanupState) -> dict[ImageRef, str]:
    """Return the family of each image that the cleanup may retire."""
    return find_families(state.images, options.by, find_managed_images(state))


def list_candidates(options: CleanupOptions, state: CleanupState) -> tuple[ImageRef, ...]:
    """Return the images that neither a rule nor a bulk read keeps: only their usage has to be read."""
    decisions = _decide_without_snapshots(_Context(options, state, ImageUsage(), SnapshotUsage()))
    return tuple(decision.ref for decision in decisions if decision.kind != KEEP)


def list_images_to_retire(
    options: CleanupOptions, state: CleanupState, unread_usage: ImageUsage | None = None
) -> tuple[ImageRef, ...]:
    """Return the images to disable or deregister now, as far as their snapshots allow it.

    ``unread_usage`` is assumed of images whose usage was not read. Without it these count as used.
    """
    decisions = _decide_without_snapshots(_Context(options, state, unread_usage, SnapshotUsage()))
    return tuple(decision.ref for decision in decisions if decision.is_destructive)


def list_deregistered(decisions: Iterable[Decision]) -> frozenset[ImageRef]:
    """Return the images that these decisions deregister."""
    return frozenset(decision.ref for decision in decisions if decision.kind == DEREGISTER)


@dataclass(frozen=True)
class _Context:
    """The state and the assumptions that all decisions of a run depend on.

    ``unread_image``, ``unread_snapshot`` and ``unread_late`` are assumed where no usage was read. None means
    that the image is used. ``blocked`` maps images that cannot be disabled or deregistered in this run to the
    reason.
    """

    options: CleanupOptions
    state: CleanupState
    unread_image: ImageUsage | None
    unread_snapshot: SnapshotUsage
    unread_late: LateUses = field(default_factory=LateUses)
    blocked: Mapping[ImageRef, str] = field(default_factory=dict)


def _decide_without_snapshots(context: _Context) -> Iterator[Decision]:
    """Yield the decisions on images, without those on their snapshots."""
    options, state = context.options, context.state
    family_of = assign_families(options, state)
    # They take the place of no other image, because a policy may retire them.
    unknown = find_unknown_policies(options, state)
    known = {ref: family for ref, family in family_of.items() if ref not in unknown}
    latest_images = find_latest(state.images, known, options.latest)
    bulk = _collect_bulk_evidence(state, unknown)
    for ref, family in family_of.items():
        own = state.images[ref]
        if not is_evaluated(options, own):
            continue
        usage = state.usage.get(ref, context.unread_image)
        reasons = tuple(list_keep_reasons(options, own, ref in latest_images, state.now))
        evidence = _collect_evidence(context, ref, usage, bulk[ref], bool(reasons))
        if usage is None or reasons or evidence:
            yield _keep_image(context, ref, family, usage, reasons, evidence)
        else:
            yield _retire_image(context, ref, family, usage)


def _collect_evidence(
    context: _Context,
    ref: ImageRef,
    usage: ImageUsage | None,
    from_bulk: tuple[Evidence, ...],
    has_reasons: bool,
) -> tuple[Evidence, ...]:
    """Return the uses of an image.

    Usage that was not read counts as a use if nothing else keeps the image.
    """
    options, own = context.options, context.state.images[ref]
    if usage is None:
        nothing_else = not (has_reasons or from_bulk)
        return (Evidence.unreadable(ref.image_id, _NOT_READ),) if nothing_else else from_bulk
    since = _find_report_start(context, own)
    shared = list_sharing_evidence(own, usage, options.include_shared, since)
    return (*from_bulk, *usage.references, *usage.unread, *shared)


def _keep_image(
    context: _Context,
    ref: ImageRef,
    family: str,
    usage: ImageUsage | None,
    reasons: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> Decision:
    """Return the decision on an image that a rule or its use keeps."""
    requests_report = _requests_report(context, context.state.images[ref], usage, reasons, evidence)
    unread = () if reasons else _list_decisive_unread(context.options, evidence)
    return Decision(ref, family, KEEP, reasons, evidence, unread, requests_report=requests_report)


def _retire_image(context: _Context, ref: ImageRef, family: str, usage: ImageUsage) -> Decision:
    """Return the decision on an image that nothing keeps: its next stage, or to wait for it."""
    own = context.state.images[ref]
    next_step, blockers, unread = _find_next_step(context, ref, usage)
    since = _find_report_start(context, own, is_final=True)
    is_destructive = next_step.stage in (DISABLE, DEREGISTER)
    return Decision(
        ref,
        family,
        next_step.stage or WAIT,
        (*blockers, *(item.could_not_be_read for item in unread)),
        unread=() if blockers else unread,
        step=next_step,
        requests_report=is_destructive and needs_report(own, usage, context.options.include_shared, since),
    )


def _collect_bulk_evidence(
    state: CleanupState, unknown: Mapping[ImageRef, Evidence]
) -> dict[ImageRef, tuple[Evidence, ...]]:
    """Return the evidence on each image from the bulk reads, and from its ``unknown`` policies."""
    unread = {region: state.unread_of(region) for region in state.regions}
    late, nothing = state.late_uses, LateUses()
    return {
        ref: (
            *state.regions[ref.region].uses.get(ref.image_id, ()),
            *state.uses_elsewhere.get(ref.image_id, ()),
            *state.running_copies.get(ref, ()),
            *late.get(ref.region, nothing).uses.get(ref.image_id, ()),
            *unread[ref.region],
            *((unknown[ref],) if ref in unknown else ()),
        )
        for ref in state.images
    }


def _find_report_start(context: _Context, own: OwnImage, *, is_final: bool = False) -> datetime | None:
    age = FINAL_REPORT_AGE if is_final or context.state.is_final else REPORT_AGE
    return find_report_start(own, context.state.now, context.options.trust_usage_reports, age)


def _requests_report(
    context: _Context,
    own: OwnImage,
    usage: ImageUsage | None,
    reasons: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> bool:
    """Whether only a usage report is missing: no rule and no firm evidence keeps the image."""
    if usage is None or reasons or any(item.firm for item in evidence):
        return False
    since = _find_report_start(context, own)
    return needs_report(own, usage, context.options.include_shared, since)


def _list_decisive_unread(options: CleanupOptions, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """Return what could not be read, if nothing else keeps the image.

    A use keeps it, and so does a use that nothing rules out. A usage report, if the user trusts reports, can
    rule it out for accounts that cannot be read, but not for the own account.
    """
    unread = tuple(item for item in evidence if item.kind == UNREADABLE)
    if any(item.firm for item in evidence):
        return ()
    if not any(item.kind == UNPROVEN for item in evidence):
        return unread
    if options.trust_usage_reports:
        return tuple(item for item in unread if item.account_id is None)
    return unread if options.consumer_role is not None else ()


def _find_next_step(
    context: _Context, ref: ImageRef, usage: ImageUsage
) -> tuple[Step, tuple[str, ...], tuple[Evidence, ...]]:
    """Return the next step of an image without uses, and what blocks the stages after it that are due.

    The last value is what could not be read of these. What blocks a stage does not block the ones before it:
    an image with a locked snapshot is disabled when that is due, and its waiting time begins.
    """
    own, clocks = context.state.images[ref], context.options.clocks
    blockers: dict[str, None] = {}
    unread: dict[Evidence, None] = {}
    while True:
        next_step = find_step(own, clocks, context.state.now)
        new_blockers = dict.fromkeys(_list_blockers(context, ref, next_step, usage))
        new_unread = {} if new_blockers else dict.fromkeys(_list_unread_blockers(context, ref, next_step))
        if next_step.stage is None or not (new_blockers or new_unread):
            return next_step, tuple(blockers), tuple(unread)
        blockers |= new_blockers
        unread |= new_unread
        clocks = clocks.without(next_step.stage)


def _list_unread_blockers(context: _Context, ref: ImageRef, next_step: Step) -> tuple[Evidence, ...]:
    """Return the failed reads that block the next stage of an image without uses."""
    own, region_state = context.state.images[ref], context.state.regions[ref.region]
    if next_step.stage not in (DISABLE, DEREGISTER):
        return ()
    unread = [
        *list_unread_blockers(
            own, region_state, _map_snapshot_usage(context, ref), next_step.stage == DEREGISTER
        )
    ]
    if next_step.stage == DEREGISTER:
        snapshots = [SnapshotRef(ref.region, snapshot_id) for snapshot_id in own.image.snapshot_ids]
        unread += list_unread_keys(context.options, context.state, snapshots)
    # Late uses are read only if nothing else blocks the stage.
    return tuple(unread) or context.state.late_uses.get(ref.region, context.unread_late).unread


def _list_blockers(context: _Context, ref: ImageRef, next_step: Step, usage: ImageUsage) -> Iterator[str]:
    """Yield what blocks the next stage of an image without uses."""
    state = context.state
    own = state.images[ref]
    if next_step.stage in (DISABLE, DEREGISTER):
        yield from list_marketplace_blockers(own)
        if ref in context.blocked:
            yield context.blocked[ref]
    if next_step.stage == DEREGISTER:
        yield from list_deregistration_blockers(own, state.regions[ref.region], context.options.protect_tags)
        snapshots = _map_snapshot_usage(context, ref)
        yield from list_sharing_blockers(own, usage, snapshots, context.options.has_only_reports)


def _map_snapshot_usage(context: _Context, ref: ImageRef) -> dict[str, SnapshotUsage]:
    """Return the usage of the image's snapshots by snapshot ID."""
    return {
        snapshot_id: context.state.snapshot_usage.get(
            SnapshotRef(ref.region, snapshot_id), context.unread_snapshot
        )
        for snapshot_id in context.state.images[ref].image.snapshot_ids
    }


def _add_snapshots(decisions: tuple[Decision, ...], state: CleanupState) -> tuple[Decision, ...]:
    """Return the decisions, with the decisions on the snapshots of deregistered images."""
    deregistering: dict[str, set[str]] = defaultdict(set)
    for ref in list_deregistered(decisions):
        deregistering[ref.region].add(ref.image_id)
    return tuple(
        _decide_its_snapshots(decision, state, deregistering[decision.ref.region])
        if decision.kind == DEREGISTER
        else decision
        for decision in decisions
    )


def _decide_its_snapshots(
    decision: Decision, state: CleanupState, deregistering: Collection[str]
) -> Decision:
    own, region = state.images[decision.ref], state.regions[decision.ref.region]
    snapshots = decide_snapshots(own, region, deregistering, state.uses_by_region[decision.ref.region])
    until = find_recovery_end(own, region, snapshots, state.now)
    return replace(decision, snapshots=snapshots, recoverable_until=until)
