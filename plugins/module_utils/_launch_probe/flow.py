# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_launch_probe``: launch every image in every account, and terminate the instances."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.caller import identify_in_regions, preferred_region
from .._aws.clients import Clients
from .._aws.read_visible import images_once_visible
from .._failures import Failure
from .._fanout import map_parallel
from .._model import Image, Instance, Target
from .._plan import Plan
from .._progress import Report, waiting_reporter
from .._runner import Flow, Outcome
from . import read as instances
from .apply import Launch, TargetRun, run_probes, terminate_leftovers
from .causes import list_findings, precheck
from .options import ProbeOptions
from .plan import find_leftovers, plan, plan_launches
from .state import Probe, ProbeState


@dataclass
class _Account:
    """The images, instances and failed reads of one account."""

    images: dict[Probe, Image | None] = field(default_factory=dict)
    instances: dict[Target, tuple[Instance, ...]] = field(default_factory=dict)
    problems: dict[Target, Failure] = field(default_factory=dict)


def read_state(clients: Clients, options: ProbeOptions) -> ProbeState:
    """Read the images as each account sees them, and the instances of earlier probes there.

    An account that cannot be read is a finding about that account and does not stop the others.
    """
    regions = sorted(options.by_target.regions)
    default_region = preferred_region(clients, regions)
    caller = identify_in_regions(clients, {options.region_option: regions})
    accounts = AssumedAccounts(clients, caller, options.consumer_role, default_region)
    # Clients are created before threads start.
    accounts.open("ec2", regions)

    def work(account_id: str) -> _Account:
        with accounts.as_account(account_id) as own:
            return _read_account(own, options, account_id)

    accounts_read, failed = map_parallel(options.account_ids, work)
    unread = {
        target: errors.failure(failed[target.account_id], target, "AssumeRole")
        for target in options.targets()
        if target.account_id in failed
    }
    return ProbeState(
        caller.account_id,
        caller.partition,
        datetime.now(UTC),
        {probe: image for account in accounts_read.values() for probe, image in account.images.items()},
        {target: left for account in accounts_read.values() for target, left in account.instances.items()},
        unread
        | {
            target: problem
            for account in accounts_read.values()
            for target, problem in account.problems.items()
        },
    )


def apply(
    clients: Clients, options: ProbeOptions, current: ProbeState, plan: Plan, report: Report
) -> Outcome:
    """Terminate leftovers, then launch, wait and terminate, in all accounts in parallel."""
    caller = read.Caller(current.account_id, current.partition)
    regions = sorted(options.by_target.regions)
    accounts = AssumedAccounts(clients, caller, options.consumer_role, preferred_region(clients, regions))
    accounts.open("ec2", regions)
    runs = {target: TargetRun() for target in options.targets()}

    def work(account_id: str) -> None:
        targets = [target for target in runs if target.account_id == account_id]
        with accounts.as_account(account_id) as own:
            for target in targets:
                terminate_leftovers(own, target, find_leftovers(current, target), runs[target])
            # Accounts wait for each other, so that the plan's deadline may have passed.
            run_probes(own, options, plan_launches(options, current, targets, datetime.now(UTC)), runs)

    busy = {target.target.account_id for target in plan.targets if target.actions}
    waiting = waiting_reporter(report, "Launching", len(busy))
    _done, failed = map_parallel(sorted(busy), work, while_waiting=waiting)
    for target, run in runs.items():
        if target.account_id in failed:
            run.failures.append(errors.failure(failed[target.account_id], target, "RunInstances"))
    blocking = (precheck(options, current, probe) for probe in options.probes())
    return Outcome(
        performed=tuple(action for run in runs.values() for action in run.performed),
        failures=(
            *dict.fromkeys(failure for failure in blocking if failure),
            *(failure for run in runs.values() for failure in _list_failures(run)),
        ),
        state=runs,
    )


def result(options: ProbeOptions, current: ProbeState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return each image's level in each account, and the findings that keep it from a higher one."""
    results = []
    for probe in options.probes():
        run: TargetRun = outcome.state.get(probe.target, TargetRun())
        launch = run.launches.get(probe, Launch())
        image = current.images.get(probe)
        results.append(
            {
                "account_id": probe.target.account_id,
                "findings": [
                    finding.to_dict() for finding in list_findings(options, current, probe, launch.cause)
                ],
                "image_id": probe.image_id,
                "instance_id": launch.instance_id,
                "instance_type": options.instance_type_of(image),
                "level": launch.level or ("visible" if image else None),
                "region": probe.target.region,
                "subnet_id": options.network.subnet_id(probe.target),
            }
        )
    return {"results": results}


FLOW: Flow[ProbeOptions, ProbeState] = Flow(
    ProbeOptions, read_state, plan, apply, result, policy="verification-in-the-consumer-accounts"
)


def _read_account(clients: Clients, options: ProbeOptions, account_id: str) -> _Account:
    """Read one account, region by region; a region that fails does not stop the others."""
    targets = [target for target in options.targets() if target.account_id == account_id]
    account = _Account()
    for target in targets:
        ec2 = clients.ec2(target.region)
        try:
            for probe in options.probes_of(target):
                if probe.image_id is not None:
                    account.images[probe] = read.image(ec2, probe.image_id)
            account.instances[target] = instances.read_probes(ec2)
        except errors.AWS_ERRORS as exception:
            account.problems[target] = errors.failure(exception, target, "DescribeImages")
    invisible = [probe for probe, image in account.images.items() if image is None]
    # A plan is often made before the images are shared.
    waiting = [] if options.check_mode else invisible
    account.images |= images_once_visible(
        lambda probe: read.image(clients.ec2(probe.target.region), str(probe.image_id)), waiting
    )
    return account


def _list_failures(run: TargetRun) -> list[Failure]:
    launched = [launch.cause.failure for launch in run.launches.values() if launch.cause]
    return [*launched, *run.failures]
