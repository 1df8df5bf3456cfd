# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decides how retired images come back: pure, the AWS calls are made elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from ..cleanup.snapshots import SNAPSHOT_TAG, marked_for
from ..cleanup.stages import DEPRECATE, DEPRECATED_WITHIN, MARKS, STAGE_TAGS, parse
from ..cleanup.state import OwnSnapshot
from ..cleanup.tombstone import TombstoneHistory
from ..failures import Failure
from ..model import Image, ImageRef, Sharing, Target
from ..plan import Action, Plan, TargetPlan
from ..share.plan import Shared, image_actions, snapshot_actions
from ..tags import tag_list
from .checks import not_to_be_public, refusals
from .state import RESTORE_TAG, UNSHARED_MARKS, Found, RestoreSeen, RestoreWanted, has_lost_permissions

RECYCLE_BIN = "recycle_bin"


@dataclass(frozen=True)
class ImagePlan:
    """How one image comes back: its ``snapshots`` out of the Recycle Bin, itself, then the ``rest``.

    ``after`` is empty where it is not known before: of an image in the bin AWS tells nothing but its name.
    """

    ref: ImageRef
    found: str
    snapshots: tuple[Action, ...] = ()
    image: tuple[Action, ...] = ()
    rest: tuple[Action, ...] = ()
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)
    tombstone: str | None = None
    warnings: tuple[str, ...] = ()
    refusals: tuple[Failure, ...] = ()

    @property
    def actions(self) -> tuple[Action, ...]:
        """Every call, in its order."""
        return (*self.snapshots, *self.image, *self.rest)


@dataclass(frozen=True)
class RestorePlan(Plan):
    """The plans of all regions, and those of the images that they consist of."""

    images: tuple[ImagePlan, ...] = ()


def plan(wanted: RestoreWanted, seen: RestoreSeen) -> RestorePlan:
    """Plan every image; those of one region one after the other."""
    images: list[ImagePlan] = []
    coming: set[tuple[str, str]] = set()
    for ref in sorted(wanted.images):
        one = plan_image(wanted, seen, ref)
        # A snapshot that two images share comes back once.
        fresh = [action for action in one.snapshots if (ref.region, str(action.resource)) not in coming]
        coming.update((ref.region, str(action.resource)) for action in fresh)
        images.append(replace(one, snapshots=tuple(fresh)))
    targets = tuple(
        _region(seen.target(ref), [one for one in images if one.ref.region == ref.region])
        for ref in {ref.region: ref for ref in sorted(wanted.images)}.values()
    )
    if targets and seen.unreadable:
        targets = (replace(targets[0], warnings=(*targets[0].warnings, *seen.unreadable)), *targets[1:])
    return RestorePlan(targets, tuple(images))


def plan_image(
    wanted: RestoreWanted, seen: RestoreSeen, ref: ImageRef, *, restored: bool = False
) -> ImagePlan:
    """Plan one image; of one in the Recycle Bin its tombstone tells how it will be.

    ``restored`` says that it has just come out of there.
    """
    target, found, buried = seen.target(ref), seen.images[ref], seen.buried.get(ref, TombstoneHistory())
    reasons = tuple(refusals(wanted, target, ref, found, buried))
    if reasons:
        return ImagePlan(ref, "", refusals=reasons)
    if found.image is not None:
        return _finish(wanted, target, found, buried, ref, restored)
    out_of_bin = ImagePlan(
        ref,
        RECYCLE_BIN,
        snapshots=tuple(
            Action(target, "RestoreSnapshotFromRecycleBin", {"SnapshotId": one}, one)
            for one in found.binned_snapshots
        ),
        image=(Action(target, "RestoreImageFromRecycleBin", {"ImageId": ref.image_id}, ref.image_id),),
        before={"state": RECYCLE_BIN},
    )
    if buried.last is None:
        return out_of_bin
    rest = _finish(wanted, target, _as_it_will_be(found, buried, target), buried, ref, restored=True)
    return replace(
        out_of_bin,
        rest=rest.rest,
        after=rest.after,
        tombstone=rest.tombstone,
        warnings=rest.warnings,
        refusals=rest.refusals,
    )


def _region(target: Target, images: Iterable[ImagePlan]) -> TargetPlan:
    here = list(images)
    return TargetPlan(
        target,
        actions=tuple(action for one in here for action in one.actions),
        before={one.ref.image_id: dict(one.before) for one in here},
        after={one.ref.image_id: dict(one.after) for one in here},
        warnings=tuple(dict.fromkeys(warning for one in here for warning in one.warnings)),
        refusals=tuple(refusal for one in here for refusal in one.refusals),
    )


def _finish(
    wanted: RestoreWanted,
    target: Target,
    found: Found,
    buried: TombstoneHistory,
    ref: ImageRef,
    restored: bool,
) -> ImagePlan:
    """What an image that is registered lacks until it is as before it was retired.

    Permissions are put back as long as a mark says that they are missing, and right after the Recycle Bin,
    should it not have kept them. The marks go last, so that a run after one that was interrupted does what is
    left.
    """
    image = found.image
    if image is None:
        raise ValueError(f"{ref} is not registered")
    launch, volumes, warnings = found.launch, dict(found.volumes), []
    concerned = wanted.restore_permissions and (restored or has_lost_permissions(image))
    lost = buried.shared if concerned else None
    if lost is not None:
        launch = launch | _allowed(wanted, lost.launch)
        volumes = {
            one: current | _allowed(wanted, lost.volumes.get(one, Sharing()))
            for one, current in volumes.items()
        }
        if not wanted.allow_public and _publishes(found, lost.launch, lost.volumes):
            warnings.append(
                f"{ref.image_id} or one of its snapshots was public and is not made so again. "
                "Set allow_public: true if it is to be."
            )
    undeprecated = _deprecated_by_cleanup(image)
    after = replace(
        image,
        state="available",
        deprecation_time=None if undeprecated else image.deprecation_time,
        tags={key: value for key, value in image.tags.items() if key not in _marks_of(image)},
    )
    shared = Shared(image, found.launch, found.volumes)
    permissions = (
        *snapshot_actions(target, shared, volumes, "Add"),
        *image_actions(target, shared, launch, "Add"),
    )
    marking = bool(permissions) and not any(mark in image.tags for mark in UNSHARED_MARKS)
    actions: list[Action] = []
    if marking and lost is not None:
        mark = {"Resources": [ref.image_id], "Tags": tag_list({RESTORE_TAG: lost.written_at})}
        actions.append(Action(target, "CreateTags", mark, ref.image_id))
    if image.state == "disabled":
        actions.append(Action(target, "EnableImage", {"ImageId": ref.image_id}, ref.image_id))
    actions += permissions
    if undeprecated:
        actions.append(Action(target, "DisableImageDeprecation", {"ImageId": ref.image_id}, ref.image_id))
    actions += _unmarked_snapshots(target, found, ref)
    marks = (*_marks_of(image), *((RESTORE_TAG,) if marking else ()))
    if marks:
        actions.append(_unmarked(target, [ref.image_id], marks))
    added = tuple(volumes[one] - found.volumes[one] for one in volumes)
    public = Sharing(public=any(one.public for one in added))
    return ImagePlan(
        ref,
        image.state,
        rest=tuple(actions),
        before=_view(image, found.launch, found.volumes),
        after=_view(after, launch, volumes),
        tombstone=lost.written_at if lost else None,
        warnings=tuple(warnings),
        refusals=tuple(not_to_be_public(found, image, launch - found.launch, public, target)),
    )


def _as_it_will_be(found: Found, buried: TombstoneHistory, target: Target) -> Found:
    """An image in the Recycle Bin as it comes back: as it was, its sharing and its tags included.

    EBS User Guide, "Considerations for Recycle Bin". What comes back in fact is read then.
    """
    last = buried.last
    if last is None:
        return found
    disabled = buried.state == "disabled"
    image = Image(
        image_id=last.ref.image_id,
        name=last.name,
        owner_id=target.account_id,
        state=buried.state,
        devices=last.devices,
        tags=last.tags,
        deprecation_time=last.deprecation_time,
        product_codes=last.product_codes,
    )
    mark = {SNAPSHOT_TAG: last.ref.image_id}
    snapshots = {
        one: found.snapshots.get(one) or OwnSnapshot(one, tags=mark if one in last.deleted else {})
        for one in last.volumes
    }
    return replace(
        found,
        image=image,
        launch=Sharing() if disabled else last.launch,
        volumes=last.volumes,
        snapshots=snapshots,
    )


def _allowed(wanted: RestoreWanted, sharing: Sharing) -> Sharing:
    return sharing if wanted.allow_public else replace(sharing, public=False)


def _publishes(found: Found, launch: Sharing, volumes: Mapping[str, Sharing]) -> bool:
    """Whether to put all of it back would make something public that is not."""
    return (launch - found.launch).public or any(
        (volumes.get(one, Sharing()) - current).public for one, current in found.volumes.items()
    )


def _deprecated_by_cleanup(image: Image) -> bool:
    """Whether it was a cleanup that deprecated the image: somebody else's deprecation stays."""
    marked, moment = parse(image.tags.get(STAGE_TAGS[DEPRECATE], "")), parse(image.deprecation_time or "")
    if marked is None or moment is None:
        return False
    return timedelta() <= moment - marked <= DEPRECATED_WITHIN


def _marks_of(image: Image) -> tuple[str, ...]:
    return tuple(mark for mark in (*MARKS, RESTORE_TAG) if mark in image.tags)


def _unmarked_snapshots(target: Target, found: Found, ref: ImageRef) -> Iterator[Action]:
    """Without the mark of what goes with its image: the image stays."""
    marked = sorted(one.snapshot_id for one in found.snapshots.values() if ref.image_id in marked_for(one))
    if marked:
        yield _unmarked(target, marked, [SNAPSHOT_TAG])


def _unmarked(target: Target, resources: list[str], marks: Iterable[str]) -> Action:
    parameters = {"Resources": resources, "Tags": [{"Key": mark} for mark in marks]}
    return Action(target, "DeleteTags", parameters, ", ".join(resources))


def _view(image: Image, launch: Sharing, volumes: Mapping[str, Sharing]) -> dict[str, Any]:
    return {
        "deprecation_time": image.deprecation_time,
        "launch_permissions": launch.as_result(),
        "marks": sorted(_marks_of(image)),
        "state": image.state,
        "volume_permissions": {
            snapshot_id: {"account_ids": sorted(one.account_ids), "public": one.public}
            for snapshot_id, one in volumes.items()
        },
    }
