# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_restore``: restores retired images and their permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..aws import errors, read
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.write import Performed, merge, perform_all
from ..cleanup.read_regions import binned_images
from ..cleanup.snapshots import described_image
from ..cleanup.state import OwnSnapshot
from ..cleanup.tombstone import TombstoneHistory
from ..failures import CONSUMER_REJECTED, Failure, Refused, invalid_option
from ..fanout import each
from ..model import Image, ImageRef, Sharing, Target
from ..progress import Report
from ..runner import Flow, Outcome
from ..share.wait import wait_until_returned
from . import read_recycle_bin as recycle_bin
from .options import wanted_from
from .plan import ImagePlan, RestorePlan, plan, plan_image
from .read_tombstones import read_tombstones
from .state import Found, RestoreSeen, RestoreWanted

_INVALID_ACCOUNT = (
    "All other entries were applied. If another account replaces this one, share with it (ami_share)."
)


@dataclass(frozen=True)
class _Region:
    """A region's images, and the content of its Recycle Bin if one of the images is missing."""

    images: Mapping[str, Image] = field(default_factory=dict)
    binned: Mapping[str, datetime | None] = field(default_factory=dict)
    binned_snapshots: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Restored:
    """What was done in one region; ``plans`` are the final plans of the images that were restored."""

    performed: Performed = field(default_factory=Performed)
    plans: Mapping[str, ImagePlan] = field(default_factory=dict)


def read_state(clients: Clients, wanted: RestoreWanted) -> RestoreSeen:
    """Read every image, the Recycle Bin, and the tombstones."""
    _check_tombstone_file(wanted.places.path)
    regions = sorted({ref.region for ref in wanted.images})
    account_id = identify(clients, preferred_region(clients, regions)).account_id
    clients.open("ec2", regions)
    histories, unreadable = read_tombstones(clients, wanted, account_id)
    ids = {region: [ref.image_id for ref in wanted.images if ref.region == region] for region in regions}
    by_region, failed = each(regions, lambda region: _read_region(clients, region, ids[region]))
    if failed:
        raise Refused(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )

    def read_image(ref: ImageRef) -> Found:
        history = histories.get(ref, TombstoneHistory())
        return _read_image(clients, wanted, account_id, ref, by_region[ref.region], history)

    images, unread = each(wanted.images, read_image)
    if unread:
        raise Refused(
            errors.failure(exception, Target(account_id, ref.region), "DescribeImageAttribute")
            for ref, exception in unread.items()
        )
    return RestoreSeen(account_id, datetime.now(UTC), images, histories, unreadable)


def _check_tombstone_file(path: str | None) -> None:
    if path and not Path(path).is_file():
        message = f"tombstone_path: file {path} does not exist."
        raise Refused([invalid_option("tombstone_path", message, "Set the file that ami_cleanup wrote.")])


def apply(
    clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, plan: RestorePlan, report: Report
) -> Outcome:
    """Perform the plan in all regions at the same time.

    An image that comes out of the Recycle Bin is read and planned again, for its actual permissions and tags.
    Restored permissions are read back, at most for a minute.
    """
    targets = [target.target for target in plan.targets]

    def restore(target: Target) -> _Restored:
        parts: list[Performed] = []
        plans: dict[str, ImagePlan] = {}
        for one in plan.images:
            if one.ref.region == target.region:
                done, final = _restore(clients, wanted, seen, one)
                parts.append(done)
                if not done.failures:
                    plans[one.ref.image_id] = final
        return _Restored(merge(*parts), plans)

    done, failed = each(targets, restore)
    known = {*plan.warnings}
    performed = tuple(action for one in done.values() for action in one.performed.actions)
    # Permissions are only added, so that none can fail to be removed.
    _not_removed, not_returned = wait_until_returned(clients, performed)
    return Outcome(
        performed=performed,
        failures=(
            *(_explained(failure) for one in done.values() for failure in one.performed.failures),
            *(errors.failure(exception, target, "EnableImage") for target, exception in failed.items()),
        ),
        warnings=(
            *(
                warning
                for one in done.values()
                for final in one.plans.values()
                for warning in final.warnings
                if not any(warning in text for text in known)
            ),
            *not_returned,
        ),
        state={target: done[target].plans if target in done else {} for target in targets},
    )


def result(wanted: RestoreWanted, seen: RestoreSeen, plan: RestorePlan, outcome: Outcome) -> dict[str, Any]:
    """The module's own return values; images that failed are missing."""
    images = plan.images
    if outcome.state:
        final = [outcome.state[seen.target(one.ref)].get(one.ref.image_id) for one in plan.images]
        images = tuple(one for one in final if one is not None)
    return {"results": [_as_result(seen, one) for one in images]}


FLOW: Flow[RestoreWanted, RestoreSeen] = Flow(wanted_from, read_state, plan, apply, result)


def _read_region(clients: Clients, region: str, image_ids: list[str]) -> _Region:
    ec2 = clients.ec2(region)
    found = read.named_images(ec2, image_ids)
    # A deregistered image may be listed for a while.
    images = {key: one for key, one in found.items() if one.state != "deregistered"}
    if all(one in images for one in image_ids):
        return _Region(images)
    return _Region(images, dict(binned_images(ec2)), recycle_bin.binned_snapshots(ec2))


def _read_image(
    clients: Clients,
    wanted: RestoreWanted,
    account_id: str,
    ref: ImageRef,
    region: _Region,
    history: TombstoneHistory,
) -> Found:
    image = region.images.get(ref.image_id)
    ec2 = clients.ec2(ref.region)
    if image is None:
        known = tuple(history.last.volumes) if history.last else ()
        # AWS does not list the snapshots of an image in the Recycle Bin. Without a tombstone they are found
        # by their descriptions, which have the image's ID.
        of_image = [
            key
            for key, text in region.binned_snapshots.items()
            if key in known or described_image(OwnSnapshot(key, text)) == ref.image_id
        ]
        found = Found(
            snapshots=recycle_bin.existing_snapshots(ec2, known),
            binned=ref.image_id in region.binned,
            binned_at=region.binned.get(ref.image_id),
            binned_snapshots=tuple(sorted(of_image)),
        )
    elif image.owner_id != account_id:
        # Only its owner can read its attributes. The plan refuses it.
        return Found(image)
    else:
        found = _read_own_image(clients, wanted, image, ref.region)
    shared = history.shared
    if wanted.allow_public and shared is not None:
        if shared.launch.public:
            found = replace(found, image_block=read.image_block_state(ec2))
        if any(one.public for one in shared.volumes.values()):
            found = replace(found, snapshot_block=read.snapshot_block_state(ec2))
    return found


def _read_own_image(clients: Clients, wanted: RestoreWanted, image: Image, region: str) -> Found:
    ec2 = clients.ec2(region)
    snapshots = recycle_bin.existing_snapshots(ec2, image.snapshot_ids)
    shared = [one for one in image.snapshot_ids if one in snapshots and wanted.restore_permissions]
    return Found(
        image,
        # EC2 API Reference, DisableImage: a disabled image has no launch permissions.
        launch=Sharing() if image.state == "disabled" else read.launch_permissions(ec2, image.image_id),
        volumes={one: read.volume_permissions(ec2, one) for one in shared},
        snapshots=snapshots,
    )


def _restore(
    clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, plan: ImagePlan
) -> tuple[Performed, ImagePlan]:
    """Restore one image. Returns what was done, and the plan as it was in the end."""
    ec2, target = clients.ec2(plan.ref.region), seen.target(plan.ref)
    done = perform_all(ec2, plan.restore_snapshots)
    if done.failures:
        return done, plan
    if plan.restore_image:
        try:
            binned_snapshots = seen.images[plan.ref].binned_snapshots
            if binned_snapshots:
                recycle_bin.wait_for_snapshots(ec2, binned_snapshots)
            done = merge(done, perform_all(ec2, plan.restore_image))
            if done.failures:
                return done, plan
            recycle_bin.wait_for_image(ec2, plan.ref.image_id)
            plan = replace(
                _plan_again(clients, wanted, seen, plan.ref),
                previous_state=plan.previous_state,
                restore_image=plan.restore_image,
            )
        except errors.AWS_ERRORS as exception:
            failure = errors.failure(exception, target, "RestoreImageFromRecycleBin")
            return merge(done, Performed(failures=(failure,))), plan
        if plan.refusals:
            return merge(done, Performed(failures=plan.refusals)), plan
    return merge(done, _perform_finish(clients, plan, target)), plan


def _perform_finish(clients: Clients, plan: ImagePlan, target: Target) -> Performed:
    """Perform the calls for a registered image. If one of them enables it, wait until it is available."""
    ec2 = clients.ec2(plan.ref.region)
    done = perform_all(ec2, plan.enabling)
    if done.failures:
        return done
    if plan.enabling:
        try:
            recycle_bin.wait_until_available(ec2, plan.ref.image_id)
        except errors.AWS_ERRORS as exception:
            return merge(done, Performed(failures=(errors.failure(exception, target, "EnableImage"),)))
    return merge(done, perform_all(ec2, plan.after_enabling))


def _plan_again(clients: Clients, wanted: RestoreWanted, seen: RestoreSeen, ref: ImageRef) -> ImagePlan:
    """The plan for an image that has come out of the Recycle Bin, from its actual state."""
    region = _read_region(clients, ref.region, [ref.image_id])
    history = seen.histories.get(ref, TombstoneHistory())
    found = _read_image(clients, wanted, seen.account_id, ref, region, history)
    found = replace(found, binned_at=seen.images[ref].binned_at)
    return plan_image(wanted, replace(seen, images={ref: found}), ref, restored=True)


def _explained(failure: Failure) -> Failure:
    return replace(failure, remedy=_INVALID_ACCOUNT) if failure.error_code == CONSUMER_REJECTED else failure


def _as_result(seen: RestoreSeen, plan: ImagePlan) -> dict[str, Any]:
    return {
        "account_id": seen.account_id,
        "changed": bool(plan.actions),
        "deprecation_time": plan.after.get("deprecation_time"),
        "previous_state": plan.previous_state,
        "image_id": plan.ref.image_id,
        "launch_permissions": plan.after.get("launch_permissions"),
        "region": plan.ref.region,
        "tombstone": plan.tombstone,
        "volume_permissions": plan.after.get("volume_permissions"),
    }
