# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a cleanup as its diff shows them: a line for each image, with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from .._changes import ADDED, REMOVED, Change, changes_by
from .._listing import ordinal
from .._model import ImageRef
from .._plan import Action
from .decisions import WAIT, Decision, assign_families
from .options import CleanupOptions
from .plan import CleanupPlan
from .stages import CHOSEN_TAG, MARKS, STAGES, list_dated_marks
from .state import CleanupState

_ANY_TAGS = "cleanup tags of"


def list_changes(options: CleanupOptions, state: CleanupState, plan: CleanupPlan) -> Iterator[Change]:
    """Yield the retired images, then the changes that none of them explains."""
    retired = [decision for decision in plan.decisions if decision.kind in STAGES]
    yield from _list_retirements(options, state, retired)
    explained = {decision.ref.image_id for decision in retired}
    explained |= {
        snapshot.snapshot_id
        for decision in retired
        for snapshot in decision.snapshots
        if not snapshot.keep_reason
    }
    waiting_or_kept = {decision.ref: decision for decision in plan.decisions if decision.kind not in STAGES}
    for planned in plan.targets:
        for action in planned.actions:
            if action.operation in ("CreateTags", "DeleteTags"):
                yield from _list_tag_changes(state, action, waiting_or_kept, explained)
            elif action.resource not in explained:
                yield from changes_by(action, planned)


def _list_retirements(
    options: CleanupOptions, state: CleanupState, retired: Iterable[Decision]
) -> Iterator[Change]:
    """Yield what happens to each image, in the same words for those that only differ in rank.

    An image has different ranks if a region lacks some of the newer or has others.
    """
    ranks = _rank_images(state, assign_families(options, state))
    refs_by_text: dict[tuple[str, str, tuple[str, ...]], list[ImageRef]] = defaultdict(list)
    for decision in retired:
        name = _name_image(state, decision.ref).replace(decision.ref.region, "{region}")
        refs_by_text[name, decision.kind, _list_reasons(options, state, decision)].append(decision.ref)
    for (_common_name, stage, reasons), refs in refs_by_text.items():
        text = ", ".join([f"{_render_ranks([ranks[ref] for ref in refs])} newest", *reasons])
        for ref in refs:
            name = _name_image(state, ref)
            yield Change(state.target(ref.region), REMOVED, f"{name} {stage} ({text})")


def _name_image(state: CleanupState, ref: ImageRef) -> str:
    return state.images[ref].image.name or ref.image_id


def _list_tag_changes(
    state: CleanupState, action: Action, decisions: Mapping[ImageRef, Decision], explained: Collection[str]
) -> Iterator[Change]:
    """Yield what new or removed tags of stages mean; their values are times and differ in each run."""
    sign = ADDED if action.operation == "CreateTags" else REMOVED
    dated = {tag["Key"] for tag in action.parameters["Tags"]} & {*MARKS}
    for resource in action.parameters["Resources"]:
        if resource in explained:
            continue
        noun = "snapshot" if resource.startswith("snap-") else "image"
        ref = ImageRef(action.target.region, resource)
        decision = decisions.get(ref) if dated else None
        if decision is None:
            yield Change(action.target, sign, _ANY_TAGS, noun, (resource,))
            continue
        known = list_dated_marks(state.images[ref])
        if sign == ADDED:
            yield Change(action.target, sign, _describe_retirement(decision, known, dated), noun, (resource,))
        # The new dates of an image that waits are a change of their own.
        elif decision.kind != WAIT:
            text = "retirement is canceled:" if dated & {*known} else _ANY_TAGS
            yield Change(action.target, sign, text, noun, (resource,))


def _describe_retirement(decision: Decision, known: Collection[str], written: Collection[str]) -> str:
    """Return what new dates mean for an image that has the ``known`` ones, and its next stage."""
    step = decision.step
    if step.due is None:
        return _ANY_TAGS
    return f"retirement {_choose_verb(known, written)} ({step.next_stage} on {step.due:%Y-%m-%d}):"


def _choose_verb(known: Collection[str], written: Collection[str]) -> str:
    """Return the verb for new dates of an image that has the ``known`` ones."""
    if not known:
        return "starts"
    # A new date of a further stage: the image reached it without this collection, or its run was killed.
    return "starts again" if CHOSEN_TAG in written or {*known} & {*written} else "continues"


def _list_reasons(options: CleanupOptions, state: CleanupState, decision: Decision) -> tuple[str, ...]:
    """Return the reasons to retire the image, without its rank, and the number of its snapshots."""
    own = state.images[decision.ref]
    reasons = []
    if own.created and options.unused_for_days is not None:
        used = max(own.created, own.last_launched or own.created)
        reasons.append(f"unused for {(state.now - used).days} days")
    elif own.created:
        reasons.append(f"{(state.now - own.created).days} days old")
    deleted = sum(not snapshot.keep_reason for snapshot in decision.snapshots)
    if deleted:
        reasons.append(f"with {deleted} {'snapshot' if deleted == 1 else 'snapshots'}")
    return tuple(reasons)


def _render_ranks(ranks: Collection[int]) -> str:
    """Return the rank in all regions, or the lowest and the highest rank."""
    first, last = min(ranks), max(ranks)
    return ordinal(first) if first == last else f"{ordinal(first)} to {ordinal(last)}"


def _rank_images(state: CleanupState, family_of: Mapping[ImageRef, str]) -> dict[ImageRef, int]:
    """Return the rank of each image in its family and region; the newest is the first."""
    members: dict[tuple[str, str], list[ImageRef]] = defaultdict(list)
    for ref, family in family_of.items():
        members[ref.region, family].append(ref)
    ranks: dict[ImageRef, int] = {}
    for refs in members.values():
        newest = sorted(refs, key=lambda ref: _get_creation_time(state, ref), reverse=True)
        ranks.update((ref, place) for place, ref in enumerate(newest, 1))
    return ranks


def _get_creation_time(state: CleanupState, ref: ImageRef) -> float:
    created = state.images[ref].created
    return created.timestamp() if created else 0
