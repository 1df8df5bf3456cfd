# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the actions of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..failures import Failure
from ..plan import Action
from .errors import failure

try:
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError
except ImportError:
    # AnsibleAWSModule has already told the user before any of this is used.
    pass

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# What AWS answers when it does not know one of the accounts, organizations or units of a batch.
_BAD_ENTRY = frozenset({"InvalidAMIAttributeItemValue", "InvalidUserID.Malformed", "InvalidParameterValue"})
_PERMISSION_LISTS = {
    "ModifyImageAttribute": "LaunchPermission",
    "ModifySnapshotAttribute": "CreateVolumePermission",
}


@dataclass(frozen=True)
class Performed:
    """How far one target's actions came: ``answers`` are AWS's to the ``actions`` that were carried out."""

    actions: tuple[Action, ...] = ()
    answers: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Failure, ...] = ()


def perform_all(ec2: EC2Client, actions: tuple[Action, ...]) -> Performed:
    """Perform the actions of one target in their order and stop at the first that fails.

    A batch of permissions in which AWS refuses an entry is the exception: all its other entries are
    applied, the bad ones are named, and what follows is left undone.
    """
    done: list[Action] = []
    answers: list[Mapping[str, Any]] = []
    for action in actions:
        performed = perform(ec2, action)
        done += performed.actions
        answers += performed.answers
        if performed.failures:
            return Performed(tuple(done), tuple(answers), performed.failures)
    return Performed(tuple(done), tuple(answers))


def perform(client: Any, action: Action) -> Performed:
    """Perform one action with a client of its service and region."""
    try:
        answer = getattr(client, xform_name(action.operation))(**action.parameters)
        return Performed((action,), (answer,))
    except (ClientError, BotoCoreError) as exception:
        halves = _halves(action, exception)
        if halves:
            return merge(*(perform(client, half) for half in halves))
        return Performed(failures=(_named(action, failure(exception, action.target, action.operation)),))


def _halves(action: Action, exception: Exception) -> tuple[Action, ...]:
    """The action split in two, if AWS refused an entry of several: it does not name all that are bad."""
    if not isinstance(exception, ClientError) or exception.response["Error"]["Code"] not in _BAD_ENTRY:
        return ()
    entries = _entries(action)
    if len(entries) < 2:
        return ()
    key = _PERMISSION_LISTS[action.operation]
    (change,) = action.parameters[key]
    middle = len(entries) // 2
    return tuple(
        replace(action, parameters={**action.parameters, key: {change: half}})
        for half in (entries[:middle], entries[middle:])
    )


def _entries(action: Action) -> list[dict[str, str]]:
    permissions = action.parameters.get(_PERMISSION_LISTS.get(action.operation, ""), {})
    return [entry for change in permissions.values() for entry in change]


def _named(action: Action, problem: Failure) -> Failure:
    """The failure with the one entry in its message that AWS refused, if it was about an entry."""
    entries = _entries(action)
    if problem.error_code not in _BAD_ENTRY or len(entries) != 1:
        return problem
    (value,) = entries[0].values()
    return replace(problem, message=f"AWS refuses {value}: {problem.message}")


def merge(*parts: Performed) -> Performed:
    """What was done in several parts, in their order."""
    return Performed(
        tuple(action for part in parts for action in part.actions),
        tuple(answer for part in parts for answer in part.answers),
        tuple(failure for part in parts for failure in part.failures),
    )
