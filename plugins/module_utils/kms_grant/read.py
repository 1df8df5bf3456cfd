# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the keys of a region."""

from __future__ import annotations

from ..aws import errors, read
from ..aws.clients import Clients
from ..failures import TargetFailed
from ..model import KeySeen, Target
from .state import GrantWanted


def read_keys(clients: Clients, wanted: GrantWanted, target: Target) -> tuple[KeySeen, ...]:
    """The keys of a target with their grants and, if needed, their policies.

    Raises:
        TargetFailed: if the image does not exist.
    """
    return tuple(_read_key(clients, wanted, target, key_id) for key_id in _key_ids(clients, wanted, target))


def _read_key(clients: Clients, wanted: GrantWanted, target: Target, key_id: str) -> KeySeen:
    kms = clients.kms(target.region)
    key = read.key(kms, key_id)
    if key.aws_managed or key.account_id != target.account_id:
        # The plan refuses it; only its owner can read its grants and policy.
        return KeySeen(key)
    policy = read.key_policy(kms, key.arn) if wanted.uses_policy else None
    return KeySeen(key, read.grants(kms, key.arn), policy)


def _key_ids(clients: Clients, wanted: GrantWanted, target: Target) -> list[str]:
    """The keys of one region: the key in ``kms_key_ids``, or the keys of the image's snapshots."""
    if not wanted.images:
        key_id = wanted.kms_key_ids[target.region]
        return [key_id] if key_id else []
    image_id = wanted.images[target.region]
    if image_id is None:
        return []
    ec2 = clients.ec2(target.region)
    image = read.image(ec2, image_id)
    if image is None:
        raise TargetFailed(errors.no_image(image_id, target))
    keys = {item.kms_key_id for item in read.visible_snapshots(ec2, image.snapshot_ids) if item.kms_key_id}
    return sorted(keys)
