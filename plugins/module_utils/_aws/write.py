# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Perform the actions of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._denial import DENIED, UNSETTLED
from .._failures import Failure
from .._plan import PERMISSION_LISTS, Action, Performed
from . import sdk
from .attempts import repeat_until
from .errors import AWS_ERRORS, failure
from .read import SETTLING_TIMEOUT
from .unknown_outcome import is_made, is_refused_as_made, may_be_made

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# AWS's codes for a batch with an account, organization or organizational unit that AWS does not accept. AWS
# returns the last one for whole requests too: it counts only if the message names an entry.
_ENTRY_CODES = frozenset({"InvalidAMIAttributeItemValue", "InvalidUserID.Malformed", "InvalidParameterValue"})
# Updates of a parameter, of which AWS supports one at a time (botocore shape TooManyUpdates). No retry mode
# of botocore repeats that error.
_PARAMETER_UPDATES = frozenset(
    {"AddTagsToResource", "LabelParameterVersion", "RemoveTagsFromResource", "UnlabelParameterVersion"}
)
# IAM JSON policy elements, "Condition": aws:ResourceTag compares the tags that the resource has.
_BY_TAGS = " Allow CreateTags first if a policy asks for these tags: without them, this is denied, too."
# Seconds between two attempts.
_FIRST_PAUSE, _LONGEST_PAUSE = 1.0, 8.0
# botocore shape SnapshotReturnCodes; "skipped" is a snapshot that another image uses.
_SNAPSHOT_DONE = frozenset({"success", "skipped"})


def perform_all(ec2: EC2Client, actions: tuple[Action, ...]) -> Performed:
    """Perform the actions of one target in order, and stop at the first failure.

    The exception is a batch of permissions with entries that AWS rejects: each of these is a failure, all
    other entries are applied, and the following actions are performed.
    """
    parts: list[Performed] = []
    for number, action in enumerate(actions, start=1):
        parts.append(perform(ec2, action))
        if parts[-1].stops:
            parts.append(Performed(failures=find_denied(ec2, parts[-1], actions[number:])))
            break
    return merge(*parts)


def find_denied(ec2: EC2Client, done: Performed, following: Iterable[Action]) -> tuple[Failure, ...]:
    """Return the refusals of what would have followed a denied action, so that one run names all of them.

    One action of each operation is sent as a dry run, which all of EC2's have (botocore shape
    ModifyImageAttributeRequest, DryRun, for example). It shows missing permissions, and changes nothing.

    After a denied CreateTags, a dry run may be denied only because the tags are missing.
    """
    if done.failures[-1].error_code not in DENIED:
        return ()
    hint = _BY_TAGS if done.failures[-1].action == "CreateTags" else ""
    others = {
        action.operation: action for action in following if action.operation != done.failures[-1].action
    }
    calls = (
        _call(ec2, replace(action, parameters={**action.parameters, "DryRun": True}))
        for action in others.values()
    )
    return tuple(
        replace(problem, remedy=f"{problem.remedy}{hint}")
        for _answer, problem in calls
        if problem and problem.error_code in DENIED
    )


def perform(client: Any, action: Action) -> Performed:
    """Perform one action with a client of its service and region, without the entries that AWS rejects.

    An action on an image that EC2 does not return as available everywhere yet is repeated for a while, and so
    is an update of a parameter that is being updated. A change that is made although the call failed is done,
    with an empty answer; if this call cannot have made it, it is neither an action nor a failure.
    """
    answer, problem = repeat_until(
        lambda: _call(client, action),
        lambda called: called[1] is None or not _may_settle(action, called[1]),
        SETTLING_TIMEOUT,
        _FIRST_PAUSE,
        _LONGEST_PAUSE,
    )
    if problem is None:
        return Performed((action,), (answer,))
    if may_be_made(action, problem) and _is_made(client, action, problem):
        by_this_call = problem.repeated or not is_refused_as_made(action, problem)
        return Performed((action,), ({},)) if by_this_call else Performed()
    entries = _entries(action)
    if not _is_entry_failure(problem, entries):
        return Performed(failures=(problem,))
    if len(entries) == 1:
        return Performed(failures=(_entry_failure(problem, entries[0]),))
    # AWS does not name all rejected entries.
    return merge(*(perform(client, half) for half in _halves(action, entries)))


def _call(client: Any, action: Action) -> tuple[Mapping[str, Any], Failure | None]:
    try:
        return getattr(client, sdk.xform_name(action.operation))(**action.parameters), None
    except AWS_ERRORS as exception:
        return {}, failure(exception, action.target, action.operation)


def _is_made(client: Any, action: Action, problem: Failure) -> bool:
    """Whether the change is made. What AWS refuses as made may be read late (``SETTLING_TIMEOUT``)."""
    return repeat_until(
        lambda: is_made(client, action),
        lambda made: made or not problem.repeated,
        SETTLING_TIMEOUT,
        _FIRST_PAUSE,
        _LONGEST_PAUSE,
    )


def _may_settle(action: Action, problem: Failure) -> bool:
    """Whether AWS may refuse the action only because an earlier change has not propagated yet."""
    if action.operation in _PARAMETER_UPDATES:
        return problem.error_code == "TooManyUpdates"
    if action.operation == "CopyImage":
        storage = problem.error_code == "InvalidRequest" and "storage" in problem.message
        return storage or problem.error_code in UNSETTLED
    shares = action.operation == "ModifyImageAttribute" and "Add" in action.parameters.get(
        "LaunchPermission", {}
    )
    return shares and problem.error_code in UNSETTLED


def _is_entry_failure(problem: Failure, entries: list[dict[str, str]]) -> bool:
    """Whether AWS rejected an entry of the batch and not the whole request.

    A refused group is a refusal of the whole request: what follows must not be made public without it.
    """
    # The only group is "all": AWS never rejects it, and many messages contain these letters.
    values = [value for entry in entries for kind, value in entry.items() if kind != "Group"]
    if not values or problem.error_code not in _ENTRY_CODES:
        return False
    return problem.error_code != "InvalidParameterValue" or any(value in problem.message for value in values)


def _halves(action: Action, entries: list[dict[str, str]]) -> tuple[Action, ...]:
    key = PERMISSION_LISTS[action.operation]
    (change,) = action.parameters[key]
    middle = len(entries) // 2
    return tuple(
        replace(action, parameters={**action.parameters, key: {change: half}})
        for half in (entries[:middle], entries[middle:])
    )


def _entries(action: Action) -> list[dict[str, str]]:
    permissions = action.parameters.get(PERMISSION_LISTS.get(action.operation, ""), {})
    return [entry for change in permissions.values() for entry in change]


def _entry_failure(problem: Failure, entry: dict[str, str]) -> Failure:
    """Return the failure of an entry that AWS rejected."""
    (value,) = entry.values()
    return problem.to_rejection(value, "Correct or remove it, and rerun; all other entries were applied.")


def merge(*parts: Performed) -> Performed:
    """Return the outcome of several calls, in order."""
    return Performed(
        tuple(action for part in parts for action in part.actions),
        tuple(answer for part in parts for answer in part.answers),
        tuple(failure for part in parts for failure in part.failures),
    )


def snapshots_left(done: Performed, remedy: Callable[[str], str]) -> tuple[Failure, ...]:
    """Return a failure for each snapshot that AWS could not delete with its image.

    DeregisterImage with DeleteAssociatedSnapshots then succeeds nevertheless. ``remedy`` is called with the
    code that AWS returned for the snapshot.
    """
    return tuple(
        Failure.at(
            action.target,
            "DeleteSnapshot",
            "snapshot_not_deleted",
            f"Snapshot {item.get('SnapshotId', 'with an unknown ID')} of {action.resource} "
            f"could not be deleted: {code}.",
            remedy(code),
        )
        for action, answer in zip(done.actions, done.answers, strict=True)
        for item in answer.get("DeleteSnapshotResults", ())
        # Nothing shows that a snapshot without a code is deleted.
        if (code := item.get("ReturnCode", "no return code")) not in _SNAPSHOT_DONE
    )
