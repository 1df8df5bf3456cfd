# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The changes of a cleanup as its diff shows them: a line for each image, with the reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from .._changes import ADDED, REMOVED, Change, changes_by
from .._failures import cut
from .._model import ImageRef
from .._plan import Action
from .decisions import WAIT, Decision, families_of
from .options import CleanupOptions
from .plan import CleanupPlan
from .stages import CHOSEN_TAG, MARKS, STAGES, dates
from .state import CleanupState

_LONGEST = 60
_ANY_TAGS = "cleanup tags of"


def changes(options: CleanupOptions, state: CleanupState, plan: CleanupPlan) -> Iterator[Change]:
    """What the plan retires, then the changes that no retired image explains."""
    retired = [decision for decision in plan.decisions if decision.kind in STAGES]
    yield from _of_retired(options, state, retired)
    explained = {decision.ref.image_id for decision in retired}
    explained |= {
        one.snapshot_id for decision in retired for one in decision.snapshots if not one.keep_reason
    }
    others = {decision.ref: decision for decision in plan.decisions if decision.kind not in STAGES}
    for planned in plan.targets:
        for action in planned.actions:
            if action.operation in ("CreateTags", "DeleteTags"):
                yield from _of_tags(state, action, others, explained)
            elif action.resource not in explained:
                yield from changes_by(action, planned)


def _of_retired(
    options: CleanupOptions, state: CleanupState, retired: Iterable[Decision]
) -> Iterator[Change]:
    """What happens to each image, in the same words for those of several regions that differ in rank only.

    An image has different ranks if a region lacks some of the newer or has others.
    """
    ranks = _ranks(state, families_of(options, state))
    alike: dict[tuple[str, str, tuple[str, ...]], list[ImageRef]] = defaultdict(list)
    for decision in retired:
        name = _name(state, decision.ref).replace(decision.ref.region, "{region}")
        alike[name, decision.kind, _reasons(options, state, decision)].append(decision.ref)
    for (_common_name, stage, reasons), refs in alike.items():
        text = ", ".join([f"{_places([ranks[ref] for ref in refs])} newest", *reasons])
        for ref in refs:
            name = cut(_name(state, ref), _LONGEST)
            yield Change(state.target(ref.region), REMOVED, f"{name} {stage} ({text})")


def _name(state: CleanupState, ref: ImageRef) -> str:
    return state.images[ref].image.name or ref.image_id


def _of_tags(
    state: CleanupState, action: Action, others: Mapping[ImageRef, Decision], explained: Collection[str]
) -> Iterator[Change]:
    """What the tags of a stage's date mean. Their values are times, which are different in each run."""
    sign = ADDED if action.operation == "CreateTags" else REMOVED
    dated = {tag["Key"] for tag in action.parameters["Tags"]} & {*MARKS}
    for resource in action.parameters["Resources"]:
        if resource in explained:
            continue
        noun = "snapshot" if resource.startswith("snap-") else "image"
        ref = ImageRef(action.target.region, resource)
        decision = others.get(ref) if dated else None
        if decision is None:
            yield Change(action.target, sign, _ANY_TAGS, noun, (resource,))
            continue
        known = dates(state.images[ref])
        if sign == ADDED:
            yield Change(action.target, sign, _retirement(decision, known, dated), noun, (resource,))
        # The new dates of an image that waits are a change of their own.
        elif decision.kind != WAIT:
            text = "retirement is canceled:" if dated & {*known} else _ANY_TAGS
            yield Change(action.target, sign, text, noun, (resource,))


def _retirement(decision: Decision, known: Collection[str], written: Collection[str]) -> str:
    """What new dates mean for an image with these ``known`` ones, and the stage that follows."""
    step = decision.step
    if step.due is None:
        return _ANY_TAGS
    return f"retirement {_verb(known, written)} ({step.next_stage} on {step.due:%Y-%m-%d}):"


def _verb(known: Collection[str], written: Collection[str]) -> str:
    """What new dates of stages mean for an image with these ``known`` ones."""
    if not known:
        return "starts"
    # A new date of a further stage: the image reached it without this collection, or its run was killed.
    return "starts again" if CHOSEN_TAG in written or {*known} & {*written} else "continues"


def _reasons(options: CleanupOptions, state: CleanupState, decision: Decision) -> tuple[str, ...]:
    """Why the image is retired, apart from its rank, and with how many snapshots."""
    own = state.images[decision.ref]
    reasons = []
    if own.created and options.unused_for_days is not None:
        used = max(own.created, own.last_launched or own.created)
        reasons.append(f"unused for {(state.now - used).days} days")
    elif own.created:
        reasons.append(f"{(state.now - own.created).days} days old")
    deleted = sum(not one.keep_reason for one in decision.snapshots)
    if deleted:
        reasons.append(f"with {deleted} {'snapshot' if deleted == 1 else 'snapshots'}")
    return tuple(reasons)


def _places(ranks: Collection[int]) -> str:
    """The rank in all regions, or the lowest and the highest one."""
    first, last = min(ranks), max(ranks)
    return _ordinal(first) if first == last else f"{_ordinal(first)} to {_ordinal(last)}"


def _ranks(state: CleanupState, family_of: Mapping[ImageRef, str]) -> dict[ImageRef, int]:
    """The place of each image among those of its family in its region, the newest first."""
    members: dict[tuple[str, str], list[ImageRef]] = defaultdict(list)
    for ref, family in family_of.items():
        members[ref.region, family].append(ref)
    ranks: dict[ImageRef, int] = {}
    for refs in members.values():
        newest = sorted(refs, key=lambda ref: _created(state, ref), reverse=True)
        ranks.update((ref, place) for place, ref in enumerate(newest, 1))
    return ranks


def _created(state: CleanupState, ref: ImageRef) -> float:
    created = state.images[ref].created
    return created.timestamp() if created else 0


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
