# SPDX-License-Identifier: GPL-3.0-or-later
"""Copy an AMI to regions, grant accounts access to its key, and share it: boto3 and a thread for each region.

    python boto3_distribute.py CONFIG

A script as a good engineer writes it in an afternoon, standing alone. It can be run again: an existing copy
is found by its tag, existing grants are kept, and adding a permission twice changes nothing. It has no dry
run, no diff and no report, checks nothing before the first change, and shares each region as soon as that is
ready.
"""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config

CONFIG = Config(retries={"mode": "standard", "max_attempts": 10})
TAG = "copied-from"
BATCH = 500
OPERATIONS = [
    *("CreateGrant", "Decrypt", "DescribeKey", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
    *("ReEncryptFrom", "ReEncryptTo"),
]


def main(path: str) -> None:
    """Distribute the image to all regions at the same time."""
    config = json.loads(Path(path).read_text(encoding="utf-8"))
    session = boto3.session.Session()
    source = session.client("ec2", config["source_region"], config=CONFIG)
    image = source.describe_images(ImageIds=[config["source_image_id"]])["Images"][0]
    # Clients are safe to use in threads, making them is not.
    clients = [
        {name: session.client(name, region, config=CONFIG) for name in ("ec2", "kms")}
        for region in config["regions"]
    ]
    with ThreadPoolExecutor(len(clients)) as pool:
        copies = list(pool.map(lambda one: distribute(one["ec2"], one["kms"], image, config), clients))
    print(json.dumps(dict(zip(config["regions"], copies, strict=True))))


def distribute(ec2: Any, kms: Any, image: dict[str, Any], config: dict[str, Any]) -> str:
    """Distribute the image to one region; return the ID of the copy."""
    image_id = find(ec2, image) or copy(ec2, image, config)
    ec2.get_waiter("image_available").wait(ImageIds=[image_id], WaiterConfig={"Delay": 5, "MaxAttempts": 720})
    if config.get("kms_key_id"):
        grant(kms, config["kms_key_id"], config["account_ids"])
    share(ec2, image_id, config["account_ids"])
    return image_id


def find(ec2: Any, image: dict[str, Any]) -> str | None:
    """The ID of the copy that an earlier run made."""
    pages = ec2.get_paginator("describe_images").paginate(
        Owners=["self"], Filters=[{"Name": f"tag:{TAG}", "Values": [image["ImageId"]]}]
    )
    return next((one["ImageId"] for page in pages for one in page["Images"]), None)


def copy(ec2: Any, image: dict[str, Any], config: dict[str, Any]) -> str:
    """Start a copy of the image; return its ID."""
    tags = [
        {"Key": key, "Value": value}
        for key, value in {**config["tags"], TAG: image["ImageId"], "Name": image["Name"]}.items()
    ]
    encryption = {"Encrypted": True, "KmsKeyId": config["kms_key_id"]} if config.get("kms_key_id") else {}
    started = ec2.copy_image(
        Name=image["Name"],
        SourceImageId=image["ImageId"],
        SourceRegion=config["source_region"],
        TagSpecifications=[{"ResourceType": kind, "Tags": tags} for kind in ("image", "snapshot")],
        **encryption,
    )
    return str(started["ImageId"])


def grant(kms: Any, alias: str, account_ids: list[str]) -> None:
    """Grant accounts access to the key that they do not have yet."""
    key_id = kms.describe_key(KeyId=alias)["KeyMetadata"]["KeyId"]
    pages = kms.get_paginator("list_grants").paginate(KeyId=key_id)
    granted = {one.get("GranteePrincipal") for page in pages for one in page["Grants"]}
    for account_id in account_ids:
        principal = f"arn:aws:iam::{account_id}:root"
        if principal not in granted:
            kms.create_grant(KeyId=key_id, GranteePrincipal=principal, Operations=OPERATIONS)


def share(ec2: Any, image_id: str, account_ids: list[str]) -> None:
    """Share the snapshots and the image with accounts."""
    image = ec2.describe_images(ImageIds=[image_id])["Images"][0]
    for device in image["BlockDeviceMappings"]:
        for start in range(0, len(account_ids), BATCH):
            ec2.modify_snapshot_attribute(
                SnapshotId=device["Ebs"]["SnapshotId"],
                Attribute="createVolumePermission",
                OperationType="add",
                UserIds=account_ids[start : start + BATCH],
            )
    ec2.modify_image_attribute(
        ImageId=image_id,
        LaunchPermission={"Add": [{"UserId": account_id} for account_id in account_ids]},
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
