# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read images, and who can use them and their snapshots. What cannot be read stops nothing else."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._failures import Failure
from .._fanout import map_parallel, round_robin
from .._model import ConsumerRole, Image, ImageRef, Sharing, SnapshotRef, Target
from .._plan import batches
from .._publish.flow import name_account
from .._restore.read import get_client
from .._share.state import Shared
from .._tags import RECALLED_TAG, SOURCE_TAG
from .options import RecallOptions

Found = TypeVar("Found")


def read_images(
    clients: Clients, options: RecallOptions, account_id: str, regions: Collection[str]
) -> tuple[dict[ImageRef, Image], Image | None, tuple[Failure, ...]]:
    """Return the owner's copies and recalled images, the source if it is visible, and failures of regions."""
    tagged: Any = [{"Name": "tag-key", "Values": [RECALLED_TAG, SOURCE_TAG]}]

    def read_region(region: str) -> tuple[list[Image], Image | None]:
        ec2 = clients.ec2(region)
        itself = read.image(ec2, options.source_image_id) if region == options.source_region else None
        found = read.images(ec2, tagged, ["self"])
        return [*found, *read.copies_by_field(ec2, options.source_image_id, options.source_region)], itself

    done, failures = _read_in_regions(clients, account_id, regions, read_region)
    images = {
        ImageRef(region, image.image_id): image
        for region, (found, _itself) in done.items()
        for image in found
    }
    itself = next((source for _images, source in done.values() if source is not None), None)
    return images, itself, failures


def read_named_images(
    clients: Clients, account_id: str, refs: Collection[ImageRef]
) -> tuple[dict[ImageRef, Image], tuple[Failure, ...]]:
    """Return those of the images that exist, and the failures of regions."""

    def read_region(region: str) -> Mapping[str, Image]:
        return read.named_images(clients.ec2(region), [ref.image_id for ref in refs if ref.region == region])

    regions = sorted({ref.region for ref in refs})
    done, failures = _read_in_regions(clients, account_id, regions, read_region)
    return {
        ImageRef(region, name): image for region in done for name, image in done[region].items()
    }, failures


def open_regions(clients: Clients, regions: Collection[str]) -> None:
    """Open the clients that read and change permissions."""
    clients.open("ec2", regions)
    for operation in (read.IMAGE_PERMISSIONS, read.SNAPSHOT_PERMISSIONS):
        clients.rate_limited(operation).open("ec2", regions)


def read_access(
    clients: Clients, account_id: str, images: Mapping[ImageRef, Image]
) -> tuple[dict[ImageRef, Shared], tuple[Failure, ...]]:
    """Return the own images with their permissions, and the failures of those that could not be read.

    An image that is deregistered, but is listed for a while, is left out.
    """
    existing = {ref: image for ref, image in images.items() if image.state != "deregistered"}
    regions = sorted({ref.region for ref in existing})
    open_regions(clients, regions)

    def read_one(ref: ImageRef) -> Shared:
        image, launch = existing[ref], Sharing()
        if image.may_be_shared:
            ec2 = get_client(clients, ref.region, read.IMAGE_PERMISSIONS)
            launch = read.launch_permissions(ec2, ref.image_id)
        ec2 = get_client(clients, ref.region, read.SNAPSHOT_PERMISSIONS)
        volumes = {name: read.volume_permissions(ec2, name) for name in image.snapshot_ids}
        return Shared(image, launch, volumes)

    by_region = [[ref for ref in sorted(existing) if ref.region == region] for region in regions]
    done, failed = map_parallel(round_robin(by_region), read_one)
    failures = (
        (ref, errors.failure(exception, Target(account_id, ref.region), read.IMAGE_PERMISSIONS))
        for ref, exception in failed.items()
    )
    return done, tuple(
        replace(failure, message=f"The permissions of {ref.image_id} could not be read: {failure.message}")
        for ref, failure in failures
    )


def open_accounts(
    clients: Clients, caller: read.Caller, role: ConsumerRole | None, targets: Collection[Target]
) -> AssumedAccounts:
    """Return the EC2 clients of the targets. Without a target in another account, no role is needed."""
    regions = sorted({target.region for target in targets})
    is_alone = all(target.account_id == caller.account_id for target in targets)
    accounts = AssumedAccounts(
        clients, caller, None if is_alone else role, preferred_region(clients, regions)
    )
    accounts.open("ec2", regions)
    return accounts


def read_copies(
    clients: Clients, caller: read.Caller, role: ConsumerRole | None, copies: Mapping[ImageRef, str]
) -> tuple[dict[ImageRef, Shared], tuple[Failure, ...]]:
    """Return images of other accounts with their launch permissions, and the failures of targets.

    ``copies`` have the account that owns each. One that it does not own, or does not have any more, is left
    out. Their snapshots stay as they are.
    """
    names: dict[Target, list[str]] = {}
    for ref, account_id in copies.items():
        names.setdefault(Target(account_id, ref.region), []).append(ref.image_id)
    if not names:
        return {}, ()
    accounts = open_accounts(clients, caller, role, names)

    def read_target(target: Target) -> dict[ImageRef, Shared]:
        with accounts.as_account(target.account_id) as account_clients:
            ec2 = account_clients.ec2(target.region)
            return {
                ImageRef(target.region, name): Shared(
                    image, read.launch_permissions(ec2, name) if image.may_be_shared else Sharing()
                )
                for name, image in read.named_images(ec2, names[target]).items()
                if image.owner_id == target.account_id and image.state != "deregistered"
            }

    done, failed = map_parallel(names, read_target)
    failures = (
        # That there is no role is a failure without a region.
        replace(errors.failure(exception, target, "DescribeImages"), region=target.region)
        for target, exception in failed.items()
    )
    return (
        {ref: shared for of_target in done.values() for ref, shared in of_target.items()},
        tuple(name_account(failure, caller.account_id) for failure in failures),
    )


def read_others(
    clients: Clients, account_id: str, access: Mapping[ImageRef, Shared], release: Collection[ImageRef]
) -> tuple[dict[SnapshotRef, str], tuple[Failure, ...]]:
    """Return the shared snapshots of images that an own image outside the release has, too, with that image.

    A failure is that of a region: which of its snapshots others have is not known.
    """
    shared: dict[str, set[str]] = {}
    for ref, item in access.items():
        if names := {name for name, sharing in item.volume_permissions.items() if sharing}:
            shared.setdefault(ref.region, set()).update(names)

    def read_region(region: str) -> dict[SnapshotRef, str]:
        return {
            SnapshotRef(region, name): image.image_id
            for batch in batches(sorted(shared[region]), read.FILTER_VALUES)
            # EC2 API Reference, DescribeImages: images with one of these snapshots in a block device mapping.
            for image in read.images(
                clients.ec2(region),
                [{"Name": "block-device-mapping.snapshot-id", "Values": list(batch)}],
                ["self"],
            )
            if ImageRef(region, image.image_id) not in release
            and image.state not in ("deregistered", "failed")
            for name in image.snapshot_ids
            if name in shared[region]
        }

    done, failures = _read_in_regions(clients, account_id, shared, read_region)
    return {item: image_id for others in done.values() for item, image_id in others.items()}, failures


def _read_in_regions(
    clients: Clients, account_id: str, regions: Collection[str], read_region: Callable[[str], Found]
) -> tuple[dict[str, Found], tuple[Failure, ...]]:
    """Return what is found in each region, and the failures of those in which DescribeImages fails."""
    clients.open("ec2", regions)
    done, failed = map_parallel(regions, read_region)
    return done, tuple(
        errors.failure(exception, Target(account_id, region), "DescribeImages")
        for region, exception in failed.items()
    )
