# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests what an account can do with an image, with that account's own credentials."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from botocore.exceptions import ClientError

from simulated_aws.client import SimulatedAws

NOTHING, LAUNCH, LAUNCH_AND_COPY = "-", "launch", "launch, copy"

_NAMES = {(): NOTHING, ("see", "launch"): LAUNCH, ("see", "launch", "copy"): LAUNCH_AND_COPY}


def access(aws: SimulatedAws, account: str, region: str, image_id: str, snapshot_ids: Sequence[str]) -> str:
    """One of the constants above, or the names of another combination.

    `see`: DescribeImages returns the image. `launch`: an instance reaches the state running, since a missing
    permission for the key has no other effect. `copy`: the image and all of its snapshots are visible (EC2
    User Guide, Copy an Amazon EC2 AMI).
    """
    ec2 = aws.client("ec2", account, region)
    sees = bool(ec2.describe_images(Filters=_ids("image-id", [image_id]))["Images"])
    readable = ec2.describe_snapshots(Filters=_ids("snapshot-id", snapshot_ids))["Snapshots"]
    tried = {
        "see": sees,
        "launch": _launches(ec2, image_id),
        "copy": sees and len(readable) == len(snapshot_ids),
    }
    able = tuple(name for name, succeeded in tried.items() if succeeded)
    return _NAMES.get(able, " ".join(able))


def _ids(name: str, values: Sequence[str]) -> list[dict[str, Any]]:
    return [{"Name": name, "Values": list(values)}]


def _launches(ec2: Any, image_id: str) -> bool:
    try:
        started = ec2.run_instances(ImageId=image_id, MinCount=1, MaxCount=1)
    except ClientError as refusal:
        # Without launch permission, and of an image that does not exist.
        if refusal.response["Error"]["Code"] in ("AuthFailure", "InvalidAMIID.NotFound"):
            return False
        raise
    ids = [started["Instances"][0]["InstanceId"]]
    while (state := _state(ec2, ids)) == "pending":
        time.sleep(0.1)
    ec2.terminate_instances(InstanceIds=ids)
    return state == "running"


def _state(ec2: Any, ids: list[str]) -> str:
    answer = ec2.describe_instances(InstanceIds=ids)
    return str(answer["Reservations"][0]["Instances"][0]["State"]["Name"])
