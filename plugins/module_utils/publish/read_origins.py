# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the original sources of images, with the credentials of the account that publishes."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..aws import errors, read
from ..aws.clients import Clients
from ..failures import Failure
from ..fanout import each
from ..model import Image, ImageRef, Target
from .options import PublishOptions
from .origins import compared_images, first_views, origin_of
from .state import Origin, TargetSeen


def read_origins(
    clients: Clients, wanted: PublishOptions, account_id: str, targets: Mapping[Target, TargetSeen]
) -> dict[ImageRef, Origin]:
    """Read the original sources of the new and the published images, by image, where these are others.

    What cannot be read is unknown, and its reason is kept. Each round reads the sources of one further copy.
    """
    if wanted.is_rollback or wanted.publish_older:
        return {}
    refs = dict.fromkeys(compared_images(wanted, targets))
    views = first_views(targets, account_id)
    problems: dict[ImageRef, str] = {}
    looked_up: set[ImageRef] = set()
    while True:
        origins = {ref: origin_of(ref, views, problems) for ref in refs}
        unseen = {origin.ref for origin in origins.values() if origin.ref not in views} - looked_up
        if not unseen:
            return origins
        looked_up |= unseen
        for region, found in _look_up(clients, account_id, unseen).items():
            if isinstance(found, Failure):
                problems |= {ref: found.message for ref in unseen if ref.region == region}
            else:
                views |= {ImageRef(region, image_id): [image] for image_id, image in found.items()}


def _look_up(
    clients: Clients, account_id: str, refs: Collection[ImageRef]
) -> dict[str, Mapping[str, Image] | Failure]:
    """Return the images that are visible, by region and ID, or why a region could not be read."""
    clients.open("ec2", sorted({ref.region for ref in refs}))

    def look_up(region: str) -> Mapping[str, Image] | Failure:
        image_ids = [ref.image_id for ref in refs if ref.region == region]
        try:
            return read.named_images(clients.ec2(region), image_ids)
        except errors.AWS_ERRORS as exception:
            return errors.failure(exception, Target(account_id, region), "DescribeImages")

    done, failed = each(sorted({ref.region for ref in refs}), look_up)
    for exception in failed.values():
        raise exception
    return done
