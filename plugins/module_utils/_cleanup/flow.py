# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_cleanup``: retires own images by policy, in all regions at the same time."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from .._aws import errors
from .._aws.caller import check_default_region, identify_with_regions
from .._aws.clients import Clients
from .._aws.each_attempt import check_attempts
from .._failures import ValidationError, invalid_option
from .._fanout import MAX_THREADS, map_parallel
from .._model import ImageRef, SnapshotRef, Target
from .._plan import Action, Performed
from .._progress import Report
from .._reports.flow import check_appended_file
from .._reports.flow_result import Reporting
from .._runner import Flow, Outcome, diff_by_change
from . import read_regions
from .apply import list_operations, perform_each
from .changes import list_changes
from .confirmation import Confirmed, confirm, decide_spared
from .decisions import Decision
from .dependencies import find_dependencies
from .inspect import inspect
from .inspect_last import LastLook
from .next_reads import find_next_reads
from .options import CleanupOptions
from .plan import CleanupPlan, block_untagged_images, plan
from .report.content import build_content
from .report.document import build_document, compare_reports
from .report.prices import read_prices
from .rounds import RETIRING
from .sharing import is_unsupported_report, warn_of_unsupported_report
from .state import CleanupState, RegionState, SnapshotUsage
from .unread import list_unread_failures
from .uses.read import list_services
from .uses.read_all import IN_BULK
from .wait import wait_for_reports
from .write_tombstones import write_tombstones


def read_state(clients: Clients, options: CleanupOptions) -> CleanupState:
    """Read every region in bulk, then the usage that the plan depends on.

    Raises:
        ValidationError: the tombstones' file cannot be written, or the images of a region cannot be listed.
    """
    _check_tombstone_file(options.tombstone_path)
    caller, regions = identify_with_regions(clients, options.regions)
    stores = {"tombstone_s3_uri": options.tombstone_s3_uri, "tombstone_ssm_path": options.tombstone_ssm_path}
    check_default_region(clients, caller, stores)
    for service in ("rbin", *list_services(IN_BULK)):
        clients.open(service, regions)
    if options.tombstone_s3_uri:
        # Settings that cannot be used are refused here, and not once images are tagged.
        clients.open("s3", [clients.default_region])
    states = _read_regions(clients, options, caller.account_id, regions)
    state = CleanupState(caller.account_id, datetime.now(UTC), states, partition=caller.partition)
    return _read_further(clients, options, state)


def apply(
    clients: Clients, options: CleanupOptions, state: CleanupState, plan: CleanupPlan, report: Report
) -> Outcome:
    """Perform the plan; the destructive part only as far as evidence that is read again confirms it.

    1. Perform the non-destructive actions, in all regions, and wait for usage reports that were requested.
    2. Read the evidence again, and plan again; old usage reports no longer count.
    3. Write tombstones of the images that both plans disable or deregister.
    4. Perform the destructive actions that both plans contain. The permissions of each image are read again
       right before it is disabled or deregistered: an image that does not have those of its tombstone stays.

    Nothing is disabled, deregistered or deleted if the evidence cannot be read or a tombstone not written.
    """
    last_look = LastLook(clients, state, ())
    first, warnings = _split_warnings(_perform(clients, state, plan.non_destructive, (), last_look))
    if not plan.destructive:
        return replace(_merge_outcome(first), warnings=warnings)
    wait_for_reports(clients, _list_requested_reports(plan, first))
    try:
        current = _read_again(clients, options, state, plan)
    except ValidationError as refused:
        failures = (*first.failures, *refused.failures)
        return replace(_merge_outcome(first), failures=failures, warnings=warnings)
    final, skipped = _confirm(options, current, plan, first.actions)
    retired = _list_retired(final)
    unwritten = write_tombstones(clients, options, current, retired)
    if unwritten:
        return replace(_merge_outcome(first), failures=(*first.failures, *unwritten), warnings=warnings)
    refs = [decision.ref for decision in retired]
    last_look = LastLook(clients, current, refs, options.max_calls_per_second)
    second = _perform(clients, current, final.destructive, retired, last_look)
    skipped = (*skipped, *decide_spared(options, current, last_look.spared))
    read_failures = list_unread_failures(state.account_id, skipped, {}) if plan.fails else ()
    outcome = _merge_outcome(first, second)
    return replace(
        outcome,
        failures=(*outcome.failures, *(item for item in read_failures if item not in plan.failures)),
        warnings=(
            *warnings,
            *(_render_skipped_warning(decision, with_remedies=not plan.fails) for decision in skipped),
            *(_render_kept_snapshot(ref, usage) for ref, usage in sorted(last_look.kept_snapshots.items())),
            *_list_new_key_warnings(plan, final),
        ),
        state=dict.fromkeys((target.target for target in plan.targets), Confirmed(final, skipped)),
    )


def result(
    options: CleanupOptions, state: CleanupState, plan: CleanupPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return the keys that only this module returns.

    Skipped images, and KMS keys, are as in the final check, if there was one.
    """
    final = next(iter(outcome.state.values()), Confirmed(plan, ()))
    skipped = {decision.ref: decision for decision in final.skipped}
    decisions = (skipped.get(decision.ref, decision) for decision in plan.decisions)
    unread = dict.fromkeys((*plan.unread, *list_unread_failures(state.account_id, skipped.values(), {})))
    return {
        "evaluated_count": len(plan.decisions),
        "kms_keys": [revocations.to_dict(ref) for ref, revocations in sorted(final.plan.keys.items())],
        "regions": sorted(state.regions),
        "results": [decision.to_dict(state.images[decision.ref]) for decision in decisions],
        "unreadable": [item.to_dict() for item in unread],
    }


def _report_result(options: CleanupOptions, result: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report of a result."""
    prices, _wrong = read_prices("prices", options.prices, options.currency)
    return build_content(result, prices, options.check_mode)


FLOW: Flow[CleanupOptions, CleanupState] = Flow(
    CleanupOptions,
    read_state,
    plan,
    apply,
    result,
    diff=lambda options, state, plan: diff_by_change(plan, list_changes(options, state, plan)),
    attaches="_page",
    report=Reporting(
        _report_result,
        build_document,
        compare_reports,
        replaces=frozenset({"kms_keys", "regions", "results", "unreadable"}),
        plans=True,
    ),
    policy="cleanup",
)


def _check_tombstone_file(path: str | None) -> None:
    problem, remedy = check_appended_file(path) if path else ("", "")
    if problem:
        raise ValidationError([invalid_option("tombstone_path", f"tombstone_path: {problem}", remedy)])


def _read_regions(
    clients: Clients, options: CleanupOptions, account_id: str, regions: Collection[str]
) -> dict[str, RegionState]:
    # Each keeps a connection to AWS open.
    threads = max(1, MAX_THREADS // len(regions))

    def read(region: str) -> RegionState:
        return read_regions.read_region(
            clients, region, tombstone_path=options.tombstone_ssm_path, threads=threads
        )

    states, failed = map_parallel(regions, read)
    if failed:
        raise ValidationError(
            errors.failure(exception, Target(account_id, region), "DescribeImages")
            for region, exception in failed.items()
        )
    return states


def _read_further(
    clients: Clients, options: CleanupOptions, state: CleanupState, images: Collection[ImageRef] | None = None
) -> CleanupState:
    """Read until the plan depends on nothing that is not read (``find_next_reads``)."""
    while reads := find_next_reads(options, state, images):
        state = inspect(clients, options, state, reads)
    return state


def _read_again(
    clients: Clients, options: CleanupOptions, state: CleanupState, plan: CleanupPlan
) -> CleanupState:
    """Return the state right before the destructive actions.

    All regions are read, not only those with such actions: a parameter can name images of other regions, and
    an unfinished copy in another region needs its source. Only images that the plan disables or deregisters
    are inspected, apart from their permissions, which are read last (``LastLook``).

    Raises:
        ValidationError: something cannot be read.
    """
    states = _read_regions(clients, options, state.account_id, state.regions)
    again = CleanupState(state.account_id, state.now, states, partition=state.partition, is_final=True)
    to_retire = [
        decision.ref
        for decision in plan.decisions
        if decision.is_destructive and decision.ref in again.images
    ]
    permissions = {ref: known for ref in to_retire if (known := state.permissions_of(ref)) is not None}
    again = replace(again, planned_permissions=permissions)
    return _read_further(clients, options, again, to_retire)


def _list_requested_reports(plan: CleanupPlan, done: Performed) -> Iterator[ImageRef]:
    """Yield the images to retire whose usage report this run requested."""
    to_retire = {decision.ref for decision in plan.decisions if decision.is_destructive}
    requested = (
        ImageRef(action.target.region, str(action.resource))
        for action in done.actions
        if action.operation == "CreateImageUsageReport"
    )
    return (ref for ref in requested if ref in to_retire)


def _confirm(
    options: CleanupOptions, state: CleanupState, first: CleanupPlan, done: tuple[Action, ...]
) -> Confirmed:
    """Return the part of the plan that the state confirms, which was read after the actions ``done``."""
    blocked = block_untagged_images(options, state, done)
    return confirm(first, plan(options, state, blocked))


def _list_retired(final: CleanupPlan) -> tuple[Decision, ...]:
    """Return the decisions on images that the plan disables or deregisters."""
    refs = {
        ImageRef(action.target.region, str(action.resource))
        for action in final.destructive
        if action.operation in RETIRING
    }
    return tuple(decision for decision in final.decisions if decision.ref in refs)


def _perform(
    clients: Clients,
    state: CleanupState,
    actions: tuple[Action, ...],
    retired: Iterable[Decision],
    last_look: LastLook,
) -> Performed:
    """Perform the actions, in all regions at the same time."""
    by_target: dict[Target, list[Action]] = {}
    for action in actions:
        by_target.setdefault(action.target, []).append(action)
    depends_on = find_dependencies(state, retired, actions)

    def client_for(action: Action) -> Any:
        return clients.rate_limited(action.operation).client(action.service, action.target.region)

    for action in actions:
        for operation in list_operations(action):
            clients.rate_limited(operation).open(action.service, [action.target.region])
        if action.operation in RETIRING:
            check_attempts(client_for(action), action.operation)

    def work(target: Target) -> Performed:
        return perform_each(client_for, by_target[target], depends_on.get(target.region, {}), last_look)

    done, failed = map_parallel(by_target, work)
    return Performed(
        tuple(action for performed in done.values() for action in performed.actions),
        (),
        (
            *(failure for performed in done.values() for failure in performed.failures),
            *(errors.failure(exception, target, "DeregisterImage") for target, exception in failed.items()),
        ),
    )


def _split_warnings(done: Performed) -> tuple[Performed, tuple[str, ...]]:
    """Return the results without the refusals of reports that a region does not support, and warnings.

    The shared images there are kept, and a rerun would be refused again.
    """
    unsupported = [failure for failure in done.failures if is_unsupported_report(failure)]
    failures = tuple(failure for failure in done.failures if failure not in unsupported)
    by_region = {failure.region: warn_of_unsupported_report(failure) for failure in unsupported}
    return replace(done, failures=failures), tuple(by_region.values())


def _merge_outcome(*parts: Performed) -> Outcome:
    return Outcome(
        performed=tuple(action for part in parts for action in part.actions),
        failures=tuple(failure for part in parts for failure in part.failures),
    )


def _list_new_key_warnings(first: CleanupPlan, final: CleanupPlan) -> Iterator[str]:
    """Yield why grants are kept that the first plan revokes, as far as that plan does not say so."""
    known = first.warnings
    yield from (
        text for revocations in final.keys.values() for text in revocations.warnings if text not in known
    )


def _render_kept_snapshot(ref: SnapshotRef, usage: SnapshotUsage) -> str:
    reason = f"could not be read: {usage.unread}" if usage.unread else "were changed during the run."
    return f"{ref.region}/{ref.snapshot_id} was kept, because its permissions {reason} The next run decides."


def _render_skipped_warning(decision: Decision, *, with_remedies: bool) -> str:
    """Return why an image was skipped. Failures, if the task fails, have the remedies."""
    uses = (
        f"{item.kind} {item.subject} {item.detail} {item.remedy if with_remedies else ''}".strip()
        for item in decision.evidence
    )
    reasons = "; ".join([*decision.reasons, *uses])
    return f"{decision.ref} was skipped, because the final check found: {reasons}"
