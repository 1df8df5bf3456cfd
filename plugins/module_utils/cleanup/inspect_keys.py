# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Looks at keys under which snapshots go: this collection's grants, and who else needs them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..aws import errors, read
from ..aws.clients import Clients
from ..fanout import each
from ..keys.grants import is_own
from ..model import ImageRef, KeyRef, Sharing, SnapshotRef
from . import read_usage as image_use
from .decisions import CleanupSeen
from .state import KeyLook, OwnImage, SnapshotLook


def with_key_looks(
    clients: Clients, seen: CleanupSeen, staying: Mapping[KeyRef, tuple[OwnImage, ...]]
) -> CleanupSeen:
    """What was seen, with a look at each of the keys; ``staying`` are the images under it that do not go.

    Where something cannot be read the look says so, and nothing is revoked.
    """
    if not staying:
        return seen
    regions = {ref.region for ref in staying}
    clients.open("kms", regions)
    for operation in ("DescribeImageAttribute", "DescribeSnapshotAttribute"):
        clients.paced_for(operation).open("ec2", regions)

    def look(ref: KeyRef) -> KeyLook:
        grants = tuple(one for one in read.grants(clients.kms(ref.region), ref.key_arn) if is_own(one))
        if not grants:
            return KeyLook()
        sharing = {own.image.image_id: _sharing(clients, seen, ref.region, own) for own in staying[ref]}
        return KeyLook(grants, sharing)

    found, failed = each(staying, look)
    unread = {
        ref: KeyLook(unread=(errors.failure(exception, None, "ListGrants").text(),))
        for ref, exception in failed.items()
    }
    return replace(seen, keys={**seen.keys, **found, **unread})


def _sharing(clients: Clients, seen: CleanupSeen, region: str, own: OwnImage) -> Sharing:
    """With whom the image or a snapshot of it is shared; what was read of either is not read again."""
    known = seen.looks.get(ImageRef(region, own.image.image_id))
    if known is not None and not known.unread:
        shared = known.sharing
    else:
        ec2 = clients.paced_for("DescribeImageAttribute").ec2(region)
        shared = image_use.launch_permissions(ec2, own)
    ec2 = clients.paced_for("DescribeSnapshotAttribute").ec2(region)
    for snapshot_id in own.image.snapshot_ids:
        look = seen.snapshot_looks.get(SnapshotRef(region, snapshot_id), SnapshotLook(unread="not read"))
        if look.unread:
            look = image_use.snapshot_look(ec2, snapshot_id)
        shared |= look.sharing
    return shared
