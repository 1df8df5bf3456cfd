# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts and regions of the demo, what goes wrong in it, and the checks of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulated_aws.client import SimulatedAws

from .access import LAUNCH_AND_COPY, NOTHING
from .playbook import Run

OWNER = "images"
CONSUMERS = ("web-prod", "data-prod")
# The account that gets the image by hand, in one region.
STRANGER, STRANGER_REGION = "sandbox", "us-east-1"
FAILING_REGION = "eu-central-1"
DISKS = 2

LATENCY = 0.02
COPY_SECONDS = {"us-west-2": 3.0, "eu-west-1": 4.0, "eu-central-1": 5.0, "ap-southeast-2": 6.0}


def start_failing(aws: SimulatedAws) -> None:
    """Let the first copy in a region fail, as it does if too many others run there."""
    aws.add_fault(
        "error",
        service="ec2",
        action="CopyImage",
        region=FAILING_REGION,
        code="ResourceLimitExceeded",
        message="The limit of concurrent image copies in this Region is reached.",
        status=400,
    )


def share_by_hand(aws: SimulatedAws, image: Mapping[str, Any]) -> None:
    """Share an image and its snapshots with the stranger, but not its key: the console does no more."""
    ec2 = aws.client("ec2", OWNER, image["region"])
    account = aws.account_id(STRANGER)
    ec2.modify_image_attribute(ImageId=image["image_id"], LaunchPermission={"Add": [{"UserId": account}]})
    for snapshot_id in image["snapshot_ids"]:
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot_id, CreateVolumePermission={"Add": [{"UserId": account}]}
        )


@dataclass(frozen=True)
class Ending:
    """The result of the demo: `report` is the second distribution's, `access` is by region and account."""

    regions: list[str]
    source_region: str
    first: Run
    second: Run
    diagnosis: Run
    audit: Run
    remedy: Run
    report: Mapping[str, Any]
    access: Mapping[tuple[str, str], str]

    def checks(self) -> dict[str, bool]:
        """Return what the demo shows, and whether it is true."""
        return {
            f"The first run failed in {FAILING_REGION} only, and shared nothing yet.": self._failed_once(),
            "The rerun copied to that region only, and shared all.": self._completed(),
            "Each region's image has both volumes, under that region's key.": self._whole(),
            "Both accounts launch and copy it everywhere (tried as them).": self._usable(),
            "The diagnosis named the key, the audit the account.": self._explained(),
            "The remedy removed the access of that account, and no other.": self._remedied(),
        }

    def _failed_once(self) -> bool:
        copied = {call.region for call in self.first.made("CopyImage") if call.status == 200}
        others = {*self.regions} - {self.source_region, FAILING_REGION}
        return self.first.exit_code != 0 and copied == others and not self.first.made("ModifyImageAttribute")

    def _completed(self) -> bool:
        copied = [call.region for call in self.second.made("CopyImage")]
        shared = {call.region for call in self.second.made("ModifyImageAttribute")}
        return self.second.exit_code == 0 and copied == [FAILING_REGION] and shared == {*self.regions}

    def _whole(self) -> bool:
        entries = self.report["regions"]
        return sorted(entry["region"] for entry in entries) == sorted(self.regions) and all(
            len(entry["snapshot_ids"]) == DISKS
            and str(entry["kms_key_arn"]).startswith(f"arn:aws:kms:{entry['region']}:")
            for entry in entries
        )

    def _usable(self) -> bool:
        return {
            able for (_region, account), able in self.access.items() if account in CONSUMERS
        } == {LAUNCH_AND_COPY}  # fmt: skip

    def _explained(self) -> bool:
        return "missing_key_access" in self.diagnosis.output and "unknown_account" in self.audit.output

    def _remedied(self) -> bool:
        return self.remedy.exit_code == 0 and self.access[STRANGER_REGION, STRANGER] == NOTHING
