# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What happens to each image that the policy applies to, and why."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .._model import ImageRef, SnapshotRef
from .families import families, latest
from .grants import unread_of_keys
from .image_builder import managed_by_policy, unknown_policies
from .options import CleanupOptions
from .rules import is_evaluated, kept
from .sharing import FINAL_REPORT_AGE, REPORT_AGE, needs_report, reports_count_since, sharing_evidence
from .snapshots import (
    SnapshotDecision,
    decide_snapshots,
    deregistration_blockers,
    marketplace_blockers,
    recoverable_until,
    sharing_blockers,
    unread_blockers,
)
from .stages import DEREGISTER, DISABLE, Step, step
from .state import (
    UNPROVEN,
    UNREADABLE,
    CleanupState,
    Evidence,
    ImageUsage,
    LateUses,
    OwnImage,
    SnapshotUsage,
    unreadable,
)

KEEP, WAIT = "keep", "wait"

# What was not read counts as use.
_NOT_READ = "It was not read."


@dataclass(frozen=True)
class Decision:
    """What happens to one evaluated image: ``kind`` is a stage, ``wait`` or ``keep``.

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
        """Whether the image is needed, so that its clocks end. Something that could not be read ends none."""
        return self.kind == KEEP and (bool(self.reasons) or any(one.firm for one in self.evidence))

    @property
    def is_destructive(self) -> bool:
        """Whether it takes something from the image's users that a tombstone has to record."""
        return self.kind in (DISABLE, DEREGISTER)

    def to_dict(self, own: OwnImage) -> dict[str, Any]:
        """The decision as the module returns it."""
        return {
            "creation_date": own.created.isoformat() if own.created else None,
            "decision": self.kind,
            "evidence": [one.to_dict() for one in self.evidence],
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


def decisions(
    options: CleanupOptions, state: CleanupState, blocked: Mapping[ImageRef, str] | None = None
) -> tuple[Decision, ...]:
    """The decision on every evaluated image, whatever the limit. What was not read counts as use.

    ``blocked`` maps images to a reason, found elsewhere, why they cannot be disabled or deregistered in this
    run.
    """
    late = LateUses(unread=(unreadable("uses by further services", _NOT_READ),))
    context = _Context(options, state, None, SnapshotUsage(unread=_NOT_READ), late, blocked or {})
    return _with_snapshots(tuple(_decisions(context)), state)


def families_of(options: CleanupOptions, state: CleanupState) -> dict[ImageRef, str]:
    """The family of each image that the cleanup may retire."""
    return families(state.images, options.by, managed_by_policy(state))


def candidates(options: CleanupOptions, state: CleanupState) -> tuple[ImageRef, ...]:
    """The images that neither a rule nor a bulk read keeps: the usage of only these has to be read."""
    decided = _decisions(_Context(options, state, ImageUsage(), SnapshotUsage()))
    return tuple(decision.ref for decision in decided if decision.kind != KEEP)


def images_to_retire(
    options: CleanupOptions, state: CleanupState, unread_usage: ImageUsage | None = None
) -> tuple[ImageRef, ...]:
    """The images to disable or deregister now, as far as their snapshots allow it.

    ``unread_usage`` is assumed of images whose usage was not read. Without it these count as used.
    """
    decided = _decisions(_Context(options, state, unread_usage, SnapshotUsage()))
    return tuple(decision.ref for decision in decided if decision.is_destructive)


def deregistered(decided: Iterable[Decision]) -> frozenset[ImageRef]:
    """The images that these decisions deregister."""
    return frozenset(decision.ref for decision in decided if decision.kind == DEREGISTER)


@dataclass(frozen=True)
class _Context:
    """What all decisions of a run depend on.

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


def _decisions(context: _Context) -> Iterator[Decision]:
    """The decisions, without those on snapshots."""
    options, state = context.options, context.state
    family_of = families_of(options, state)
    # They take the place of no other image, because a policy may retire them.
    unknown = unknown_policies(options, state)
    known = {ref: family for ref, family in family_of.items() if ref not in unknown}
    latest_images = latest(state.images, known, options.latest)
    bulk = _bulk_evidence(state, unknown)
    for ref, family in family_of.items():
        own = state.images[ref]
        if not is_evaluated(options, own):
            continue
        usage = state.usage.get(ref, context.unread_image)
        reasons = tuple(kept(options, own, ref in latest_images, state.now))
        evidence = _evidence(context, ref, usage, bulk[ref], bool(reasons))
        if usage is None or reasons or evidence:
            yield _keep(context, ref, family, usage, reasons, evidence)
        else:
            yield _retire(context, ref, family, usage)


def _evidence(
    context: _Context,
    ref: ImageRef,
    usage: ImageUsage | None,
    from_bulk: tuple[Evidence, ...],
    has_reasons: bool,
) -> tuple[Evidence, ...]:
    """The uses of an image. Usage that was not read counts as one if nothing else keeps the image."""
    options, own = context.options, context.state.images[ref]
    if usage is None:
        nothing_else = not (has_reasons or from_bulk)
        return (unreadable(ref.image_id, _NOT_READ),) if nothing_else else from_bulk
    since = _reports_count_since(context, own)
    shared = sharing_evidence(own, usage, options.include_shared, since)
    return (*from_bulk, *usage.references, *usage.unread, *shared)


def _keep(
    context: _Context,
    ref: ImageRef,
    family: str,
    usage: ImageUsage | None,
    reasons: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> Decision:
    """The decision on an image that a rule or its use keeps."""
    requests_report = _requests_report(context, context.state.images[ref], usage, reasons, evidence)
    unread = () if reasons else _only_unread(context.options, evidence)
    return Decision(ref, family, KEEP, reasons, evidence, unread, requests_report=requests_report)


def _retire(context: _Context, ref: ImageRef, family: str, usage: ImageUsage) -> Decision:
    """The decision on an image that nothing keeps: its next stage, or to wait for that."""
    own = context.state.images[ref]
    todo, blockers, unread = _next_step(context, ref, usage)
    since = _reports_count_since(context, own, is_final=True)
    is_destructive = todo.stage in (DISABLE, DEREGISTER)
    return Decision(
        ref,
        family,
        todo.stage or WAIT,
        (*blockers, *(one.could_not_be_read for one in unread)),
        unread=() if blockers else unread,
        step=todo,
        requests_report=is_destructive and needs_report(own, usage, context.options.include_shared, since),
    )


def _bulk_evidence(
    state: CleanupState, unknown: Mapping[ImageRef, Evidence]
) -> dict[ImageRef, tuple[Evidence, ...]]:
    """Each image's evidence from the bulk reads of all regions, and that its policies are ``unknown``."""
    unread = {region: state.unread_of(region) for region in state.regions}
    late, nothing = state.late_uses, LateUses()
    return {
        ref: (
            *state.regions[ref.region].uses.get(ref.image_id, ()),
            *state.named_elsewhere.get(ref.image_id, ()),
            *state.running_copies.get(ref, ()),
            *late.get(ref.region, nothing).uses.get(ref.image_id, ()),
            *unread[ref.region],
            *((unknown[ref],) if ref in unknown else ()),
        )
        for ref in state.images
    }


def _reports_count_since(context: _Context, own: OwnImage, *, is_final: bool = False) -> datetime | None:
    age = FINAL_REPORT_AGE if is_final or context.state.is_final else REPORT_AGE
    return reports_count_since(own, context.state.now, context.options.trust_usage_reports, age)


def _requests_report(
    context: _Context,
    own: OwnImage,
    usage: ImageUsage | None,
    reasons: tuple[str, ...],
    evidence: tuple[Evidence, ...],
) -> bool:
    """Whether a usage report is the only thing missing: no rule and no firm evidence keeps the image."""
    if usage is None or reasons or any(one.firm for one in evidence):
        return False
    since = _reports_count_since(context, own)
    return needs_report(own, usage, context.options.include_shared, since)


def _only_unread(options: CleanupOptions, evidence: tuple[Evidence, ...]) -> tuple[Evidence, ...]:
    """What could not be read, unless something else keeps the image.

    That is a use, or a use that nothing rules out. If the user trusts usage reports, one can rule it out for
    accounts that cannot be read, but not for the own account.
    """
    unread = tuple(one for one in evidence if one.kind == UNREADABLE)
    if any(one.firm for one in evidence):
        return ()
    if not any(one.kind == UNPROVEN for one in evidence):
        return unread
    if options.trust_usage_reports:
        return tuple(one for one in unread if one.account_id is None)
    return unread if options.consumer_role is not None else ()


def _next_step(
    context: _Context, ref: ImageRef, usage: ImageUsage
) -> tuple[Step, tuple[str, ...], tuple[Evidence, ...]]:
    """The next step of an image that is not used, and what blocks the stages after it that are due.

    The last value is what could not be read of these. What blocks a stage does not block the ones before it:
    an image with a locked snapshot is disabled when that is due, and its waiting time begins.
    """
    own, clocks = context.state.images[ref], context.options.clocks
    blockers: dict[str, None] = {}
    unread: dict[Evidence, None] = {}
    while True:
        todo = step(own, clocks, context.state.now)
        found = dict.fromkeys(_blockers(context, ref, todo, usage))
        not_read = {} if found else dict.fromkeys(_unread_blockers(context, ref, todo))
        if todo.stage is None or not (found or not_read):
            return todo, tuple(blockers), tuple(unread)
        blockers |= found
        unread |= not_read
        clocks = clocks.without(todo.stage)


def _unread_blockers(context: _Context, ref: ImageRef, todo: Step) -> tuple[Evidence, ...]:
    """Return what could not be read and blocks the next stage of an image that is not used."""
    own, region_state = context.state.images[ref], context.state.regions[ref.region]
    if todo.stage not in (DISABLE, DEREGISTER):
        return ()
    unread = [*unread_blockers(own, region_state, _snapshots(context, ref), todo.stage == DEREGISTER)]
    if todo.stage == DEREGISTER:
        snapshots = [SnapshotRef(ref.region, one) for one in own.image.snapshot_ids]
        unread += unread_of_keys(context.options, context.state, snapshots)
    # Late uses are read only if nothing else blocks the stage.
    return tuple(unread) or context.state.late_uses.get(ref.region, context.unread_late).unread


def _blockers(context: _Context, ref: ImageRef, todo: Step, usage: ImageUsage) -> Iterator[str]:
    """What blocks the next stage of an image that is not used."""
    state = context.state
    own = state.images[ref]
    if todo.stage in (DISABLE, DEREGISTER):
        yield from marketplace_blockers(own)
        if ref in context.blocked:
            yield context.blocked[ref]
    if todo.stage == DEREGISTER:
        yield from deregistration_blockers(own, state.regions[ref.region], context.options.protect_tags)
        snapshots = _snapshots(context, ref)
        yield from sharing_blockers(own, usage, snapshots, context.options.has_only_reports)


def _snapshots(context: _Context, ref: ImageRef) -> dict[str, SnapshotUsage]:
    """The usage of the image's snapshots, by their IDs."""
    return {
        one: context.state.snapshot_usage.get(SnapshotRef(ref.region, one), context.unread_snapshot)
        for one in context.state.images[ref].image.snapshot_ids
    }


def _with_snapshots(decided: tuple[Decision, ...], state: CleanupState) -> tuple[Decision, ...]:
    """The decisions, deregistrations with what happens to the image's snapshots."""
    deregistering: dict[str, set[str]] = defaultdict(set)
    for ref in deregistered(decided):
        deregistering[ref.region].add(ref.image_id)
    return tuple(
        _with_its_snapshots(decision, state, deregistering[decision.ref.region])
        if decision.kind == DEREGISTER
        else decision
        for decision in decided
    )


def _with_its_snapshots(decision: Decision, state: CleanupState, deregistering: Collection[str]) -> Decision:
    own, region = state.images[decision.ref], state.regions[decision.ref.region]
    snapshots = decide_snapshots(own, region, deregistering, state.named[decision.ref.region])
    until = recoverable_until(own, region, snapshots, state.now)
    return replace(decision, snapshots=snapshots, recoverable_until=until)
