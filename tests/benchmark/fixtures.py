# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of any size: an owner with a two-disk image, and consumer accounts."""

from __future__ import annotations

from collections.abc import Mapping
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
ROLE = "golden-consumer"
"""The role that the owner may assume in each account of ``shared``."""

_OWNER_ID = "111111111111"
# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot".
_USE = (
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
)


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


def shared(account_ids: list[str], images: Mapping[str, str]) -> dict[str, Any]:
    """A fixture's document: encrypted images, by name and region, that all accounts may use."""
    accounts = {f"consumer-{one}": one for one in account_ids}
    key = {"account": OWNER, "regions": sorted({*images.values()}), "policy": _policy(account_ids)}
    return {
        "accounts": {OWNER: _OWNER_ID, **accounts},
        "roles": {ROLE: {"accounts": list(accounts), "trusts": [OWNER]}},
        "kms_keys": {"golden": key},
        "images": {name: _image(region, list(accounts)) for name, region in images.items()},
    }


def _image(region: str, accounts: list[str]) -> dict[str, Any]:
    encryption = {"encrypted": True, "kms_key": "golden"}
    return {
        "account": OWNER,
        "region": region,
        "devices": [
            {"device_name": "/dev/xvda", "size": 8, **encryption},
            {"device_name": "/dev/sdb", "size": 20, **encryption},
        ],
        "sharing": {"accounts": accounts, "snapshot_accounts": accounts},
    }


def _policy(account_ids: list[str]) -> dict[str, Any]:
    everything = {"Effect": "Allow", "Principal": {"AWS": _OWNER_ID}, "Action": "kms:*", "Resource": "*"}
    use = {"Principal": {"AWS": account_ids}, "Action": [f"kms:{one}" for one in _USE]}
    return {"Version": "2012-10-17", "Statement": [everything, {**everything, **use}]}
