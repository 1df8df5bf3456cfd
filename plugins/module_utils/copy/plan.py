# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans the copies: which to start, which to tag again, and which failed ones to deregister."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .. import tags as tagging
from ..failures import Failure
from ..keys import encryption as encrypting
from ..model import Image, Target
from ..plan import KNOWN_AFTER_APPLY, Action, Plan, TargetPlan
from .access import access_warnings, check_access, check_product_codes
from .checks import check_root_device, check_shareable, missing_access_of, with_account
from .options import CopyOptions
from .request import check_request, copy_request, image_tags
from .state import FAILED_STATES, USABLE_STATES, CopySeen


def plan(wanted: CopyOptions, seen: CopySeen) -> Plan:
    """The plan of every target that could be read; the others are tolerated."""
    return Plan(
        (
            *(_plan_target(wanted, seen, target) for target in sorted(seen.copies)),
            *(
                TargetPlan(Target(item.account_id or seen.account_id, item.region or ""), tolerated=(item,))
                for item in seen.unread
            ),
        )
    )


def existing_copy(wanted: CopyOptions, seen: CopySeen, target: Target) -> Image | None:
    """The target's existing image: the source itself, a copy that this collection made, or another copy."""
    source = seen.source_of(target)
    if seen.is_source(target, wanted.source_region_of(target.region)) and (
        not wanted.encryption.reencrypt_source or has_wanted_key(wanted, seen, target, source)
    ):
        return source
    usable = [
        image
        for image in seen.copies[target]
        if image.state in USABLE_STATES and has_wanted_key(wanted, seen, target, image)
    ]
    return min(usable, key=lambda image: _preference(wanted, seen, target, image), default=None)


def has_wanted_key(wanted: CopyOptions, seen: CopySeen, target: Target, image: Image) -> bool:
    """Whether the image is encrypted as requested for this target."""
    key = seen.keys.get(target)
    encrypted = key is not None or wanted.encryption.encrypts(target.region, seen.source_of(target))
    return encrypting.is_under(image, seen.snapshots_of(target, image), key, encrypted)


def unusable_copies(seen: CopySeen, target: Target) -> tuple[Image, ...]:
    """The target's copies that have failed or are deregistered."""
    unusable = (image for image in seen.copies[target] if image.state in FAILED_STATES | {"deregistered"})
    return tuple(sorted(unusable, key=lambda image: image.image_id))


def state_with_reason(image: Image) -> str:
    """The state of a failed image and AWS's reason, as in ``failed: Given key ID is not accessible``."""
    return f"{image.state}: {image.state_reason or 'AWS reports no reason'}"


def replacement(
    wanted: CopyOptions, seen: CopySeen, target: Target, unusable: tuple[Image, ...]
) -> tuple[Action, ...]:
    """Copy the source again, then deregister the ``unusable`` copies that failed.

    In this order, a run that is killed in between leaves the new copy, or at least the failed one, whose ID
    makes the client token of the next request a new one.
    """
    request = copy_request(wanted, seen.source_of(target), target, _ids(unusable), seen.keys.get(target))
    copy = Action(target, "CopyImage", request)
    return (copy, *_removals(wanted, seen, target, unusable))


def _ids(images: tuple[Image, ...]) -> tuple[str, ...]:
    return tuple(image.image_id for image in images)


def is_own(wanted: CopyOptions, seen: CopySeen, target: Target, image: Image) -> bool:
    """Whether this collection made ``image`` as a copy of the target's source."""
    source_region = wanted.source_region_of(target.region)
    return tagging.is_own_copy(image, seen.source_of(target).image_id, source_region)


def _preference(
    wanted: CopyOptions, seen: CopySeen, target: Target, image: Image
) -> tuple[bool, bool, str, str]:
    return (
        not is_own(wanted, seen, target, image),
        image.state != "available",
        image.creation_date,
        image.image_id,
    )


def removal(target: Target, image: Image) -> Action:
    """Deregister a failed copy and delete its snapshots."""
    parameters = {"DeleteAssociatedSnapshots": True, "ImageId": image.image_id}
    return Action(target, "DeregisterImage", parameters, resource=image.image_id)


def name_taken(refused: Failure, holders: Sequence[Image]) -> Failure:
    """``refused``, AWS's refusal of a name in use, with the images that have the name."""
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
    wanted: CopyOptions, seen: CopySeen, target: Target, unusable: tuple[Image, ...]
) -> tuple[Action, ...]:
    return tuple(
        removal(target, image)
        for image in unusable
        if image.state in FAILED_STATES and is_own(wanted, seen, target, image)
    )


def _plan_target(wanted: CopyOptions, seen: CopySeen, target: Target) -> TargetPlan:
    existing = existing_copy(wanted, seen, target)
    unusable = unusable_copies(seen, target)
    warnings = tuple(
        f"The earlier copy {image.image_id} is {state_with_reason(image)}."
        for image in unusable
        if image.state in FAILED_STATES
    )
    if existing is None:
        return _plan_copy(wanted, seen, target, unusable, warnings)
    cannot_share = tuple(check_shareable(seen, target, existing)) if wanted.require_shareable else ()
    if existing == seen.source_of(target):
        warnings += _source_key_warning(wanted, seen, target)
        state = _state(existing)
        as_it_is = TargetPlan(target, before=state, after=state, warnings=warnings, refusals=cannot_share)
        return as_it_is.tolerate(wanted.best_effort_regions)
    retag = _plan_tags(wanted, seen, target, existing)
    others = [
        image.image_id
        for image in seen.copies[target]
        if image.state in USABLE_STATES and image != existing and is_own(wanted, seen, target, image)
    ]
    if others:
        warnings += (
            f"{existing.image_id} is kept as the copy; the source has other copies: {', '.join(others)}.",
        )
    refusals = (with_account(item, target, seen.account_id) for item in (*retag.refusals, *cannot_share))
    target_plan = TargetPlan(
        target,
        actions=(*retag.actions, *_removals(wanted, seen, target, unusable)),
        before=retag.before,
        after=retag.after,
        refusals=tuple(refusals),
        warnings=warnings,
    )
    return target_plan.tolerate(wanted.best_effort_regions)


def _plan_copy(
    wanted: CopyOptions,
    seen: CopySeen,
    target: Target,
    unusable: tuple[Image, ...],
    warnings: tuple[str, ...],
) -> TargetPlan:
    refusals = tuple(with_account(item, target, seen.account_id) for item in _refusals(wanted, seen, target))
    if refusals and target.region in wanted.best_effort_regions:
        return TargetPlan(target, warnings=warnings, tolerated=refusals)
    source_region, missing = wanted.source_region_of(target.region), missing_access_of(wanted, seen, target)
    warnings += access_warnings(seen.source_of(target), source_region, missing)
    warnings += encrypting.key_warnings(seen.keys.get(target))
    actions = replacement(wanted, seen, target, unusable)
    request = actions[0].parameters
    after = {
        "description": request["Description"],
        "image_id": KNOWN_AFTER_APPLY,
        "name": request["Name"],
        "snapshot_tags": dict(wanted.snapshot_tags or {}),
        "state": "available" if wanted.wait else "pending",
        "tags": image_tags(wanted, seen.source_of(target)) or {},
    }
    if "KmsKeyId" in request:
        after["kms_key_arn"] = request["KmsKeyId"]
    refusals = (*check_request(request, target), *refusals)
    return TargetPlan(target, actions, before={}, after=after, warnings=warnings, refusals=refusals)


def _source_key_warning(wanted: CopyOptions, seen: CopySeen, target: Target) -> tuple[str, ...]:
    source = seen.source_of(target)
    if has_wanted_key(wanted, seen, target, source):
        return ()
    key = seen.keys.get(target)
    requested = f"under {key.arn}" if key else "as requested"
    warning = (
        f"The source {source.image_id} is not encrypted {requested}, and is used unchanged in its region. "
        "Set reencrypt_source: true to copy it there."
    )
    return (warning,)


def _refusals(wanted: CopyOptions, seen: CopySeen, target: Target) -> tuple[Failure, ...]:
    """What prevents the copy in this target alone; a best-effort region is then left out."""
    by_default = target in seen.encrypted_by_default
    source, missing = seen.source_of(target), missing_access_of(wanted, seen, target)
    if in_s3 := check_root_device(target, source, wanted.source_region_of(target.region)):
        return in_s3
    key = encrypting.check_key(wanted.encryption, target, source, seen.keys.get(target), by_default)
    access = check_access(target, source, wanted.source_region_of(target.region), missing)
    codes = check_product_codes(target, source, wanted.source_region_of(target.region))
    return (*key, *(codes or access), *_disabled(seen, target))


def _disabled(seen: CopySeen, target: Target) -> tuple[Failure, ...]:
    ids = [image.image_id for image in seen.copies[target] if image.state == "disabled"]
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


def _plan_tags(wanted: CopyOptions, seen: CopySeen, target: Target, image: Image) -> TargetPlan:
    before = _state(image)
    if not is_own(wanted, seen, target, image):
        return TargetPlan(target, before=before, after=before)
    actions: list[Action] = []
    refusals: tuple[Failure, ...] = ()
    after = dict(before)
    image_wants = image_tags(wanted, seen.source_of(target))
    if image_wants is not None:
        actions += retag(target, image.image_id, image.tags, image_wants, wanted.purge_tags)
        tags_after = _tags_after(image.tags, image_wants, wanted.purge_tags)
        after["tags"] = tagging.user_tags(tags_after)
        refusals += _in_target(target, tagging.check_tag_count("tags", tags_after))
    if wanted.snapshot_tags is not None:
        snapshots = seen.snapshots_of(target, image)
        before["snapshot_tags"] = {item.snapshot_id: tagging.user_tags(item.tags) for item in snapshots}
        after["snapshot_tags"] = {
            item.snapshot_id: tagging.user_tags(
                _tags_after(item.tags, wanted.snapshot_tags, wanted.purge_tags)
            )
            for item in snapshots
        }
        for snapshot in snapshots:
            actions += retag(
                target, snapshot.snapshot_id, snapshot.tags, wanted.snapshot_tags, wanted.purge_tags
            )
            tags_after = _tags_after(snapshot.tags, wanted.snapshot_tags, wanted.purge_tags)
            refusals += _in_target(target, tagging.check_tag_count("snapshot_tags", tags_after))
    return TargetPlan(target, tuple(actions), before, after, refusals=refusals)


def _in_target(target: Target, failures: tuple[Failure, ...]) -> tuple[Failure, ...]:
    return tuple(replace(failure, region=target.region, account_id=target.account_id) for failure in failures)


def retag(
    target: Target, resource: str, current: Mapping[str, str], wanted: Mapping[str, str], purge: bool
) -> list[Action]:
    """The calls that set the wanted tags on a resource; with ``purge``, they also delete all other tags."""
    missing = tagging.differing_tags(current, wanted)
    surplus = tagging.surplus_keys(current, wanted) if purge else []
    actions = []
    # Delete first: together, old and new tags may exceed the quota of a resource.
    if surplus:
        parameters = {"Resources": [resource], "Tags": [{"Key": key} for key in surplus]}
        actions.append(Action(target, "DeleteTags", parameters, resource))
    if missing:
        parameters = {"Resources": [resource], "Tags": tagging.tag_list(missing)}
        actions.append(Action(target, "CreateTags", parameters, resource))
    return actions


def _tags_after(current: Mapping[str, str], wanted: Mapping[str, str], purge: bool) -> dict[str, str]:
    deleted = tagging.surplus_keys(current, wanted) if purge else []
    return {key: value for key, value in {**current, **wanted}.items() if key not in deleted}


def _state(image: Image) -> dict[str, Any]:
    return {
        "description": image.description,
        "image_id": image.image_id,
        "name": image.name,
        "state": image.state,
        "tags": tagging.user_tags(image.tags),
    }
