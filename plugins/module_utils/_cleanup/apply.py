# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the actions that retire images. If one is refused, the actions on other images go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from time import monotonic, sleep
from typing import Any

from .._aws.errors import failure
from .._aws.write import merge, perform, snapshots_left
from .._fanout import map_parallel
from .._plan import Action, Performed, batches
from .dependencies import is_still_in_use

# How many calls run at the same time in a region.
_SIDE_BY_SIDE = 16
# Seconds for which the deletions of snapshots in a region are repeated that AWS takes for in use by images
# that are deregistered: "up to a few minutes" (boto/boto#3019).
_RELEASE_TIMEOUT = 180.0
# Seconds between two attempts, of which the first ones are closer. Each attempt is a call per snapshot.
_LONGEST_PAUSE = 15.0
# So many attempts before the time is looked at again: a full token bucket (aws/rate_limit.py).
_AT_ONCE = 100
_DELETE_SNAPSHOT = "DeleteSnapshot"
_DEREGISTER_IMAGE = "DeregisterImage"
# No other action depends on a report: the final check keeps an image that lacks one that it needs.
_CREATE_REPORT = "CreateImageUsageReport"
_MARKED = "Rerun: the snapshot is marked, and is deleted then unless something still uses it."
Attempt = tuple[Performed, list[str]]


def perform_each(
    client_for: Callable[[Action], Any],
    actions: Iterable[Action],
    depends_on: Mapping[str, Collection[str]],
) -> Performed:
    """Perform the actions of one region, but none on a resource for which an earlier one was refused.

    A report that is refused stops no action on its image, such as tags that other images wait for.
    Consecutive calls of the same kind run side by side; the next kind starts when all of them are done.
    Snapshots are deleted last. ``depends_on`` maps resources to images: a resource is left alone if an action
    on one of its images was refused, and so are its images if an action on the resource was.
    """
    parts: list[Performed] = []
    refused: set[str] = set()
    deregistered: set[str] = set()
    deletions: list[Action] = []
    for operation, alike in groupby(actions, key=lambda action: action.operation):
        if operation == _DELETE_SNAPSHOT:
            deletions += alike
            continue
        remaining = [one for action in alike for one in _remaining(action, refused, depends_on)]
        for done, resources in _side_by_side(client_for, remaining):
            parts.append(done)
            deletions += _unanswered_deletions(done, depends_on)
            if done.failures and operation != _CREATE_REPORT:
                refused.update(resources, *(depends_on.get(one, ()) for one in resources))
            elif operation == _DEREGISTER_IMAGE:
                deregistered.update(resources)
    remaining = [one for action in deletions for one in _remaining(action, refused, depends_on)]
    parts += _delete_snapshots(client_for, remaining, deregistered)
    return _with_left_snapshots(merge(*parts))


def operations(action: Action) -> tuple[str, ...]:
    """The operations that the action takes, so that their clients can be opened before threads start.

    If the answer to a deregistration is lost, the image's snapshots are deleted by calls of their own.
    """
    return (action.operation, *([_DELETE_SNAPSHOT] if _deletes_snapshots(action) else ()))


def _deletes_snapshots(action: Action) -> bool:
    return bool(action.parameters.get("DeleteAssociatedSnapshots"))


def _delete_snapshots(
    client_for: Callable[[Action], Any], deletions: Sequence[Action], deregistered: Collection[str]
) -> Iterator[Performed]:
    """The results of the deletions of one region.

    Those that AWS refuses because it still sees images of ``deregistered`` are tried again, together, after
    all others are done, until ``_RELEASE_TIMEOUT``.
    """
    deadline, pause = monotonic() + _RELEASE_TIMEOUT, 1.0
    waiting: list[tuple[Action, Performed]] = []

    def attempt(actions: Sequence[Action]) -> Iterator[Performed]:
        for action, (done, _resources) in zip(actions, _side_by_side(client_for, actions), strict=True):
            if any(is_still_in_use(one, deregistered) for one in done.failures):
                waiting.append((action, done))
            else:
                yield done

    yield from attempt(deletions)
    while waiting and monotonic() < deadline:
        sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
        again, waiting[:] = [*waiting], []
        for number, some in enumerate(batches(again, _AT_ONCE)):
            # The last round may begin when the time is over, since it was waited for.
            if number == 0 or monotonic() < deadline:
                yield from attempt([action for action, _done in some])
            else:
                waiting += some
    for _action, done in waiting:
        yield replace(done, failures=tuple(replace(one, remedy=_MARKED) for one in done.failures))


def _side_by_side(client_for: Callable[[Action], Any], actions: Sequence[Action]) -> list[Attempt]:
    """The result of each action, in their order."""

    def work(number: int) -> list[Attempt]:
        return list(_attempts(client_for, actions[number]))

    done, failed = map_parallel(range(len(actions)), work, threads=_SIDE_BY_SIDE)
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


def _attempts(client_for: Callable[[Action], Any], action: Action) -> Iterator[Attempt]:
    """The result of an action. If one on many resources is refused, it is tried on each of them alone."""
    client = client_for(action)
    done = perform(client, action)
    resources = _resources(action)
    if not done.failures or len(resources) == 1:
        yield done, resources
        return
    for resource in resources:
        yield perform(client, _on(action, [resource])), [resource]


def _unanswered_deletions(done: Performed, depends_on: Mapping[str, Collection[str]]) -> Iterator[Action]:
    """The deletions of an image's snapshots if AWS's response does not say what became of them.

    That response was lost, and AWS may have deleted some of them: what is gone is no failure. Snapshots of
    several images have deletions of their own.
    """
    for action, answer in zip(done.actions, done.answers, strict=True):
        if _deletes_snapshots(action) and "DeleteSnapshotResults" not in answer:
            for one in sorted(key for key, images in depends_on.items() if {*images} == {action.resource}):
                yield Action(action.target, _DELETE_SNAPSHOT, {"SnapshotId": one}, one)


def _on(action: Action, resources: list[str]) -> Action:
    parameters = {**action.parameters, "Resources": resources}
    return replace(action, parameters=parameters, resource=", ".join(resources))


def _resources(action: Action) -> list[str]:
    return list(action.parameters.get("Resources", [action.resource]))


def _with_left_snapshots(done: Performed) -> Performed:
    """The results, with a failure for each snapshot that AWS could not delete with its image."""
    return replace(done, failures=(*done.failures, *snapshots_left(done, lambda _code: _MARKED)))
