# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for tests of encryption: keys, and copies with the snapshots that they encrypt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from ansible_collections.golden.images.plugins.module_utils._copy.state import CopyState
from ansible_collections.golden.images.plugins.module_utils._keys.encryption import Encryption
from ansible_collections.golden.images.plugins.module_utils._model import Image, Key, Snapshot

from tests.unit.copy.examples import REGION, seen
from tests.unit.examples import OWNER, adopted_image, copied_image, source_image, target_in, volumes

KEY_TAG = "golden.images:kms-key"


def key_arn(name: str = "a", region: str = REGION, account_id: str = OWNER) -> str:
    """The ARN of a key."""
    return f"arn:aws:kms:{region}:{account_id}:key/{name}"


WANTED = Key(key_arn("wanted"))
OTHER = Key(key_arn("other"))
DEFAULT = Key(key_arn("aws-ebs"), aws_managed=True)

PLAIN = source_image()
ENCRYPTED = source_image(devices=volumes("snap-source", encrypted=True))

UNDER_KEY = Encryption(key="alias/golden")
ANY_KEY = Encryption()
BY_DEFAULT = Encryption(allow_default=True)


def found(
    image_id: str, *keys: Key | None, made: str = "own", **changes: Any
) -> tuple[Image, list[Snapshot]]:
    """An image, ``own`` or ``adopted``, with one volume under each of these keys, None being unencrypted."""
    make = {"own": copied_image, "adopted": adopted_image}[made]
    snapshots = [
        Snapshot(f"{image_id}-{number}", "completed", 100, key.arn if key else None)
        for number, key in enumerate(keys)
    ]
    devices = tuple(
        device
        for snapshot in snapshots
        for device in volumes(snapshot.snapshot_id, encrypted=snapshot.kms_key_id is not None)
    )
    return make(image_id, **{"devices": devices, **changes}), snapshots


def saw(
    *images: tuple[Image, Iterable[Snapshot]],
    key: Key | None = None,
    by_default: bool = False,
    source: Image = PLAIN,
) -> CopyState:
    """That the one region holds these images; ``key`` is the one that is set, or the allowed default."""
    snapshots = tuple(item for _image, items in images for item in items)
    return replace(
        seen(*(image for image, _items in images), source=source, snapshots=snapshots),
        keys={target_in(): key} if key else {},
        encryption_by_default={target_in(): by_default},
    )


def tags_of(request: Mapping[str, Any], kind: str) -> dict[str, str]:
    """The tags that a request gives to resources of one kind."""
    (tags,) = [item["Tags"] for item in request["TagSpecifications"] if item["ResourceType"] == kind]
    return {tag["Key"]: tag["Value"] for tag in tags}
