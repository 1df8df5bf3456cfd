# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Gives and removes access to keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..aws import errors, read
from ..aws.accounts import Accounts
from ..aws.caller import preferred_region
from ..aws.clients import Clients
from ..aws.write import Performed, merge, perform
from ..fanout import each
from ..keys.policy_statements import short
from ..model import Target
from ..plan import Action, Plan
from ..progress import Report
from ..runner import Outcome
from .plan import consumer_grants
from .policy import policy_after
from .request import is_for_auto_scaling
from .state import GrantSeen, GrantWanted
from .wait import wait_until_listed

# KMS Developer Guide, "Request quotas": 50 CreateGrant a second in a region. Far more at once than that takes
# are refused so often that botocore's retry quota is used up, and the grants fail.
_AT_A_TIME = 4
_UNSEEN = "AWS lists the new grants. When all of EC2 knows them cannot be seen; it may take 5 minutes."


def apply(clients: Clients, wanted: GrantWanted, seen: GrantSeen, plan: Plan, report: Report) -> Outcome:
    """Create, then write policies, then let consumers create, then revoke: nobody loses access in between."""
    of_owner = [action for action in plan.actions if not is_for_auto_scaling(action)]
    created = _perform_each(clients, _of_kind("CreateGrant", of_owner, Performed()))
    written = _put_policies(clients, wanted, _of_kind("PutKeyPolicy", of_owner, created))
    handed_on = _create_as_consumers(clients, wanted, seen, created)
    opened = merge(created, written, handed_on)
    done = merge(opened, _perform_each(clients, _of_kind("RevokeGrant", of_owner, opened)))
    warnings = (wait_until_listed(clients, created) or _UNSEEN,) if created.actions else ()
    return Outcome(performed=done.actions, failures=done.failures, warnings=warnings)


def _of_kind(operation: str, actions: Iterable[Action], before: Performed) -> list[Action]:
    """The actions of one kind, but for regions in which what has to come before them failed."""
    broken = {failure.region for failure in before.failures}
    return [item for item in actions if item.operation == operation and item.target.region not in broken]


def _perform_each(clients: Clients, actions: Sequence[Action]) -> Performed:
    """Perform actions that do not depend on each other: in all regions at once, in each a few at a time."""
    lanes: dict[tuple[int, str], list[int]] = {}
    seen: Counter[str] = Counter()
    for index, action in enumerate(actions):
        region = action.target.region
        lanes.setdefault((seen[region] % _AT_A_TIME, region), []).append(index)
        seen[region] += 1

    def work(lane: tuple[int, str]) -> dict[int, Performed]:
        return {
            index: perform(clients.kms(actions[index].target.region), actions[index]) for index in lanes[lane]
        }

    # Every region's first lane before any region's last: there may be fewer threads than lanes.
    done, failed = each(sorted(lanes), work)
    performed = {index: result for results in done.values() for index, result in results.items()}
    return _collected(actions, performed, {lanes[lane][0]: problem for lane, problem in failed.items()})


def _put_policies(clients: Clients, wanted: GrantWanted, actions: Sequence[Action]) -> Performed:
    """Write key policies, each read again right before: PutKeyPolicy replaces whatever is there by then."""

    def work(index: int) -> Performed:
        action = actions[index]
        kms, key_arn = clients.kms(action.target.region), action.parameters["KeyId"]
        policy = policy_after(wanted, read.key_policy(kms, key_arn))
        return perform(kms, replace(action, parameters={**action.parameters, "Policy": policy}))

    return _collected(actions, *each(range(len(actions)), work))


def _create_as_consumers(
    clients: Clients, wanted: GrantWanted, seen: GrantSeen, created: Performed
) -> Performed:
    """Let each account create the grants for its Auto Scaling role.

    The tokens of the owner's grants make these usable at once (KMS API Reference, CreateGrant, GrantTokens).
    """
    tokens = {
        (action.parameters["KeyId"], short(action.parameters["GranteePrincipal"])): answer["GrantToken"]
        for action, answer in zip(created.actions, created.answers, strict=True)
    }
    by_account: dict[str, list[Action]] = {}
    for account_id, action in consumer_grants(wanted, seen):
        token = tokens.get((action.parameters["KeyId"], account_id))
        parameters = {**action.parameters, **({"GrantTokens": [token]} if token else {})}
        by_account.setdefault(account_id, []).append(replace(action, parameters=parameters))

    caller = read.Caller(seen.account_id, seen.partition)
    sts_region = preferred_region(clients, sorted(target.region for target in seen.keys))
    accounts = Accounts(clients, caller, wanted.consumer_role, sts_region)

    def work(account_id: str) -> Performed:
        actions = by_account[account_id]
        consumer = accounts.clients(account_id)
        consumer.open("kms", [action.target.region for action in actions])
        done = merge(*(perform(consumer.kms(action.target.region), action) for action in actions))
        # The targets are the owner's; who has something to mend is the consumer.
        return replace(done, failures=tuple(replace(item, account_id=account_id) for item in done.failures))

    done, failed = each(by_account, work)
    failures = tuple(
        errors.failure(item, Target(account_id, region), "AssumeRole")
        for account_id, item in failed.items()
        for region in dict.fromkeys(action.target.region for action in by_account[account_id])
    )
    return merge(*done.values(), Performed(failures=failures))


def _collected(
    actions: Sequence[Action], done: Mapping[int, Performed], failed: Mapping[int, Exception]
) -> Performed:
    """What became of numbered actions, in their order."""
    failures = tuple(
        errors.failure(failed[index], actions[index].target, actions[index].operation)
        for index in sorted(failed)
    )
    return merge(*(done[index] for index in sorted(done)), Performed(failures=failures))
