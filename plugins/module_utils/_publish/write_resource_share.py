# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Share a parameter through AWS RAM, or take it back, and wait until AWS has done it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from .._aws.attempts import repeat_until
from .._aws.errors import AWS_ERRORS, failure
from .._aws.resource_shares import own_shares
from .._aws.unknown_outcome import is_unknown
from .._aws.write import perform
from .._failures import Failure
from .._parameter_share import (
    ASSOCIATED,
    ASSOCIATING,
    DISASSOCIATING,
    FAILED,
    Association,
    ResourceShare,
    consumers_of,
    pending,
    share_name,
)
from .._plan import Action, Performed
from .resource_share import list_pending

# Seconds between attempts, and for all of them: AWS associates within seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 3.0
_LONGEST = 60.0
REMOVALS = frozenset({"DeleteResourceShare", "DisassociateResourceShare"})


def share_parameter(ram: Any, action: Action, arn: str, wait_timeout: float) -> tuple[Performed, list[str]]:
    """Perform the action on the parameter's share, and return its outcome and warnings.

    Associations are made asynchronously (botocore shape ``ResourceShareAssociation``, ``status``). What has
    failed is a failure. A principal that is invited is not waited for.
    """
    done = perform(ram, action)
    consumers = frozenset(action.parameters.get("principals", ()))
    if done.failures:
        if not any(is_unknown(failure) or failure.repeated for failure in done.failures):
            return done, []
        shares, done = _read_until(ram, action, done, lambda _read: True)
        if shares is None or not consumers <= consumers_of(shares, arn):
            return done, []
        done = Performed((action,), ({},))
    shares, done = _read_until(
        ram, action, done, lambda read: _is_settled(read, arn, consumers), wait_timeout
    )
    if shares is None:
        return done, []
    failures = tuple(_list_failures(action, shares, arn, consumers))
    return replace(done, failures=failures), [*list_pending(pending(shares, consumers))]


def takes_from_organization(action: Action) -> bool:
    """Whether a removal is one of an organization or an organizational unit, among others."""
    return any(":organizations:" in principal for principal in action.parameters.get("principals", ()))


def unshare_parameter(ram: Any, action: Action, wait_timeout: float) -> Performed:
    """Perform one of ``REMOVALS`` on a share of the parameter, and return its outcome.

    What remains is a failure: AWS ends associations asynchronously, as it makes them. Whatever AWS answers to
    the call, what it is removing already is waited for.
    """
    done = perform(ram, action)
    if done.failures:
        shares, done = _read_until(ram, action, done, lambda _read: True)
        if shares is None or {*_list_remaining(shares, action).values()} - {DISASSOCIATING}:
            return done
        done = Performed((action,), ({},))
    shares, done = _read_until(
        ram, action, done, lambda read: not _list_remaining(read, action), wait_timeout
    )
    if shares is None:
        return done
    return replace(done, failures=tuple(_list_unremoved(action, _list_remaining(shares, action))))


def _read_until(
    ram: Any,
    action: Action,
    done: Performed,
    is_enough: Callable[[tuple[ResourceShare, ...]], bool],
    seconds: float = 0,
) -> tuple[tuple[ResourceShare, ...] | None, Performed]:
    """Return the parameter's shares as soon as they are enough, or the last ones, and what was done.

    If they cannot be read, they are None, and that is one more failure of what was done.
    """
    name = share_name(action.resource or "")
    try:
        shares = repeat_until(
            lambda: own_shares(ram, name), is_enough, min(_LONGEST, seconds), _FIRST_PAUSE, _LONGEST_PAUSE
        )
    except AWS_ERRORS as exception:
        unread = failure(exception, action.target, "GetResourceShares")
        return None, replace(done, failures=(*done.failures, unread))
    return shares, done


def _list_remaining(shares: tuple[ResourceShare, ...], action: Action) -> dict[str, str]:
    """Return what the action removes and AWS still has, principals or the share, with its status."""
    share = next((item for item in shares if item.arn == action.parameters["resourceShareArn"]), None)
    if share is None or not share.is_live:
        return {}
    if action.operation == "DeleteResourceShare":
        return {share.arn: share.status}
    principals = {item.entity: item.status for item in share.principals if item.may_have_access}
    return {name: principals[name] for name in action.parameters["principals"] if name in principals}


def _list_unremoved(action: Action, remaining: dict[str, str]) -> Iterator[Failure]:
    is_share = action.operation == "DeleteResourceShare"
    until_then = " Until then, it can read the parameter, and a purge publishes nothing here."
    for name, status in remaining.items():
        what = f"the resource share {name} exists" if is_share else f"{action.resource} is shared with {name}"
        yield Failure.at(
            action.target,
            action.operation,
            "parameter_still_shared",
            f"AWS RAM accepted the call, but {what} ({status}).",
            f"Rerun, in case AWS is still removing it.{'' if is_share else until_then}",
        )


def _is_settled(shares: tuple[ResourceShare, ...], arn: str, consumers: frozenset[str]) -> bool:
    """Whether AWS associates nothing any more but principals that it has invited."""
    live = [share for share in shares if share.is_live]
    resources = [item for share in live for item in share.resources if item.entity == arn]
    if any(item.status == FAILED for item in resources):
        return True
    named = [item for share in live for item in share.principals if item.entity in consumers]
    waits = any(item.status == ASSOCIATING and not item.is_external for item in (*resources, *named))
    is_shared = any(item.is_present for item in resources)
    return is_shared and not waits and consumers <= {item.entity for item in named}


def _list_failures(
    action: Action, shares: tuple[ResourceShare, ...], arn: str, consumers: frozenset[str]
) -> list[Failure]:
    live = [share for share in shares if share.is_live]
    resources = [item for share in live for item in share.resources if item.entity == arn]
    principals = [item for share in live for item in share.principals]
    if not any(item.status == ASSOCIATED for item in resources):
        return [_failure(action, f"{action.resource} is not in its resource share", resources)]
    present = {item.entity for item in principals if item.is_present}
    return [
        _failure(
            action,
            f"{action.resource} is not shared with {consumer}",
            [item for item in principals if item.entity == consumer],
        )
        for consumer in sorted(consumers - present)
    ]


def _failure(action: Action, what: str, associations: list[Association]) -> Failure:
    reasons = [": ".join(filter(None, (item.status, item.message))) for item in associations]
    found = f" ({reasons[-1]})" if reasons else ""
    return Failure.at(
        action.target,
        action.operation,
        "parameter_not_shared",
        f"AWS RAM accepted the call, but {what}{found}.",
        "Rerun, in case AWS is still adding it.",
    )
