# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_restore``: restores retired images and their permissions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..aws import errors, read
from ..aws.caller import check_default_region, identify, preferred_region
from ..aws.clients import Clients
from ..aws.write import Performed, merge, perform_all
from ..cleanup.read_regions import archiving_snapshots, binned_images
from ..cleanup.snapshots import described_image
from ..cleanup.stages import RESTORE_TAG
from ..cleanup.state import OwnSnapshot
from ..cleanup.tombstone import TombstoneHistory
from ..failures import CONSUMER_REJECTED, Failure, Refused, invalid_option
from ..fanout import each, round_robin
from ..model import Image, ImageRef, PublicAccessBlock, Sharing, Target
from ..progress import Report
from ..runner import Flow, Outcome
from ..share.public import add_unknown_access
from ..share.write import close, perform_or_close, wait_until_returned
from . import read_recycle_bin as recycle_bin
from .options import RestoreOptions
from .plan import ImagePlan, RestorePlan, plan, plan_image, restored_and_open, without_rejected
from .read_tombstones import read_tombstones
from .state import Found, RestoreSeen

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

_INVALID_ACCOUNT = (
    "All other entries were applied. If another account replaces this one, share with it (ami_share)."
)


@dataclass(frozen=True)
class _Region:
    """A region's images and their snapshots that exist.

    If one of the images is missing, also the content of the Recycle Bin, and the tags of those of the images
    that are there. ``image_block`` and ``snapshot_block`` are as in ``Found``.
    """

    images: Mapping[str, Image] = field(default_factory=dict)
    snapshots: Mapping[str, OwnSnapshot] = field(default_factory=dict)
    binned: Mapping[str, datetime | None] = field(default_factory=dict)
    binned_tags: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    binned_snapshots: Mapping[str, str] = field(default_factory=dict)
    image_block: PublicAccessBlock | None = None
    snapshot_block: PublicAccessBlock | None = None


@dataclass(frozen=True)
class _Restored:
    """What was done in one region; ``plans`` are the final plans of the images that were restored."""

    performed: Performed = field(default_factory=Performed)
    plans: Mapping[str, ImagePlan] = field(default_factory=dict)


def read_state(clients: Clients, wanted: RestoreOptions) -> RestoreSeen:
    """Read every image, the Recycle Bin, and the tombstones."""
    _check_tombstone_file(wanted.tombstone_path)
    regions = sorted({ref.region for ref in wanted.images})
    caller = identify(clients, preferred_region(clients, regions))
    account_id = caller.account_id
    stores = {
        "tombstone_s3_uri": wanted.tombstone_s3_uri,
        "tombstone_ssm_path": wanted.tombstone_ssm_path,
    }
    check_default_region(clients, caller, stores)
    clients.open("ec2", regions)
    for operation in (read.IMAGE_PERMISSIONS, read.SNAPSHOT_PERMISSIONS):
        clients.paced(operation).open("ec2", regions)
    histories, unreadable = read_tombstones(clients, wanted, account_id)
    refs = {region: [ref for ref in wanted.images if ref.region == region] for region in regions}

    def read_region(region: str) -> _Region:
        of_images = {ref.image_id: histories.get(ref, TombstoneHistory()) for ref in refs[region]}
        return _read_region(clients.ec2(region), wanted, account_id, of_images)

    by_region, failed = each(regions, read_region)
    if failed:
        raise Refused(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )

    def read_image(ref: ImageRef) -> Found:
        history = histories.get(ref, TombstoneHistory())
        return _read_image(clients, wanted, account_id, ref, by_region[ref.region], history)

    images, unread = each(round_robin(refs.values()), read_image)
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
    clients: Clients, wanted: RestoreOptions, seen: RestoreSeen, plan: RestorePlan, report: Report
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
                done, final = _restore_or_close(clients, wanted, seen, one)
                parts.append(done)
                # An image without some of its permissions is restored.
                if all(failure.error_code == CONSUMER_REJECTED for failure in done.failures):
                    plans[one.ref.image_id] = without_rejected(final, done.failures)
        return _Restored(merge(*parts), plans)

    done, failed = each(targets, restore)
    known = {*plan.warnings}
    performed = tuple(action for one in done.values() for action in one.performed.actions)
    # Only public access is ever removed: what a restore that failed had opened.
    not_removed, not_returned = wait_until_returned(partial(_client_of, clients), performed)
    return Outcome(
        performed=performed,
        failures=(
            *(_explained(failure) for one in done.values() for failure in one.performed.failures),
            *(errors.failure(exception, target, "EnableImage") for target, exception in failed.items()),
            *not_removed,
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


def result(wanted: RestoreOptions, seen: RestoreSeen, plan: RestorePlan, outcome: Outcome) -> dict[str, Any]:
    """The module's own return values; images that failed are missing."""
    images = plan.images
    if outcome.state:
        final = [outcome.state[seen.target(one.ref)].get(one.ref.image_id) for one in plan.images]
        images = tuple(one for one in final if one is not None)
    return {"results": [_as_result(seen, one) for one in images]}


FLOW: Flow[RestoreOptions, RestoreSeen] = Flow(RestoreOptions, read_state, plan, apply, result)


def _client_of(clients: Clients, region: str, operation: str) -> EC2Client:
    """The client for an operation that reads the permissions of every image or snapshot of a region."""
    return clients.paced(operation).ec2(region)


def _read_region(
    ec2: EC2Client, wanted: RestoreOptions, account_id: str, histories: Mapping[str, TombstoneHistory]
) -> _Region:
    """All that is read of a region at once; ``histories`` has each wanted image."""
    found = read.named_images(ec2, histories)
    # A deregistered image may be listed for a while.
    images = {key: one for key, one in found.items() if one.state != "deregistered"}
    is_complete = histories.keys() <= images.keys()
    own = {
        image_id: history
        for image_id, history in histories.items()
        if image_id not in images or images[image_id].owner_id == account_id
    }
    snapshot_ids = dict.fromkeys(
        one for image_id, history in own.items() for one in _snapshot_ids(images.get(image_id), history)
    )
    public = [one.shared for one in own.values() if one.shared is not None and wanted.allow_public]
    shares_image = any(one.launch.public for one in public)
    shares_snapshot = any(sharing.public for one in public for sharing in one.volume_permissions.values())
    now = datetime.now(UTC)
    binned = {} if is_complete else dict(binned_images(ec2, now))
    # Only snapshots of disabled images can be archived (EBS User Guide, "Archive an Amazon EBS snapshot").
    is_disabled = any(image_id in own and one.state == "disabled" for image_id, one in images.items())
    archiving = archiving_snapshots(ec2) if is_disabled else ()
    return _Region(
        images,
        binned=binned,
        binned_tags=recycle_bin.binned_tags(ec2, [one for one in histories if one in binned]),
        binned_snapshots={} if is_complete else recycle_bin.binned_snapshots(ec2, now),
        snapshots=recycle_bin.existing_snapshots(ec2, list(snapshot_ids), archiving),
        image_block=read.image_block(ec2) if shares_image else None,
        snapshot_block=read.snapshot_block(ec2) if shares_snapshot else None,
    )


def _snapshot_ids(image: Image | None, history: TombstoneHistory) -> tuple[str, ...]:
    """The snapshots of an image, by its last tombstone if it is deregistered."""
    if image is not None:
        return image.snapshot_ids
    return tuple(history.last.volume_permissions) if history.last else ()


def _read_image(
    clients: Clients,
    wanted: RestoreOptions,
    account_id: str,
    ref: ImageRef,
    region: _Region,
    history: TombstoneHistory,
) -> Found:
    image = region.images.get(ref.image_id)
    if image is not None and image.owner_id != account_id:
        # Only its owner can read its attributes. The plan refuses it.
        return Found(image)
    known = _snapshot_ids(image, history)
    found = Found(
        image,
        snapshots={one: region.snapshots[one] for one in known if one in region.snapshots},
        image_block=region.image_block,
        snapshot_block=region.snapshot_block,
    )
    if image is not None:
        return _with_permissions(clients, wanted, image, ref.region, found)
    # AWS does not list the snapshots of an image in the Recycle Bin. Without a tombstone they are found by
    # their descriptions, which have the image's ID.
    of_image = [
        key
        for key, text in region.binned_snapshots.items()
        if key in known or described_image(OwnSnapshot(key, text)) == ref.image_id
    ]
    return replace(
        found,
        binned=ref.image_id in region.binned,
        binned_at=region.binned.get(ref.image_id),
        binned_tags=region.binned_tags.get(ref.image_id),
        binned_snapshots=tuple(sorted(of_image)),
    )


def _with_permissions(
    clients: Clients, wanted: RestoreOptions, image: Image, region: str, found: Found
) -> Found:
    """An own image with its permissions and those of its snapshots."""
    launch, volume_permissions = Sharing(), {}
    # EC2 API Reference, DisableImage: a disabled image has no launch permissions.
    if image.state != "disabled":
        launch = read.launch_permissions(_client_of(clients, region, read.IMAGE_PERMISSIONS), image.image_id)
    if wanted.restore_permissions:
        ec2 = _client_of(clients, region, read.SNAPSHOT_PERMISSIONS)
        volume_permissions = {one: read.volume_permissions(ec2, one) for one in found.snapshots}
    return replace(found, launch=launch, volume_permissions=volume_permissions)


def _restore_or_close(
    clients: Clients, wanted: RestoreOptions, seen: RestoreSeen, plan: ImagePlan
) -> tuple[Performed, ImagePlan]:
    """Restore one image. If that fails, close what came out of the Recycle Bin and is public.

    Its snapshots come out before it, with the permissions that they had (EBS User Guide, "Considerations for
    Recycle Bin").
    """
    done, final = _restore(clients, wanted, seen, plan)
    if not (wanted.allow_public and done.stops):
        return done, final
    ec2, target = clients.ec2(plan.ref.region), seen.target(plan.ref)
    restored = restored_and_open(done.actions)
    public, unread = recycle_bin.public_resources(ec2, restored)
    failures = done.failures
    if unread:
        failures = (*failures[:-1], add_unknown_access(failures[-1], unread))
    return close(ec2, target, replace(done, failures=failures), public), final


def _restore(
    clients: Clients, wanted: RestoreOptions, seen: RestoreSeen, plan: ImagePlan
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
            done = merge(done, _mark(ec2, plan, target))
            if done.failures:
                return done, plan
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


def _mark(ec2: EC2Client, plan: ImagePlan, target: Target) -> Performed:
    """Set RESTORE_TAG on an image that has just come out of the Recycle Bin, and wait until EC2 lists it.

    An image that was deregistered during a restore has the tag already: it shows which permissions it lacks.
    """
    image_id = plan.ref.image_id
    shown = _listed(ec2, image_id)
    if shown is not None:
        return Performed() if RESTORE_TAG in shown.tags else perform_all(ec2, plan.mark)
    done = perform_all(ec2, plan.mark)
    try:
        recycle_bin.wait_for_image(ec2, image_id)
    except errors.AWS_ERRORS as exception:
        failure = errors.failure(exception, target, "RestoreImageFromRecycleBin")
        return merge(done, Performed(failures=(failure,)))
    # EC2 may refuse to tag an image that it does not list yet.
    return perform_all(ec2, plan.mark) if done.failures else done


def _listed(ec2: EC2Client, image_id: str) -> Image | None:
    """The image if EC2 lists it. A failed read is made again, after the tag is set."""
    try:
        return read.image(ec2, image_id)
    except errors.AWS_ERRORS:
        return None


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
    return merge(done, perform_or_close(ec2, plan.after_enabling))


def _plan_again(clients: Clients, wanted: RestoreOptions, seen: RestoreSeen, ref: ImageRef) -> ImagePlan:
    """The plan for an image that has come out of the Recycle Bin, from its actual state."""
    history = seen.histories.get(ref, TombstoneHistory())
    region = _read_region(clients.ec2(ref.region), wanted, seen.account_id, {ref.image_id: history})
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
