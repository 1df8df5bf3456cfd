# SPDX-License-Identifier: GPL-3.0-or-later

"""Resources as the simulated AWS shows them."""

from __future__ import annotations

from typing import Any

from tests.chaos.picture import Picture, labels, picture

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "600000000006"
ARN = f"arn:aws:kms:us-east-1:{OWNER}:key/01234567-89ab-cdef-0123-456789abcdef"
_WHERE = {"account_id": OWNER, "region": "us-east-1"}
IMAGE: dict[str, Any] = {
    **_WHERE,
    "kind": "image",
    "name": "ami-00123456789abcdef",
    "image_name": "golden",
    "source": [None, None],
    "state": "available",
    "tags": {},
    "permissions": [],
    "public": False,
    "snapshots": {"/dev/xvda": "snap-00123456789abcdef"},
}
SNAPSHOT: dict[str, Any] = {
    **_WHERE,
    "kind": "snapshot",
    "name": "snap-00123456789abcdef",
    "key": ARN,
    "permissions": [],
    "public": False,
}
KEY: dict[str, Any] = {**_WHERE, "kind": "key", "name": ARN, "policy": {}, "grants": []}


def grant(account: str) -> list[str]:
    """A grant of a key as the world shows it."""
    return [f"arn:aws:iam::{account}:root", f"golden-images:{account}", "Decrypt"]


def parameter(name: str, value: str, *, newest: bool = True) -> dict[str, Any]:
    """A version of a parameter."""
    return {
        **_WHERE,
        "kind": "parameter",
        "name": name,
        "value": value,
        "type": ["String", "aws:ec2:image"],
        "labels": [],
        "newest": newest,
    }


def instance(state: str) -> dict[str, Any]:
    """An instance of the image."""
    return {
        **_WHERE,
        "kind": "instance",
        "name": "i-00123456789abcdef",
        "image": IMAGE["name"],
        "state": state,
    }


def tombstone(body: str) -> dict[str, Any]:
    """An object in a bucket."""
    return {**_WHERE, "kind": "object", "name": "golden-reports/recall", "body": body}


def shot(world: list[dict[str, Any]]) -> Picture:
    """The picture of a world."""
    return picture(world, labels(world, keys={ARN: "key golden us-east-1"}))
