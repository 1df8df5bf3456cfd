# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_publish``: publish each region's image in parameters and launch templates."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from .._aws import errors, read
from .._aws.caller import identify_in_regions
from .._aws.clients import Clients
from .._aws.read_targets import read_targets
from .._failures import Failure, ValidationError
from .._fanout import CHANGE_GRACE_PERIOD, map_parallel
from .._model import Target
from .._parameter_share import parameter_arn
from .._plan import Plan
from .._progress import Report, waiting_reporter
from .._regions import targets_in
from .._runner import Flow, Outcome
from .apply import PublishRun, perform_target
from .options import PublishOptions
from .plan import choose_labels, plan
from .read import (
    add_launches,
    add_shares,
    add_sharing,
    needs_source,
    open_clients,
    read_origins,
    read_shared,
    read_source,
    read_target,
)
from .state import PublishState, TargetState


def read_state(clients: Clients, options: PublishOptions) -> PublishState:
    """Read every target's parameter, templates and image, each account with its own credentials."""
    if options.is_unverified:
        return PublishState("", "", {})
    source_regions = [options.source_region] if options.source_region and needs_source(options) else []
    named = {options.region_option: options.all_regions, "source_region": source_regions}
    caller = identify_in_regions(clients, named)
    images = options.targets(caller.account_id)
    _require_images_for_all(options, images)
    accounts = open_clients(clients, caller, options, images)

    def read_one(target: Target) -> TargetState:
        with accounts.as_account(target.account_id) as account_clients:
            return read_in_account(account_clients, target)

    def read_in_account(account_clients: Clients, target: Target) -> TargetState:
        if options.takes_back:
            return read_shared(account_clients, options, target, images[target], caller.partition)
        if target.account_id == caller.account_id:
            state = read_target(account_clients, None, options, target, images[target])
            state = add_launches(account_clients, options, target, state)
            state = add_shares(account_clients, options, target, state, caller.partition)
            return add_sharing(account_clients, options, target, state)
        has_own_image = Target(caller.account_id, target.region) in images
        owner = clients if has_own_image else None
        state = read_target(account_clients, owner, options, target, images[target])
        return add_launches(account_clients, options, target, state)

    def failure_of(exception: Exception, target: Target) -> Failure:
        return name_account(errors.failure(exception, target, "DescribeImages"), caller.account_id)

    targets, failures = read_targets(
        images,
        read_one,
        failure_of,
        best_effort_regions=options.best_effort_regions,
        # An image becomes visible to an account some time after it was shared.
        grace_period=CHANGE_GRACE_PERIOD,
    )
    if options.takes_back:
        return PublishState(caller.account_id, caller.partition, targets, unread=failures)
    source = read_source(clients, options, caller.account_id)
    origins = read_origins(clients, options, caller.account_id, targets)
    return PublishState(caller.account_id, caller.partition, targets, source, failures, origins)


def apply(
    clients: Clients,
    options: PublishOptions,
    current: PublishState,
    plan: Plan,
    report: Report,
    find_changed: Callable[[Mapping[str, Any], Target], Mapping[str, Failure]] | None = None,
) -> Outcome:
    """Perform the plan in all targets in parallel; each waits until AWS has validated its value.

    ``find_changed`` reads a target again right before its first call, and returns why parameters and
    templates, by name or ID, stay as they are.
    """
    actions = {target.target: target.actions for target in plan.targets if target.actions}
    if not actions:
        return Outcome()
    accounts = open_clients(clients, read.Caller(current.account_id, current.partition), options, actions)
    accounts.open_without_retries("ssm", sorted({target.region for target in actions}))

    def perform(target: Target) -> PublishRun:
        with accounts.as_account(target.account_id) as account_clients:
            return perform_in_account(account_clients, target)

    def perform_in_account(account_clients: Clients, target: Target) -> PublishRun:
        services: dict[str, Any] = {
            "ec2": account_clients.ec2(target.region),
            "ssm": account_clients.ssm(target.region),
            "ssm_once": account_clients.without_retries().ssm(target.region),
        }
        if any(action.service == "ram" for action in actions[target]):
            services["ram"] = account_clients.client("ram", target.region)
        arn = parameter_arn(current.partition, target, options.parameter)
        changed = find_changed(services, target) if find_changed else {}
        left = tuple(action for action in actions[target] if action.resource not in changed)
        run = perform_target(services, left, current.targets[target], options.wait_timeout, arn)
        run.failures += changed.values()
        return run

    optional = targets_in(options.best_effort_regions, actions)
    waiting = waiting_reporter(report, "Publishing", len({target.region for target in actions}))
    done, failed = map_parallel(
        actions,
        perform,
        optional=optional,
        grace_period=CHANGE_GRACE_PERIOD,
        while_waiting=lambda targets: waiting({target.region for target in targets}),
    )
    failures = [failure for run in done.values() for failure in run.failures]
    failures += [errors.failure(exception, target, "PutParameter") for target, exception in failed.items()]
    named = [name_account(failure, current.account_id) for failure in failures]
    return Outcome(
        performed=tuple(action for run in done.values() for action in run.performed),
        failures=tuple(item for item in named if item.region not in options.best_effort_regions),
        tolerated=tuple(item for item in named if item.region in options.best_effort_regions),
        warnings=tuple(dict.fromkeys(warning for run in done.values() for warning in run.warnings)),
        state=done,
    )


def result(options: PublishOptions, current: PublishState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return the keys that are specific to this module; ``results`` lacks failed targets."""
    failures = (*outcome.failures, *outcome.tolerated, *plan.tolerated)
    failed = {Target(failure.account_id or "", failure.region or "") for failure in failures}
    labeled = {} if options.takes_back else choose_labels(options, current)
    results = []
    for planned in plan.targets:
        target = planned.target
        if target in failed:
            continue
        state = current.targets[target]
        run: PublishRun = outcome.state.get(target) or PublishRun()
        operations = {(action.operation, action.resource) for action in planned.actions}
        is_new = ("PutParameter", options.parameter) in operations
        latest = state.parameter.latest.version if state.parameter and not is_new else None
        results.append(
            {
                "account_id": target.account_id,
                "changed": bool(planned.actions),
                "image_id": state.image_id,
                "label": labeled.get(target),
                "launch_templates": {
                    name: run.defaults.get(template.template_id)
                    if ("ModifyLaunchTemplate", template.template_id) in operations
                    else template.default.number
                    for name, template in state.templates.items()
                },
                "parameter": options.parameter,
                "parameter_arn": parameter_arn(current.partition, target, options.parameter),
                "parameter_version": run.version or latest,
                "region": target.region,
                "shared_with": list(planned.after.get("shared_with", ())),
            }
        )
    return {"images": _list_images(options, current), "results": results}


def explain_nothing_published(options: PublishOptions, result: Mapping[str, Any]) -> str:
    """Return why a task fails that has published no image; empty if it has, or none is verified."""
    if result["results"] or options.is_unverified or options.takes_back:
        return ""
    return "The image is published in no region. The result lists why."


FLOW: Flow[PublishOptions, PublishState] = Flow(
    PublishOptions,
    read_state,
    plan,
    apply,
    result,
    explain_nothing_done=explain_nothing_published,
    policy="publishing",
)


def name_account(failure: Failure, own_account_id: str) -> Failure:
    """Return a failure, whose message names the account unless it is the own account."""
    if failure.account_id in (None, own_account_id):
        return failure
    message = f"In account {failure.account_id}: {failure.message}"
    return replace(errors.of_assumed_role(failure), message=message)


def _require_images_for_all(options: PublishOptions, images: Mapping[Target, str | None]) -> None:
    without = sorted(set(options.account_ids) - {target.account_id for target in images})
    if without:
        raise ValidationError(
            [
                Failure(
                    f"account_ids: there is no image for {', '.join(without)}.",
                    "Add their own images, or those of the account whose credentials are used, to images.",
                    "invalid_option",
                    "account_ids",
                )
            ]
        )


def _list_images(
    options: PublishOptions, current: PublishState
) -> dict[str, str | None] | list[dict[str, Any]]:
    """Return the images as later modules take them: a mapping for the own account, else a list."""
    if options.is_rollback:
        by_target = {target: state.image_id for target, state in current.targets.items()}
    else:
        by_target = options.by_target.targets(current.account_id)
    own = {
        target.region: image_id
        for target, image_id in by_target.items()
        if target.account_id == current.account_id
    }
    if len(own) == len(by_target):
        return own
    return [
        {"account_id": target.account_id, "image_id": image_id, "region": target.region}
        for target, image_id in by_target.items()
    ]
