# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_restore``: restores retired images and their permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .._aws import errors, read
from .._aws.clients import Clients
from .._aws.write import merge, perform_all
from .._cleanup.stages import RESTORE_TAG
from .._cleanup.tombstone import TombstoneHistory
from .._failures import CONSUMER_REJECTED, Failure
from .._fanout import map_parallel
from .._model import Image, ImageRef, Target
from .._plan import Performed
from .._progress import Report
from .._runner import Flow, Outcome
from .._share.public import add_unknown_access
from .._share.write import close, perform_or_close, wait_until_returned
from .options import RestoreOptions
from .plan import ImagePlan, RestorePlan, leave_out_rejected, list_open_resources, plan, plan_image
from .read import (
    find_public_resources,
    get_client,
    read_image,
    read_region,
    read_state,
    wait_for_image,
    wait_for_snapshots,
    wait_until_available,
)
from .state import RestoreState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_INVALID_ACCOUNT = (
    "All other entries were applied. If another account replaces this one, share with it (ami_share)."
)


@dataclass(frozen=True)
class _Restored:
    """The results of one region; ``plans`` are the final plans of the images that were restored."""

    performed: Performed = field(default_factory=Performed)
    plans: Mapping[str, ImagePlan] = field(default_factory=dict)


def apply(
    clients: Clients, options: RestoreOptions, current: RestoreState, plan: RestorePlan, report: Report
) -> Outcome:
    """Perform the plan in all regions at the same time.

    An image that comes out of the Recycle Bin is read and planned again, for its actual permissions and tags.
    Restored permissions are read back, at most for a minute.
    """
    targets = [target.target for target in plan.targets]

    def restore(target: Target) -> _Restored:
        parts: list[Performed] = []
        plans: dict[str, ImagePlan] = {}
        for image in plan.images:
            if image.ref.region == target.region:
                done, final = _restore_or_close(clients, options, current, image)
                parts.append(done)
                # An image without some of its permissions is restored.
                if all(failure.error_code == CONSUMER_REJECTED for failure in done.failures):
                    plans[image.ref.image_id] = leave_out_rejected(final, done.failures)
        return _Restored(merge(*parts), plans)

    done, failed = map_parallel(targets, restore)
    known = {*plan.warnings}
    performed = tuple(action for restored in done.values() for action in restored.performed.actions)
    # Only public access is ever removed: what a restore that failed had opened.
    not_removed, not_returned = wait_until_returned(partial(get_client, clients), performed)
    return Outcome(
        performed=performed,
        failures=(
            *(_add_remedy(failure) for restored in done.values() for failure in restored.performed.failures),
            *(errors.failure(exception, target, "EnableImage") for target, exception in failed.items()),
            *not_removed,
        ),
        warnings=(
            *(
                warning
                for restored in done.values()
                for final in restored.plans.values()
                for warning in final.warnings
                if not any(warning in text for text in known)
            ),
            *not_returned,
        ),
        state={target: done[target].plans if target in done else {} for target in targets},
    )


def result(
    options: RestoreOptions, current: RestoreState, plan: RestorePlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the module's own return values; images that failed are missing."""
    images = plan.images
    if outcome.state:
        final = [outcome.state[current.target(image.ref)].get(image.ref.image_id) for image in plan.images]
        images = tuple(image for image in final if image is not None)
    return {"results": [_image_to_dict(current, image) for image in images]}


FLOW: Flow[RestoreOptions, RestoreState] = Flow(
    RestoreOptions, read_state, plan, apply, result, policy="restore"
)


def _restore_or_close(
    clients: Clients, options: RestoreOptions, current: RestoreState, plan: ImagePlan
) -> tuple[Performed, ImagePlan]:
    """Restore one image; if that fails, close what came out of the Recycle Bin and is public.

    Its snapshots come out before it, with the permissions that they had (EBS User Guide, "Considerations for
    Recycle Bin").
    """
    done, final = _restore(clients, options, current, plan)
    if not (options.allow_public and done.stops):
        return done, final
    ec2, target = clients.ec2(plan.ref.region), current.target(plan.ref)
    restored = list_open_resources(done.actions)
    public, unread = find_public_resources(ec2, restored)
    failures = done.failures
    if unread:
        failures = (*failures[:-1], add_unknown_access(failures[-1], unread))
    return close(ec2, target, replace(done, failures=failures), public), final


def _restore(
    clients: Clients, options: RestoreOptions, current: RestoreState, plan: ImagePlan
) -> tuple[Performed, ImagePlan]:
    """Restore one image, and return what was done and the plan as it was in the end."""
    ec2, target = clients.ec2(plan.ref.region), current.target(plan.ref)
    done = perform_all(ec2, plan.restore_snapshots)
    if done.failures:
        return done, plan
    if plan.restore_image:
        try:
            binned_snapshots = current.images[plan.ref].binned_snapshots
            if binned_snapshots:
                wait_for_snapshots(ec2, binned_snapshots)
            done = merge(done, perform_all(ec2, plan.restore_image))
            if done.failures:
                return done, plan
            done = merge(done, _mark_image(ec2, plan, target))
            if done.failures:
                return done, plan
            plan = replace(
                _plan_again(clients, options, current, plan.ref),
                previous_state=plan.previous_state,
                restore_image=plan.restore_image,
            )
        except errors.AWS_ERRORS as exception:
            failure = errors.failure(exception, target, "RestoreImageFromRecycleBin")
            return merge(done, Performed(failures=(failure,))), plan
        if plan.refusals:
            return merge(done, Performed(failures=plan.refusals)), plan
    return merge(done, _perform_finish(clients, plan, target)), plan


def _mark_image(ec2: EC2Client, plan: ImagePlan, target: Target) -> Performed:
    """Set RESTORE_TAG on an image from the Recycle Bin, and wait until EC2 lists it.

    An image that was deregistered during a restore has the tag already: it shows which permissions it lacks.
    """
    image_id = plan.ref.image_id
    listed_image = _find_listed(ec2, image_id)
    if listed_image is not None:
        return Performed() if RESTORE_TAG in listed_image.tags else perform_all(ec2, plan.mark)
    done = perform_all(ec2, plan.mark)
    try:
        wait_for_image(ec2, image_id)
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, target, "RestoreImageFromRecycleBin")
        return merge(done, Performed(failures=(failure,)))
    # EC2 may refuse to tag an image that it does not list yet.
    return perform_all(ec2, plan.mark) if done.failures else done


def _find_listed(ec2: EC2Client, image_id: str) -> Image | None:
    """Return the image if EC2 lists it. A failed read is made again, after the tag is set."""
    try:
        return read.image(ec2, image_id)
    except errors.AWS_ERRORS:
        return None


def _perform_finish(clients: Clients, plan: ImagePlan, target: Target) -> Performed:
    """Perform the calls for a registered image, and wait until it is available if one enables it."""
    ec2 = clients.ec2(plan.ref.region)
    done = perform_all(ec2, plan.enabling)
    if done.failures:
        return done
    if plan.enabling:
        try:
            wait_until_available(ec2, plan.ref.image_id)
        except errors.AWS_ERRORS as exception:
            return merge(done, Performed(failures=(errors.failure(exception, target, "EnableImage"),)))
    return merge(done, perform_or_close(ec2, plan.after_enabling))


def _plan_again(clients: Clients, options: RestoreOptions, current: RestoreState, ref: ImageRef) -> ImagePlan:
    """Return the plan for an image that has come out of the Recycle Bin, from its actual state."""
    history = current.histories.get(ref, TombstoneHistory())
    region = read_region(clients.ec2(ref.region), options, current.account_id, {ref.image_id: history})
    state = read_image(clients, options, current.account_id, ref, region, history)
    state = replace(state, binned_at=current.images[ref].binned_at)
    return plan_image(options, replace(current, images={ref: state}), ref, restored=True)


def _add_remedy(failure: Failure) -> Failure:
    return replace(failure, remedy=_INVALID_ACCOUNT) if failure.error_code == CONSUMER_REJECTED else failure


def _image_to_dict(current: RestoreState, plan: ImagePlan) -> dict[str, Any]:
    return {
        "account_id": current.account_id,
        "changed": bool(plan.actions),
        "deprecation_time": plan.after.get("deprecation_time"),
        "previous_state": plan.previous_state,
        "image_id": plan.ref.image_id,
        "launch_permissions": plan.after.get("launch_permissions"),
        "region": plan.ref.region,
        "tombstone": plan.tombstone,
        "volume_permissions": plan.after.get("volume_permissions"),
    }
