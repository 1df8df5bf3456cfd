# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the permissions of images and snapshots, and wait until AWS returns the new ones.

If not all of an image's actions succeed, public access is taken back. A task that follows does not plan from
the old permissions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.attempts import attempts
from ..aws.lost_answers import is_unknown
from ..aws.write import Performed, merge, perform
from ..denial import FAILS_AGAIN
from ..failures import Failure
from ..fanout import each
from ..model import Target
from ..plan import PERMISSION_LISTS, Action
from .plan import entries
from .public import closing, left_open, opens, still_public, with_closed

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client


def perform_or_close(ec2: EC2Client, actions: Iterable[Action]) -> Performed:
    """Perform the actions in order, like ``perform_all``; at a failure, close what they opened to all."""
    done = Performed()
    for action in actions:
        part = perform(ec2, action)
        done = merge(done, part)
        if part.stops:
            unknown = opens(action) and any(is_unknown(failure) for failure in part.failures)
            return close(ec2, action.target, done, [action.resource] if unknown and action.resource else [])
    return done


def close(ec2: EC2Client, target: Target, done: Performed, others: Iterable[str] = ()) -> Performed:
    """Close what performed actions opened, and ``others`` that may be open; the failures say what is closed.

    The last that was opened is closed first, so that no snapshot is public whose image is not.
    """
    opened = left_open(done.actions)
    to_close = [*others, *reversed(opened)]
    attempts = [(resource, perform(ec2, closing(target, resource))) for resource in to_close]
    closed = [resource for resource, attempt in attempts if not attempt.failures]
    failures = done.failures
    if closed:
        failures = (*failures[:-1], with_closed(failures[-1], closed))
    left = [
        still_public(target, resource, one.failures[0], certain=resource in opened)
        for resource, one in attempts
        if one.failures
    ]
    taken_back = merge(*(attempt for _resource, attempt in attempts))
    return replace(merge(done, taken_back), failures=(*failures, *left))


# EC2 is eventually consistent without a stated bound (EC2 Developer Guide, "Eventual consistency in the
# Amazon EC2 API"); a removed createVolumePermission was still returned for a while (boto/boto3#721).
_TIMEOUT = 60.0
_INTERVAL = 1.0

Permissions = tuple[Target, str, str]
"""The target, the operation that changes them, and the image or snapshot."""


def wait_until_returned(
    client_of: Callable[[str, str], EC2Client], performed: Iterable[Action]
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Read the changed permissions until they are as the actions left them, for at most a minute.

    ``client_of`` gives the client of a region for an operation that reads permissions. Returns a failure for
    each resource from which an entry was removed and that is not seen as it was left, and a warning for each
    other one that is not: AWS returns the old permissions, or they could not be read, which is named.
    """
    waiting: dict[Permissions, list[Action]] = {}
    for action in performed:
        if action.operation in PERMISSION_LISTS and action.resource is not None:
            waiting.setdefault((action.target, action.operation, action.resource), []).append(action)

    def read_entries(permissions: Permissions) -> list[dict[str, str]]:
        target, operation, resource_id = permissions
        of_image = operation == "ModifyImageAttribute"
        reading = read.IMAGE_PERMISSIONS if of_image else read.SNAPSHOT_PERMISSIONS
        return entries(read.permissions(client_of(target.region, reading), reading, resource_id))

    unread: dict[Permissions, Failure] = {}
    refused: dict[Permissions, Failure] = {}
    for _attempt in attempts(_TIMEOUT, _INTERVAL):
        found, failed = each([one for one in waiting if one not in refused], read_entries)
        waiting = {
            resource: actions
            for resource, actions in waiting.items()
            if resource not in found or any(_differs(actions, found[resource]))
        }
        unread = {resource: _unread(exception, resource) for resource, exception in failed.items()}
        refused |= {resource: one for resource, one in unread.items() if one.error_code in FAILS_AGAIN}
        if not waiting.keys() - refused.keys():
            break
    return _outcome(waiting, {**unread, **refused})


def _unread(exception: Exception, permissions: Permissions) -> Failure:
    target, operation, _resource_id = permissions
    return errors.failure(exception, target, operation.replace("Modify", "Describe", 1))


def _differs(actions: Iterable[Action], found: list[dict[str, str]]) -> Iterator[bool]:
    """Yield for each entry whether it is not as its last change left it. One run can add and remove it."""
    last = {
        tuple(entry.items()): change
        for action in actions
        for change, changed in _changes(action).items()
        for entry in changed
    }
    yield from ((dict(entry) in found) != (change == "Add") for entry, change in last.items())


def _changes(action: Action) -> Mapping[str, list[dict[str, str]]]:
    changes: Mapping[str, list[dict[str, str]]] = action.parameters[PERMISSION_LISTS[action.operation]]
    return changes


def _outcome(
    waiting: Mapping[Permissions, list[Action]], unread: Mapping[Permissions, Failure]
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    failures, warnings = [], []
    for resource, actions in waiting.items():
        target, operation, resource_id = resource
        removes = any("Remove" in _changes(action) for action in actions)
        if resource in unread:
            what = f"AWS accepted the change of {resource_id}, but its permissions could not be read:"
            failed = replace(unread[resource], message=f"{what} {unread[resource].message}")
            if removes:
                failures.append(failed)
            else:
                warnings.append(failed.sentence())
        elif removes:
            failures.append(
                Failure.at(
                    target,
                    operation,
                    "permission_not_removed",
                    f"AWS accepted the removal of permissions of {resource_id}, but reads did not show it "
                    f"within {_TIMEOUT:g} seconds.",
                    "Rerun until nothing changes: until then, the accounts may still have access.",
                )
            )
        else:
            warnings.append(
                f"{target.region}: Reads do not show the new permissions of {resource_id} yet. Wait before "
                "you change them again; an earlier change would start from the old permissions."
            )
    return tuple(failures), tuple(warnings)
