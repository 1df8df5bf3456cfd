# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan a recall, and how it is taken back: the record, the tags of the images, and the pointers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any

from .._failures import Failure
from .._model import ImageRef, Target
from .._plan import Action, Plan, PlanWithoutTargets, TargetPlan
from .._publish.plan import plan as plan_publication
from .._publish.state import PublishState
from .._tags import RECALLED_TAG, tag_list
from .block import ImagePlan, ImagePlans, plan_images
from .breaking import Breaking, refuse_adoption
from .decide import ELSEWHERE, LABEL_NOT_FOUND, NO_EARLIER_IMAGE, REGION_FAILED
from .options import WITHDRAW, RecallOptions
from .parameter_consumers import refuse_not_shared, warn_of_undecided
from .record import PARAMETER, Pointer, Position, Record
from .state import Left, RecallState, Unit
from .usable_keys import KeyAccess, evaluate_keys, refuse_unusable, warn_of_unproven


@dataclass(frozen=True)
class WriteRecord:
    """The action that writes the record."""

    account_id: str
    place: str

    def to_dict(self) -> dict[str, str | None]:
        """Return the action as modules return it in ``actions``."""
        return {
            "account_id": self.account_id,
            "action": "WriteTombstone",
            "region": None,
            "resource": self.place,
        }


@dataclass(frozen=True)
class UnitPlan:
    """The calls that move the pointers of a unit; ``left`` are those that stay, because of ``failures``."""

    unit: Unit
    planned: TargetPlan
    pointers: tuple[Pointer, ...] = ()
    left: tuple[Left, ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, kw_only=True)
class RecallPlan(PlanWithoutTargets):
    """The plan; ``record`` is what is written before the first change, None if there is nothing to record.

    What a block takes is added right before. ``tags`` are the changes of the images' tags. ``images`` are
    those to block, or to open again, and ``breaking`` who could not launch them any more.
    """

    record: Record | None = None
    tags: tuple[Action, ...] = ()
    images: tuple[ImagePlan, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    units: tuple[UnitPlan, ...] = ()
    left: tuple[Left, ...] = field(default_factory=tuple)


def plan(options: RecallOptions, current: RecallState) -> RecallPlan:
    """Plan the recall of a release, or to take it back."""
    if options.has_nothing_to_block:
        return RecallPlan()
    access = evaluate_keys(current)
    planned = tuple(_plan_unit(current, unit, access) for unit in current.units)
    moving = [unit.unit for unit in planned if unit.planned.actions]
    images = plan_images(options, current, bool(moving))
    record: Record | None
    if options.is_recall:
        record, tags = _record_recall(options, current, planned, images), tuple(_plan_tags(options, current))
        refusals = (
            *refuse_adoption(options.adoption_result, current.account_id),
            *_refuse_without_earlier_image(options, current, planned),
        )
    else:
        tags = tuple(_plan_untagging(current, planned, images.plans))
        record, refusals = current.record, ()
    is_proven = options.is_recall and options.require_usable_key
    of_units = [failure for unit in planned for failure in (*unit.failures, *unit.unit.left_failures)]
    # A key that is not enabled is a failure of each account once.
    failures = (*current.unread, *dict.fromkeys(of_units), *images.failures)
    if not options.is_recall and record and not record.taken_back_at and not failures:
        record = record.take_back(current.now)
    of_images = [plan.planned for plan in images.plans if plan.actions]
    of_tags, of_pointers = [_describe_tag(action) for action in tags], [unit.planned for unit in planned]
    parts = (of_tags, of_pointers, of_images) if options.is_recall else (of_images, of_pointers, of_tags)
    targets = tuple(_merge_targets(chain.from_iterable(parts)))
    is_written = record != current.record or (options.is_recall and bool(of_images))
    writes = [WriteRecord(current.account_id, current.place)] if is_written else []
    return RecallPlan(
        actions=(*writes, *(action for target in targets for action in target.actions)),
        refusals=(*refusals, *current.unread) if refusals else (),
        failures=failures,
        warnings=(
            *current.warnings,
            *_warn_of_other_recalls(options, current),
            *warn_of_undecided(current, moving),
            *(warn_of_unproven(current, moving, access) if is_proven else ()),
            *images.warnings,
            *Plan(targets).warnings,
        ),
        targets=targets,
        before=Plan(targets).before,
        after=Plan(targets).after,
        record=record,
        tags=tags,
        images=images.plans,
        breaking=images.breaking,
        units=planned,
        left=tuple(left for unit in planned for left in (*unit.unit.left, *unit.left)),
    )


def _plan_unit(current: RecallState, unit: Unit, access: Mapping[ImageRef, Sequence[KeyAccess]]) -> UnitPlan:
    """Plan the pointers of a unit as a publication of their image, which makes its checks."""
    empty = TargetPlan(unit.target)
    failures = unit.failures
    if unit.pointers and not failures:
        state = PublishState(current.account_id, current.partition, {unit.target: unit.state})
        (empty,) = plan_publication(unit.options, state).targets
        failures = (
            empty.refusals
            or tuple(_refuse_snapshots(unit, empty))
            or (*refuse_not_shared(unit), *refuse_unusable(unit, current.keys, access))
        )
    if failures:
        left = tuple(
            Left(pointer.key, pointer.name, pointer.before.image_id, REGION_FAILED)
            for pointer in unit.pointers
        )
        return UnitPlan(unit, TargetPlan(unit.target), left=left, failures=failures)
    resources = {pointer.key.resource for pointer in unit.pointers}
    actions = tuple(action for action in empty.actions if action.resource in resources)
    planned = replace(empty, actions=actions, before=_own_part(unit, empty.before))
    planned = replace(planned, after=_own_part(unit, empty.after))
    return UnitPlan(unit, planned, tuple(_number(pointer, planned, unit) for pointer in unit.pointers))


def _refuse_snapshots(unit: Unit, planned: TargetPlan) -> Iterator[Failure]:
    """Refuse to move a parameter with a template that follows it, and then needs another version itself."""
    moved = {pointer.key.resource for pointer in unit.pointers}
    for name, template in unit.state.templates.items():
        is_planned = any(action.resource == template.template_id for action in planned.actions)
        if is_planned and template.template_id not in moved:
            yield Failure.at(
                unit.target,
                "launch_templates",
                "launch_template_names_snapshot",
                f"launch_templates: {name} launches what {unit.options.parameter} names, but has a snapshot "
                "of another image on the root device, with which EC2 does not launch the earlier image.",
                "Make a version without the snapshot the default one, or leave the template out.",
            )


def _number(pointer: Pointer, planned: TargetPlan, unit: Unit) -> Pointer:
    """Return the pointer with the number of its version, if that is known before the calls."""
    operations = {action.operation for action in planned.actions if action.resource == pointer.key.resource}
    number: int | None = None
    if pointer.key.kind == PARAMETER:
        if "PutParameter" not in operations and unit.state.parameter:
            number = unit.state.parameter.latest.version
    elif "ModifyLaunchTemplate" not in operations:
        number = unit.state.templates[_name_in_state(pointer, unit)].default.number
    return replace(pointer, after=Position(unit.state.image_id or "", number))


def _name_in_state(pointer: Pointer, unit: Unit) -> str:
    return next(
        name
        for name, template in unit.state.templates.items()
        if template.template_id == pointer.key.resource
    )


def _own_part(unit: Unit, described: Any) -> dict[str, Any]:
    """Return the part of a publication's description that is about the pointers that move."""
    names = {
        _name_in_state(pointer, unit): pointer.name
        for pointer in unit.pointers
        if pointer.key.kind != PARAMETER
    }
    part: dict[str, Any] = {
        "launch_templates": {
            names[name]: text for name, text in described.get("launch_templates", {}).items() if name in names
        }
    }
    if any(pointer.key.kind == PARAMETER for pointer in unit.pointers):
        part["parameter"] = described.get("parameter")
    return part


def _record_recall(
    options: RecallOptions, current: RecallState, planned: Iterable[UnitPlan], images: ImagePlans
) -> Record:
    known = current.record
    if known is None or known.taken_back_at:
        known = Record(current.account_id, options.source, current.now)
    known = known.add(current.release.images, (item for unit in planned for item in unit.pointers))
    is_ended = options.blocks and not images.failures and not any(plan.actions for plan in images.plans)
    if known.blocking_since and is_ended:
        # A run was killed after it had blocked the last image.
        available = {ref for ref, shared in current.access.items() if shared.image.state == "available"}
        return known.end_block(available)
    return known


def _plan_tags(options: RecallOptions, current: RecallState) -> Iterator[Action]:
    """Yield the calls that tag the images of the release; a tag of an earlier recall stays.

    In check mode, an image that an earlier task would tag is not tagged yet.
    """
    withdrawal = options.withdrawal_result if options.check_mode else None
    planned = withdrawal.tagged if withdrawal else frozenset()
    is_open = current.record is not None and not current.record.taken_back_at
    value = current.record.recalled_at if current.record and is_open else current.now
    for ref, image in sorted(current.release.images.items()):
        if RECALLED_TAG not in image.tags and ref not in planned:
            tags = {"Resources": [ref.image_id], "Tags": tag_list({RECALLED_TAG: value})}
            yield Action(Target(current.account_id, ref.region), "CreateTags", tags, ref.image_id)


def _plan_untagging(
    current: RecallState, planned: Iterable[UnitPlan], openings: Iterable[ImagePlan]
) -> Iterator[Action]:
    """Yield the calls that remove the recall's tag in regions whose pointers are all known.

    An image that stays blocked keeps it. EC2 removes a tag only if it has the value of the request (EC2 API
    Reference, DeleteTags): that of another recall stays.
    """
    if current.record is None or current.record.taken_back_at:
        return
    value, still_blocked = current.record.recalled_at, {plan.ref for plan in openings if plan.failures}
    known = {
        key
        for unit in planned
        if not unit.failures
        for key in (
            *(pointer.key for pointer in unit.pointers),
            *(left.key for left in unit.unit.left),
        )
    }
    kept = {failure.region for failure in current.unread}
    kept |= {pointer.key.target.region for pointer in current.record.pointers if pointer.key not in known}
    for ref, image in sorted(current.release.images.items()):
        if image.tags.get(RECALLED_TAG) == value and ref.region not in kept and ref not in still_blocked:
            tags = {"Resources": [ref.image_id], "Tags": tag_list({RECALLED_TAG: value})}
            yield Action(Target(current.account_id, ref.region), "DeleteTags", tags, ref.image_id)


def _warn_of_other_recalls(options: RecallOptions, current: RecallState) -> Iterator[str]:
    """Yield a warning for each image that keeps the tag of another recall, which is still open."""
    if options.is_recall or current.record is None or current.record.taken_back_at:
        return
    for ref, image in sorted(current.release.images.items()):
        if image.tags.get(RECALLED_TAG, current.record.recalled_at) != current.record.recalled_at:
            yield (
                f"{ref.image_id} in {ref.region} keeps the tag {RECALLED_TAG} of another recall. Take that "
                "one back, too, or delete the tag."
            )


def _refuse_without_earlier_image(
    options: RecallOptions, current: RecallState, planned: Iterable[UnitPlan]
) -> Iterator[Failure]:
    """Yield the failures if no target has, or had, an earlier image: nothing could replace the release.

    It need not be replaced if it is blocked, unless the user has selected by what.
    """
    units = [unit for unit in planned if unit.unit.pointers]
    was_moved = bool(current.record and current.record.pointers) or any(
        left.key.kind == PARAMETER and left.reason == ELSEWHERE
        for unit in current.units
        for left in unit.left
    )
    without = (LABEL_NOT_FOUND, *([NO_EARLIER_IMAGE] if options.level == WITHDRAW else []))
    if not was_moved and all(any(item.error_code in without for item in unit.failures) for unit in units):
        yield from (failure for unit in units for failure in unit.failures)


def _describe_tag(action: Action) -> TargetPlan:
    """Return the plan of a change of a tag."""
    is_new = action.operation == "CreateTags"
    before, after = ({"recalled": {action.resource: value}} for value in (not is_new, is_new))
    return TargetPlan(action.target, (action,), before, after)


def _merge_targets(plans: Iterable[TargetPlan]) -> Iterator[TargetPlan]:
    """Yield one plan for each target, with the calls in the order of the plans."""
    parts: dict[Target, list[TargetPlan]] = {}
    for plan in plans:
        parts.setdefault(plan.target, []).append(plan)
    for target, plans in sorted(parts.items()):
        yield TargetPlan(
            target,
            tuple(action for part in plans for action in part.actions),
            _merge_states(part.before for part in plans),
            _merge_states(part.after for part in plans),
            tuple(dict.fromkeys(warning for part in plans for warning in part.warnings)),
        )


def _merge_states(states: Iterable[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for state in states:
        for name, value in state.items():
            merged[name] = {**merged[name], **value} if name in merged and value else value
    return merged
