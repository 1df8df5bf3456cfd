# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant``: give consumers access to the KMS keys of images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from .._aws import errors
from .._aws.caller import identify, preferred_region
from .._aws.clients import Clients
from .._aws.read import SETTLING_GRACE_PERIOD
from .._aws.read_targets import read_targets
from .._fanout import GRACE_PERIOD
from .._model import KeyState, Target
from .._plan import Plan, TargetPlan
from .._runner import Flow, Outcome
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
    caller = identify(clients, preferred_region(clients, regions))
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
    shared = add_snapshots(clients, caller.account_id, losing, shared)
    return replace(current, shared=add_consumer_resources(clients, options, caller, losing, shared))


def result(options: GrantOptions, current: GrantState, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """Return the module's own return values; regions that failed are missing from ``results``.

    A thousand accounts have a grant on each key: ``grants`` names each of them once.
    """
    failures = (*outcome.failures, *outcome.tolerated, *plan.tolerated)
    incomplete = {failure.region for failure in failures}
    completed = [target for target in plan.targets if target.target.region not in incomplete]
    failed = {item.region for item in failures if item.region and not is_of_consumer(current, item)}
    others = without_owner(options, current)
    return {
        "consumers": sorted(options.consumers.names),
        "failed_regions": sorted(failed),
        "grants": _group_grants(completed),
        "kms_key_arns": {
            target.region: keys[0].key.arn if keys else None for target, keys in current.keys.items()
        },
        "rejected_account_ids": sorted({*filter(None, (item.rejected_account_id for item in failures))}),
        "results": [
            {
                "account_id": target.target.account_id,
                "changed": bool(target.actions),
                "kms_keys": [
                    _describe_key(others, current, target, key) for key in current.keys[target.target]
                ],
                "region": target.target.region,
            }
            for target in completed
        ],
    }


def _describe_key(
    options: GrantOptions, current: GrantState, plan: TargetPlan, key: KeyState
) -> dict[str, Any]:
    """Return a key without its grants: who cannot use it, who keeps access, and who still needs it.

    With ``revoke_in_use``, what those who lose access have under the key is not read.
    """
    arn = key.key.arn
    unread = options.revoke_in_use and bool(find_lost_access(options, current, key))
    resources = current.shared_under(plan.target.region, arn).consumers
    statements = plan.after[arn].get("policy_statements")
    return {
        "kms_key_arn": arn,
        "consumers_without_access": consumers_without_access(options, key, plan),
        "kept_access": [kept.to_dict() for kept in list_kept_access(options, current, plan.target, key)],
        "dependents": None if unread else resources.dependents_as_result(),
        "unseen_accounts": None if unread else resources.unseen_as_result(),
        **({} if statements is None else {"policy_statements": statements}),
    }


def _group_grants(targets: Iterable[TargetPlan]) -> list[dict[str, Any]]:
    """Return the grants after the plan, those together that have operations and keys in common."""
    keys: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for target in targets:
        for arn, access in target.after.items():
            for grant in access["grants"]:
                for grantee in grant["grantees"]:
                    keys.setdefault((grantee, tuple(grant["operations"])), []).append(arn)
    grantees: dict[tuple[tuple[str, ...], tuple[str, ...]], list[str]] = {}
    for (grantee, operations), arns in keys.items():
        grantees.setdefault((operations, tuple(arns)), []).append(grantee)
    return [
        {"grantees": named, "kms_key_arns": list(arns), "operations": list(operations)}
        for (operations, arns), named in grantees.items()
    ]


FLOW: Flow[GrantOptions, GrantState] = Flow(GrantOptions, read_state, plan, apply, result)
