# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant``: give consumers access to the KMS keys of images."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..aws import errors
from ..aws.caller import identify, preferred_region
from ..aws.clients import Clients
from ..aws.read import SETTLING_GRACE_PERIOD
from ..aws.read_targets import read_targets
from ..fanout import GRACE_PERIOD
from ..model import KeySeen, Target
from ..plan import Plan
from ..runner import Flow, Outcome
from .apply import apply
from .losses import list_kept_access, select_keys_to_inspect
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
    regions = sorted(options.by_region or options.kms_key_ids)
    caller = identify(clients, preferred_region(clients, regions))
    clients.open("kms", regions)
    if options.by_region:
        clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[KeySeen, ...]:
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
    """Return the module's own return values; regions that failed are missing from ``results``."""
    failed = {failure.region for failure in (*outcome.failures, *outcome.tolerated, *plan.tolerated)}
    others = without_owner(options, current)
    kept = {
        (target, key.key.arn): [kept.as_result() for kept in list_kept_access(others, current, target, key)]
        for target, keys in current.keys.items()
        for key in keys
    }
    return {
        "kms_key_arns": {
            target.region: keys[0].key.arn if keys else None for target, keys in current.keys.items()
        },
        "results": [
            {
                "account_id": target.target.account_id,
                "changed": bool(target.actions),
                "kms_keys": [
                    {
                        "kms_key_arn": arn,
                        **access,
                        "consumers_without_access": None
                        if target.actions
                        else consumers_without_access(others, current, target.target, arn),
                        "kept_access": kept[target.target, arn],
                        **_describe_consumers(current, target.target, arn),
                    }
                    for arn, access in target.after.items()
                ],
                "region": target.target.region,
            }
            for target in plan.targets
            if target.target.region not in failed
        ],
    }


def _describe_consumers(current: GrantState, target: Target, key_arn: str) -> dict[str, Any]:
    """Return what the accounts that lose access have under a key, and what of them was not read."""
    resources = current.shared_under(target.region, key_arn).consumers
    return {
        "dependents": resources.dependents_as_result(),
        "unseen_accounts": resources.unseen_as_result(),
    }


FLOW: Flow[GrantOptions, GrantState] = Flow(GrantOptions, read_state, plan, apply, result)
