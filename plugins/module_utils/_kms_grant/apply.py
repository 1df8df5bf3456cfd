# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Grant and revoke access to keys, without the consumers that AWS rejects."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._arns import account_of
from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.caller import preferred_region
from .._aws.clients import Clients
from .._aws.write import merge, perform
from .._failures import CONSUMER_REJECTED, Failure, incomplete_response
from .._fanout import CHANGE_GRACE_PERIOD, map_parallel
from .._keys.grants import AUTO_SCALING_ROLE
from .._keys.needed import SharedUnderKey
from .._keys.policy_statements import own_accesses, short
from .._model import Target
from .._plan import Action, Performed, Plan
from .._progress import Report, waiting_reporter
from .._runner import Outcome
from .losses import policy_after
from .options import GrantOptions
from .plan import without_owner
from .state import GrantState
from .wait import wait_until_listed, wait_until_stored

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

# KMS Developer Guide, "Request quotas": 50 CreateGrant a second in a region. Far more at once are throttled
# until botocore's retry quota is used up, and the grants fail.
_PARALLEL_PER_REGION = 4
_PROPAGATION = "EC2 can take up to 5 minutes to use the new grants: retry launches that fail until then."

# botocore operations CreateGrant and PutKeyPolicy: a principal does not exist, or KMS does not know it yet.
_REJECTING = {
    "CreateGrant": frozenset({"InvalidArnException"}),
    "PutKeyPolicy": frozenset({"InvalidArnException", "MalformedPolicyDocumentException"}),
}
# In a region that accounts must enable, services know only the principals of accounts that have enabled it
# (comment in hashicorp/terraform-provider-aws#22549).
_REMEDY = (
    "Check that it exists, and remove or correct it. In a region that is not enabled by default, its account "
    "must have enabled the region. A new principal may not have propagated to KMS yet; if so, rerun. All "
    "other consumers get access."
)
_AUTO_SCALING_REMEDY = (
    "If the account has no service-linked role {name}, create it there: aws iam create-service-linked-role "
    "--aws-service-name autoscaling.amazonaws.com{suffix}. Then rerun."
)


def apply(
    clients: Clients, options: GrantOptions, current: GrantState, plan: Plan, report: Report
) -> Outcome:
    """Create grants, write policies, create grants as consumers, then revoke: access is never interrupted."""
    # Policies are planned again from what is read right before: for the same consumers as the plan.
    options = without_owner(options, current)
    of_owner = [action for action in plan.actions if action.caller is None]
    created = _perform_each(clients, options, _select_actions("CreateGrant", of_owner, Performed()), report)
    # A consumer that AWS rejects keeps no other one from access; it prevents only revocations.
    problems = Performed(
        failures=tuple(item for item in created.failures if item.error_code != CONSUMER_REJECTED)
    )
    written = _put_policies(clients, options, current, _select_actions("PutKeyPolicy", of_owner, problems))
    excluded = _failed_best_effort_regions(options, current, plan, (*created.failures, *written.failures))
    of_consumers = [
        action
        for action in plan.actions
        if action.caller is not None
        and action.target.region not in excluded
        and not _is_rejected(created.failures, action.target.region, action.caller)
    ]
    created_by_consumers = _create_as_consumers(clients, options, current, of_consumers, created)
    granted = merge(created, written, created_by_consumers)
    revoked = _drop_returned_grants(
        _select_actions("RevokeGrant", of_owner, granted), created, created_by_consumers
    )
    done = merge(granted, _perform_each(clients, options, revoked, report))
    if created.actions:
        report("Waiting until KMS lists the new grants (60 s at most)")
    warnings = [wait_until_listed(clients, created) or _PROPAGATION] if created.actions else []
    if written.actions:
        report("Waiting until KMS returns the new key policies (60 s at most)")
    if not_stored := wait_until_stored(clients, written):
        warnings.append(not_stored)
    failures = tuple(item for item in done.failures if not _is_tolerated(options, current, item))
    of_consumers_only = all(is_of_consumer(current, item) for item in failures)
    return Outcome(
        performed=done.actions,
        failures=failures,
        fails=not (options.best_effort_consumers and of_consumers_only),
        tolerated=tuple(item for item in done.failures if _is_tolerated(options, current, item)),
        warnings=tuple(warnings),
    )


def _is_tolerated(options: GrantOptions, current: GrantState, failure: Failure) -> bool:
    """Whether a best-effort region failed, and not a single consumer there, whose account the failure has.

    A consumer that has no access to a key although all others have it fails the task in any region.
    """
    return failure.region in options.best_effort_regions and failure.account_id in (None, current.account_id)


def is_of_consumer(current: GrantState, failure: Failure) -> bool:
    """Whether KMS refused to give a single consumer access, which all others have."""
    return failure.action in _REJECTING and failure.account_id != current.account_id


def _failed_best_effort_regions(
    options: GrantOptions, current: GrantState, plan: Plan, failures: Iterable[Failure]
) -> frozenset[str]:
    """Return the best-effort regions that were refused, or in which the owner's own changes failed."""
    failed = (item.region for item in (*plan.tolerated, *failures) if _is_tolerated(options, current, item))
    return frozenset(region for region in failed if region is not None)


def _select_actions(operation: str, actions: Iterable[Action], before: Performed) -> list[Action]:
    """Return the actions of one operation, without regions in which an earlier step failed."""
    broken = {failure.region for failure in before.failures}
    return [item for item in actions if item.operation == operation and item.target.region not in broken]


def _drop_returned_grants(revocations: Iterable[Action], *created: Performed) -> list[Action]:
    """Return the revocations, without the grants that CreateGrant returned.

    ListGrants shows a new role by its unique ID for a while (aws/aws-sdk-go#1718), like a deleted one, so the
    plan replaces its grant. For the same role CreateGrant returns that grant instead of a new one
    (KMS API Reference, CreateGrant, Name).
    """
    answered = {answer.get("GrantId") for performed in created for answer in performed.answers}
    return [action for action in revocations if action.parameters["GrantId"] not in answered]


def _perform_each(
    clients: Clients, options: GrantOptions, actions: Sequence[Action], report: Report
) -> Performed:
    """Perform independent actions in all regions at once, in each region a few at a time."""
    lanes: dict[tuple[int, str], list[int]] = {}
    numbers: Counter[str] = Counter()
    for index, action in enumerate(actions):
        region = action.target.region
        lanes.setdefault((numbers[region] % _PARALLEL_PER_REGION, region), []).append(index)
        numbers[region] += 1

    def work(lane: tuple[int, str]) -> dict[int, Performed]:
        return {
            index: _create_or_revoke(clients.kms(actions[index].target.region), actions[index])
            for index in lanes[lane]
        }

    # The first lane of each region before any second lane: there may be fewer threads than lanes.
    optional = [lane for lane in lanes if lane[1] in options.best_effort_regions]
    regions = {region for _number, region in lanes}
    waiting = waiting_reporter(report, "Changing grants", len(regions))
    done, failed = map_parallel(
        sorted(lanes),
        work,
        optional=optional,
        grace_period=CHANGE_GRACE_PERIOD,
        while_waiting=lambda open_lanes: waiting({region for _number, region in open_lanes}),
    )
    performed = {index: result for results in done.values() for index, result in results.items()}
    return _merge_results(actions, performed, {lanes[lane][0]: problem for lane, problem in failed.items()})


def _create_or_revoke(kms: KMSClient, action: Action) -> Performed:
    done = _create(kms, action)
    failures = (
        _explain_rejection(failure, short(action.parameters["GranteePrincipal"]))
        if _names_invalid_principal(failure)
        else failure
        for failure in done.failures
    )
    return replace(done, failures=tuple(failures))


def _create(kms: KMSClient, action: Action) -> Performed:
    """Perform an action. A new grant whose ID AWS does not return is also a failure.

    Then no grant is revoked in that region: each may be the one that CreateGrant returned.
    """
    done = perform(kms, action)
    incomplete = tuple(
        incomplete_response(action.operation, "GrantId", action.target)
        for answer in done.answers
        if action.operation == "CreateGrant" and "GrantId" not in answer
    )
    return replace(done, failures=(*done.failures, *incomplete))


def _create_as_consumer(kms: KMSClient, action: Action) -> Performed:
    """Create the grant for a role of the caller, whose account the failures have, not the target's."""
    done = _create(kms, action)
    role = action.parameters["GranteePrincipal"]
    failures = (
        replace(_explain_missing_role(failure, role), account_id=action.caller) for failure in done.failures
    )
    return replace(done, failures=tuple(failures))


def _put_policies(
    clients: Clients, options: GrantOptions, current: GrantState, actions: Sequence[Action]
) -> Performed:
    """Write key policies."""

    def work(index: int) -> Performed:
        action = actions[index]
        region = action.target.region
        shared = current.shared_under(region, action.parameters["KeyId"])
        return _write_policy(clients.kms(region), options, action, shared)

    regions = [action.target.region for action in actions]
    optional = [index for index, region in enumerate(regions) if region in options.best_effort_regions]
    done, failed = map_parallel(
        range(len(actions)), work, optional=optional, grace_period=CHANGE_GRACE_PERIOD
    )
    return _merge_results(actions, done, failed)


def _create_as_consumers(
    clients: Clients,
    options: GrantOptions,
    current: GrantState,
    actions: Sequence[Action],
    created: Performed,
) -> Performed:
    """Create the grants that only consumers can create, each with the credentials of its account.

    The tokens of the owner's grants make these usable at once (KMS API Reference, CreateGrant, GrantTokens).
    """
    tokens = {
        (action.parameters["KeyId"], short(action.parameters["GranteePrincipal"])): answer.get("GrantToken")
        for action, answer in zip(created.actions, created.answers, strict=True)
    }
    by_account: dict[str, list[Action]] = {}
    for action in actions:
        account_id = str(action.caller)
        token = tokens.get((action.parameters["KeyId"], account_id))
        parameters = {**action.parameters, **({"GrantTokens": [token]} if token else {})}
        by_account.setdefault(account_id, []).append(replace(action, parameters=parameters))

    if not by_account:
        return Performed()
    caller = read.Caller(current.account_id, current.partition)
    sts_region = preferred_region(clients, sorted(target.region for target in current.keys))
    accounts = AssumedAccounts(clients, caller, options.consumer_role, sts_region)
    accounts.open("kms", {action.target.region for action in actions})

    def work(account_id: str) -> Performed:
        with accounts.as_account(account_id) as consumer:
            return merge(
                *(
                    _create_as_consumer(consumer.kms(action.target.region), action)
                    for action in by_account[account_id]
                )
            )

    done, failed = map_parallel(by_account, work)
    failures = tuple(
        errors.failure(item, Target(account_id, region), "AssumeRole")
        for account_id, item in failed.items()
        for region in dict.fromkeys(action.target.region for action in by_account[account_id])
    )
    return merge(*done.values(), Performed(failures=failures))


def _merge_results(
    actions: Sequence[Action], done: Mapping[int, Performed], failed: Mapping[int, Exception]
) -> Performed:
    """Return the results of numbered actions, in their order."""
    failures = tuple(
        errors.failure(failed[index], actions[index].target, actions[index].operation)
        for index in sorted(failed)
    )
    return merge(*(done[index] for index in sorted(done)), Performed(failures=failures))


def _write_policy(kms: KMSClient, options: GrantOptions, action: Action, shared: SharedUnderKey) -> Performed:
    """Write the key policy, which is read again right before: PutKeyPolicy replaces the whole policy.

    KMS refuses the whole policy if one of its principals does not exist, and does not name it. Then the new
    principals are added in halves until it is known which are rejected, and each of these is a failure.
    """
    policy = read.key_policy(kms, action.parameters["KeyId"])
    held = {item for access in own_accesses(policy) for item in access.consumers.principals}
    new = sorted(options.policy_consumers.principals - held)
    done = _put(kms, action, policy_after(options, policy, shared))
    if not new or not any(_names_invalid_principal(failure) for failure in done.failures):
        return done
    # If KMS refuses what is there already, a new principal is not the reason.
    if _put(kms, action, policy).failures:
        return done
    rejected = dict(_find_rejected(kms, options, action, new, shared))
    policy = read.key_policy(kms, action.parameters["KeyId"])
    accepted = options.for_principals(options.policy_consumers.principals - rejected.keys())
    done = _put(kms, action, policy_after(accepted, policy, shared))
    failures = (
        _explain_rejection(failure, principal) if _names_invalid_principal(failure) else failure
        for principal, failure in rejected.items()
    )
    return replace(done, failures=(*failures, *done.failures))


def _find_rejected(
    kms: KMSClient, options: GrantOptions, action: Action, principals: Sequence[str], shared: SharedUnderKey
) -> Iterator[tuple[str, Failure]]:
    """Yield the principals that KMS rejects, and its failures; all others get access."""
    policy = read.key_policy(kms, action.parameters["KeyId"])
    # Nothing is revoked before the rejected principals are known.
    only = options.for_principals(principals)
    added = replace(only, org_arns=(), org_unit_arns=(), purge_grants=False)
    failures = _put(kms, action, policy_after(added, policy, shared)).failures
    if not failures:
        return
    if len(principals) == 1 or not _names_invalid_principal(failures[0]):
        yield from ((principal, failures[0]) for principal in principals)
        return
    middle = len(principals) // 2
    for half in (principals[:middle], principals[middle:]):
        yield from _find_rejected(kms, options, action, half, shared)


def _put(kms: KMSClient, action: Action, policy: str) -> Performed:
    return perform(kms, replace(action, parameters={**action.parameters, "Policy": policy}))


def _names_invalid_principal(failure: Failure) -> bool:
    """Whether KMS refused a request because of a principal that it does not know."""
    return failure.error_code in _REJECTING.get(failure.action, ())


def _explain_rejection(failure: Failure, principal: str) -> Failure:
    """Return the failure of a consumer that AWS rejected: an account ID, or an ARN of a principal."""
    return replace(failure.to_rejection(principal, _REMEDY), account_id=account_of(principal))


def _is_rejected(failures: Iterable[Failure], region: str, principal: str) -> bool:
    """Whether one of the failures is the rejection of this principal in this region."""
    return any(failure.region == region and failure.rejects(principal) for failure in failures)


def _explain_missing_role(failure: Failure, role: str) -> Failure:
    """Return the failure of a grant for an Auto Scaling role, with the remedy for a role that is missing."""
    if not _names_invalid_principal(failure):
        return failure
    name = role.rpartition("/")[2]
    # IAM API Reference, CreateServiceLinkedRole, CustomSuffix: IAM puts "_" before it.
    suffix = name.removeprefix(AUTO_SCALING_ROLE).removeprefix("_")
    option = f" --custom-suffix {suffix}" if suffix else ""
    return replace(failure, remedy=_AUTO_SCALING_REMEDY.format(name=name, suffix=option))
