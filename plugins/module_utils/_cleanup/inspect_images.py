# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the usage of single images and snapshots, in all regions at the same time.

Each takes a call or two: the clients of each kind of call limit their rate, and the regions take turns.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple, TypeVar

from .._aws import errors
from .._aws import read as aws
from .._aws.accounts import AssumedAccounts
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._aws.read import Caller
from .._failures import ValidationError
from .._fanout import map_parallel, round_robin
from .._model import ConsumerRole, Image, ImageRef, SnapshotRef, Target
from .._plan import batches
from .._processes import map_in_processes
from . import read_usage
from .next_reads import is_kept
from .options import CleanupOptions
from .sharing import list_accounts_to_read
from .state import CleanupState, Evidence, ImageUsage, OwnImage, Permissions, SnapshotUsage
from .uses.read import list_services
from .uses.read_all import OF_CONSUMERS

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")
Ref = TypeVar("Ref", ImageRef, SnapshotRef)


class _Batch(NamedTuple):
    """The images of one region in one call."""

    region: str
    image_ids: tuple[str, ...]

    @property
    def refs(self) -> tuple[ImageRef, ...]:
        return tuple(ImageRef(self.region, image_id) for image_id in self.image_ids)

    def single(self) -> tuple[_Batch, ...]:
        """Return a batch for each of the images."""
        return tuple(_Batch(self.region, (image_id,)) for image_id in self.image_ids)


class _Usage(NamedTuple):
    """The usage of an image, and of its snapshots as far as they were read."""

    image: ImageUsage
    snapshots: Mapping[SnapshotRef, SnapshotUsage]


def read_image_usage(
    clients: Clients,
    options: CleanupOptions,
    state: CleanupState,
    images: Mapping[ImageRef, tuple[SnapshotRef, ...]],
) -> tuple[dict[ImageRef, ImageUsage], dict[SnapshotRef, SnapshotUsage]]:
    """Return the usage of the images, and of the snapshots beside those that are not used.

    Permissions that the state has from the plan are read later, by ``read_permissions``.
    """
    if not images:
        return {}, {}
    usages = _read_in_regions(clients, options, state, images)
    usage = {ref: entry.image for ref, entry in usages.items()}
    if options.include_shared:
        usage = _add_reports(clients, state, usage)
    if options.include_shared and options.consumer_role is not None:
        read_in = {
            ref: list_accounts_to_read(state.images[ref], entry.image.sharing, entry.snapshots.values())
            for ref, entry in usages.items()
        }
        usage = _add_consumers(clients, options.consumer_role, state, usage, read_in)
    return usage, {ref: snapshot for entry in usages.values() for ref, snapshot in entry.snapshots.items()}


def _read_in_regions(
    clients: Clients,
    options: CleanupOptions,
    state: CleanupState,
    images: Mapping[ImageRef, tuple[SnapshotRef, ...]],
) -> dict[ImageRef, _Usage]:
    """Return the usage of the images, those of each region read in one process.

    What a process that has ended would have read counts as used: its images are kept.
    """
    by_region = _group_by_region(images)

    def prepare(own: Clients) -> Callable[[Collection[str]], dict[ImageRef, _Usage]]:
        return lambda regions: _read_usages(
            own, options, state, {ref: images[ref] for region in regions for ref in by_region[region]}
        )

    largest_first = sorted(by_region, key=lambda region: -len(by_region[region]))
    # Permissions that are planned are not read here.
    calls = sum(
        1 + len(snapshots) for ref, snapshots in images.items() if ref not in state.planned_permissions
    )
    read = map_in_processes(largest_first, prepare, clients, calls=calls, most=options.max_processes)
    if read is None:
        return prepare(clients)(by_region)
    done, lost = read
    usages = {ref: usage for group in done for ref, usage in group.items()}
    for region, ended in lost.items():
        problem = Evidence.of_failure(ended.as_failure(state.target(region), aws.IMAGE_PERMISSIONS))
        usages |= dict.fromkeys(by_region[region], _Usage(ImageUsage(unread=(problem,)), {}))
    return usages


def _read_usages(
    clients: Clients,
    options: CleanupOptions,
    state: CleanupState,
    images: Mapping[ImageRef, tuple[SnapshotRef, ...]],
) -> dict[ImageRef, _Usage]:
    """Return the usage of the images, all read in this process."""
    by_region = _group_by_region(images)
    clients.rate_limited("DescribeImageReferences").open("ec2", by_region)
    open_for_permissions(clients, by_region)
    referenced = _read_references(clients, options, state, by_region)

    def read(ref: ImageRef) -> _Usage:
        if planned := state.planned_permissions.get(ref):
            return _Usage(replace(referenced[ref], sharing=planned.image), planned.snapshots)
        usage = _add_sharing(clients, ref, state.images[ref], referenced[ref])
        if is_kept(options, state.images[ref], usage):
            return _Usage(usage, {})
        # While permissions of other images are read, so that neither kind of call waits for the other: in the
        # next round, which would name the same snapshots, they would be read only after all images.
        return _Usage(usage, {snapshot: read_snapshot(clients, snapshot) for snapshot in images[ref]})

    return _read_each(round_robin(by_region.values()), read, state, aws.IMAGE_PERMISSIONS)


def open_for_permissions(clients: Clients, regions: Iterable[str]) -> None:
    """Open the clients that read permissions, before threads start."""
    for operation in (aws.IMAGE_PERMISSIONS, aws.SNAPSHOT_PERMISSIONS):
        clients.rate_limited(operation).open("ec2", regions)


def open_for_states(clients: Clients, state: CleanupState, images: Iterable[ImageRef]) -> None:
    """Open the clients that read whether images are still disabled, before threads start."""
    regions = {ref.region for ref in images if not state.images[ref].image.may_be_shared}
    clients.rate_limited("DescribeImages").open("ec2", regions)


def read_permissions(clients: Clients, state: CleanupState, ref: ImageRef) -> Permissions:
    """Return the permissions of an image and its snapshots as they are now. The clients for that are open."""
    own = state.images[ref]
    usage, image = ImageUsage(), own.image
    if not own.image.may_be_shared:
        # It may be enabled by now. AWS does not document what DescribeImageAttribute answers for one that is
        # disabled.
        usage, image = _read_again(clients, ref, own.image)
    is_enabled = image.may_be_shared and not own.image.may_be_shared
    if image.may_be_shared:
        usage = _add_sharing(clients, ref, replace(own, image=image), usage)
    if usage.references:
        return Permissions(gone=usage.references)
    refs = [SnapshotRef(ref.region, snapshot_id) for snapshot_id in own.image.snapshot_ids]
    snapshots = {snapshot: read_snapshot(clients, snapshot) for snapshot in refs}
    return Permissions(usage.sharing, snapshots, usage.unread, is_enabled=is_enabled)


def read_snapshot_usage(
    clients: Clients, state: CleanupState, refs: Collection[SnapshotRef]
) -> dict[SnapshotRef, SnapshotUsage]:
    """Return the accounts that can create volumes from these snapshots."""
    if not refs:
        return {}
    by_region = _group_by_region(refs)
    clients.rate_limited("DescribeSnapshotAttribute").open("ec2", by_region)
    return _read_each(
        round_robin(by_region.values()),
        lambda ref: read_snapshot(clients, ref),
        state,
        "DescribeSnapshotAttribute",
    )


def _read_references(
    clients: Clients, options: CleanupOptions, state: CleanupState, by_region: Mapping[str, list[ImageRef]]
) -> dict[ImageRef, ImageUsage]:
    """Return the images with the own resources that refer to them."""
    action = "DescribeImageReferences"
    tombstones = {clients.default_region: options.tombstone_ssm_path}

    def read(batch: _Batch) -> dict[ImageRef, ImageUsage]:
        try:
            ec2 = clients.rate_limited(action).ec2(batch.region)
            references = read_usage.read_references(ec2, batch.image_ids, tombstones.get(batch.region))
        except errors.AWS_ERRORS as exception:
            if len(batch.image_ids) > 1 and aws.may_be_gone(exception):
                # An image that was deregistered since it was listed says nothing about the others.
                return {ref: usage for part in batch.single() for ref, usage in read(part).items()}
            return dict.fromkeys(batch.refs, ImageUsage(unread=(read_usage.to_evidence(exception, action),)))
        return {ref: ImageUsage(references[ref.image_id]) for ref in batch.refs}

    references = _read_each(_make_batches(by_region), read, state, action)
    return {ref: usage for batch in references.values() for ref, usage in batch.items()}


def _read_again(clients: Clients, ref: ImageRef, image: Image) -> tuple[ImageUsage, Image]:
    """Return an image as it is now, and that it was deregistered or could not be read."""
    action = "DescribeImages"
    ec2 = clients.rate_limited(action).ec2(ref.region)
    try:
        found = aws.images(ec2, [{"Name": "image-id", "Values": [ref.image_id]}], ["self"])
    except errors.AWS_ERRORS as exception:
        return ImageUsage(unread=(read_usage.to_evidence(exception, action),)), image
    existing = [one for one in found if one.state != "deregistered"]
    if not existing:
        return ImageUsage((Evidence.deregistered(ref.image_id),)), image
    return ImageUsage(), existing[0]


def _add_sharing(clients: Clients, ref: ImageRef, own: OwnImage, usage: ImageUsage) -> ImageUsage:
    """Return the usage with the launch permissions of the image.

    One that was deregistered since it was listed counts as used in this run. That is no failed read: there is
    nothing to read.
    """
    ec2 = clients.rate_limited(aws.IMAGE_PERMISSIONS).ec2(ref.region)
    try:
        sharing = read_usage.read_launch_permissions(ec2, own)
    except errors.AWS_ERRORS as exception:
        if aws.is_gone(ec2, ref.image_id, exception):
            return ImageUsage((Evidence.deregistered(ref.image_id),))
        return replace(
            usage, unread=(*usage.unread, read_usage.to_evidence(exception, aws.IMAGE_PERMISSIONS))
        )
    return replace(usage, sharing=sharing)


def read_snapshot(clients: Clients, ref: SnapshotRef) -> SnapshotUsage:
    """Return the accounts that can create volumes from a snapshot. The client for that is open."""
    action = "DescribeSnapshotAttribute"
    try:
        return read_usage.read_snapshot_usage(clients.rate_limited(action).ec2(ref.region), ref.snapshot_id)
    except errors.AWS_ERRORS as exception:
        return SnapshotUsage(unread=read_usage.to_evidence(exception, action).detail)


def _add_reports(
    clients: Clients, state: CleanupState, usage: Mapping[ImageRef, ImageUsage]
) -> dict[ImageRef, ImageUsage]:
    """Return the usage, with the newest usage reports of images that are shared."""
    action = "DescribeImageUsageReports"

    def read(batch: _Batch) -> dict[ImageRef, ImageUsage]:
        try:
            reports = read_usage.read_usage_reports(clients.ec2(batch.region), batch.image_ids)
        except errors.AWS_ERRORS as exception:
            if len(batch.image_ids) > 1 and aws.may_be_gone(exception):
                return {
                    ref: image_usage for single in batch.single() for ref, image_usage in read(single).items()
                }
            problem = read_usage.to_evidence(exception, action)
            return {ref: replace(usage[ref], unread=(*usage[ref].unread, problem)) for ref in batch.refs}
        return {ref: replace(usage[ref], report=reports.get(ref.image_id)) for ref in batch.refs}

    shared = _group_by_region(
        ref for ref, image_usage in usage.items() if image_usage.sharing.without(state.account_id)
    )
    reports = _read_each(_make_batches(shared), read, state, action)
    return {**usage, **{ref: image_usage for batch in reports.values() for ref, image_usage in batch.items()}}


def _add_consumers(
    clients: Clients,
    role: ConsumerRole,
    state: CleanupState,
    usage: Mapping[ImageRef, ImageUsage],
    read_in: Mapping[ImageRef, Collection[str]],
) -> dict[ImageRef, ImageUsage]:
    """Return the usage with the uses of each image in the accounts ``read_in``.

    An account that cannot be read counts as one that uses the image.
    """
    caller = Caller(state.account_id, state.partition)
    accounts = AssumedAccounts(clients, caller, role, preferred_region(clients, sorted(state.regions)))
    for service in list_services(OF_CONSUMERS):
        accounts.open(service, {ref.region for ref, account_ids in read_in.items() if account_ids})
    of_accounts: dict[str, dict[str, dict[str, tuple[str, ...]]]] = {}
    for ref, account_ids in read_in.items():
        for account_id in account_ids:
            in_region = of_accounts.setdefault(account_id, {}).setdefault(ref.region, {})
            in_region[ref.image_id] = state.images[ref].image.snapshot_ids

    def read(account_id: str) -> dict[ImageRef, tuple[Evidence, ...]]:
        with accounts.as_account(account_id) as of_account:
            uses = {
                ImageRef(region, image_id): evidence
                for region, images in of_accounts[account_id].items()
                for image_id, evidence in read_usage.read_uses(of_account, region, images).items()
            }
            for region in of_accounts[account_id]:
                copies, problems = _read_copies(of_account, region)
                uses = {ref: (*evidence, *copies.get(ref, ()), *problems) for ref, evidence in uses.items()}
        return uses

    done, failed = map_parallel(of_accounts, read)
    problems = {
        account_id: Evidence.unreadable(
            account_id, errors.failure(exception, Target(account_id, ""), "AssumeRole").text()
        )
        for account_id, exception in failed.items()
    }

    def find_uses(ref: ImageRef, account_id: str) -> tuple[Evidence, ...]:
        evidence = done[account_id][ref] if account_id in done else (problems[account_id],)
        # Each read in each region fails for the same reason if the account's role cannot be assumed.
        return tuple(dict.fromkeys(replace(item, account_id=account_id) for item in evidence))

    return {
        ref: replace(
            image_usage, consumers={account: find_uses(ref, account) for account in sorted(read_in[ref])}
        )
        for ref, image_usage in usage.items()
    }


def _read_copies(
    clients: Clients, region: str
) -> tuple[Mapping[ImageRef, tuple[Evidence, ...]], tuple[Evidence, ...]]:
    """Return the pending copies in an account by source, and why they could not be read."""
    try:
        return read_usage.read_pending_copies(clients.ec2(region), region), ()
    except errors.AWS_ERRORS as exception:
        return {}, (read_usage.to_evidence(exception, "DescribeImages"),)


def _read_each(
    items: Iterable[Item], work: Callable[[Item], Result], state: CleanupState, action: str
) -> dict[Item, Result]:
    """Return the result of each item.

    Raises:
        ValidationError: something else failed than what AWS refuses, which ``work`` notes itself.
    """
    done, failed = map_parallel(items, work)
    if failed:
        raise ValidationError(
            errors.failure(exception, state.target(""), action) for exception in failed.values()
        )
    return done


def _group_by_region(refs: Iterable[Ref]) -> dict[str, list[Ref]]:
    by_region: dict[str, list[Ref]] = {}
    for ref in dict.fromkeys(refs):
        by_region.setdefault(ref.region, []).append(ref)
    return by_region


def _make_batches(by_region: Mapping[str, list[ImageRef]]) -> list[_Batch]:
    return round_robin(
        [
            _Batch(region, tuple(ref.image_id for ref in batch))
            for batch in batches(refs, read_usage.REFERENCE_BATCH)
        ]
        for region, refs in by_region.items()
    )
