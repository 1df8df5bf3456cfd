# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads what an account uses in all regions, and traces its images to the releases that they come from."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from .._aws import errors
from .._aws.accounts import AssumedAccounts
from .._aws.clients import Clients
from .._failures import Failure
from .._model import ImageRef, Target
from .options import AdoptionOptions
from .read_uses import read_images, read_instances, read_launches
from .state import (
    ASSUME_ROLE,
    LAUNCHES,
    READ_INSTANCES,
    TAG,
    Catalog,
    ImageUse,
    Look,
    Origin,
    UsedImage,
)
from .trace import list_untraced, trace


def read_account(
    accounts: AssumedAccounts,
    account_id: str,
    regions: Collection[str],
    options: AdoptionOptions,
    catalog: Catalog,
) -> dict[Target, Look | Failure]:
    """Return what an account uses in each region, or why that could not be read."""
    may_be_copies = {account_id, catalog.account_id, *options.account_ids}
    unread: dict[Target, Look | Failure] = {}
    uses: dict[Target, tuple[ImageUse, ...]] = {}
    problems: dict[Target, tuple[Failure, ...]] = {}
    with accounts.as_account(account_id) as clients:
        for region in regions:
            target = Target(account_id, region)
            try:
                uses[target] = read_instances(clients.ec2(region), region, options.owner_tags)
            except errors.AWS_ERRORS as exception:
                failure = errors.failure(exception, target, READ_INSTANCES)
                if failure.action == ASSUME_ROLE:
                    return {
                        each: replace(failure, region=each.region)
                        for each in (Target(account_id, name) for name in regions)
                    }
                unread[target] = failure
                continue
            problems[target] = ()
            if options.depth == LAUNCHES:
                launches, problems[target] = read_launches(clients, target)
                uses[target] += launches
        images, failures = _read_origins(clients, account_id, uses, catalog, may_be_copies)
    origins = _find_origins(images, may_be_copies)
    tagged = {ref for ref, (_image, origin) in images.items() if origin and origin.evidence == TAG}
    looks: dict[Target, Look | Failure] = {
        target: Look(
            tuple(
                trace(
                    _complete(use, images),
                    account_id,
                    catalog,
                    origins,
                    options.forms_families,
                    may_be_copies,
                    tagged,
                )
                for use in of_target
            ),
            (*problems[target], *(failure for failure in failures if failure.region == target.region)),
        )
        for target, of_target in uses.items()
    }
    return {**looks, **unread}


def _complete(use: ImageUse, images: Mapping[ImageRef, tuple[UsedImage, Origin | None]]) -> ImageUse:
    """Return the use with its image as DescribeImages returns it, if only its ID is known."""
    if use.image.owner_id or use.image.ref not in images:
        return use
    return replace(use, image=images[use.image.ref][0])


def _find_origins(
    images: Mapping[ImageRef, tuple[UsedImage, Origin | None]], account_ids: Collection[str]
) -> dict[ImageRef, ImageRef | None]:
    """Return what images come from, None for those of vendors. Those without a known source are missing.

    AWS may not have it for older images, and has none for those of RegisterImage (EC2 User Guide, "Identify
    the source AMI used to create a new AMI"): nothing says that such an image is not of a release.
    Of an image that another account shares, only that account sees the source.
    """
    return {
        ref: origin.ref if origin else None
        for ref, (image, origin) in images.items()
        if origin is not None or image.is_of_vendor(account_ids)
    }


def _read_origins(
    clients: Clients,
    account_id: str,
    uses: Mapping[Target, Iterable[ImageUse]],
    catalog: Catalog,
    may_be_copies: Collection[str],
) -> tuple[dict[ImageRef, tuple[UsedImage, Origin | None]], tuple[Failure, ...]]:
    """Return the images that may be the account's own and what these come from, link by link.

    Most accounts use images of the owner and of AWS only: nothing is read there.
    """
    images: dict[ImageRef, tuple[UsedImage, Origin | None]] = {}
    asked: set[ImageRef] = set()
    failures: list[Failure] = []
    regions = {target.region for target in uses}
    all_uses = [use for of_target in uses.values() for use in of_target]
    while True:
        origins = _find_origins(images, may_be_copies)
        missing = [
            ref
            for ref in list_untraced(all_uses, account_id, catalog, origins)
            if ref not in asked and ref.region in regions
        ]
        if not missing:
            return images, tuple(failures)
        asked.update(missing)
        for region in dict.fromkeys(ref.region for ref in missing):
            ids = [ref.image_id for ref in missing if ref.region == region]
            try:
                images.update(read_images(clients.ec2(region), region, ids, account_id))
            except errors.AWS_ERRORS as exception:
                failures.append(errors.failure(exception, Target(account_id, region), "DescribeImages"))
