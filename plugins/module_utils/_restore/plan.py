# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Plans how retired images are restored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from .._cleanup.snapshots import SNAPSHOT_TAG, list_marked_images
from .._cleanup.stages import (
    DEPRECATION_TAG,
    DISABLE,
    MARKS,
    RESTORE_TAG,
    STAGE_TAGS,
    find_former_deprecation,
    has_lost_permissions,
    is_own_deprecation,
    parse_time,
)
from .._cleanup.state import OwnSnapshot
from .._cleanup.tombstone import Tombstone, TombstoneHistory
from .._failures import Failure
from .._model import Image, ImageRef, Sharing, Target
from .._plan import Action, Plan, TargetPlan
from .._share.plan import image_actions, snapshot_actions
from .._share.public import closes, split_opening
from .._share.state import Shared
from .._tags import tag_list
from .checks import (
    find_binned_tags,
    list_public_refusals,
    list_refusals,
    list_tag_refusals,
    may_lack_permissions,
    render_restore_command,
)
from .options import RestoreOptions
from .state import RECYCLE_BIN, ImageState, RestoreState


@dataclass(frozen=True)
class ImagePlan:
    """The plan of one image, in four parts that are performed one after the other.

    ``restore_snapshots`` and ``restore_image`` take them out of the Recycle Bin. ``mark`` sets RESTORE_TAG:
    the image may come back disabled, and the days of its next stage may be over, so that a cleanup would
    deregister it again before the restore is complete. ``finish`` are the calls for the registered image.

    ``previous_state`` is what the image was before, ``tombstone`` the time of the tombstone whose permissions
    it gets. ``after`` is empty if it cannot be known: for an image in the Recycle Bin AWS returns its name
    and times, not its permissions (EC2 API Reference, ListImagesInRecycleBin).
    """

    ref: ImageRef
    previous_state: str
    restore_snapshots: tuple[Action, ...] = ()
    restore_image: tuple[Action, ...] = ()
    mark: tuple[Action, ...] = ()
    finish: tuple[Action, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    tombstone: str | None = None
    warnings: tuple[str, ...] = ()
    refusals: tuple[Failure, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Return every call, in order."""
        return (*self.restore_snapshots, *self.restore_image, *self.mark, *self.finish)

    @property
    def enabling(self) -> tuple[Action, ...]:
        """Return the calls of ``finish`` up to EnableImage, after which the image has to become available."""
        operations = [action.operation for action in self.finish]
        return self.finish[: operations.index("EnableImage") + 1] if "EnableImage" in operations else ()

    @property
    def after_enabling(self) -> tuple[Action, ...]:
        """Return the other calls of ``finish``, for an available image."""
        return self.finish[len(self.enabling) :]


@dataclass(frozen=True)
class RestorePlan(Plan):
    """The plans of all regions, and those of their images."""

    images: tuple[ImagePlan, ...] = ()


@dataclass(frozen=True)
class _Permissions:
    """The permissions that an image and its snapshots get.

    ``tombstone`` is the one that they come from, None if they stay as they are.
    """

    launch: Sharing
    volume_permissions: Mapping[str, Sharing]
    tombstone: Tombstone | None = None


def plan(options: RestoreOptions, current: RestoreState) -> RestorePlan:
    """Plan every image, one after the other within a region."""
    images: list[ImagePlan] = []
    planned: set[tuple[str, str]] = set()
    for ref in sorted(options.images):
        image = plan_image(options, current, ref)
        # A snapshot that two images share is restored once.
        fresh = [
            action for action in image.restore_snapshots if (ref.region, str(action.resource)) not in planned
        ]
        planned.update((ref.region, str(action.resource)) for action in fresh)
        images.append(replace(image, restore_snapshots=tuple(fresh)))
    targets = tuple(
        _plan_region(current.target(ref), [image for image in images if image.ref.region == ref.region])
        for ref in {ref.region: ref for ref in sorted(options.images)}.values()
    )
    if targets and current.unreadable:
        targets = (replace(targets[0], warnings=(*targets[0].warnings, *current.unreadable)), *targets[1:])
    return RestorePlan(targets, tuple(images))


def plan_image(
    options: RestoreOptions, current: RestoreState, ref: ImageRef, *, restored: bool = False
) -> ImagePlan:
    """Plan one image; the last tombstone predicts how it comes out of the Recycle Bin.

    ``restored`` means that it has just come out of the Recycle Bin.
    """
    target, state = current.target(ref), current.images[ref]
    history = current.histories.get(ref, TombstoneHistory())
    reasons = tuple(list_refusals(options, target, ref, state, history))
    if reasons:
        return ImagePlan(ref, "", refusals=reasons)
    mark = {RESTORE_TAG: _choose_mark_value(options, state, history)}
    if state.image is not None:
        # AWS may not return the tag yet that it has got right after the Recycle Bin.
        tags = {**mark, **state.image.tags} if restored else state.image.tags
        image = replace(state.image, tags=tags)
        return _plan_registered(options, target, state, image, history, current.now, restored=restored)
    out_of_bin = ImagePlan(
        ref,
        RECYCLE_BIN,
        restore_snapshots=tuple(
            Action(target, "RestoreSnapshotFromRecycleBin", {"SnapshotId": snapshot_id}, snapshot_id)
            for snapshot_id in state.binned_snapshots
        ),
        restore_image=(
            Action(target, "RestoreImageFromRecycleBin", {"ImageId": ref.image_id}, ref.image_id),
        ),
        mark=(_create_tags(target, ref.image_id, mark),),
        before={"state": RECYCLE_BIN},
    )
    if history.last is None:
        return replace(out_of_bin, finish=(_delete_tags(target, [ref.image_id], mark),))
    image = _predict_image(history, history.last, target)
    image = replace(image, tags={**find_binned_tags(state, history.last), **mark})
    predicted = _predict_state(state, image, history.last)
    later = _plan_registered(options, target, predicted, image, history, current.now, restored=True)
    return replace(
        later,
        previous_state=out_of_bin.previous_state,
        restore_snapshots=out_of_bin.restore_snapshots,
        restore_image=out_of_bin.restore_image,
        mark=out_of_bin.mark,
        before=out_of_bin.before,
    )


def leave_out_rejected(plan: ImagePlan, rejections: Iterable[Failure]) -> ImagePlan:
    """Return the plan, whose result does not have the accounts and organizations that AWS rejected."""
    failures = tuple(rejections)

    def drop_rejected(operation: str, permissions: Mapping[str, Any]) -> dict[str, Any]:
        refused = [failure for failure in failures if failure.action == operation]
        return {
            key: [consumer for consumer in value if not any(failure.rejects(consumer) for failure in refused)]
            if isinstance(value, list)
            else value
            for key, value in permissions.items()
        }

    if not failures:
        return plan
    volume_permissions = plan.after["volume_permissions"]
    after = {
        **plan.after,
        "launch_permissions": drop_rejected("ModifyImageAttribute", plan.after["launch_permissions"]),
        "volume_permissions": volume_permissions
        and {
            snapshot_id: drop_rejected("ModifySnapshotAttribute", permissions)
            for snapshot_id, permissions in volume_permissions.items()
        },
    }
    return replace(plan, after=after)


def list_open_resources(performed: Iterable[Action]) -> tuple[str, ...]:
    """Return what came out of the Recycle Bin and was not closed since, the image first."""
    actions = tuple(performed)
    closed = {action.resource for action in actions if closes(action)}
    restored = [action.resource for action in actions if action.operation.endswith("FromRecycleBin")]
    return tuple(
        resource for resource in reversed(restored) if resource is not None and resource not in closed
    )


def _plan_region(target: Target, images: Iterable[ImagePlan]) -> TargetPlan:
    image_plans = list(images)
    return TargetPlan(
        target,
        actions=tuple(action for image in image_plans for action in image.actions),
        before={image.ref.image_id: dict(image.before) for image in image_plans},
        after={image.ref.image_id: dict(image.after) for image in image_plans},
        warnings=tuple(dict.fromkeys(warning for image in image_plans for warning in image.warnings)),
        refusals=tuple(refusal for image in image_plans for refusal in image.refusals),
    )


def _plan_registered(
    options: RestoreOptions,
    target: Target,
    state: ImageState,
    image: Image,
    history: TombstoneHistory,
    now: datetime,
    *,
    restored: bool,
) -> ImagePlan:
    """Plan how a registered image becomes what it was before the cleanup."""
    # Whether the image was moved to the Recycle Bin by the deregistration of the last tombstone.
    retired = restored and history.is_of_deregistration(state.binned_at)
    permissions = _find_permissions(options, state, image, history, retired=retired)
    after = _finish_image(image, state.launch, now)
    finish = tuple(_list_finishing_actions(target, state, image, after, permissions))
    return ImagePlan(
        ImageRef(target.region, image.image_id),
        image.state,
        finish=finish,
        before=_render_image(
            image, state.launch, state.volume_permissions if options.restore_permissions else None
        ),
        after=_render_image(
            after,
            permissions.launch,
            permissions.volume_permissions if options.restore_permissions else None,
        ),
        tombstone=permissions.tombstone.written_at if permissions.tombstone else None,
        warnings=(
            *_warn_of_old_tombstone(image, permissions.tombstone, retired=retired),
            *_warn_of_private(options, state, image, permissions.tombstone),
            *_warn_of_archive(state, image, target.region),
            *_warn_of_deprecation(state, image),
        ),
        refusals=(
            *list_public_refusals(state, image, permissions.launch, permissions.volume_permissions, target),
            *list_tag_refusals(image, finish, target),
        ),
    )


def _list_finishing_actions(
    target: Target, state: ImageState, image: Image, after: Image, permissions: _Permissions
) -> Iterator[Action]:
    """Yield the calls that a registered image needs to become ``after``, in this order:

    =======================  ==============================================================================
    Call                     Made if
    =======================  ==============================================================================
    CreateTags               permissions are missing, and RESTORE_TAG does not name their tombstone yet
    EnableImage              the image is disabled
    DisableImageDeprecation  a cleanup deprecated the image, and it is not public
    EnableImageDeprecation   instead, if the image had a later date before
    ModifySnapshotAttribute  the tombstone has permissions that a snapshot lacks
    ModifyImageAttribute     the tombstone has permissions that the image lacks
    ModifySnapshotAttribute  it says that the snapshot was public, which AWS may refuse for its image
    DeleteTags (snapshots)   they are tagged for deletion with the image
    DeleteTags (image)       it has tags of the cleanup's stages, or of an unfinished restore
    =======================  ==============================================================================

    A run may be interrupted after any of these calls. From EnableImage on, only a tag shows that permissions
    are missing: it is therefore created before, and deleted last, so that the next run completes the restore.
    The tag of the cleanup's stage is not enough: the next cleanup deletes it, because the stage is undone.
    AWS refuses to cancel the deprecation of a public image (EC2 User Guide, "Deprecate an Amazon EC2 AMI").
    """
    image_id = image.image_id
    shared = Shared(image, state.launch, state.volume_permissions)
    before_image, after_image = split_opening(
        snapshot_actions(target, shared, permissions.volume_permissions, "Add")
    )
    missing = (*before_image, *image_actions(target, shared, permissions.launch, "Add"), *after_image)
    unwanted_tags = _list_stage_tags(image)
    if missing and permissions.tombstone and image.tags.get(RESTORE_TAG, RECYCLE_BIN) == RECYCLE_BIN:
        yield _create_tags(target, image_id, {RESTORE_TAG: permissions.tombstone.written_at})
        unwanted_tags = tuple(dict.fromkeys((*unwanted_tags, RESTORE_TAG)))
    if image.state == "disabled":
        yield Action(target, "EnableImage", {"ImageId": image_id}, image_id)
    if after.deprecation_time != image.deprecation_time:
        if date := parse_time(after.deprecation_time or ""):
            until = {"DeprecateAt": date, "ImageId": image_id}
            yield Action(target, "EnableImageDeprecation", until, image_id)
        else:
            yield Action(target, "DisableImageDeprecation", {"ImageId": image_id}, image_id)
    yield from missing
    snapshot_ids = sorted(
        snapshot.snapshot_id
        for snapshot in state.snapshots.values()
        if image_id in list_marked_images(snapshot)
    )
    if snapshot_ids:
        yield _delete_tags(target, snapshot_ids, [SNAPSHOT_TAG])
    if unwanted_tags:
        yield _delete_tags(target, [image_id], unwanted_tags)


def _find_permissions(
    options: RestoreOptions, state: ImageState, image: Image, history: TombstoneHistory, *, retired: bool
) -> _Permissions:
    """Return the present permissions, and those of the tombstone if they may be missing.

    They may be missing as long as the image's state or tags say so, and right after the Recycle Bin, in case
    it did not keep them: then only those of the tombstone of its deregistration (``retired``). At any other
    time, a permission that is missing was removed on purpose.
    """
    may_be_missing = retired or may_lack_permissions(image)
    tombstone = history.shared if options.restore_permissions and may_be_missing else None
    if tombstone is None:
        return _Permissions(state.launch, state.volume_permissions)
    return _Permissions(
        launch=state.launch | _limit_public(options, tombstone.launch),
        volume_permissions={
            snapshot_id: present
            | _limit_public(options, tombstone.volume_permissions.get(snapshot_id, Sharing()))
            for snapshot_id, present in state.volume_permissions.items()
        },
        tombstone=tombstone,
    )


def _choose_mark_value(options: RestoreOptions, state: ImageState, history: TombstoneHistory) -> str:
    """Return the value of RESTORE_TAG for an image in the Recycle Bin; AWS does not return its state.

    It names a tombstone only if the image may lack its permissions whatever its state is. An image that was
    deregistered by other means may have been restored, and unshared from some accounts, before.
    """
    tombstone = history.shared
    if options.restore_permissions and tombstone and history.is_of_deregistration(state.binned_at):
        return tombstone.written_at
    return RECYCLE_BIN


def _limit_public(options: RestoreOptions, sharing: Sharing) -> Sharing:
    return sharing if options.allow_public else replace(sharing, public=False)


def _warn_of_old_tombstone(image: Image, tombstone: Tombstone | None, *, retired: bool) -> Iterator[str]:
    """Yield a warning if the tombstone may be older than the changes of the image's permissions.

    That is so unless the cleanup that wrote it disabled the image, or a restore with it was interrupted: then
    the tags of these have its time. The tag of an image that is ``retired`` was set by this run. Without such
    a tag, an image that was restored, unshared from some accounts, and disabled by hand looks like two
    harmless ones: a cleanup was killed before it set its tag, or a later one removed the tag because the
    image was needed.
    """
    tags = {key: value for key, value in image.tags.items() if not (retired and key == RESTORE_TAG)}
    if tombstone is None or not has_lost_permissions(image.state, tags):
        return
    if tombstone.written_at not in (tags.get(STAGE_TAGS[DISABLE]), tags.get(RESTORE_TAG)):
        yield (
            f"{image.image_id} gets the permissions of its tombstone of {tombstone.written_at}, but no tag "
            "shows that it was disabled then. Either the image was disabled by other means than the cleanup, "
            "or a later cleanup removed the tag because the image was needed. Check the permissions: they "
            "include any that were removed after the tombstone was written."
        )


def _warn_of_private(
    options: RestoreOptions, state: ImageState, image: Image, tombstone: Tombstone | None
) -> Iterator[str]:
    """Yield a warning if the tombstone has public permissions: only ``allow_public`` restores them."""
    if tombstone is None or options.allow_public:
        return
    if (tombstone.launch - state.launch).public or any(
        (tombstone.volume_permissions.get(snapshot_id, Sharing()) - present).public
        for snapshot_id, present in state.volume_permissions.items()
    ):
        yield (
            f"{image.image_id} or one of its snapshots was public and is not made public again. "
            "Set allow_public: true to make it public."
        )


def _warn_of_deprecation(state: ImageState, image: Image) -> Iterator[str]:
    """Yield a warning if AWS does not cancel the deprecation, because the image is public."""
    if state.launch.public and is_own_deprecation(image):
        yield (
            f"{image.image_id} is public and stays deprecated: AWS cancels the deprecation of private "
            "images only. Remove its public launch permission, call DisableImageDeprecation, and make it "
            "public again."
        )


def _warn_of_archive(state: ImageState, image: Image, region: str) -> Iterator[str]:
    """Yield a warning for each snapshot that AWS soon removes from the standard tier.

    EBS User Guide, "Modify the restore period or restore type for a temporarily restored snapshot".
    """
    for snapshot_id, snapshot in sorted(state.snapshots.items()):
        if snapshot.restored_until:
            yield (
                f"{snapshot_id} of {image.image_id} is archived and only restored until "
                f"{snapshot.restored_until:%Y-%m-%d}: {image.image_id} cannot be launched after that. "
                f"Restore it permanently ({render_restore_command(region, snapshot_id)})."
            )


def _predict_image(history: TombstoneHistory, last: Tombstone, target: Target) -> Image:
    """Return the image as it is expected to come out of the Recycle Bin, but for its tags: as it was.

    Source: EBS User Guide, "Considerations for Recycle Bin".
    """
    return Image(
        image_id=last.ref.image_id,
        name=last.name,
        owner_id=target.account_id,
        state=history.state,
        devices=last.devices,
        deprecation_time=last.deprecation_time,
        product_codes=last.product_codes,
    )


def _predict_state(state: ImageState, image: Image, last: Tombstone) -> ImageState:
    """Return what is expected once the image is out of the Recycle Bin. It is read again then.

    Source: as for ``_predict_image``, which says that sharing is kept, too.
    """
    deleted_with_image = {SNAPSHOT_TAG: image.image_id}
    snapshots = {
        snapshot_id: state.snapshots.get(snapshot_id)
        or OwnSnapshot(snapshot_id, tags=deleted_with_image if snapshot_id in last.deleted else {})
        for snapshot_id in last.volume_permissions
    }
    return replace(
        state,
        image=image,
        launch=Sharing() if image.state == "disabled" else last.launch,
        volume_permissions=last.volume_permissions,
        snapshots=snapshots,
    )


def _list_stage_tags(image: Image) -> tuple[str, ...]:
    """Return the image's tags of the cleanup's stages and of an unfinished restore."""
    return tuple(tag for tag in (*MARKS, DEPRECATION_TAG, RESTORE_TAG) if tag in image.tags)


def _finish_image(image: Image, launch: Sharing, now: datetime) -> Image:
    """Return the image with the permissions ``launch``, as it is when all calls are made."""
    unwanted = _list_stage_tags(image)
    canceled = is_own_deprecation(image) and not launch.public
    return replace(
        image,
        state="available",
        deprecation_time=find_former_deprecation(image, now) if canceled else image.deprecation_time,
        tags={key: value for key, value in image.tags.items() if key not in unwanted},
    )


def _create_tags(target: Target, image_id: str, tags: Mapping[str, str]) -> Action:
    return Action(target, "CreateTags", {"Resources": [image_id], "Tags": tag_list(tags)}, image_id)


def _delete_tags(target: Target, resources: list[str], tags: Iterable[str]) -> Action:
    parameters = {"Resources": resources, "Tags": [{"Key": tag} for tag in tags]}
    return Action(target, "DeleteTags", parameters, ", ".join(resources))


def _render_image(
    image: Image, launch: Sharing, volume_permissions: Mapping[str, Sharing] | None
) -> dict[str, Any]:
    """Return the image as the diff shows it; ``volume_permissions`` is None if they were not read."""
    return {
        "deprecation_time": image.deprecation_time,
        "launch_permissions": launch.to_dict(),
        "marks": sorted(_list_stage_tags(image)),
        "state": image.state,
        "volume_permissions": None
        if volume_permissions is None
        else {
            snapshot_id: {"account_ids": sorted(sharing.account_ids), "public": sharing.public}
            for snapshot_id, sharing in volume_permissions.items()
        },
    }
