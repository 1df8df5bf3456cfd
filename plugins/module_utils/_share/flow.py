# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_share``: share images and their snapshots in every region."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._aws import errors
from .._aws.caller import identify_in_regions
from .._aws.clients import Clients
from .._aws.read import SETTLING_GRACE_PERIOD
from .._aws.read_targets import read_targets
from .._failures import CONSUMER_REJECTED, Failure, TargetFailed, ValidationError, invalid_option
from .._fanout import CHANGE_GRACE_PERIOD, GRACE_PERIOD, map_parallel
from .._model import Target
from .._plan import Action, Performed, Plan
from .._progress import Report
from .._regions import targets_in
from .._runner import Flow, Outcome, diff_by_change
from .options import ShareOptions
from .permissions import describe_permissions
from .plan import count_consumers_without_key, describe_partial_state, plan
from .public import add_unknown_access, list_left_open, public_warning
from .read import add_keys, needs_source, read_image, read_snapshots, read_source
from .state import Shared, ShareState
from .write import perform_or_close, wait_until_returned


def read_state(clients: Clients, options: ShareOptions) -> ShareState:
    """Read every region's image, its launch permissions and those of its snapshots."""
    regions = sorted(options.by_region or options.snapshots)
    if not regions:
        return ShareState("", {})
    source_regions = [options.source[1]] if options.source and needs_source(options) else []
    named = {options.region_option: regions, "source_region": source_regions}
    account_id = identify_in_regions(clients, named).account_id
    clients.open("ec2", [*regions, *source_regions])
    try:
        source = read_source(clients, options, account_id)
    except errors.AWS_ERRORS as exception:
        raise ValidationError([errors.failure(exception, None, "DescribeImages")]) from exception
    except TargetFailed as exception:
        raise ValidationError([exception.failure]) from exception
    targets = [Target(account_id, region) for region in regions]

    def read_target(target: Target) -> Shared:
        if options.snapshots:
            return read_snapshots(clients.ec2(target.region), options.snapshots[target.region], target)
        image_id = options.by_region[target.region]
        if image_id is None:
            planned = Shared.planned(account_id, source)
            return planned if options.changes_snapshots else replace(planned, volume_permissions={})
        return read_image(clients, options, account_id, image_id, target)

    images, failures = read_targets(
        targets,
        read_target,
        lambda exception, target: errors.failure(exception, target, "DescribeImages"),
        best_effort_regions=options.best_effort_regions,
        # An image that was made a moment ago is waited for, unless it is unshared.
        grace_period=SETTLING_GRACE_PERIOD if options.present else GRACE_PERIOD,
    )
    snapshot_ids = {snapshot_id for shared in images.values() for snapshot_id in shared.volume_permissions}
    unknown_snapshot_ids = sorted(set(options.snapshot_ids) - snapshot_ids)
    # They can be those of an image that could not be read.
    if unknown_snapshot_ids and not failures:
        raise ValidationError(
            invalid_option(
                "snapshot_ids",
                f"snapshot_ids: '{snapshot_id}' is not a snapshot of any of the images.",
                "Add its image to images, or remove it.",
            )
            for snapshot_id in unknown_snapshot_ids
        )
    return ShareState(account_id, add_keys(clients, options, images), failures)


def apply(
    clients: Clients, options: ShareOptions, current: ShareState, plan: Plan, report: Report
) -> Outcome:
    """Perform the plan in all regions at once, and wait until AWS returns the new permissions."""
    actions = {target.target: target.actions for target in plan.targets if target.actions}

    def perform(target: Target) -> Performed:
        return perform_or_close(clients.ec2(target.region), actions[target])

    optional = targets_in(options.best_effort_regions, actions)
    done, failed = map_parallel(actions, perform, optional=optional, grace_period=CHANGE_GRACE_PERIOD)
    all_performed = tuple(action for performed in done.values() for action in performed.actions)
    not_removed, warnings = wait_until_returned(lambda region, _operation: clients.ec2(region), all_performed)
    failures = (
        *(failure for performed in done.values() for failure in performed.failures),
        *(_explain_unknown_end(exception, target, actions[target]) for target, exception in failed.items()),
        *not_removed,
    )
    partly_done = _describe_partly_done(options, current, plan, done, failures)
    shared = {target.region for target in partly_done}.union(options.best_effort_regions)
    return Outcome(
        performed=all_performed,
        warnings=(*warnings, *_warn_of_open_resources(done, {failure.region for failure in not_removed})),
        failures=tuple(item for item in failures if not _is_tolerated(options, item)),
        tolerated=tuple(item for item in failures if _is_tolerated(options, item)),
        state=partly_done,
        fails=not options.best_effort_consumers or any(item.region not in shared for item in failures),
    )


def _explain_unknown_end(exception: Exception, target: Target, actions: Iterable[Action]) -> Failure:
    """Return the failure of a target of which it is not known how far it came."""
    failure = errors.failure(exception, target, "ModifyImageAttribute")
    opened = list_left_open(actions)
    return add_unknown_access(failure, opened) if opened else failure


def _warn_of_open_resources(
    done: Mapping[Target, Performed], regions: Container[str | None]
) -> Iterator[str]:
    """Yield a warning for each of these regions, which have no result, in which something became public."""
    for target, performed in done.items():
        if target.region in regions and (opened := list_left_open(performed.actions)):
            yield public_warning(target, opened)


def _is_tolerated(options: ShareOptions, failure: Failure) -> bool:
    """Whether a best-effort region failed. A consumer that AWS rejects there fails the task."""
    return failure.region in options.best_effort_regions and failure.error_code != CONSUMER_REJECTED


def _describe_partly_done(
    options: ShareOptions,
    current: ShareState,
    plan: Plan,
    done: Mapping[Target, Performed],
    failures: Iterable[Failure],
) -> dict[Target, dict[str, Any]]:
    """Return the state of the targets in which all that failed is that AWS rejected some of the consumers."""
    rejecting = {failure.region for failure in failures}
    rejecting -= {failure.region for failure in failures if failure.error_code != CONSUMER_REJECTED}
    views = {
        target.target: describe_partial_state(
            options, target, current.images[target.target], done[target.target].actions
        )
        for target in plan.targets
        if target.target.region in rejecting
    }
    return {target: view for target, view in views.items() if view}


def result(options: ShareOptions, current: ShareState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return the module's own return values."""
    failures = (*outcome.failures, *outcome.tolerated, *plan.tolerated)
    failed = {item.region for item in failures if item.region} - {target.region for target in outcome.state}
    rejected = {item.rejected_account_id for item in failures if item.rejected_account_id}
    completed = {
        target.target: outcome.state.get(target.target, target.after)
        for target in plan.targets
        if target.target.region not in failed
    }
    before = {target.target: target.before for target in plan.targets}
    return {
        "failed_regions": sorted(failed | options.failed_regions),
        "images": dict(options.by_region),
        "rejected_account_ids": sorted(rejected | options.rejected_account_ids),
        "results": [
            _result(options, current, target, before[target], after) for target, after in completed.items()
        ],
        **describe_permissions({target.region: after for target, after in completed.items()}),
    }


def _result(
    options: ShareOptions,
    current: ShareState,
    target: Target,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
) -> dict[str, Any]:
    shared = current.images[target]
    return {
        "account_id": target.account_id,
        "changed": after != before,
        "consumers_without_key": count_consumers_without_key(options, shared, current.account_id),
        "image_id": options.by_region.get(target.region),
        "region": target.region,
        "shared_tags": after["shared_tags"],
        "snapshot_ids": list(after["volume_permissions"]),
    }


def diff(plan: Plan) -> dict[str, Any]:
    """Return the changes, and the states before and after with each consumer once."""
    return {
        **diff_by_change(plan),
        "state_after": _describe_states(plan.after),
        "state_before": _describe_states(plan.before),
    }


def _describe_states(states: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    known = {region: state for region, state in states.items() if state}
    images = {
        region: {"image_id": state["image_id"], "shared_tags": state["shared_tags"]}
        for region, state in known.items()
    }
    return {"images": images, **describe_permissions(known)}


def explain_nothing_shared(options: ShareOptions, result: Mapping[str, Any]) -> str:
    """Return why a task fails that has shared no image; empty if it has shared one, or unshares images."""
    if result["results"] or not options.present:
        return ""
    reason = ""
    if options.copy_result and not options.by_region:
        has_copies = bool(options.copy_result.images)
        reason = "access to its keys failed" if has_copies else "no copy of it is available"
    return f"The image is shared in no region{reason and f', because {reason}'}. The result lists why."


FLOW: Flow[ShareOptions, ShareState] = Flow(
    ShareOptions,
    read_state,
    plan,
    apply,
    result,
    diff=lambda _options, _current, plan: diff(plan),
    explain_nothing_done=explain_nothing_shared,
    policy="sharing",
)
