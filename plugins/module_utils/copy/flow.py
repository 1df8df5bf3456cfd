# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_copy_regions``: copies an image to every requested region."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from ..aws.accounts import AssumedAccounts
from ..aws.clients import Clients
from ..aws.read import Caller
from ..failures import Failure, Refused
from ..model import Target
from ..plan import Plan
from ..progress import Report
from ..runner import Flow, Outcome
from .apply import Runs, Workers
from .checks import with_account
from .next_reads import next_reads
from .options import CopyOptions
from .plan import plan
from .read_access import wait_for_propagation
from .read_source import Sources, read_sources
from .read_targets import read_further, read_targets
from .result import fail_wrong_keys, returned
from .run import initial_runs
from .state import CopySeen


def read_state(clients: Clients, wanted: CopyOptions) -> CopySeen:
    """Read the source, then of every target the copies and keys, and what else the plan depends on.

    Raises:
        Refused: with all reasons why the source or a required target cannot be used.
    """
    sources = read_sources(clients, wanted)
    if not sources.images:
        raise Refused(failure for found in sources.unread.values() for failure in found)
    own = sources.caller.account_id
    accounts = AssumedAccounts(clients, sources.caller, wanted.consumer_role, wanted.first_source_region)
    regions = [region for region in wanted.regions if region in sources.images]
    account_ids = wanted.account_ids or (own,)
    targets = [Target(account_id, region) for account_id in account_ids for region in regions]
    start = CopySeen(
        own,
        next(iter(sources.images.values())),
        copies={},
        partition=sources.caller.partition,
        sources=sources.images if wanted.source_images else {},
        unread=_for_each_account(account_ids, sources.unread),
    )
    _open(accounts, wanted, sources)
    seen = read_targets(accounts, wanted, start, targets)
    while reads := next_reads(wanted, seen):
        seen = read_further(clients, accounts, wanted, seen, reads)
    if seen.failed:
        raise Refused(seen.failed)
    return wait_for_propagation(accounts, wanted, seen)


def apply(clients: Clients, wanted: CopyOptions, seen: CopySeen, plan: Plan, report: Report) -> Outcome:
    """Start the copies in all targets at the same time and, with ``wait``, wait for them."""
    caller = Caller(seen.account_id, seen.partition)
    accounts = AssumedAccounts(clients, caller, wanted.consumer_role, wanted.first_source_region)
    actions = {target.target: target.actions for target in plan.targets if target.actions}
    initial = initial_runs(wanted, seen)
    if wanted.account_ids and (actions or any(run.pending for run in initial.values())):
        accounts.open("ec2", wanted.regions)
    workers = Workers.of(accounts, wanted, seen)
    runs = workers.start(initial, actions)
    if wanted.wait:
        runs = fail_wrong_keys(wanted, seen, workers.wait(runs, wanted.wait_timeout, report))
    return _outcome(seen, runs, workers.optional)


def _outcome(seen: CopySeen, runs: Runs, optional: Collection[Target]) -> Outcome:
    failures = {
        target: with_account(run.failure, target, seen.account_id)
        for target, run in runs.items()
        if run.failure is not None
    }
    return Outcome(
        performed=tuple(action for run in runs.values() for action in run.performed),
        failures=tuple(failure for target, failure in failures.items() if target not in optional),
        tolerated=tuple(failure for target, failure in failures.items() if target in optional),
        warnings=tuple(warning for run in runs.values() for warning in run.warnings),
        state=runs,
    )


def result(wanted: CopyOptions, seen: CopySeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """The module's returned keys, apart from those that every module returns."""
    tolerated = (*outcome.tolerated, *plan.tolerated)
    if outcome.state:
        return returned(wanted, seen, plan, outcome.state, tolerated, only_planned=False)
    return returned(wanted, seen, plan, initial_runs(wanted, seen), tolerated, only_planned=True)


FLOW: Flow[CopyOptions, CopySeen] = Flow(CopyOptions, read_state, plan, apply, result)


def _open(accounts: AssumedAccounts, wanted: CopyOptions, sources: Sources) -> None:
    """Make the clients of all services and regions that will be read."""
    encryption = wanted.encryption
    # Where access to the sources is read.
    source_regions: set[str] = set()
    if wanted.account_ids or wanted.source_images:
        source_regions = {wanted.source_region_of(region) for region in sources.images}
    accounts.open("ec2", sorted({*wanted.regions} | source_regions))
    key_regions = (
        {*wanted.regions} if encryption.key or encryption.keys or encryption.allow_default else set()
    )
    if any(source.encrypted for source in sources.images.values()):
        key_regions |= source_regions
    if key_regions:
        accounts.open("kms", sorted(key_regions))


def _for_each_account(
    account_ids: Collection[str], failures: Mapping[str, tuple[Failure, ...]]
) -> tuple[Failure, ...]:
    """The failures of regions' sources, repeated for each account that needs a copy there."""
    return tuple(
        replace(failure, account_id=account_id, region=region)
        for account_id in account_ids
        for region, found in failures.items()
        for failure in found
    )
