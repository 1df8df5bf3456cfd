# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the keys of earlier images as their owner: a few calls a region, whatever the number of accounts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from .._aws import errors, read
from .._aws.clients import Clients
from .._fanout import map_parallel
from .._model import ImageRef, KeyState, Sharing, Snapshot, Target
from .._share.read import read_key
from .state import ImageKeys
from .usable_keys import EarlierImage

Place = tuple[str, str]
"""A region, and the ID of a key there."""


def read_keys(
    clients: Clients, account_id: str, images: Mapping[ImageRef, EarlierImage]
) -> dict[ImageRef, ImageKeys]:
    """Return the keys of images of the account. One that cannot be read stops no other one."""
    regions = sorted({ref.region for ref in images})
    clients.open("ec2", regions)

    def read_snapshots(region: str) -> dict[str, Snapshot]:
        names = {
            name for ref in images if ref.region == region for name in images[ref].image.encrypted_snapshots
        }
        return {item.snapshot_id: item for item in read.snapshots(clients.ec2(region), sorted(names))}

    snapshots, unread = map_parallel(regions, read_snapshots)
    of_image = {ref: _list_keys(images[ref], snapshots.get(ref.region, {})) for ref in images}
    consumers: dict[Place, list[Sharing]] = {}
    for ref, (key_ids, _unproven) in of_image.items():
        for key_id in key_ids:
            consumers.setdefault((ref.region, key_id), []).append(images[ref].consumers)
    clients.open("kms", sorted({region for region, _key_id in consumers}))

    def read_one(place: Place) -> KeyState:
        sharing = reduce(Sharing.__or__, consumers[place])
        return read_key(clients.kms(place[0]), account_id, place[1], sharing)

    done, failed = map_parallel(consumers, read_one)

    def collect(ref: ImageRef) -> ImageKeys:
        key_ids, unproven = of_image[ref]
        places = [(ref.region, key_id) for key_id in key_ids]
        exception, operation = unread.get(ref.region), "DescribeSnapshots"
        if exception is None:
            exception, operation = next((failed[key] for key in places if key in failed), None), "DescribeKey"
        at = Target(account_id, ref.region)
        failure = errors.failure(exception, at, operation) if exception else None
        return ImageKeys(tuple(done[place] for place in places if place in done), unproven, failure)

    return {ref: collect(ref) for ref in images}


def _list_keys(earlier: EarlierImage, snapshots: Mapping[str, Snapshot]) -> tuple[list[str], str]:
    """Return the keys of an image, and why they do not decide alone; empty if they do."""
    found = [snapshots[name] for name in earlier.image.encrypted_snapshots if name in snapshots]
    # An associated key can give access that the snapshot's own key does not (operation AssociateKmsKeyId).
    decided = [item for item in found if item.kms_key_id and not item.associated_key_arns]
    key_ids = sorted({item.kms_key_id for item in decided if item.kms_key_id})
    if len(decided) == len(earlier.image.encrypted_snapshots):
        return key_ids, ""
    return (
        key_ids,
        "further keys are associated with their snapshots, or AWS does not return the keys of these",
    )
