# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_shared_info``: lists the images that other accounts share with this one, in all regions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from .._aws import errors, read
from .._aws.caller import identify_with_regions
from .._aws.clients import Clients
from .._fanout import map_parallel
from .._model import Target
from .._plan import Plan
from .._progress import Report
from .._runner import Flow, Outcome
from .evaluate import images_of_others, not_found, results
from .options import SharedInfoOptions
from .read import read_images, read_keys
from .state import RegionKeys, SharedImage, SharedInfoState


def read_state(clients: Clients, options: SharedInfoOptions) -> SharedInfoState:
    """Read every region. A region that cannot be read does not hide the others."""
    caller, regions = identify_with_regions(clients, options.regions)
    clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[SharedImage, ...]:
        return images_of_others(read_images(clients.ec2(target.region), options), caller.account_id)

    images, failed = map_parallel([Target(caller.account_id, region) for region in regions], read_target)
    return SharedInfoState(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        images=images,
        keys=_read_keys(clients, caller, images) if options.check_key_access else {},
        unread=tuple(
            errors.failure(exception, target, "DescribeImages") for target, exception in failed.items()
        ),
    )


def plan(options: SharedInfoOptions, current: SharedInfoState) -> Plan:
    """Plan nothing."""
    return Plan(())


def apply(
    clients: Clients, options: SharedInfoOptions, current: SharedInfoState, plan: Plan, report: Report
) -> Outcome:
    """Change nothing. A region that could not be read fails the task."""
    return Outcome(failures=current.unread, warnings=not_found(options, current))


def result(
    options: SharedInfoOptions, current: SharedInfoState, plan: Plan, outcome: Outcome
) -> dict[str, Any]:
    """Return the module's own values."""
    return {
        "account_id": current.account_id,
        "regions": sorted(target.region for target in current.images),
        "results": results(options, current),
    }


FLOW: Flow[SharedInfoOptions, SharedInfoState] = Flow(
    SharedInfoOptions, read_state, plan, apply, result, only_reads=True
)


def _read_keys(
    clients: Clients, caller: read.Caller, images: Mapping[Target, tuple[SharedImage, ...]]
) -> dict[Target, RegionKeys]:
    """Read and try the keys in each region with encrypted images."""
    snapshots = {
        target: [snapshot_id for image in shared for snapshot_id in image.encrypted_snapshots]
        for target, shared in images.items()
        if any(image.encrypted for image in shared)
    }
    clients.open("kms", [target.region for target in snapshots])
    account = f"arn:{caller.partition}:iam::{caller.account_id}:root"

    def try_keys(target: Target) -> RegionKeys:
        region = target.region
        return read_keys(clients.ec2(region), clients.kms(region), snapshots[target], account)

    tried, failed = map_parallel(snapshots, try_keys)
    problems = {
        target: RegionKeys(problem=errors.failure(exception, target, "DescribeSnapshots").text())
        for target, exception in failed.items()
    }
    return {**tried, **problems}
