# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_instance_refresh``: replace the instances of named Auto Scaling groups by those of an image."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.caller import identify_in_regions, preferred_region
from .._aws.clients import Clients
from .._aws.read_targets import read_targets
from .._failures import Failure, ValidationError
from .._fanout import GRACE_PERIOD
from .._model import Image, Target
from .._progress import Report
from .._runner import Flow, Outcome
from .apply import GroupRun, Replacement
from .options import RefreshOptions
from .plan import GroupPlan, RefreshPlan, count_images, plan, warn_of_terminating
from .read import READ_GROUPS, SERVICES, read_groups, read_image, require_botocore
from .state import Group, RefreshState

PLANNED, UNCHANGED = "planned", "unchanged"


def read_state(clients: Clients, options: RefreshOptions) -> RefreshState:
    """Read the named groups in every account and region: one that cannot be read refuses the task."""
    images = options.targets()
    caller = identify_in_regions(clients, {options.region_option: options.by_target.regions})
    accounts = _open_accounts(clients, caller, options, images)
    for target in list(images)[:1]:
        with accounts.as_account(target.account_id) as account_clients:
            require_botocore(account_clients.client("autoscaling", target.region))

    def read_one(target: Target) -> tuple[dict[str, Group], Image | None]:
        with accounts.as_account(target.account_id) as account_clients:
            groups = read_groups(account_clients, target, options.auto_scaling_groups)
        if not groups:
            return {}, None
        return groups, read_image(accounts, caller.account_id, target, images[target])

    def failure_of(exception: Exception, target: Target) -> Failure:
        failed = errors.failure(exception, target, READ_GROUPS)
        return failed if target.account_id == caller.account_id else errors.of_assumed_role(failed)

    found, _none = read_targets(
        images, read_one, failure_of, best_effort_regions=(), grace_period=GRACE_PERIOD
    )
    return RefreshState(
        caller.account_id,
        caller.partition,
        {target: groups for target, (groups, _image) in found.items()},
        {target: image for target, (groups, image) in found.items() if groups},
    )


def apply(
    clients: Clients, options: RefreshOptions, current: RefreshState, plan: RefreshPlan, report: Report
) -> Outcome:
    """Start the refreshes, wait for them, and count what the instances run afterwards."""
    if not any(group.is_work for group in plan.groups):
        return Outcome()
    caller = read.Caller(current.account_id, current.partition)
    accounts = _open_accounts(clients, caller, options, current.groups)
    replacement = Replacement(accounts, current.account_id, options, report)
    replacement.replace_all(plan)
    runs: dict[Target, dict[str, GroupRun]] = {}
    for (target, name), run in replacement.runs.items():
        runs.setdefault(target, {})[name] = run
    return Outcome(
        performed=tuple(replacement.performed),
        failures=tuple(replacement.failures),
        warnings=tuple(
            f"{target.account_id} {target.region}: {warning}"
            for (target, _name), run in replacement.runs.items()
            if run.after
            for warning in warn_of_terminating(run.after)
        ),
        state=runs,
    )


def _open_accounts(
    clients: Clients, caller: read.Caller, options: RefreshOptions, targets: Collection[Target]
) -> AssumedAccounts:
    """Open the clients of all accounts.

    Raises:
        ValidationError: there is another account, and no role to assume there.
    """
    regions = sorted({target.region for target in targets})
    others = sorted({target.account_id for target in targets} - {caller.account_id})
    if others and not options.consumer_role:
        raise ValidationError(
            Failure(
                message=f"consumer_role_name: it is required for {account_id}.",
                remedy="Set it to a role that these credentials can assume there, or remove the account.",
                error_code="missing_consumer_role",
                action="consumer_role_name",
                account_id=account_id,
            )
            for account_id in others
        )
    role = options.consumer_role if others else None
    accounts = AssumedAccounts(clients, caller, role, preferred_region(clients, regions))
    for service in SERVICES:
        accounts.open(service, regions)
    return accounts


def result(
    options: RefreshOptions, current: RefreshState, plan: RefreshPlan, outcome: Outcome
) -> dict[str, Any]:
    """Return what came of each group."""
    runs: Mapping[Target, Mapping[str, GroupRun]] = outcome.state
    return {
        "results": [
            _describe(options, group, runs.get(group.target, {}).get(group.name)) for group in plan.groups
        ]
    }


def _describe(options: RefreshOptions, plan: GroupPlan, run: GroupRun | None) -> dict[str, Any]:
    status = run.status if run else PLANNED if plan.is_work else UNCHANGED
    refresh, after = (run.refresh, run.after) if run else (plan.active, None)
    return {
        "account_id": plan.target.account_id,
        "auto_rollback": (run.plan if run else plan).rolls_back,
        "auto_scaling_group": plan.name,
        "changed": run.started if run else plan.start is not None,
        "image_id": plan.image_id,
        "images": count_images(after.group if after else plan.group),
        "instances_kept": [instance.instance_id for instance in (after or plan).kept],
        "instances_to_replace": len(plan.replaced),
        "launch_template_version": plan.group.version,
        "new_launch_template_version": plan.version,
        "percentage_complete": refresh.percent if refresh else None,
        "refresh_id": (refresh.refresh_id or None) if refresh else None,
        "region": plan.target.region,
        "status": status,
        "status_reason": (refresh.reason or None) if refresh else None,
    }


FLOW: Flow[RefreshOptions, RefreshState] = Flow(
    RefreshOptions,
    read_state,
    plan,
    apply,
    result,
    policy="instance-refreshes-in-the-consumer-accounts",
)
