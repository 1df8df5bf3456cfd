# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_shared_info``: lists the images that other accounts share with this one, in all regions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ..aws import errors, read
from ..aws.caller import identify_with_regions
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each
from ..model import Target
from ..plan import Plan
from ..progress import Report
from ..regions import select_regions
from ..runner import Flow, Outcome
from . import read as read_shared
from .evaluate import not_found, of_others, results
from .options import SharedInfoOptions
from .state import KeysSeen, SharedImage, SharedInfoSeen


def read_state(clients: Clients, options: SharedInfoOptions) -> SharedInfoSeen:
    """Read every region. A region that cannot be read does not hide the others."""
    caller, known = identify_with_regions(clients, options.regions)
    regions, failures = select_regions(options.regions, known)
    if failures:
        raise Refused(failures)
    clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[SharedImage, ...]:
        return of_others(read_shared.images(clients.ec2(target.region), options), caller.account_id)

    found, failed = each([Target(caller.account_id, region) for region in regions], read_target)
    return SharedInfoSeen(
        account_id=caller.account_id,
        now=datetime.now(UTC),
        images=found,
        keys=_keys(clients, caller, found) if options.check_key_access else {},
        unread=tuple(
            errors.failure(exception, target, "DescribeImages") for target, exception in failed.items()
        ),
    )


def plan(options: SharedInfoOptions, seen: SharedInfoSeen) -> Plan:
    """Plan nothing."""
    return Plan(())


def apply(
    clients: Clients, options: SharedInfoOptions, seen: SharedInfoSeen, plan: Plan, report: Report
) -> Outcome:
    """Change nothing. A region that could not be read fails the task."""
    return Outcome(failures=seen.unread, warnings=not_found(options, seen))


def result(options: SharedInfoOptions, seen: SharedInfoSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """The module's own return values."""
    return {
        "account_id": seen.account_id,
        "regions": sorted(target.region for target in seen.images),
        "results": results(options, seen),
    }


FLOW: Flow[SharedInfoOptions, SharedInfoSeen] = Flow(
    SharedInfoOptions, read_state, plan, apply, result, only_reads=True
)


def _keys(
    clients: Clients, caller: read.Caller, images: Mapping[Target, tuple[SharedImage, ...]]
) -> dict[Target, KeysSeen]:
    """Read and try the keys in each region with encrypted images."""
    snapshots = {
        target: [one for image in found for one in image.encrypted_snapshots]
        for target, found in images.items()
        if any(image.encrypted for image in found)
    }
    clients.open("kms", [target.region for target in snapshots])
    account = f"arn:{caller.partition}:iam::{caller.account_id}:root"

    def try_keys(target: Target) -> KeysSeen:
        region = target.region
        return read_shared.keys(clients.ec2(region), clients.kms(region), snapshots[target], account)

    tried, failed = each(snapshots, try_keys)
    problems = {
        target: KeysSeen(problem=errors.failure(exception, target, "DescribeSnapshots").text())
        for target, exception in failed.items()
    }
    return {**tried, **problems}
