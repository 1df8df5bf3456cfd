# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_copy_regions``: copy an image to every requested region."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from .._aws.accounts import AssumedAccounts
from .._aws.clients import Clients
from .._aws.read import Caller
from .._failures import Failure, ValidationError
from .._model import Target
from .._plan import Plan
from .._progress import Report
from .._runner import Flow, Outcome
from .apply import Runs, Workers
from .checks import with_account
from .next_reads import next_reads
from .options import CopyOptions
from .plan import plan
from .read_access import wait_for_propagation
from .read_source import Sources, read_sources
from .read_targets import read_further, read_targets
from .result import build_result, fail_wrong_keys
from .run import initial_runs
from .state import CopyState


def read_state(clients: Clients, options: CopyOptions) -> CopyState:
    """Read the source, the copies and keys of every target, and what else the plan depends on.

    Raises:
        ValidationError: with all reasons why the source or a required target cannot be used.
    """
    sources = read_sources(clients, options)
    if not sources.images:
        raise ValidationError(failure for failures in sources.unread.values() for failure in failures)
    own_account_id = sources.caller.account_id
    accounts = AssumedAccounts(clients, sources.caller, options.consumer_role, options.first_source_region)
    regions = [region for region in options.regions if region in sources.images]
    account_ids = options.account_ids or (own_account_id,)
    targets = [Target(account_id, region) for account_id in account_ids for region in regions]
    start = CopyState(
        own_account_id,
        next(iter(sources.images.values())),
        copies={},
        partition=sources.caller.partition,
        sources=sources.images if options.source_images else {},
        unread=_for_each_account(account_ids, sources.unread),
    )
    _open(accounts, options, sources)
    current = read_targets(accounts, options, start, targets)
    while reads := next_reads(options, current):
        current = read_further(clients, accounts, options, current, reads)
    if current.failed:
        raise ValidationError(current.failed)
    return wait_for_propagation(accounts, options, current)


def apply(clients: Clients, options: CopyOptions, current: CopyState, plan: Plan, report: Report) -> Outcome:
    """Start the copies in all targets at the same time and, with ``wait``, wait for them."""
    caller = Caller(current.account_id, current.partition)
    accounts = AssumedAccounts(clients, caller, options.consumer_role, options.first_source_region)
    actions = {target.target: target.actions for target in plan.targets if target.actions}
    initial = initial_runs(options, current)
    if options.account_ids and (actions or any(run.pending for run in initial.values())):
        accounts.open("ec2", options.regions)
    workers = Workers.of(accounts, options, current)
    runs = workers.start(initial, actions)
    if options.wait:
        runs = fail_wrong_keys(options, current, workers.wait(runs, options.wait_timeout, report))
    return _outcome(current, runs, workers.optional)


def _outcome(current: CopyState, runs: Runs, optional: Collection[Target]) -> Outcome:
    failures = {
        target: with_account(run.failure, target, current.account_id)
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


def result(options: CopyOptions, current: CopyState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return the module's own keys."""
    tolerated = (*outcome.tolerated, *plan.tolerated)
    is_planned = not outcome.state
    runs = initial_runs(options, current) if is_planned else outcome.state
    failed = bool(tolerated or outcome.failures)
    return {
        "all_available": not failed and all(run.available for run in runs.values()),
        **build_result(options, current, plan, runs, tolerated, only_planned=is_planned),
    }


FLOW: Flow[CopyOptions, CopyState] = Flow(CopyOptions, read_state, plan, apply, result, policy="distribution")


def _open(accounts: AssumedAccounts, options: CopyOptions, sources: Sources) -> None:
    """Make the clients of all services and regions that will be read."""
    encryption = options.encryption
    # Where access to the sources is read.
    source_regions: set[str] = set()
    if options.account_ids or options.source_images:
        source_regions = {options.source_region_of(region) for region in sources.images}
    accounts.open("ec2", sorted({*options.regions} | source_regions))
    key_regions = (
        {*options.regions} if encryption.key or encryption.keys or encryption.allow_default else set()
    )
    if any(source.encrypted for source in sources.images.values()):
        key_regions |= source_regions
    if key_regions:
        accounts.open("kms", sorted(key_regions))


def _for_each_account(
    account_ids: Collection[str], failures_by_region: Mapping[str, tuple[Failure, ...]]
) -> tuple[Failure, ...]:
    """Return the failures of regions' sources, repeated for each account that needs a copy there."""
    return tuple(
        replace(failure, account_id=account_id, region=region)
        for account_id in account_ids
        for region, failures in failures_by_region.items()
        for failure in failures
    )
