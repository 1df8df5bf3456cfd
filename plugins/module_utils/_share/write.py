# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Change the permissions of images and snapshots, and wait until AWS returns the new ones.

If not all of an image's actions succeed, public access is taken back. A task that follows does not plan from
the old permissions.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.attempts import attempts
from .._aws.unknown_outcome import is_unknown
from .._aws.write import find_denied, merge, perform
from .._denial import FAILS_AGAIN
from .._failures import Failure
from .._fanout import map_parallel
from .._model import Target
from .._plan import PERMISSION_LISTS, Action, Performed
from .public import add_closed, closing_action, list_left_open, opens, still_public_failure

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EC2 is eventually consistent without a stated bound (EC2 Developer Guide, "Eventual consistency in the
# Amazon EC2 API"); a removed createVolumePermission was still returned for a while (boto/boto3#721).
_TIMEOUT = 60.0
_INTERVAL = 1.0
Permissions = tuple[Target, str, str]
"""The target, the operation that changes them, and the image or snapshot."""


def perform_or_close(ec2: EC2Client, actions: Iterable[Action]) -> Performed:
    """Perform the actions in order, like ``perform_all``; at a failure, close what they opened to all."""
    done = Performed()
    waiting = deque(actions)
    while waiting:
        action = waiting.popleft()
        part = perform(ec2, action)
        done = merge(done, part)
        if part.stops:
            unknown = opens(action) and any(is_unknown(failure) for failure in part.failures)
            left = close(ec2, action.target, done, [action.resource] if unknown and action.resource else [])
            return merge(left, Performed(failures=find_denied(ec2, part, waiting)))
    return done


def close(ec2: EC2Client, target: Target, done: Performed, others: Iterable[str] = ()) -> Performed:
    """Close what performed actions opened, and ``others`` that may be open; the failures say what is closed.

    The last that was opened is closed first, so that no snapshot is public whose image is not.
    """
    opened = list_left_open(done.actions)
    to_close = [*others, *reversed(opened)]
    calls = [(resource, perform(ec2, closing_action(target, resource))) for resource in to_close]
    private = [resource for resource, closed in calls if not closed.failures]
    failures = done.failures
    if private:
        failures = (*failures[:-1], add_closed(failures[-1], private))
    left = [
        still_public_failure(target, resource, closed.failures[0], certain=resource in opened)
        for resource, closed in calls
        if closed.failures
    ]
    taken_back = merge(*(closed for _resource, closed in calls))
    return replace(merge(done, taken_back), failures=(*failures, *left))


def wait_until_returned(
    client_of: Callable[[str, str], EC2Client], performed: Iterable[Action]
) -> tuple[tuple[Failure, ...], tuple[str, ...]]:
    """Read the changed permissions until they are as the actions left them, for at most a minute.

    ``client_of`` gives the client of a region for an operation that reads permissions. Returns a failure for
    each resource from which an entry was removed and that is not read as it was left, and a warning for each
    other resource that is not: AWS returns the old permissions, or they could not be read, which is named.
    """
    waiting: dict[Permissions, list[Action]] = {}
    for action in performed:
        if action.operation in PERMISSION_LISTS and action.resource is not None:
            waiting.setdefault((action.target, action.operation, action.resource), []).append(action)

    def read_entries(permissions: Permissions) -> list[dict[str, str]]:
        target, operation, resource_id = permissions
        of_image = operation == "ModifyImageAttribute"
        reading = read.IMAGE_PERMISSIONS if of_image else read.SNAPSHOT_PERMISSIONS
        return read.permissions(client_of(target.region, reading), reading, resource_id).to_entries()

    unread: dict[Permissions, Failure] = {}
    refused: dict[Permissions, Failure] = {}
    for _attempt in attempts(_TIMEOUT, _INTERVAL):
        current, failed = map_parallel([item for item in waiting if item not in refused], read_entries)
        waiting = {
            resource: actions
            for resource, actions in waiting.items()
            if resource not in current or not _shows(actions, current[resource])
        }
        unread = {resource: _read_failure(exception, resource) for resource, exception in failed.items()}
        refused |= {
            resource: failure for resource, failure in unread.items() if failure.error_code in FAILS_AGAIN
        }
        if not waiting.keys() - refused.keys():
            break
    return _report_differences(waiting, {**unread, **refused})


def _read_failure(exception: Exception, permissions: Permissions) -> Failure:
    target, operation, _resource_id = permissions
    return errors.failure(exception, target, operation.replace("Modify", "Describe", 1))


def _shows(actions: Iterable[Action], entries: list[dict[str, str]]) -> bool:
    """Whether these entries are as the last change of each left them. A run can add and remove the same."""
    last = {
        tuple(entry.items()): change
        for action in actions
        for change, changed in _changes(action).items()
        for entry in changed
    }
    return all((dict(entry) in entries) == (change == "Add") for entry, change in last.items())


def _changes(action: Action) -> Mapping[str, list[dict[str, str]]]:
    changes: Mapping[str, list[dict[str, str]]] = action.parameters[PERMISSION_LISTS[action.operation]]
    return changes


def _report_differences(
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
