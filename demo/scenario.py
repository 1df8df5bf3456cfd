# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts and regions of the demo, and the checks of its result."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulated_aws.client import SimulatedAws

from .access import LAUNCH, LAUNCH_AND_COPY, NOTHING
from .playbook import Run

OWNER = "images"
UNIT, UNIT_ACCOUNTS = "workloads/nonprod", ("web-staging", "data-dev")
CONSUMERS = ("web-prod", "data-prod", *UNIT_ACCOUNTS, "partner")
DISKS = 2

LATENCY = 0.04
COPY_SECONDS = {"us-west-2": 9.0, "eu-west-1": 12.0, "eu-central-1": 13.0, "ap-southeast-2": 15.0}
OTHER_COPY_SECONDS = 12.0


def given(aws: SimulatedAws, account: str, wanted: Mapping[str, Any]) -> str:
    """The access that an account should have.

    Snapshots, which are needed for copies, can't be shared with organizational units.
    """
    if aws.account_id(account) in wanted["distribute_account_ids"]:
        return LAUNCH_AND_COPY
    return LAUNCH if account in UNIT_ACCOUNTS else NOTHING


@dataclass(frozen=True)
class Ending:
    """The result of the demo: `report` is the playbook's, `access` is by region and account."""

    wanted: Mapping[str, Any]
    report: Mapping[str, Any]
    first: Run
    second: Run
    access: Mapping[tuple[str, str], str]
    given: Mapping[str, str]

    @property
    def regions(self) -> dict[str, Mapping[str, Any]]:
        """The report's entry of each region, in the order of the playbook's variables."""
        entries = {entry["region"]: entry for entry in self.report["regions"]}
        return {region: entries[region] for region in self.wanted["distribute_regions"] if region in entries}

    def checks(self) -> dict[str, bool]:
        """The checks, and whether each passes."""
        return {
            "Every region has the image with both volumes.": self._complete(),
            "The two runs made exactly one copy in each other region.": self._copied_once(),
            "Each region's image is encrypted under that region's key.": self._under_own_key(),
            "Images were shared only after the last copy was ready.": self._shared_last(),
            "Each account has exactly the access that it was given.": (
                all(able == self.given[account] for (_region, account), able in self.access.items())
            ),
            "The second run changed nothing.": (
                self.second.exit_code == 0 and self.second.changed == 0 and not self.second.writes
            ),
        }

    def _complete(self) -> bool:
        disks = [len(entry["snapshot_ids"]) for entry in self.regions.values()]
        return self.report["status"] == "distributed" and disks == [DISKS] * len(
            self.wanted["distribute_regions"]
        )

    def _copied_once(self) -> bool:
        copies = [call.region for run in (self.first, self.second) for call in self._copies(run)]
        source_region = self.wanted["distribute_source_region"]
        return sorted(copies) == sorted(set(self.wanted["distribute_regions"]) - {source_region})

    def _under_own_key(self) -> bool:
        keys = {region: str(entry["kms_key_arn"]) for region, entry in self.regions.items()}
        return all(key.startswith(f"arn:aws:kms:{region}:") for region, key in keys.items())

    def _shared_last(self) -> bool:
        shared = [call.time for call in self.first.writes if call.action.startswith("Modify")]
        ready = [
            call.time + COPY_SECONDS.get(call.region, OTHER_COPY_SECONDS) for call in self._copies(self.first)
        ]
        return bool(shared and ready) and max(ready) <= min(shared)

    @staticmethod
    def _copies(run: Run) -> list[Any]:
        return [call for call in run.writes if call.action == "CopyImage"]
