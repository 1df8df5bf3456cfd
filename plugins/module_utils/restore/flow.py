# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_restore``: retired images come back, and those with whom they were shared have them again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..aws import errors, read
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.write import BAD_ENTRY, Performed, merge, perform_all
from ..cleanup.read_regions import binned_images
from ..cleanup.snapshots import former_image
from ..cleanup.state import OwnSnapshot
from ..cleanup.tombstone import TombstoneHistory
from ..failures import Failure, Refused, invalid_option
from ..fanout import each
from ..model import Image, ImageRef, Sharing, Target
from ..progress import Report
from ..runner import Flow, Outcome
from . import read_recycle_bin as recycle_bin
from .options import wanted_from
from .plan import ImagePlan, RestorePlan, plan, plan_image
from .read_tombstones import read_tombstones
from .state import Found, RestoreSeen, RestoreWanted

_ACCOUNT_LOST = (
    "Everybody else has it again. If the account has a successor, share with that one (ami_share)."
)


@dataclass(frozen=True)
class _Region:
    """What one look says of a region: its images, and its Recycle Bin if one of them is missing."""

    images: Mapping[str, Image] = field(default_factory=dict)
    binned: frozenset[str] = frozenset()
    binned_snapshots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Restored:
    """What became of one region's images: the plans that were carried out to their end, as they ended."""

    performed: Performed = field(default_factory=Performed)
    ended: Mapping[str, ImagePlan] = field(default_factory=dict)


def read_state(clients: Clients, wanted: RestoreWanted) -> RestoreSeen:
    """Read every image, what is in the Recycle Bin, and what was written down."""
    _check_tombstone_file(wanted.places.path)
    regions = sorted({ref.region for ref in wanted.images})
    account_id = identify(clients, preferred_region(clients, regions)).account_id
    clients.open("ec2", regions)
    buried, unreadable = read_tombstones(clients, wanted, account_id)
    ids = {region: [ref.image_id for ref in wanted.images if ref.region == region] for region in regions}
    looks, failed = each(regions, lambda region: _look_at_region(clients, region, ids[region]))
    if failed:
        raise Refused(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )

    def look(ref: ImageRef) -> Found:
        return _look(clients, wanted, account_id, ref, looks[ref.region], buried.get(ref, TombstoneHistory()))

    images, unread = each(wanted.images, look)
    if unread:
        raise Refused(
            errors.failure(exception, Target(account_id, ref.region), "DescribeImageAttribute")
            for ref, exception in unread.items()
        )
    return RestoreSeen(account_id, images, buried, unreadable)


def _check_tombstone_file(path: str | None) -> None:
    if path and not Path(path).is_file():
        message = f"tombstone_path: there is no file {path}."
        raise Refused([invalid_option("tombstone_path", message, "Name the one of ami_cleanup.")])


def apply(
    clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, plan: RestorePlan, report: Report
) -> Outcome:
    """Perform the plan in all regions at once.

    What comes out of the Recycle Bin is looked at then, and the rest planned for what it is.
    """
    targets = [target.target for target in plan.targets]

    def restore(target: Target) -> _Restored:
        parts: list[Performed] = []
        ended: dict[str, ImagePlan] = {}
        for image in plan.images:
            if image.ref.region == target.region:
                done, final = _restore(clients, wanted, seen, image)
                parts.append(done)
                if not done.failures:
                    ended[image.ref.image_id] = final
        return _Restored(merge(*parts), ended)

    done, failed = each(targets, restore)
    known = {*plan.warnings}
    return Outcome(
        performed=tuple(action for one in done.values() for action in one.performed.actions),
        failures=(
            *(_explained(failure) for one in done.values() for failure in one.performed.failures),
            *(errors.failure(exception, target, "EnableImage") for target, exception in failed.items()),
        ),
        warnings=tuple(
            warning
            for one in done.values()
            for image in one.ended.values()
            for warning in image.warnings
            if not any(warning in text for text in known)
        ),
        state={target: done[target].ended if target in done else {} for target in targets},
    )


def result(wanted: RestoreWanted, seen: RestoreSeen, plan: RestorePlan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own."""
    images = plan.images
    if outcome.state:
        ended = [outcome.state[seen.target(one.ref)].get(one.ref.image_id) for one in plan.images]
        images = tuple(one for one in ended if one is not None)
    return {"results": [_as_result(seen, one) for one in images]}


FLOW: Flow[RestoreWanted, RestoreSeen] = Flow(wanted_from, read_state, plan, apply, result)


def _look_at_region(clients: Clients, region: str, image_ids: list[str]) -> _Region:
    ec2 = clients.ec2(region)
    found = read.named_images(ec2, image_ids)
    # A deregistered image may be listed for a while.
    images = {key: one for key, one in found.items() if one.state != "deregistered"}
    if all(one in images for one in image_ids):
        return _Region(images)
    return _Region(images, frozenset(binned_images(ec2)), recycle_bin.binned_snapshots(ec2))


def _look(
    clients: Clients,
    wanted: RestoreWanted,
    account_id: str,
    ref: ImageRef,
    region: _Region,
    buried: TombstoneHistory,
) -> Found:
    image = region.images.get(ref.image_id)
    ec2 = clients.ec2(ref.region)
    if image is None:
        known = tuple(buried.last.volumes) if buried.last else ()
        # Of an image in the bin AWS does not tell the snapshots; their descriptions tell the image.
        of_image = [
            key
            for key, text in region.binned_snapshots.items()
            if key in known or former_image(OwnSnapshot(key, text)) == ref.image_id
        ]
        found = Found(
            snapshots=recycle_bin.standing_snapshots(ec2, known),
            binned=ref.image_id in region.binned,
            binned_snapshots=tuple(sorted(of_image)),
        )
    elif image.owner_id != account_id:
        # Its attributes are told to its owner only; the planner refuses it.
        return Found(image)
    else:
        found = _look_at_own(clients, image, ref.region)
    shared = buried.shared
    if wanted.allow_public and shared is not None:
        if shared.launch.public:
            found = replace(found, image_block=read.image_block_state(ec2))
        if any(one.public for one in shared.volumes.values()):
            found = replace(found, snapshot_block=read.snapshot_block_state(ec2))
    return found


def _look_at_own(clients: Clients, image: Image, region: str) -> Found:
    ec2 = clients.ec2(region)
    snapshots = recycle_bin.standing_snapshots(ec2, image.snapshot_ids)
    return Found(
        image,
        # EC2 API Reference, DisableImage: a disabled image is shared with nobody.
        launch=Sharing() if image.state == "disabled" else read.launch_permissions(ec2, image.image_id),
        volumes={one: read.volume_permissions(ec2, one) for one in image.snapshot_ids if one in snapshots},
        snapshots=snapshots,
    )


def _restore(
    clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, image: ImagePlan
) -> tuple[Performed, ImagePlan]:
    """Restore one image; beside what was done the plan that it ended with."""
    ec2, target = clients.ec2(image.ref.region), seen.target(image.ref)
    done = perform_all(ec2, image.snapshots)
    if done.failures:
        return done, image
    if image.image:
        try:
            waiting_for = seen.images[image.ref].binned_snapshots
            if waiting_for:
                recycle_bin.await_snapshots(ec2, waiting_for)
            done = merge(done, perform_all(ec2, image.image))
            if done.failures:
                return done, image
            recycle_bin.await_image(ec2, image.ref.image_id)
            image = replace(_again(clients, wanted, seen, image.ref), found=image.found, image=image.image)
        except errors.AWS_ERRORS as exception:
            failure = errors.failure(exception, target, "RestoreImageFromRecycleBin")
            return merge(done, Performed(failures=(failure,))), image
        if image.refusals:
            return merge(done, Performed(failures=image.refusals)), image
    return merge(done, _perform_rest(clients, image)), image


def _perform_rest(clients: Clients, image: ImagePlan) -> Performed:
    """Perform what is left once an image is registered, with a pause until it is enabled."""
    ec2, image_id = clients.ec2(image.ref.region), image.ref.image_id
    enabling = [
        number for number, action in enumerate(image.rest, start=1) if action.operation == "EnableImage"
    ]
    first = enabling[0] if enabling else 0
    done = perform_all(ec2, image.rest[:first])
    if done.failures:
        return done
    if enabling:
        try:
            recycle_bin.await_available(ec2, image_id)
        except errors.AWS_ERRORS as exception:
            return merge(
                done, Performed(failures=(errors.failure(exception, done.actions[-1].target, "EnableImage"),))
            )
    return merge(done, perform_all(ec2, image.rest[first:]))


def _again(clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, ref: ImageRef) -> ImagePlan:
    """The plan for an image that is out of the Recycle Bin, as it is now."""
    region = _look_at_region(clients, ref.region, [ref.image_id])
    found = _look(clients, wanted, seen.account_id, ref, region, seen.buried.get(ref, TombstoneHistory()))
    return plan_image(wanted, replace(seen, images={ref: found}), ref, restored=True)


def _explained(failure: Failure) -> Failure:
    return replace(failure, remedy=_ACCOUNT_LOST) if failure.error_code == BAD_ENTRY else failure


def _as_result(seen: RestoreSeen, image: ImagePlan) -> dict[str, Any]:
    return {
        "account_id": seen.account_id,
        "changed": bool(image.actions),
        "deprecation_time": image.after.get("deprecation_time"),
        "previous_state": image.found,
        "image_id": image.ref.image_id,
        "launch_permissions": image.after.get("launch_permissions"),
        "region": image.ref.region,
        "tombstone": image.tombstone,
        "volume_permissions": image.after.get("volume_permissions"),
    }
