# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the images of a release, and what names them in each target. One that fails stops no other one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import chain
from typing import TypeVar

from .._aws import errors, read
from .._aws.caller import identify, identify_with_enabled
from .._aws.clients import Clients
from .._cleanup.stages import render_time
from .._failures import Failure, ValidationError, invalid_option
from .._fanout import map_parallel
from .._listing import count
from .._model import Image, ImageRef, Target
from .._option import is_image_id
from .._publish.flow import name_account
from .._publish.options import PublishOptions
from .._publish.read import add_launches, add_sharing, open_each, read_target
from .._publish.state import TargetState, is_settled
from .._wording import LONGEST_PATH, shorten
from .block import ImagePlan, open_state, plan_openings
from .breaking import find_copies
from .decide import MISSING, choose_restored, choose_unit, needs_history
from .options import RecallOptions
from .read_consumers import add_consumers
from .read_images import read_access, read_copies, read_images, read_named_images, read_others
from .read_keys import read_keys
from .record import LAUNCH_TEMPLATE, PARAMETER, Pointer
from .state import RecallState, Release, Unit, find_release, find_source, without_recall
from .usable_keys import list_earlier_images
from .write_record import name_place, read_record

Found = TypeVar("Found")


def read_state(clients: Clients, options: RecallOptions) -> RecallState:
    """Read what the recall is planned for, or what taking it back is planned for.

    Raises:
        ValidationError: the record cannot be read, the release is not found, no target can be read, or
            another account needs a role.
    """
    if options.has_nothing_to_block:
        return RecallState("", "", "")
    if options.blocks and options.adoption_result and options.adoption_result.failures:
        raise ValidationError(options.adoption_result.failures)
    return _read_release(clients, options) if options.is_recall else _read_recalled(clients, options)


def _read_release(clients: Clients, options: RecallOptions) -> RecallState:
    caller, enabled = identify_with_enabled(clients, options.regions)
    if without_role := tuple(options.missing_role(caller.account_id)):
        raise ValidationError(
            [invalid_option(name, f"{name}: {problem}", remedy) for name, problem, remedy in without_role]
        )
    regions, now = options.regions or enabled, render_time(datetime.now(UTC))
    stored = read_record(clients, options, caller.account_id)
    # A copy can be one of a copy in a region that is not recalled.
    looked_at = sorted({*regions, *enabled})
    images, itself, failed = read_images(clients, options, caller.account_id, looked_at)
    needed = {*regions, options.source_region}
    failures = tuple(failure for failure in failed if failure.region in needed)
    if len(failures) == len(needed & {*looked_at}):
        raise ValidationError(failures)
    recorded = stored.record.images if stored.record else ()
    release = find_release(caller.account_id, options.source, itself, images, recorded)
    own = {ref: image for ref, image in release.images.items() if ref.region in needed}
    release = replace(release, images=own)
    current = RecallState(
        caller.account_id,
        caller.partition,
        now,
        release,
        stored=stored,
        unread=failures,
        warnings=(*_warn_of_source(options, itself), *_warn_of_regions(failed, needed)),
        place=name_place(options, caller.account_id),
    )
    if options.parameter:
        current = _add_pointers(clients, options, caller, current, regions)
        if options.require_shared:
            current = add_consumers(clients, current)
        if options.require_usable_key:
            earlier = list_earlier_images(caller.account_id, current.units)
            current = replace(current, keys=read_keys(clients, caller.account_id, earlier))
    if not (own or recorded or any(unit.names_release for unit in current.units)):
        missing = _report_missing_release(options, caller.account_id, len(regions))
        raise ValidationError([missing, *current.unread])
    if not options.blocks:
        return current
    current = _add_others(clients, _add_access(clients, current, own))
    if not options.block_consumer_copies:
        return current
    copies = find_copies(options.adoption_result, current.release.owned)
    return _add_copies(clients, options, current, {**copies, **current.blocked_copies})


def _add_copies(
    clients: Clients, options: RecallOptions, current: RecallState, copies: Mapping[ImageRef, str]
) -> RecallState:
    """Return the state with images of consumers; ``copies`` have the account of each."""
    caller = read.Caller(current.account_id, current.partition)
    access, failures = read_copies(clients, caller, options.consumer_role, copies)
    return replace(
        current,
        copies=frozenset(copies),
        access={**current.access, **access},
        unread=(*current.unread, *failures),
    )


def _add_others(clients: Clients, current: RecallState) -> RecallState:
    """Return the state with the snapshots that other images have, without regions where that is not known."""
    release = {*current.release.refs, *current.release.images}
    others, failures = read_others(clients, current.account_id, current.access, release)
    unread = {failure.region for failure in failures}
    access = {ref: shared for ref, shared in current.access.items() if ref.region not in unread}
    return replace(current, access=access, others=others, unread=(*current.unread, *failures))


def _add_access(clients: Clients, current: RecallState, images: Mapping[ImageRef, Image]) -> RecallState:
    """Return the state with the permissions of images."""
    access, failures = read_access(clients, current.account_id, images)
    return replace(current, access=access, unread=(*current.unread, *failures))


def _add_pointers(
    clients: Clients,
    options: RecallOptions,
    caller: read.Caller,
    current: RecallState,
    regions: Collection[str],
) -> RecallState:
    """Return the state with what names the release in each target."""
    unread = {failure.region for failure in current.unread}
    targets = [
        Target(account_id, region)
        for account_id in dict.fromkeys((caller.account_id, *options.account_ids))
        for region in regions
        if region not in unread
    ]
    publishing = options.publishing(
        options.parameter,
        tuple(dict.fromkeys(target.region for target in targets)),
        source_image_id=options.previous_source_image_id or options.source_image_id,
        launch_templates=options.launch_templates,
        launch_template_base_version=options.launch_template_base_version,
    )
    is_open = current.record is not None and not current.record.taken_back_at
    recorded = current.record.by_key if current.record and is_open else {}

    def read_one(account_clients: Clients, target: Target, _name: str) -> Unit:
        is_own = target.account_id == caller.account_id
        owner = clients if options.previous_source_image_id and not is_own else None
        state = read_target(account_clients, owner, publishing, target, None)

        def choose(state: TargetState) -> Unit:
            return choose_unit(
                options, publishing, current.release, target, state, recorded, caller.account_id
            )

        if not needs_history(publishing, unit := choose(state)):
            return unit
        versions = state.parameter.versions if state.parameter else ()
        unit = choose(_add_images(account_clients, target, state, [item.value for item in versions]))
        return _add_checks(account_clients, unit, is_own)

    places = [(target, options.parameter) for target in targets]
    units, failures = _read_each(clients, caller, publishing, places, read_one)
    if not units:
        raise ValidationError(failures)
    # What exists in none of these may exist in one that could not be read.
    missing = () if failures or unread else _refuse_missing(options, units)
    if missing:
        raise ValidationError(missing)
    listed = tuple(_without_missing(options, unit) for unit in units)
    return replace(current, units=listed, unread=(*current.unread, *failures))


def _read_recalled(clients: Clients, options: RecallOptions) -> RecallState:
    """Return what the record names, as it is now."""
    caller, now = identify(clients), render_time(datetime.now(UTC))
    stored = read_record(clients, options, caller.account_id)
    record, place = stored.record, name_place(options, caller.account_id)
    current = RecallState(caller.account_id, caller.partition, now, stored=stored, place=place)
    if record is None:
        raise ValidationError(
            [
                Failure(
                    f"{shorten(place, LONGEST_PATH)} has no recall of {options.source_image_id} in "
                    f"{options.source_region} by account {caller.account_id}.",
                    "Set the tombstone, the source and the credentials that the recall had.",
                    "recall_not_found",
                    options.tombstone_option,
                )
            ]
        )
    if record.taken_back_at:
        return current
    images, failures = read_named_images(clients, caller.account_id, record.images)
    current = replace(current, release=Release(images=images), unread=failures)
    blocked = {taken.ref: images[taken.ref] for taken in record.blocked if taken.ref in images}
    current = _add_access(clients, current, blocked)
    current = _add_copies(clients, options, current, current.blocked_copies)
    if not record.pointers:
        return current
    opened_images = plan_openings(current.to_open, current.access)
    groups: dict[tuple[Target, str], list[Pointer]] = {}
    for pointer in record.pointers:
        groups.setdefault((pointer.key.target, pointer.parameter), []).append(pointer)
    regions = tuple(sorted({target.region for target, _parameter in groups}))

    def read_one(account_clients: Clients, target: Target, parameter: str) -> tuple[Unit, ...]:
        pointers = tuple(groups[target, parameter])
        names = tuple(item.key.resource for item in pointers if item.key.kind == LAUNCH_TEMPLATE)
        publishing = options.publishing(
            parameter, (target.region,), source_image_id=options.source_image_id, launch_templates=names
        )
        state = read_target(account_clients, None, publishing, target, None)
        state = _add_images(account_clients, target, state, [item.before.image_id for item in pointers])
        state = open_state(state, target, opened_images, current.access)
        units = choose_restored(publishing, target, without_recall(state), pointers)
        is_own = target.account_id == caller.account_id
        return tuple(_add_checks(account_clients, unit, is_own, opened_images) for unit in units)

    done, failures = _read_each(clients, caller, options.publishing("", regions), groups, read_one)
    failures = (*current.unread, *failures)
    if not done:
        raise ValidationError(failures)
    return replace(current, units=tuple(chain.from_iterable(done)), unread=failures)


def _read_each(
    clients: Clients,
    caller: read.Caller,
    publishing: PublishOptions,
    places: Collection[tuple[Target, str]],
    read_one: Callable[[Clients, Target, str], Found],
) -> tuple[list[Found], tuple[Failure, ...]]:
    """Return what is read in each target of each parameter, with its account's credentials, and failures."""
    accounts, not_opened = open_each(clients, caller, publishing, {target for target, _parameter in places})

    def read_place(place: tuple[Target, str]) -> Found:
        with accounts.as_account(place[0].account_id) as account_clients:
            return read_one(account_clients, *place)

    readable = [place for place in places if place[0].account_id not in not_opened]
    done, failed = map_parallel(readable, read_place)
    failures = (
        name_account(errors.failure(exception, target, "GetParameterHistory"), caller.account_id)
        for (target, _parameter), exception in failed.items()
    )
    return list(done.values()), (*not_opened.values(), *failures)


def _add_images(
    clients: Clients, target: Target, state: TargetState, image_ids: Collection[str]
) -> TargetState:
    """Return a target with its account's views of more images."""
    missing = [image_id for image_id in image_ids if is_image_id(image_id) and image_id not in state.named]
    if not missing:
        return state
    return replace(state, named={**state.named, **read.named_images(clients.ec2(target.region), missing)})


def _add_checks(
    clients: Clients, unit: Unit, is_own: bool, opened_images: Collection[ImagePlan] = ()
) -> Unit:
    """Return a unit with what the checks of a publication need.

    The permissions of ``opened_images`` are what they will be.
    """
    if not unit.pointers or unit.failures:
        return unit
    state = add_launches(clients, unit.options, unit.target, unit.state)
    ref = ImageRef(unit.target.region, state.image_id or "")
    opened = next((plan for plan in opened_images if plan.ref == ref and not plan.left), None)
    if is_own and opened is None:
        state = add_sharing(clients, unit.options, unit.target, state)
    elif is_own and opened and unit.options.require_shared and not is_settled(unit.options, state):
        state = replace(state, launch=opened.launch)
    return replace(unit, state=state)


def _report_missing_release(options: RecallOptions, account_id: str, regions: int) -> Failure:
    return Failure(
        f"{options.source_image_id} in {options.source_region} is not an image of account {account_id}, "
        f"which has no copy of it in {count(regions, 'region')} either.",
        "Check source_image_id, source_region, regions, and the account of the credentials.",
        "image_not_found",
        "source_image_id",
    )


def _warn_of_regions(failed: Collection[Failure], needed: Collection[str]) -> tuple[str, ...]:
    """Return a warning about other regions, which may have the source of a copy."""
    regions = sorted({failure.region or "" for failure in failed} - {*needed})
    if not regions:
        return ()
    return (f"Copies of copies in {', '.join(regions)} may be missing: no images could be read there.",)


def _warn_of_source(options: RecallOptions, itself: Image | None) -> tuple[str, ...]:
    """Return a warning if the source is a copy: others of its source are not recalled."""
    source = find_source(itself) if itself else None
    if source is None:
        return ()
    text = f"{options.source_image_id} is itself a copy, of {source.image_id} in {source.region}."
    return (f"{text} Other copies of that image are not recalled.",)


def _refuse_missing(options: RecallOptions, units: Collection[Unit]) -> list[Failure]:
    """Return a failure for each named pointer that exists in no target."""
    named = [(PARAMETER, options.parameter), *((LAUNCH_TEMPLATE, name) for name in options.launch_templates)]
    missing = [{(left.key.kind, left.name) for left in unit.left if left.reason == MISSING} for unit in units]
    names = {PARAMETER: "parameter", LAUNCH_TEMPLATE: "launch_templates"}
    return [
        Failure(
            f"{names[kind]}: {name} exists in none of {count(len(units), 'target')}.",
            "Check the name, the regions and the accounts.",
            "pointer_not_found",
            names[kind],
        )
        for kind, name in named
        if all((kind, name) in of_target for of_target in missing)
    ]


def _without_missing(options: RecallOptions, unit: Unit) -> Unit:
    """Return the unit without pointers that do not exist, unless the user has named its region."""
    if options.regions:
        return unit
    return replace(unit, left=tuple(left for left in unit.left if left.reason != MISSING))
