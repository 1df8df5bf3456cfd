# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Block images, or open them again, all at the same time, and wait until AWS returns the new permissions."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import partial

from .._aws import errors
from .._aws.accounts import AssumedAccounts
from .._aws.clients import Clients
from .._aws.read import Caller
from .._aws.write import merge, perform_all
from .._failures import CONSUMER_REJECTED, Failure
from .._fanout import map_parallel
from .._model import ConsumerRole, ImageRef
from .._plan import Action, Performed
from .._progress import Report, waiting_reporter
from .._restore.read import get_client, wait_until_available
from .._share.write import wait_until_returned
from .block import ImagePlan
from .read_images import open_accounts, open_regions


@dataclass(frozen=True)
class Changed:
    """What came of the plans; ``failed`` are the images of which not all was done."""

    performed: Performed = field(default_factory=Performed)
    failed: frozenset[ImageRef] = frozenset()
    warnings: tuple[str, ...] = ()


def change_access(
    clients: Clients,
    caller: Caller,
    role: ConsumerRole | None,
    plans: Iterable[ImagePlan],
    report: Report,
    is_opening: bool,
) -> Changed:
    """Block images, or open them again, in parallel. One that fails stops no other one.

    The ``role`` is assumed in the accounts of images that ``caller`` does not own.

    An account that AWS does not accept any more, such as a closed one, gets nothing back: that is a warning,
    since no rerun would change it. One that AWS does not accept while it loses access is a failure.
    """

    def fails(failure: Failure) -> bool:
        return not (is_opening and failure.error_code == CONSUMER_REJECTED)

    by_ref = {plan.ref: plan for plan in plans if plan.actions}
    if not by_ref:
        return Changed()
    targets = {plan.planned.target for plan in by_ref.values()}
    accounts = open_accounts(clients, caller, role, targets)
    open_regions(clients, sorted({item.region for item in targets if item.account_id == caller.account_id}))

    def change(ref: ImageRef) -> Performed:
        with accounts.as_account(by_ref[ref].planned.target.account_id) as account_clients:
            return _change_image(account_clients, by_ref[ref])

    waiting = waiting_reporter(report, "Opening images" if is_opening else "Blocking images", len(by_ref))
    done, failed = map_parallel(
        by_ref,
        change,
        while_waiting=lambda refs: waiting(_name(refs)),
    )
    crashed = {
        ref: Performed(
            failures=(errors.failure(exception, by_ref[ref].planned.target, "ModifyImageAttribute"),)
        )
        for ref, exception in failed.items()
    }
    outcomes = {**done, **crashed}
    performed = merge(*outcomes.values())
    not_removed: list[Failure] = []
    not_returned: list[str] = []
    for account_id in sorted({target.account_id for target in targets}):
        failures, warnings = _wait(clients, accounts, caller, account_id, performed.actions)
        not_removed += failures
        not_returned += warnings
    return Changed(
        Performed(performed.actions, performed.answers, (*filter(fails, performed.failures), *not_removed)),
        frozenset(ref for ref, outcome in outcomes.items() if any(map(fails, outcome.failures))),
        (
            *(f"{item.region}: {item.message}" for item in performed.failures if not fails(item)),
            *not_returned,
        ),
    )


def _wait(
    clients: Clients, accounts: AssumedAccounts, caller: Caller, account_id: str, actions: Iterable[Action]
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Wait until AWS returns the new permissions of an account's images."""
    of_account = [action for action in actions if action.target.account_id == account_id]
    if account_id == caller.account_id:
        return wait_until_returned(partial(get_client, clients), of_account)
    with accounts.as_account(account_id) as account_clients:
        return wait_until_returned(lambda region, _operation: account_clients.ec2(region), of_account)


def _change_image(clients: Clients, plan: ImagePlan) -> Performed:
    ec2, actions = clients.ec2(plan.ref.region), plan.actions
    first = tuple(action for action in actions if action.operation == "EnableImage")
    done = perform_all(ec2, first)
    if done.failures:
        return done
    if first:
        try:
            wait_until_available(ec2, plan.ref.image_id)
        except errors.AWS_ERRORS as exception:
            failure = errors.failure(exception, plan.planned.target, "EnableImage")
            return merge(done, Performed(failures=(failure,)))
    return merge(done, perform_all(ec2, actions[len(first) :]))


def _name(refs: Collection[ImageRef]) -> set[str]:
    return {str(ref) for ref in refs}
