# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the actions that retire images. If one is refused, the actions on other images go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from ..aws.errors import failure
from ..aws.write import Performed, merge, perform, snapshots_left
from ..fanout import each
from ..plan import Action

# How many calls run at the same time in a region.
_SIDE_BY_SIDE = 16
_DELETE_SNAPSHOT = "DeleteSnapshot"
# No other action depends on a report: the final check keeps an image that lacks one that it needs.
_CREATE_REPORT = "CreateImageUsageReport"
Attempt = tuple[Performed, list[str]]


def perform_each(
    client_for: Callable[[Action], Any],
    actions: Iterable[Action],
    depends_on: Mapping[str, Collection[str]],
) -> Performed:
    """Perform the actions of one region, but none on a resource for which an earlier one was refused.

    A report that is refused stops no action on its image, such as tags that other images wait for.
    Consecutive calls of the same kind run side by side; the next kind starts when all of them are done.
    ``depends_on`` maps resources to images: a resource is left alone if an action on one of its images was
    refused, and so are its images if an action on the resource was.
    """
    parts: list[Performed] = []
    refused: set[str] = set()
    for operation, alike in groupby(actions, key=lambda action: action.operation):
        remaining = [one for action in alike for one in _remaining(action, refused, depends_on)]
        for done, resources in _side_by_side(client_for, remaining, depends_on):
            parts.append(done)
            if done.failures and operation != _CREATE_REPORT:
                refused.update(resources, *(depends_on.get(one, ()) for one in resources))
    return _with_left_snapshots(merge(*parts))


def operations(action: Action) -> tuple[str, ...]:
    """The operations that the action takes, so that their clients can be opened before threads start.

    If the answer to a deregistration is lost, the image's snapshots are deleted by calls of their own.
    """
    return (action.operation, *([_DELETE_SNAPSHOT] if _deletes_snapshots(action) else ()))


def _deletes_snapshots(action: Action) -> bool:
    return bool(action.parameters.get("DeleteAssociatedSnapshots"))


def _side_by_side(
    client_for: Callable[[Action], Any],
    actions: Sequence[Action],
    depends_on: Mapping[str, Collection[str]],
) -> list[Attempt]:
    """The result of each action, in their order."""

    def work(number: int) -> list[Attempt]:
        action = actions[number]
        return list(_attempts(client_for, action, depends_on))

    done, failed = each(range(len(actions)), work, threads=_SIDE_BY_SIDE)
    bugs = {
        number: Performed(failures=(failure(exception, actions[number].target, actions[number].operation),))
        for number, exception in failed.items()
    }
    return [
        attempt
        for number, action in enumerate(actions)
        for attempt in done.get(number) or [(bugs[number], _resources(action))]
    ]


def _remaining(
    action: Action, refused: Collection[str], depends_on: Mapping[str, Collection[str]]
) -> Iterator[Action]:
    resources = [
        one
        for one in _resources(action)
        if one not in refused and not any(image in refused for image in depends_on.get(one, ()))
    ]
    if len(resources) == len(_resources(action)):
        yield action
    elif resources:
        yield _on(action, resources)


def _attempts(
    client_for: Callable[[Action], Any], action: Action, depends_on: Mapping[str, Collection[str]]
) -> Iterator[Attempt]:
    """The result of an action. If one on many resources is refused, it is tried on each of them alone."""
    client = client_for(action)
    done = perform(client, action)
    resources = _resources(action)
    if _deletes_snapshots(action) and _lacks_results(done):
        snapshot_ids = sorted(one for one, images in depends_on.items() if {*images} == {action.resource})
        done = merge(done, _with_snapshots(client_for, action, snapshot_ids))
    if not done.failures or len(resources) == 1:
        yield done, resources
        return
    for resource in resources:
        yield perform(client, _on(action, [resource])), [resource]


def _lacks_results(done: Performed) -> bool:
    """Whether an image was deregistered and AWS's response does not say what became of its snapshots."""
    return any("DeleteSnapshotResults" not in answer for answer in done.answers)


def _with_snapshots(
    client_for: Callable[[Action], Any], deregistration: Action, snapshot_ids: Sequence[str]
) -> Performed:
    """The deletions of those of an image's snapshots that still exist.

    The answer that says so was lost, and AWS may have deleted some of them: what is gone is no failure.
    """
    deletions = [
        Action(deregistration.target, _DELETE_SNAPSHOT, {"SnapshotId": one}, one) for one in snapshot_ids
    ]
    return merge(*(perform(client_for(one), one) for one in deletions))


def _on(action: Action, resources: list[str]) -> Action:
    parameters = {**action.parameters, "Resources": resources}
    return replace(action, parameters=parameters, resource=", ".join(resources))


def _resources(action: Action) -> list[str]:
    return list(action.parameters.get("Resources", [action.resource]))


def _with_left_snapshots(done: Performed) -> Performed:
    """The results, with a failure for each snapshot that AWS could not delete with its image."""
    left = snapshots_left(
        done,
        lambda _code: "Rerun: the snapshot is marked, and is deleted then unless something still uses it.",
    )
    return replace(done, failures=(*done.failures, *left))
