# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Recycle Bin: what of the account's is in it, and when what comes back can be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from ..aws import read
from ..cleanup.state import OwnSnapshot

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EBS User Guide, "Recover deleted AMIs from the Recycle Bin": what is restored can be used at once. EC2 may
# list it late all the same (EC2 Developer Guide, "Eventual consistency"): for a minute it is asked again.
_WAIT: Any = {"Delay": 3, "MaxAttempts": 20}
# EC2 API Reference, DescribeSnapshots: values per filter.
_FILTER_VALUES = 200


def binned_snapshots(ec2: EC2Client) -> dict[str, str]:
    """The snapshots in the Recycle Bin, with their descriptions."""
    pages = ec2.get_paginator("list_snapshots_in_recycle_bin").paginate(PaginationConfig=read.PAGE)
    return {item["SnapshotId"]: item.get("Description", "") for page in pages for item in page["Snapshots"]}


def standing_snapshots(ec2: EC2Client, snapshot_ids: Sequence[str]) -> dict[str, OwnSnapshot]:
    """Those of the snapshots that exist and are the account's own, whatever their tier."""
    found = {}
    for start in range(0, len(snapshot_ids), _FILTER_VALUES):
        named = list(snapshot_ids[start : start + _FILTER_VALUES])
        # A filter, since one id that does not exist would make an error of all.
        pages = ec2.get_paginator("describe_snapshots").paginate(
            OwnerIds=["self"],
            Filters=[{"Name": "snapshot-id", "Values": named}],
            PaginationConfig=read.PAGE,
        )
        for page in pages:
            for item in page["Snapshots"]:
                found[item["SnapshotId"]] = OwnSnapshot(
                    snapshot_id=item["SnapshotId"],
                    description=item.get("Description", ""),
                    tags={tag["Key"]: tag["Value"] for tag in item.get("Tags", [])},
                    archived=item.get("StorageTier") == "archive",
                )
    return found


def await_snapshots(ec2: EC2Client, snapshot_ids: Sequence[str]) -> None:
    """Wait until restored snapshots are complete, without which their image cannot be restored.

    Raises:
        WaiterError: they are not after a minute (EBS User Guide, "Considerations for Recycle Bin").
    """
    by_id: Any = [{"Name": "snapshot-id", "Values": list(snapshot_ids)}]
    ec2.get_waiter("snapshot_completed").wait(Filters=by_id, WaiterConfig=_WAIT)


def await_image(ec2: EC2Client, image_id: str) -> None:
    """Wait until EC2 shows a restored image.

    Raises:
        WaiterError: it does not for a minute.
    """
    ec2.get_waiter("image_exists").wait(
        ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True, WaiterConfig=_WAIT
    )


def await_available(ec2: EC2Client, image_id: str) -> None:
    """Wait until an image that was enabled is available, before which it cannot be shared.

    Raises:
        WaiterError: it is not after a minute.
    """
    ec2.get_waiter("image_available").wait(
        ImageIds=[image_id], IncludeDisabled=True, IncludeDeprecated=True, WaiterConfig=_WAIT
    )
