# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which actions open an image or snapshot to all, and how that is taken back.

AWS may refuse to make an image public after every check: beyond 5 public images a region, for example (EC2
User Guide, "Quotas for AMIs"). Its snapshots are therefore opened after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._failures import Failure
from .._listing import join_texts
from .._model import Target
from .._plan import PERMISSION_LISTS, Action

_ALL = {"Group": "all"}
# Resources that a message names.
_NAMED = 5


def opens(action: Action) -> bool:
    """Whether the action makes its resource public."""
    return _ALL in _changes(action).get("Add", [])


def closes(action: Action) -> bool:
    """Whether the action removes public access from its resource."""
    return _ALL in _changes(action).get("Remove", [])


def split_opening(actions: Iterable[Action]) -> tuple[tuple[Action, ...], tuple[Action, ...]]:
    """Return the actions that share with accounts and organizations, and those that share with all."""
    given = tuple(actions)
    return tuple(item for item in given if not opens(item)), tuple(item for item in given if opens(item))


def closing_action(target: Target, resource: str) -> Action:
    """Return the action that removes public access from an image or snapshot."""
    if resource.startswith("ami-"):
        parameters: dict[str, Any] = {"ImageId": resource, "LaunchPermission": {"Remove": [_ALL]}}
        return Action(target, "ModifyImageAttribute", parameters, resource)
    parameters = {
        "Attribute": "createVolumePermission",
        "CreateVolumePermission": {"Remove": [_ALL]},
        "SnapshotId": resource,
    }
    return Action(target, "ModifySnapshotAttribute", parameters, resource)


def list_left_open(actions: Iterable[Action]) -> tuple[str, ...]:
    """Return the resources that performed actions opened and did not close, in that order."""
    opened: dict[str, None] = {}
    for action in actions:
        if opens(action) and action.resource:
            opened[action.resource] = None
        elif closes(action) and action.resource:
            opened.pop(action.resource, None)
    return tuple(opened)


def add_closed(failure: Failure, resources: Iterable[str]) -> Failure:
    """Return the failure, whose remedy also says what the run made private again."""
    closed = sorted(resources)
    pronoun = "it" if len(closed) == 1 else "them"
    text = f"This run opened {join_texts(closed, _NAMED)} and made {pronoun} private again."
    return replace(failure, remedy=f"{failure.remedy} {text}".strip())


def still_public_failure(target: Target, resource: str, problem: Failure, *, certain: bool) -> Failure:
    """Return the failure of a resource that the run opened, or may have opened, and could not close."""
    opened = "is public: this run opened it" if certain else "may be public: this run may have opened it"
    return Failure.at(
        target,
        problem.action,
        "still_public",
        f"{resource} {opened}, and could not make it private again: {problem.error_code}: {problem.message}",
        f"Make it private: {_closing_command(target, resource)}",
    )


def add_unknown_access(failure: Failure, resources: Iterable[str]) -> Failure:
    """Return the failure, whose remedy also says what may be public although no answer shows it."""
    opened = sorted(resources)
    verb, pronoun = ("is", "it") if len(opened) == 1 else ("are", "they")
    text = f"Check whether {join_texts(opened, _NAMED)} {verb} public: {pronoun} may be."
    return replace(failure, remedy=f"{failure.remedy} {text}".strip())


def public_warning(target: Target, resources: Iterable[str]) -> str:
    """Return the warning about what is public in a region that is not in the results."""
    return f"{target.region}: Public since this run: {join_texts(sorted(resources), _NAMED)}."


def _changes(action: Action) -> Mapping[str, list[dict[str, str]]]:
    changes: Mapping[str, list[dict[str, str]]] = action.parameters.get(
        PERMISSION_LISTS.get(action.operation, ""), {}
    )
    return changes


def _closing_command(target: Target, resource: str) -> str:
    if resource.startswith("ami-"):
        return (
            f"aws ec2 modify-image-attribute --region {target.region} --image-id {resource} "
            "--launch-permission 'Remove=[{Group=all}]'"
        )
    return (
        f"aws ec2 modify-snapshot-attribute --region {target.region} --snapshot-id {resource} "
        "--attribute createVolumePermission --operation-type remove --group-names all"
    )
