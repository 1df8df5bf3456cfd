# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share_audit``: who can use the account's images, compared with who may. Changes nothing in AWS."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from .._aws.caller import identify_with_regions
from .._aws.clients import Clients
from .._failures import Failure
from .._model import Target
from .._processes import CALLS_PER_PROCESS, count_processes, map_in_processes, read_cpus
from .._reports.flow_result import Reporting
from .._runner import Flow, Outcome, change_nothing
from . import plan as audit
from . import read as reads
from .options import AuditOptions
from .plan import AuditPlan
from .read import FirstImages
from .report.changes import changes
from .report.content import audit as content
from .report.document import document
from .state import AuditState, Listed, RegionState

_Regions = tuple[dict[Target, RegionState], dict[Target, Failure]]


def read_state(clients: Clients, options: AuditOptions) -> AuditState:
    """Read all regions in parallel. What cannot be read is a finding; everything else is still read."""
    caller, names = identify_with_regions(clients, options.regions)
    current, unread = _read_regions(clients, [Target(caller.account_id, name) for name in names], options)
    return AuditState(caller.account_id, now=datetime.now(UTC), regions=current, unread=unread)


def count_calls(first: Mapping[Target, FirstImages], options: AuditOptions) -> int:
    """Return about how many calls read permissions, by the first images of the regions.

    How many more images a region has is not known: it counts as enough for one process.
    """

    def calls_of(listed: Listed) -> int:
        return 1 + (len(listed.image.snapshot_ids) if options.check_snapshots else 0)

    return sum(
        CALLS_PER_PROCESS if images.has_more else sum(map(calls_of, images.images))
        for images in first.values()
    )


def result(options: AuditOptions, current: AuditState, plan: AuditPlan, outcome: Outcome) -> dict[str, Any]:
    """Return the returned keys that are specific to this module."""
    return {
        "account_id": current.account_id,
        "check_keys": options.check_keys,
        "check_parameters": options.check_parameters,
        "check_snapshots": options.check_snapshots,
        "findings": [finding.to_dict() for finding in plan.findings],
        "kms_keys": audit.keys(options, current),
        "regions": audit.regions(current),
        "results": audit.results(current, plan),
        "unused_snapshots": audit.unused_snapshots(current),
    }


FLOW: Flow[AuditOptions, AuditState] = Flow(
    AuditOptions,
    read_state,
    audit.plan,
    change_nothing,
    result,
    only_reads=True,
    attaches="_page",
    report=Reporting(
        lambda options, result: content(result, options.policy()),
        document,
        changes,
        replaces=frozenset({"findings", "kms_keys", "results", "unused_snapshots"}),
        only_in_files=frozenset({"images"}),
    ),
    policy="auditing",
)


def _read_regions(clients: Clients, targets: Sequence[Target], options: AuditOptions) -> _Regions:
    """Read the regions: in worker processes if the first images of each show that there are many."""
    cpus = min(len(targets), read_cpus())
    if count_processes(CALLS_PER_PROCESS * len(targets), cpus, options.max_processes) == 1:
        return reads.regions(clients, targets, options, len(targets))
    first, failed = reads.first_images(clients, targets)
    left = [target for target in targets if target not in failed]
    current, unread = _read_left(clients, left, options, first)
    unread |= {target: reads.unread_region(target, exception) for target, exception in failed.items()}
    return {target: current[target] for target in targets if target in current}, unread


def _read_left(
    clients: Clients, targets: Sequence[Target], options: AuditOptions, first: Mapping[Target, FirstImages]
) -> _Regions:
    """Read each region in one process; worker processes share the large ones evenly."""
    among = len(targets)

    def prepare(own: Clients) -> Callable[[Collection[Target]], _Regions]:
        return lambda group: reads.regions(own, group, options, among)

    # Threads still wait for the first images of the others.
    if len(first) == among:
        smallest_first = sorted(
            targets, key=lambda target: (first[target].has_more, len(first[target].images))
        )
        calls, most = count_calls(first, options), options.max_processes
        if read := map_in_processes(smallest_first[::-1], prepare, clients, calls=calls, most=most):
            done, lost = read
            unread = {target: ended.as_failure(target, "DescribeImages") for target, ended in lost.items()}
            current: dict[Target, RegionState] = {}
            for group_states, group_unread in done:
                current |= group_states
                unread |= group_unread
            return current, unread
    return reads.regions(clients, targets, options, among, first)
