# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plan how images of a release are blocked, so that no account launches them, and opened again.

The permissions of an image, and of its snapshots, are removed. DisableImage removes launch permissions, too,
and EnableImage does not give them back (EC2 API Reference, DisableImage, EnableImage). Keys stay as they are:
instances that run need them. Images that consumers have made from the release are only disabled: their owner
launches them without permissions, and only the owner can disable an image.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .._cleanup.managed import find_image_manager
from .._failures import Failure
from .._model import ImageRef, Sharing, SnapshotRef, Target
from .._plan import Action, TargetPlan
from .._publish.state import TargetState
from .._share.plan import image_actions, snapshot_actions
from .._share.state import Shared
from .breaking import (
    Breaking,
    find_breaking,
    refuse_breaking,
    warn_of_copies,
    warn_of_others,
    warn_of_unread_accounts,
    warn_of_uses,
)
from .options import DISABLE, RecallOptions
from .record import Access
from .state import RecallState


@dataclass(frozen=True)
class ImagePlan:
    """The calls that block an image or open it again.

    ``taken`` is what a block takes. ``launch`` is who can launch the image after the calls. ``left`` is why
    an image is not blocked or opened; ``warnings`` are about what it does not get back.
    """

    ref: ImageRef
    planned: TargetPlan
    taken: Access
    launch: Sharing = field(default_factory=Sharing)
    left: str = ""
    warnings: tuple[str, ...] = ()
    failures: tuple[Failure, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return the calls in their order."""
        return self.planned.actions


@dataclass(frozen=True)
class ImagePlans:
    """The plans of all images, who could not launch them any more, and why they are not blocked."""

    plans: tuple[ImagePlan, ...] = ()
    breaking: tuple[Breaking, ...] = ()
    refusals: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def failures(self) -> tuple[Failure, ...]:
        """Return why images are not blocked."""
        return (*self.refusals, *(failure for plan in self.plans for failure in plan.failures))

    @property
    def warnings(self) -> tuple[str, ...]:
        """Return the warnings about images."""
        return (*self.notes, *(warning for plan in self.plans for warning in plan.warnings))


def plan_images(options: RecallOptions, current: RecallState, is_moving: bool) -> ImagePlans:
    """Plan to block the images, unless that breaks a consumer who is not confirmed, or to open them again.

    ``is_moving`` is whether the task moves pointers.
    """
    if not options.is_recall:
        return ImagePlans(plan_openings(current.to_open, current.access))
    if not options.blocks:
        return ImagePlans()
    disables = options.block_method == DISABLE
    blocked = [taken.ref for taken in current.to_open if taken.disabled]
    plans = plan_blocks(current.account_id, current.access, disables, current.others, blocked)
    losing = find_losing(plans)
    breaking = find_breaking(
        current.account_id, losing, options.adoption_result, options.accept_breaking, current.copies
    )
    # What check mode does not move still launches the release.
    was_moving = options.withdrawal_result is not None and options.withdrawal_result.moves
    is_early = options.check_mode and (is_moving or was_moving)
    refusals = tuple(refuse_breaking(breaking, is_early))
    notes = (
        *(warn_of_uses(breaking) if is_early else ()),
        *(warn_of_others(breaking, options.accept_breaking) if refusals else ()),
        *warn_of_copies(
            options.adoption_result,
            {*current.release.images, *current.release.refs, *current.copies},
            options.block_consumer_copies,
        ),
        *(
            warn_of_unread_accounts(options.adoption_result, options.account_ids)
            if options.block_consumer_copies
            else ()
        ),
    )
    return ImagePlans(() if refusals else plans, breaking, refusals, notes)


def plan_blocks(
    account_id: str,
    access: Mapping[ImageRef, Shared],
    disables: bool,
    others: Mapping[SnapshotRef, str] | None = None,
    blocked: Collection[ImageRef] = (),
) -> tuple[ImagePlan, ...]:
    """Plan to block each image; without calls if it is blocked already.

    ``disables`` is whether images of ``account_id`` are disabled; those of other accounts always are. One
    that is pending cannot be yet. ``others`` are snapshots that another image has, which needs their
    permissions: they keep them. ``blocked`` are images that earlier runs have disabled.
    """
    return tuple(
        _plan_block(ref, access[ref], disables, others or {})
        if access[ref].image.owner_id == account_id
        else _plan_copy(ref, access[ref], ref in blocked)
        for ref in sorted(access)
    )


def _plan_copy(ref: ImageRef, shared: Shared, is_blocked: bool) -> ImagePlan:
    """Plan to disable an image of another account, unless another service manages it.

    A backup that is disabled could not be restored.
    """
    state, manager = shared.image.state, find_image_manager(shared.image)
    if state == "available" and not manager:
        return _plan_block(ref, shared, True, {})
    target, left = Target(shared.image.owner_id, ref.region), ""
    if manager:
        left = f"is managed by {manager}"
    elif state == "disabled":
        left = "" if is_blocked else "is disabled, not by the recall"
    elif state != "pending":
        left = f"is {state}"
    failures = () if left or state == "disabled" else (_report_pending(target, ref),)
    return ImagePlan(ref, TargetPlan(target), Access(ref, target.account_id), left=left, failures=failures)


def _plan_block(
    ref: ImageRef, shared: Shared, disables: bool, others: Mapping[SnapshotRef, str]
) -> ImagePlan:
    target = Target(shared.image.owner_id, ref.region)
    kept = {
        name: others[snapshot]
        for name, sharing in shared.volume_permissions.items()
        if sharing and (snapshot := SnapshotRef(ref.region, name)) in others
    }
    is_disabling = disables and shared.image.state == "available"
    closing = tuple(image_actions(target, shared, Sharing(), "Remove"))
    if is_disabling:
        closing = (Action(target, "DisableImage", {"ImageId": ref.image_id}, ref.image_id),)
    taken = {name: item for name, item in shared.volume_permissions.items() if name not in kept}
    closed = dict.fromkeys(taken, Sharing())
    # What launches is stopped first, then copies.
    actions = (*closing, *snapshot_actions(target, shared, closed, "Remove"))
    state = "disabled" if is_disabling else shared.image.state
    before = _describe(ref, shared.image.state, shared.launch, shared.volume_permissions)
    after = _describe(ref, state, Sharing(), {**shared.volume_permissions, **closed})
    is_early = disables and shared.image.state == "pending"
    return ImagePlan(
        ref,
        TargetPlan(target, actions, before, after) if actions else TargetPlan(target),
        Access(ref, target.account_id, shared.launch, taken, is_disabling),
        warnings=tuple(_warn_of_kept(ref, kept)),
        failures=(_report_pending(target, ref),) if is_early else (),
    )


def find_losing(plans: Iterable[ImagePlan]) -> dict[ImageRef, Sharing]:
    """Return who cannot launch each image any more: its owner, too, if it is disabled."""
    losing = {
        taken.ref: taken.launch | Sharing(frozenset({taken.account_id}))
        if taken.disabled
        else taken.launch.without(taken.account_id)
        for taken in (plan.taken for plan in plans if plan.actions)
    }
    return {ref: sharing for ref, sharing in losing.items() if sharing}


def plan_openings(blocked: Iterable[Access], access: Mapping[ImageRef, Shared]) -> tuple[ImagePlan, ...]:
    """Plan to give back all that a recall has taken, but nothing to all accounts.

    Also what is there: AWS may still return permissions that a run removes or has just removed. An image that
    is not in ``access`` does not exist any more. One that is not available stays, and its recall open.
    """
    return tuple(_plan_opening(taken, access.get(taken.ref)) for taken in blocked)


def _plan_opening(taken: Access, shared: Shared | None) -> ImagePlan:
    ref, target = taken.ref, Target(taken.account_id, taken.ref.region)
    state = shared.image.state if shared else "deregistered"
    is_enabling = taken.disabled and state == "disabled"
    if shared is None or state == "deregistered":
        return ImagePlan(ref, TargetPlan(target), taken, left="does not exist any more")
    if not (is_enabling or state == "available"):
        left = "is disabled, not by the recall" if state == "disabled" else f"is {state}"
        failure = _report_unavailable(target, "ModifyImageAttribute", f"{ref.image_id} {left}")
        return ImagePlan(ref, TargetPlan(target), taken, left=left, failures=(failure,))
    given = replace(
        shared,
        launch=replace(taken.launch, public=False),
        volume_permissions={
            name: replace(taken.volume_permissions.get(name, Sharing()), public=False)
            for name in shared.volume_permissions
        },
    )
    launch = shared.launch | given.launch
    volumes = {
        name: current | given.volume_permissions[name] for name, current in shared.volume_permissions.items()
    }
    none = replace(shared, launch=Sharing(), volume_permissions=dict.fromkeys(volumes, Sharing()))
    enabling = [Action(target, "EnableImage", {"ImageId": ref.image_id}, ref.image_id)] if is_enabling else []
    # As they are shared: snapshots first, so that who sees the image can copy it.
    actions = (
        *enabling,
        *snapshot_actions(target, none, given.volume_permissions, "Add"),
        *image_actions(target, none, given.launch, "Add"),
    )
    planned = TargetPlan(
        target,
        actions,
        _describe(ref, state, shared.launch, shared.volume_permissions),
        _describe(ref, "available", launch, volumes),
    )
    return ImagePlan(
        ref,
        planned if actions else TargetPlan(target),
        taken,
        launch,
        warnings=tuple(_warn_of_public(taken, shared)),
    )


def _warn_of_public(taken: Access, shared: Shared) -> Iterator[str]:
    was_public = {taken.ref.image_id: taken.launch, **taken.volume_permissions}
    current = {taken.ref.image_id: shared.launch, **shared.volume_permissions}
    names = [name for name, sharing in was_public.items() if sharing.public and name in current]
    if lost := [name for name in names if not current[name].public]:
        yield (
            f"{', '.join(lost)} in {taken.ref.region} was public before the recall, and is not made public "
            "again. Use ami_share with allow_public: true if it must be."
        )


def open_state(
    state: TargetState,
    target: Target,
    plans: Iterable[ImagePlan],
    access: Mapping[ImageRef, Shared],
) -> TargetState:
    """Return a target that sees the images as it will when they are opened again.

    ``access`` is as their owners see them.
    """
    named = dict(state.named)
    for plan in plans:
        name, is_own = plan.ref.image_id, target.account_id == plan.taken.account_id
        if plan.left or plan.ref.region != target.region:
            continue
        if is_own or (name not in named and _may_launch(plan.launch, target.account_id)):
            named[name] = replace(access[plan.ref].image, state="available")
    return replace(state, named=named)


def _may_launch(sharing: Sharing, account_id: str) -> bool:
    """Whether an account may have launch permission: which accounts an organization has is not known."""
    return bool(account_id in sharing.account_ids or sharing.org_arns or sharing.org_unit_arns)


def _warn_of_kept(ref: ImageRef, kept: Mapping[str, str]) -> Iterator[str]:
    for name, other in kept.items():
        yield (
            f"{name} in {ref.region} keeps its permissions to create volumes: {other}, which is not of the "
            f"release, has it, too. {ref.image_id} itself is blocked."
        )


def _report_pending(target: Target, ref: ImageRef) -> Failure:
    return _report_unavailable(target, "DisableImage", f"{ref.image_id} is pending")


def _report_unavailable(target: Target, operation: str, problem: str) -> Failure:
    what = "be disabled yet" if operation == "DisableImage" else "get its permissions back"
    return Failure.at(
        target,
        operation,
        "image_not_available",
        f"{problem}, so that it cannot {what}.",
        "Wait until it is available, enable it (EnableImage) or deregister it, and rerun.",
    )


def _describe(
    ref: ImageRef, state: str, launch: Sharing, volume_permissions: Mapping[str, Sharing]
) -> dict[str, Any]:
    """Return an image in the form in which a diff has it."""
    return {
        "images": {
            ref.image_id: {
                "launch_permissions": launch.to_dict(),
                "state": state,
                "volume_permissions": {
                    name: {"account_ids": sorted(sharing.account_ids), "public": sharing.public}
                    for name, sharing in volume_permissions.items()
                },
            }
        }
    }
