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
from .losses import kept_of, keys_to_inspect
from .options import GrantOptions
from .plan import consumers_without_access, plan, without_owner
from .read import read_keys
from .read_sharing import read_shared, with_resources, with_snapshots
from .state import GrantSeen


def read_state(clients: Clients, wanted: GrantOptions) -> GrantSeen:
    """Read every region's keys with their grants and, if needed, their policies.

    Where consumers would lose access, also the sharing of other images and snapshots under the keys, and what
    the consumers have under them.
    """
    regions = sorted(wanted.by_region or wanted.kms_key_ids)
    caller = identify(clients, preferred_region(clients, regions))
    clients.open("kms", regions)
    if wanted.by_region:
        clients.open("ec2", regions)

    def read_target(target: Target) -> tuple[KeySeen, ...]:
        return read_keys(clients, wanted, target)

    targets = [Target(caller.account_id, region) for region in regions]
    keys, failures = read_targets(
        targets,
        read_target,
        lambda exception, target: errors.failure(exception, target, "DescribeKey"),
        best_effort_regions=wanted.best_effort_regions,
        # An image that was made a moment ago is waited for, unless access is revoked.
        grace_period=SETTLING_GRACE_PERIOD if wanted.present else GRACE_PERIOD,
    )
    planned = {region for region, image_id in wanted.by_region.items() if image_id is None}
    unencrypted = (target for target, found in keys.items() if not found and target.region not in planned)
    seen = GrantSeen(caller.account_id, caller.partition, keys, frozenset(unencrypted), unread=failures)
    losing = keys_to_inspect(without_owner(wanted, seen), seen)
    shared = read_shared(clients, wanted, losing)
    shared = with_snapshots(clients, caller.account_id, losing, shared)
    return replace(seen, shared=with_resources(clients, wanted, caller, losing, shared))


def result(wanted: GrantOptions, seen: GrantSeen, plan: Plan, outcome: Outcome) -> dict[str, Any]:
    """The module's own return values; regions that failed are missing from ``results``."""
    failed = {failure.region for failure in (*outcome.failures, *outcome.tolerated, *plan.tolerated)}
    others = without_owner(wanted, seen)
    kept = {
        (target, key.key.arn): [one.as_result() for one in kept_of(others, seen, target, key)]
        for target, keys in seen.keys.items()
        for key in keys
    }
    return {
        "kms_key_arns": {
            target.region: keys[0].key.arn if keys else None for target, keys in seen.keys.items()
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
                        else consumers_without_access(others, seen, target.target, arn),
                        "kept_access": kept[target.target, arn],
                        **_consumers(seen, target.target, arn),
                    }
                    for arn, access in target.after.items()
                ],
                "region": target.target.region,
            }
            for target in plan.targets
            if target.target.region not in failed
        ],
    }


def _consumers(seen: GrantSeen, target: Target, key_arn: str) -> dict[str, Any]:
    """Return what the accounts that lose access have under a key, and what of them was not read."""
    found = seen.shared_under(target.region, key_arn).consumers
    return {"dependents": found.dependents_as_result(), "unseen_accounts": found.unseen_as_result()}


FLOW: Flow[GrantOptions, GrantSeen] = Flow(GrantOptions, read_state, plan, apply, result)
