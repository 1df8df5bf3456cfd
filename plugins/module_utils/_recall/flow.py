# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_recall``: take a bad release back from the parameters and launch templates that name it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._aws import errors
from .._aws.clients import Clients
from .._aws.read import Caller, visible_image
from .._aws.unknown_outcome import is_unknown
from .._aws.write import merge, perform_all
from .._failures import Failure, ValidationError
from .._fanout import map_parallel
from .._model import ImageRef, Target
from .._plan import Action, Performed, Plan
from .._progress import Report
from .._publish import flow as publication
from .._publish.apply import PublishRun
from .._publish.flow import name_account
from .._publish.state import PublishState
from .._runner import Flow, Outcome
from .block import ImagePlan
from .options import BLOCK, DISABLE, RecallOptions
from .plan import RecallPlan, UnitPlan, WriteRecord, plan
from .read import read_state
from .read_changes import find_changed, report_replaced
from .record import PARAMETER, Pointer, PointerKey, Position, Record
from .state import Left, RecallState
from .write_access import Changed, change_access
from .write_record import read_record, write_record

_NOTHING_CHANGED = "Nothing else was changed."
_RERUN = "Rerun: the record is not complete."
_NOT_BLOCKED = "No image was blocked."
_NOT_TAGGED = " An image without the tag is not blocked: a scheduled ami_share would open it again."
_BLOCKED_MEANWHILE = "Images were blocked meanwhile: rerun, or take the recall back again."


def apply(
    clients: Clients, options: RecallOptions, current: RecallState, plan: RecallPlan, report: Report
) -> Outcome:
    """Record, tag, move and block in this order: a run that is killed loses nothing that was before it.

    Taken back, it is the other way round: images, pointers, tags, record.
    """
    work = _Work(clients, options, current, plan, report)
    return work.recall() if options.is_recall else work.take_back()


class _Work:
    """The changes of one run, and what came of them."""

    def __init__(
        self,
        clients: Clients,
        options: RecallOptions,
        current: RecallState,
        plan: RecallPlan,
        report: Report,
    ) -> None:
        self._clients, self._options, self._current, self._plan = clients, options, current, plan
        self._report = report
        self._stored = current.stored
        self._performed: list[Any] = []
        self._failures: list[Failure] = []
        self._warnings: list[str] = []
        # By the ``id`` of the unit: several of one target can have the same image.
        self._runs: dict[Target, dict[int, PublishRun]] = {}

    def recall(self) -> Outcome:
        """Write the record, tag the images, move the pointers, write their numbers, and block the images."""
        if self._plan.record is not None and self._write(self._plan.record, _NOTHING_CHANGED):
            untagged = self._tag(self._plan.tags, _NOT_TAGGED if self._plan.images else "")
            self._move()
            done = [pointer for _unit, pointer in _list_done(self._options, self._plan, self._runs)]
            # Without a number, a rerun completes what failed, such as a label.
            record = self._plan.record.add((), (item for item in done if item.after.version is not None))
            # A scheduled distribution would share an image without the tag again.
            blocks = [plan for plan in self._plan.images if plan.actions and plan.ref not in untagged]
            if blocks:
                self._block(record, blocks)
            else:
                self._write(record, _RERUN)
        return self._outcome()

    def _block(self, record: Record, blocks: Sequence[ImagePlan]) -> None:
        """Block images between two writes of the record, of which one fails if another run has written it.

        Another run may take the recall back at the same time. It cannot complete a record that it has read
        before the second write. If it has completed it before that, the recall is open again.
        """
        began = record.begin_block((plan.taken for plan in blocks), self._current.now)
        if not self._write(began, _NOT_BLOCKED):
            return
        # Those of consumers are last: until then, these could copy the release again.
        groups = (
            [item for item in blocks if (item.taken.account_id == record.account_id) == is_own]
            for is_own in (True, False)
        )
        performed = merge(*(self._change_access(group).performed for group in groups))
        disabled = {
            ImageRef(action.target.region, action.resource or "")
            for action in performed.actions
            if action.operation == "DisableImage"
        }
        # AWS may have disabled an image without an answer: if it has, taking the recall back enables it.
        unknown = {
            (failure.account_id, failure.region)
            for failure in performed.failures
            if failure.action == "DisableImage" and is_unknown(failure)
        }
        # What is available and was not disabled now was not, or not any more, by this recall.
        not_disabled = {
            plan.ref
            for plan in blocks
            if self._current.access[plan.ref].image.state == "available"
            and plan.ref not in disabled
            and (plan.taken.account_id, plan.ref.region) not in unknown
        }
        if self._write(began.end_block(not_disabled), _BLOCKED_MEANWHILE):
            return
        try:
            self._stored = read_record(self._clients, self._options, record.account_id)
        except ValidationError as refused:
            self._failures += refused.failures
            return
        self._write((self._stored.record or record).reopen(began.blocked), _BLOCKED_MEANWHILE)

    def take_back(self) -> Outcome:
        """Open the images, move the pointers, remove tags where that did not fail; complete the record."""
        still_blocked = self._change_access(self._plan.images).failed
        self._move(still_blocked)
        runs = (item for of_target in self._runs.values() for item in of_target.items())
        moved = {key for key, run in runs if not run.failures}
        kept = {
            unit.unit.target.region
            for unit in self._plan.units
            if unit.planned.actions and id(unit) not in moved
        }
        kept |= {ref.region for ref in still_blocked}
        self._tag([action for action in self._plan.tags if action.target.region not in kept])
        if self._plan.record is not None and not self._failures:
            self._write(self._plan.record, _RERUN)
        return self._outcome()

    def _write(self, record: Record, remedy: str) -> bool:
        """Write the record if it differs from the one that was written last; return whether it is there."""
        if record == self._stored.record:
            return True
        self._stored, failures = write_record(self._clients, self._options, record, self._stored, remedy)
        self._failures += failures
        if failures:
            return False
        action = WriteRecord(record.account_id, self._current.place)
        self._performed += [] if action in self._performed else [action]
        return True

    def _tag(self, actions: Iterable[Action], remedy: str = "") -> frozenset[ImageRef]:
        """Add the tags, or remove them, and return the images of which that failed.

        ``remedy`` is added to that of each failure.
        """
        by_target: dict[Target, list[Action]] = {}
        for action in actions:
            by_target.setdefault(action.target, []).append(action)
        self._clients.open("ec2", [target.region for target in by_target])

        def perform(target: Target) -> Performed:
            ec2 = self._clients.ec2(target.region)
            # An image whose tag is refused does not keep the others from theirs.
            return merge(*(perform_all(ec2, (action,)) for action in by_target[target]))

        done, failed = map_parallel(by_target, perform)
        made = merge(*done.values())
        failures = [*made.failures, *(errors.failure(item, at, "CreateTags") for at, item in failed.items())]
        self._performed += made.actions
        self._failures += [replace(failure, remedy=f"{failure.remedy}{remedy}") for failure in failures]
        return frozenset(
            ImageRef(target.region, action.resource or "")
            for target, of_target in by_target.items()
            for action in of_target
            if action not in made.actions
        )

    def _change_access(self, plans: Iterable[ImagePlan]) -> Changed:
        """Block images, or open them again, and return what came of it."""
        account_id, role = self._current.account_id, self._options.consumer_role
        caller, is_opening = Caller(account_id, self._current.partition), not self._options.is_recall
        changed = change_access(self._clients, caller, role, plans, self._report, is_opening)
        self._performed += changed.performed.actions
        self._failures += [name_account(item, account_id) for item in changed.performed.failures]
        self._warnings += changed.warnings
        return changed

    def _move(self, still_blocked: Collection[ImageRef] = ()) -> None:
        """Publish the earlier images, in all targets at the same time, those of one in turn.

        What would get an image that is still blocked stays.
        """
        waiting = [
            unit
            for unit in self._plan.units
            if unit.planned.actions
            and ImageRef(unit.unit.target.region, unit.unit.state.image_id or "") not in still_blocked
        ]
        while waiting:
            by_target: dict[Target, UnitPlan] = {}
            for unit in waiting:
                by_target.setdefault(unit.unit.target, unit)
            waiting = [unit for unit in waiting if by_target[unit.unit.target] is not unit]
            self._publish(by_target)

    def _publish(self, by_target: Mapping[Target, UnitPlan]) -> None:
        options = next(iter(by_target.values())).unit.options
        regions = tuple(sorted({target.region for target in by_target}))
        states = {target: unit.unit.state for target, unit in by_target.items()}
        opened = {plan.ref for plan in self._plan.images if plan.actions and not self._options.is_recall}

        def find_obstacles(services: Mapping[str, Any], target: Target) -> dict[str, Failure]:
            image_id = states[target].image_id or ""
            if ImageRef(target.region, image_id) in opened:
                # An account sees an image that is shared again after a while. If not, AWS refuses the value.
                visible_image(services["ec2"], image_id)
            return find_changed(services, target, states[target], by_target[target].planned.actions)

        try:
            outcome = publication.apply(
                self._clients,
                replace(options, regions=regions),
                PublishState(self._current.account_id, self._current.partition, states),
                Plan(tuple(unit.planned for unit in by_target.values())),
                self._report,
                find_obstacles,
            )
        except ValidationError as refused:
            # A role cannot be assumed any more. The images may be tagged by now.
            self._failures += refused.failures
            return
        self._performed += outcome.performed
        self._failures += outcome.failures
        self._warnings += outcome.warnings
        for target, run in outcome.state.items():
            self._runs.setdefault(target, {})[id(by_target[target])] = run
            parameter, replaced = states[target].parameter, []
            if run.version and any(action.operation == "PutParameter" for action in run.performed):
                free = parameter.latest.version + 1 if parameter else 1
                name = by_target[target].unit.options.parameter
                replaced += report_replaced(target, "PutParameter", name, free, run.version)
            for template in states[target].templates.values():
                key, free = template.template_id, template.latest.number + 1
                made = run.defaults.get(key, 0)
                replaced += report_replaced(target, "ModifyLaunchTemplate", key, free, made)
            self._failures += [name_account(item, self._current.account_id) for item in replaced]

    def _outcome(self) -> Outcome:
        return Outcome(
            tuple(self._performed),
            tuple(self._failures),
            warnings=tuple(dict.fromkeys(self._warnings)),
            state=self._runs,
        )


def _list_done(
    options: RecallOptions, plan: RecallPlan, runs: Mapping[Target, Mapping[int, PublishRun]]
) -> Iterator[tuple[UnitPlan, Pointer]]:
    """Yield the pointers that have their image now, or would in check mode, with the version of each."""
    for unit in plan.units:
        run = runs.get(unit.unit.target, {}).get(id(unit))
        for pointer in unit.pointers:
            if run is not None and _is_moved(unit, pointer, run):
                number = _find_number(pointer, run)
                yield unit, replace(pointer, after=Position(pointer.after.image_id, number))
            elif options.check_mode or not unit.planned.actions:
                yield unit, pointer


def _is_moved(unit: UnitPlan, pointer: Pointer, run: PublishRun) -> bool:
    """Whether a run has completed what was planned for a pointer; others of its target may have failed."""
    operations = {item.operation for item in unit.planned.actions if item.resource == pointer.key.resource}
    made = {item.operation for item in run.performed if item.resource == pointer.key.resource}
    failed = {failure.action for failure in run.failures}
    return not run.failures or (operations <= made and not operations & failed)


def _find_number(pointer: Pointer, run: PublishRun) -> int | None:
    """Return the number of the version that a pointer has after a run; None if the run has not moved it."""
    if pointer.key.kind != PARAMETER:
        return run.defaults.get(pointer.key.resource, pointer.after.version)
    is_put = any(action.operation == "PutParameter" for action in run.performed)
    return run.version if is_put else pointer.after.version


def result(
    options: RecallOptions, current: RecallState, plan: RecallPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that are specific to this module."""
    record = plan.record
    done = plan.tags if options.check_mode else outcome.performed
    tagged = {(item["region"], item["resource"]) for item in (action.to_dict() for action in done)}
    return {
        "blocked": [_image_to_dict(options, image, outcome) for image in plan.images],
        "breaking": [item.to_dict() for item in plan.breaking],
        "images": [
            {
                **ref._asdict(),
                "account_id": current.account_id,
                "changed": (ref.region, ref.image_id) in tagged,
            }
            for ref in sorted(current.release.images)
        ],
        "recalled_at": record.recalled_at if record else None,
        "results": [*_list_moved(options, plan, outcome), *map(_left_to_dict, plan.left)],
        "to_look_into": _name_to_look_into(options, current),
        "tombstone": current.place,
    }


def _name_to_look_into(options: RecallOptions, current: RecallState) -> dict[str, list[str]]:
    """Return where to read what launches the release before it is blocked: nowhere if it is not.

    The owner's account cannot launch disabled images either. Copies can be in any region.
    """
    images = current.release.images
    if not (options.is_recall and options.level == BLOCK and options.account_ids and images):
        return {"account_ids": [], "regions": []}
    owner = [current.account_id] if options.block_method == DISABLE else []
    regions = {ref.region for ref in images}
    if options.block_consumer_copies:
        # Without regions, adoption reads all of them.
        regions = {*regions, *options.regions} if options.regions else set()
    return {
        "account_ids": list(dict.fromkeys((*options.account_ids, *owner))),
        "regions": sorted(regions),
    }


def _image_to_dict(options: RecallOptions, image: ImagePlan, outcome: Outcome) -> dict[str, Any]:
    done = image.actions if options.check_mode else outcome.performed
    calls = [tuple(action.to_dict().values()) for action in done]
    return {
        **image.ref._asdict(),
        "account_id": image.planned.target.account_id,
        "changed": any(tuple(action.to_dict().values()) in calls for action in image.actions),
        "left": image.left or None,
    }


def _list_moved(options: RecallOptions, plan: RecallPlan, outcome: Outcome) -> list[dict[str, Any]]:
    """Return the pointers that are moved, or would be in check mode; those that failed are missing."""
    settled = [pointer for unit in plan.units for pointer in unit.unit.settled]
    moved = [_to_dict(item.key, item.name, False, item.before, item.after, None) for item in settled]
    for unit, pointer in _list_done(options, plan, outcome.state):
        is_changed = any(action.resource == pointer.key.resource for action in unit.planned.actions)
        before = pointer.before if options.is_recall else _recalled_position(unit, pointer)
        moved.append(_to_dict(pointer.key, pointer.name, is_changed, before, pointer.after, None))
    return sorted(moved, key=lambda item: (item["region"], item["account_id"], item["name"]))


def _recalled_position(unit: UnitPlan, pointer: Pointer) -> Position:
    """Return what a pointer names before its recall is taken back."""
    state = unit.unit.state
    if pointer.key.kind == PARAMETER and state.parameter:
        return Position(state.parameter.latest.value, state.parameter.latest.version)
    default = state.templates[pointer.key.resource].default
    return Position(default.image_id or "", default.number)


def _left_to_dict(left: Left) -> dict[str, Any]:
    before = Position(left.image_id, None) if left.image_id else None
    return _to_dict(left.key, left.name, False, before, None, left.reason)


def _to_dict(
    key: PointerKey,
    name: str,
    changed: bool,
    before: Position | None,
    after: Position | None,
    left: str | None,
) -> dict[str, Any]:
    return {
        "account_id": key.target.account_id,
        "after": after._asdict() if after else None,
        "before": before._asdict() if before else None,
        "changed": changed,
        "kind": key.kind,
        "left": left,
        "name": name,
        "region": key.target.region,
    }


FLOW: Flow[RecallOptions, RecallState] = Flow(RecallOptions, read_state, plan, apply, result, policy="recall")
