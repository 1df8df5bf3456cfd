# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant``: give consumers access to the KMS keys of images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .._aws import errors
from .._aws.caller import identify_in_regions
from .._aws.clients import Clients
from .._aws.read import SETTLING_GRACE_PERIOD
from .._aws.read_targets import read_targets
from .._fanout import GRACE_PERIOD
from .._keys.needed import ConsumerResources, Kept
from .._model import KeyState, Target
from .._plan import Plan, TargetPlan
from .._runner import Flow, Outcome, diff_by_change
from .accesses import describe_access, group_kept, group_unseen, group_without_access
from .apply import apply, is_of_consumer
from .losses import find_lost_access, list_kept_access, select_keys_to_inspect
from .options import GrantOptions
from .plan import consumers_without_access, plan, without_owner
from .read import read_keys
from .read_sharing import add_consumer_resources, add_snapshots, read_sharing
from .state import GrantState


def read_state(clients: Clients, options: GrantOptions) -> GrantState:
    """Read every region's keys with their grants and, if needed, their policies.

    Where consumers would lose access, also the sharing of other images and snapshots under the keys, and what
    the consumers have under them.
    """
    regions = sorted(options.by_region or options.key_ids)
    if not regions:
        return GrantState("", "", keys={})
    caller = identify_in_regions(clients, {options.region_option: regions})
    clients.open("kms", regions)
    if options.by_region:
        clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[KeyState, ...]:
        return read_keys(clients, options, target)

    targets = [Target(caller.account_id, region) for region in regions]
    keys, failures = read_targets(
        targets,
        read_target,
        lambda exception, target: errors.failure(exception, target, "DescribeKey"),
        best_effort_regions=options.best_effort_regions,
        # An image that was made a moment ago is waited for, unless access is revoked.
        grace_period=SETTLING_GRACE_PERIOD if options.present else GRACE_PERIOD,
    )
    planned = {region for region, image_id in options.by_region.items() if image_id is None}
    unencrypted = (target for target, read in keys.items() if not read and target.region not in planned)
    current = GrantState(caller.account_id, caller.partition, keys, frozenset(unencrypted), unread=failures)
    losing = select_keys_to_inspect(without_owner(options, current), current)
    shared = read_sharing(clients, options, losing)
    shared = add_snapshots(clients, options, caller.account_id, losing, shared)
    return replace(current, shared=add_consumer_resources(clients, options, caller, losing, shared))


def result(options: GrantOptions, current: GrantState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return the module's own return values; regions that failed are missing from ``results``.

    A thousand accounts have a grant on each key: what keys have in common names each account once.
    """
    failures = (*outcome.failures, *outcome.tolerated, *plan.tolerated)
    incomplete = {failure.region for failure in failures}
    completed = [target for target in plan.targets if target.target.region not in incomplete]
    failed = {item.region for item in failures if item.region and not is_of_consumer(current, item)}
    others = without_owner(options, current)
    without_access = {
        key.key.arn: consumers_without_access(others, key, target)
        for target in completed
        for key in current.keys[target.target]
    }
    return {
        "consumers": sorted(options.consumers.names),
        "consumers_without_access": group_without_access(without_access),
        "failed_regions": sorted(failed),
        "kept_access": group_kept(_list_kept(others, current, completed)),
        "kms_key_arns": {
            target.region: keys[0].key.arn if keys else None for target, keys in current.keys.items()
        },
        "rejected_account_ids": sorted({*filter(None, (item.rejected_account_id for item in failures))}),
        "results": [
            {
                "account_id": target.target.account_id,
                "changed": bool(target.actions),
                "kms_keys": [
                    {
                        "access_known": without_access[key.key.arn] is not None,
                        "dependents": _list_dependents(others, current, target, key),
                        "kms_key_arn": key.key.arn,
                    }
                    for key in current.keys[target.target]
                ],
                "region": target.target.region,
            }
            for target in completed
        ],
        "unseen_accounts": group_unseen(
            {
                key.key.arn: _resources(current, target, key).unseen
                for target in completed
                for key in current.keys[target.target]
            }
        ),
        **describe_access(target.after for target in completed),
    }


def _list_kept(
    options: GrantOptions, current: GrantState, targets: Iterable[TargetPlan]
) -> dict[str, tuple[Kept, ...]]:
    """Return the consumers that keep access to each key."""
    return {
        key.key.arn: list_kept_access(options, current, target.target, key)
        for target in targets
        for key in current.keys[target.target]
    }


def _list_dependents(
    options: GrantOptions, current: GrantState, plan: TargetPlan, key: KeyState
) -> list[dict[str, Any]] | None:
    """Return what those who lose access have under a key, which is not read with ``revoke_in_use``."""
    if options.revoke_in_use and find_lost_access(options, current, key):
        return None
    return _resources(current, plan, key).dependents_as_result()


def _resources(current: GrantState, plan: TargetPlan, key: KeyState) -> ConsumerResources:
    return current.shared_under(plan.target.region, key.key.arn).consumers


def diff(plan: Plan) -> dict[str, Any]:
    """Return the changes, and the states before and after with each consumer once."""
    return {
        **diff_by_change(plan),
        "state_after": describe_access(target.after for target in plan.targets),
        "state_before": describe_access(target.before for target in plan.targets),
    }


FLOW: Flow[GrantOptions, GrantState] = Flow(
    GrantOptions,
    read_state,
    plan,
    apply,
    result,
    diff=lambda _options, _current, plan: diff(plan),
    policy="distribution-of-encrypted-images",
)
