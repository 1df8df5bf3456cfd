# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_publish``: publishes each region's image in parameters and launch templates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..aws import errors, read
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.read_targets import read_targets
from ..failures import Failure, Refused
from ..fanout import CHANGE_GRACE_PERIOD, each
from ..model import Target
from ..plan import Plan
from ..progress import Report
from ..regions import targets_in
from ..runner import Flow, Outcome
from .apply import PublishRun, perform_target
from .options import PublishOptions
from .plan import labels, plan
from .read import open_all, read_origins, read_source, read_target, with_launches, with_sharing
from .state import PublishSeen, TargetSeen


def read_state(clients: Clients, wanted: PublishOptions) -> PublishSeen:
    """Read every target's parameter, templates and image, each account with its own credentials."""
    caller = identify(clients, preferred_region(clients, wanted.all_regions))
    images = wanted.targets(caller.account_id)
    _require_images_for_all(wanted, images)
    opened = open_all(clients, caller, wanted, images)

    def read_one(target: Target) -> TargetSeen:
        of_account = opened[target.account_id]
        if target.account_id == caller.account_id:
            there = read_target(of_account, None, wanted, target, images[target])
            there = with_launches(of_account, wanted, target, there)
            return with_sharing(of_account, wanted, target, there)
        at_home = Target(caller.account_id, target.region) in images
        owner = opened[caller.account_id] if at_home else None
        there = read_target(of_account, owner, wanted, target, images[target])
        return with_launches(of_account, wanted, target, there)

    def failure_of(exception: Exception, target: Target) -> Failure:
        return _with_account(errors.failure(exception, target, "DescribeImages"), caller.account_id)

    targets, failures = read_targets(
        images,
        read_one,
        failure_of,
        best_effort_regions=wanted.best_effort_regions,
        # An account may see only after a while what was shared a moment ago.
        grace_period=CHANGE_GRACE_PERIOD,
    )
    source = read_source(clients, wanted, caller.account_id)
    origins = read_origins(clients, wanted, caller.account_id, targets)
    return PublishSeen(caller.account_id, caller.partition, targets, source, failures, origins)


def apply(clients: Clients, wanted: PublishOptions, seen: PublishSeen, plan: Plan, report: Report) -> Outcome:
    """Perform the plan in all targets at once, each of which waits for AWS to validate its own."""
    actions = {target.target: target.actions for target in plan.targets if target.actions}
    opened = open_all(clients, read.Caller(seen.account_id, seen.partition), wanted, actions)
    for target in actions:
        opened[target.account_id].unrepeated().open("ssm", [target.region])

    def perform(target: Target) -> PublishRun:
        of_account = opened[target.account_id]
        services = {
            "ec2": of_account.ec2(target.region),
            "ssm": of_account.ssm(target.region),
            "ssm_once": of_account.unrepeated().ssm(target.region),
        }
        return perform_target(services, actions[target], seen.targets[target], wanted.wait_timeout)

    optional = targets_in(wanted.best_effort_regions, actions)
    done, failed = each(actions, perform, optional=optional, grace_period=CHANGE_GRACE_PERIOD)
    failures = [failure for run in done.values() for failure in run.failures]
    failures += [errors.failure(exception, target, "PutParameter") for target, exception in failed.items()]
    named = [_with_account(failure, seen.account_id) for failure in failures]
    return Outcome(
        performed=tuple(action for run in done.values() for action in run.performed),
        failures=tuple(one for one in named if one.region not in wanted.best_effort_regions),
        tolerated=tuple(one for one in named if one.region in wanted.best_effort_regions),
        warnings=tuple(dict.fromkeys(warning for run in done.values() for warning in run.warnings)),
        state=done,
    )


def result(wanted: PublishOptions, seen: PublishSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """What the module returns of its own; targets that failed are missing from ``results``."""
    failures = (*outcome.failures, *outcome.tolerated, *plan.tolerated)
    failed = {Target(failure.account_id or "", failure.region or "") for failure in failures}
    labeled = labels(wanted, seen)
    results = []
    for one in plan.targets:
        if one.target in failed:
            continue
        there = seen.targets[one.target]
        run: PublishRun = outcome.state.get(one.target) or PublishRun()
        planned = {(action.operation, action.resource) for action in one.actions}
        is_new = ("PutParameter", wanted.parameter) in planned
        latest = there.parameter.latest.version if there.parameter and not is_new else None
        results.append(
            {
                "account_id": one.target.account_id,
                "changed": bool(one.actions),
                "image_id": there.image_id,
                "label": labeled[one.target],
                "launch_templates": {
                    name: run.defaults.get(template.template_id)
                    if ("ModifyLaunchTemplate", template.template_id) in planned
                    else template.default.number
                    for name, template in there.templates.items()
                },
                "parameter": wanted.parameter,
                "parameter_version": run.version or latest,
                "region": one.target.region,
            }
        )
    return {"images": _images(wanted, seen), "results": results}


FLOW: Flow[PublishOptions, PublishSeen] = Flow(PublishOptions, read_state, plan, apply, result)


def _with_account(failure: Failure, own_account_id: str) -> Failure:
    """The failure with its account in the message if that is another one: the message is what people see."""
    if failure.account_id in (None, own_account_id):
        return failure
    return replace(failure, message=f"In account {failure.account_id}: {failure.message}")


def _require_images_for_all(wanted: PublishOptions, images: Mapping[Target, str | None]) -> None:
    without = sorted(set(wanted.account_ids) - {target.account_id for target in images})
    if without:
        raise Refused(
            [
                Failure(
                    f"account_ids: there is no image for {', '.join(without)}.",
                    "Add their own images, or those of the account whose credentials are used, to images.",
                    "invalid_option",
                    "account_ids",
                )
            ]
        )


def _images(wanted: PublishOptions, seen: PublishSeen) -> dict[str, str | None] | list[dict[str, Any]]:
    """The images as later modules take them: a mapping where they are the own account's, else a list."""
    if wanted.is_rollback:
        by_target = {target: there.image_id for target, there in seen.targets.items()}
    else:
        by_target = wanted.by_target.targets(seen.account_id)
    own = {
        target.region: image_id
        for target, image_id in by_target.items()
        if target.account_id == seen.account_id
    }
    if len(own) == len(by_target):
        return own
    return [
        {"account_id": target.account_id, "image_id": image_id, "region": target.region}
        for target, image_id in by_target.items()
    ]
