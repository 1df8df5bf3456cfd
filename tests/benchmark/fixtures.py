# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of any size: an owner with a two-disk image, and consumer accounts."""

from __future__ import annotations

from typing import Any

OWNER, IMAGE, HOME = "images", "golden", "us-east-1"
OTHER_REGIONS = (
    *("us-east-2", "us-west-2", "eu-west-1", "eu-central-1", "ap-southeast-2", "ap-northeast-1", "sa-east-1"),
    *("us-west-1", "ca-central-1", "eu-west-2", "eu-west-3", "eu-north-1", "ap-south-1", "ap-southeast-1"),
    *("ap-northeast-2", "ap-northeast-3", "af-south-1", "eu-south-1", "ap-east-1", "me-south-1"),
    *("ap-south-2", "ap-southeast-3", "ap-southeast-4", "ca-west-1", "eu-central-2", "eu-south-2"),
    *("il-central-1", "me-central-1", "mx-central-1", "ap-southeast-5"),
)
KEY_ALIAS = "alias/golden"

_OWNER_ID = "111111111111"


def consumers(count: int) -> list[str]:
    """The IDs of this number of accounts."""
    return [f"{200_000_000_000 + number}" for number in range(count)]


def fixture(accounts: int, encrypted_for: tuple[str, ...] = ()) -> dict[str, Any]:
    """A fixture's document; with ``encrypted_for`` the image is encrypted, its key in these regions."""
    encryption = {"encrypted": True, "kms_key": "golden"} if encrypted_for else {}
    key = {"account": OWNER, "regions": [HOME, *encrypted_for], "alias": KEY_ALIAS}
    return {
        "accounts": {OWNER: _OWNER_ID, **{f"consumer-{one}": one for one in consumers(accounts)}},
        **({"kms_keys": {"golden": key}} if encrypted_for else {}),
        "images": {
            IMAGE: {
                "account": OWNER,
                "region": HOME,
                "devices": [
                    {"device_name": "/dev/xvda", "size": 8, **encryption},
                    {"device_name": "/dev/sdb", "size": 20, **encryption},
                ],
                "tags": {"Name": IMAGE},
            }
        },
    }
