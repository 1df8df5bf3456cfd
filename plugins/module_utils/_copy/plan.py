# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan the copies: which to start, which to tag again, and which failed ones to deregister."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import _tags as tagging
from .._failures import Failure
from .._keys import encryption as encrypting
from .._model import Image, Target
from .._plan import KNOWN_AFTER_APPLY, Action, Plan, TargetPlan
from .access import access_warnings, check_access, check_product_codes
from .checks import check_copies, check_root_device, check_shareable, missing_access_of, with_account
from .options import CopyOptions
from .request import check_request, copy_request, image_tags
from .state import FAILED_STATES, USABLE_STATES, CopyState


def plan(options: CopyOptions, current: CopyState) -> Plan:
    """Return the plan of every target that could be read; the others are tolerated."""
    return Plan(
        (
            *(_plan_target(options, current, target) for target in sorted(current.copies)),
            *(
                TargetPlan(
                    Target(item.account_id or current.account_id, item.region or ""), tolerated=(item,)
                )
                for item in current.unread
            ),
        )
    )


def existing_copy(options: CopyOptions, current: CopyState, target: Target) -> Image | None:
    """Return the target's existing image: the source itself, or a copy, preferably this collection's."""
    source = current.source_of(target)
    if current.is_source(target, options.source_region_of(target.region)) and (
        not options.encryption.reencrypt_source or has_desired_key(options, current, target, source)
    ):
        return source
    usable = [
        image
        for image in current.copies[target]
        if image.state in USABLE_STATES and has_desired_key(options, current, target, image)
    ]
    return min(usable, key=lambda image: _preference(options, current, target, image), default=None)


def has_desired_key(options: CopyOptions, current: CopyState, target: Target, image: Image) -> bool:
    """Whether the image is encrypted as requested for this target."""
    key = current.keys.get(target)
    encrypted = key is not None or options.encryption.encrypts(target.region, current.source_of(target))
    return encrypting.is_under(image, current.snapshots_of(target, image), key, encrypted)


def unusable_copies(current: CopyState, target: Target) -> tuple[Image, ...]:
    """Return the target's copies that have failed or are deregistered."""
    unusable = (image for image in current.copies[target] if image.state in FAILED_STATES | {"deregistered"})
    return tuple(sorted(unusable, key=lambda image: image.image_id))


def state_with_reason(image: Image) -> str:
    """Return a failed image's state and AWS's reason: ``failed: Given key ID is not accessible``."""
    return f"{image.state}: {image.state_reason or 'AWS reports no reason'}"


def replacement(
    options: CopyOptions, current: CopyState, target: Target, unusable: tuple[Image, ...]
) -> tuple[Action, ...]:
    """Return the actions that copy the source again, then deregister the ``unusable`` copies that failed.

    In this order, a run that is killed in between leaves the new copy, or at least the failed one. The ID of
    the failed one makes the client token of the next request a new one.
    """
    request = copy_request(
        options, current.source_of(target), target, _ids(unusable), current.keys.get(target)
    )
    copy = Action(target, "CopyImage", request)
    return (copy, *_removals(options, current, target, unusable))


def _ids(images: tuple[Image, ...]) -> tuple[str, ...]:
    return tuple(image.image_id for image in images)


def is_own(options: CopyOptions, current: CopyState, target: Target, image: Image) -> bool:
    """Whether this collection made ``image`` as a copy of the target's source."""
    source_region = options.source_region_of(target.region)
    return tagging.is_own_copy(image, current.source_of(target).image_id, source_region)


def _preference(
    options: CopyOptions, current: CopyState, target: Target, image: Image
) -> tuple[bool, bool, str, str]:
    return (
        not is_own(options, current, target, image),
        image.state != "available",
        image.creation_date,
        image.image_id,
    )


def removal(target: Target, image: Image) -> Action:
    """Return the action that deregisters a failed copy and deletes its snapshots."""
    parameters = {"DeleteAssociatedSnapshots": True, "ImageId": image.image_id}
    return Action(target, "DeregisterImage", parameters, resource=image.image_id)


def add_name_holders(refused: Failure, holders: Sequence[Image]) -> Failure:
    """Return AWS's refusal of a name in use with the images that have the name."""
    if not holders:
        return refused
    described = ", ".join(f"{image.image_id} is {image.state}" for image in holders)
    ids = ", ".join(image.image_id for image in holders)
    return replace(
        refused,
        message=f"{refused.message.rstrip('.')}: {described}.",
        remedy=f"{refused.remedy} Or deregister {ids}.",
    )


def _removals(
    options: CopyOptions, current: CopyState, target: Target, unusable: tuple[Image, ...]
) -> tuple[Action, ...]:
    return tuple(
        removal(target, image)
        for image in unusable
        if image.state in FAILED_STATES and is_own(options, current, target, image)
    )


def _plan_target(options: CopyOptions, current: CopyState, target: Target) -> TargetPlan:
    if recalled := check_copies(current, target):
        return TargetPlan(target, refusals=recalled)
    existing = existing_copy(options, current, target)
    unusable = unusable_copies(current, target)
    warnings = tuple(
        f"The earlier copy {image.image_id} is {state_with_reason(image)}."
        for image in unusable
        if image.state in FAILED_STATES
    )
    if existing is None:
        return _plan_copy(options, current, target, unusable, warnings)
    cannot_share = tuple(check_shareable(current, target, existing)) if options.require_shareable else ()
    if existing == current.source_of(target):
        warnings += _source_key_warning(options, current, target)
        state = _state(existing)
        unchanged = TargetPlan(target, before=state, after=state, warnings=warnings, refusals=cannot_share)
        return unchanged.tolerate(options.best_effort_regions)
    tag_plan = _plan_tags(options, current, target, existing)
    others = [
        image.image_id
        for image in current.copies[target]
        if image.state in USABLE_STATES and image != existing and is_own(options, current, target, image)
    ]
    if others:
        warnings += (
            f"{existing.image_id} is kept as the copy; the source has other copies: {', '.join(others)}.",
        )
    refusals = (
        with_account(item, target, current.account_id) for item in (*tag_plan.refusals, *cannot_share)
    )
    target_plan = TargetPlan(
        target,
        actions=(*tag_plan.actions, *_removals(options, current, target, unusable)),
        before=tag_plan.before,
        after=tag_plan.after,
        refusals=tuple(refusals),
        warnings=warnings,
    )
    return target_plan.tolerate(options.best_effort_regions)


def _plan_copy(
    options: CopyOptions,
    current: CopyState,
    target: Target,
    unusable: tuple[Image, ...],
    warnings: tuple[str, ...],
) -> TargetPlan:
    refusals = tuple(
        with_account(item, target, current.account_id) for item in _refusals(options, current, target)
    )
    if refusals and target.region in options.best_effort_regions:
        return TargetPlan(target, warnings=warnings, tolerated=refusals)
    source_region, missing = (
        options.source_region_of(target.region),
        missing_access_of(options, current, target),
    )
    warnings += access_warnings(current.source_of(target), source_region, missing)
    warnings += encrypting.key_warnings(current.keys.get(target))
    actions = replacement(options, current, target, unusable)
    request = actions[0].parameters
    after = {
        "description": request["Description"],
        "image_id": KNOWN_AFTER_APPLY,
        "name": request["Name"],
        "snapshot_tags": dict(options.snapshot_tags or {}),
        "state": "available" if options.wait else "pending",
        "tags": image_tags(options, current.source_of(target)) or {},
    }
    if "KmsKeyId" in request:
        after["kms_key_arn"] = request["KmsKeyId"]
    refusals = (*check_request(request, target), *refusals)
    return TargetPlan(target, actions, before={}, after=after, warnings=warnings, refusals=refusals)


def _source_key_warning(options: CopyOptions, current: CopyState, target: Target) -> tuple[str, ...]:
    source = current.source_of(target)
    if has_desired_key(options, current, target, source):
        return ()
    key = current.keys.get(target)
    requested = f"under {key.arn}" if key else "as requested"
    warning = (
        f"The source {source.image_id} is not encrypted {requested}, and is used unchanged in its region. "
        "Set reencrypt_source: true to copy it there."
    )
    return (warning,)


def _refusals(options: CopyOptions, current: CopyState, target: Target) -> tuple[Failure, ...]:
    """Return what prevents the copy in this target alone. A best-effort region is then left out."""
    by_default = target in current.encrypted_by_default
    source, missing = current.source_of(target), missing_access_of(options, current, target)
    if in_s3 := check_root_device(target, source, options.source_region_of(target.region)):
        return in_s3
    key = encrypting.check_key(options.encryption, target, source, current.keys.get(target), by_default)
    access = check_access(target, source, options.source_region_of(target.region), missing)
    codes = check_product_codes(target, source, options.source_region_of(target.region))
    return (*key, *(codes or access), *_refuse_disabled(current, target))


def _refuse_disabled(current: CopyState, target: Target) -> tuple[Failure, ...]:
    ids = [image.image_id for image in current.copies[target] if image.state == "disabled"]
    if not ids:
        return ()
    return (
        Failure.at(
            target,
            "CopyImage",
            "copy_disabled",
            f"The copy {', '.join(ids)} is disabled.",
            "Enable it (EnableImage) or deregister it, then rerun.",
        ),
    )


def _plan_tags(options: CopyOptions, current: CopyState, target: Target, image: Image) -> TargetPlan:
    before = _state(image)
    if not is_own(options, current, target, image):
        return TargetPlan(target, before=before, after=before)
    actions: list[Action] = []
    refusals: tuple[Failure, ...] = ()
    after = dict(before)
    desired_tags = image_tags(options, current.source_of(target))
    if desired_tags is not None:
        actions += retag(target, image.image_id, image.tags, desired_tags, options.purge_tags)
        tags_after = _tags_after(image.tags, desired_tags, options.purge_tags)
        after["tags"] = tagging.user_tags(tags_after)
        refusals += _in_target(target, tagging.check_tag_count("tags", tags_after))
    if options.snapshot_tags is not None:
        snapshots = current.snapshots_of(target, image)
        before["snapshot_tags"] = {item.snapshot_id: tagging.user_tags(item.tags) for item in snapshots}
        after["snapshot_tags"] = {
            item.snapshot_id: tagging.user_tags(
                _tags_after(item.tags, options.snapshot_tags, options.purge_tags)
            )
            for item in snapshots
        }
        for snapshot in snapshots:
            actions += retag(
                target, snapshot.snapshot_id, snapshot.tags, options.snapshot_tags, options.purge_tags
            )
            tags_after = _tags_after(snapshot.tags, options.snapshot_tags, options.purge_tags)
            refusals += _in_target(target, tagging.check_tag_count("snapshot_tags", tags_after))
    return TargetPlan(target, tuple(actions), before, after, refusals=refusals)


def _in_target(target: Target, failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    return tuple(replace(failure, region=target.region, account_id=target.account_id) for failure in failures)


def retag(
    target: Target, resource: str, current: Mapping[str, str], desired: Mapping[str, str], purge: bool
) -> list[Action]:
    """Return the calls that set the desired tags on a resource. With ``purge``, they delete all others."""
    missing = tagging.differing_tags(current, desired)
    surplus = tagging.surplus_keys(current, desired) if purge else []
    actions = []
    # Delete first: together, old and new tags may exceed the quota of a resource.
    if surplus:
        parameters = {"Resources": [resource], "Tags": [{"Key": key} for key in surplus]}
        actions.append(Action(target, "DeleteTags", parameters, resource))
    if missing:
        parameters = {"Resources": [resource], "Tags": tagging.tag_list(missing)}
        actions.append(Action(target, "CreateTags", parameters, resource))
    return actions


def _tags_after(current: Mapping[str, str], desired: Mapping[str, str], purge: bool) -> dict[str, str]:
    deleted = tagging.surplus_keys(current, desired) if purge else []
    return {key: value for key, value in {**current, **desired}.items() if key not in deleted}


def _state(image: Image) -> dict[str, Any]:
    return {
        "description": image.description,
        "image_id": image.image_id,
        "name": image.name,
        "state": image.state,
        "tags": tagging.user_tags(image.tags),
    }
