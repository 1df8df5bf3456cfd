# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the actions that retire images. If one is refused, the actions on other images go on."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from time import monotonic, sleep
from typing import Any

from .._aws.errors import failure
from .._aws.write import merge, perform, snapshots_left
from .._fanout import map_parallel
from .._model import ImageRef, SnapshotRef
from .._plan import Action, Performed, batches
from .dependencies import is_still_in_use
from .inspect_last import LastLook, PermissionsChanged
from .rounds import DEREGISTER_IMAGE, RETIRING, limit_to, list_resources, list_rounds

# How many calls run at the same time in a region.
_SIDE_BY_SIDE = 16
# Seconds for which the deletions of snapshots in a region are repeated that AWS takes for in use by images
# that are deregistered: "up to a few minutes" (boto/boto#3019).
_RELEASE_TIMEOUT = 180.0
# The longest pause between two attempts, in seconds. Each attempt is a call per snapshot.
_LONGEST_PAUSE = 15.0
# So many attempts before the time is looked at again: a full token bucket (aws/rate_limit.py).
_AT_ONCE = 100
_DELETE_SNAPSHOT = "DeleteSnapshot"
# No other action depends on a report: the final check keeps an image that lacks one that it needs.
_CREATE_REPORT = "CreateImageUsageReport"
_MARKED = "Rerun: the snapshot is marked, and is deleted then unless something still uses it."
Attempt = tuple[Performed, list[str]]
# Performs an action.
Call = Callable[[Action], Performed]


def perform_each(
    client_for: Callable[[Action], Any],
    actions: Sequence[Action],
    depends_on: Mapping[str, Collection[str]],
    last_look: LastLook,
) -> Performed:
    """Perform the actions of one region, except those on resources of an action that AWS refused.

    Right before images are disabled or deregistered, the ``last_look`` at them is made. An image that it
    spares is left alone like one that AWS refused to retire, which is no failure.

    A report that is refused stops no action on its image, such as tags that other images wait for.
    The calls of a group (``list_rounds``) run in parallel; the next group starts when all are done.
    Snapshots are deleted last. ``depends_on`` maps resources to images: a resource is left alone if an action
    on one of its images was refused, and so are its images if an action on the resource was.
    """
    call = partial(_call, client_for, last_look)
    parts: list[Performed] = []
    refused: set[str] = set()
    deregistered: set[str] = set()
    deletions: list[Action] = []

    def keep_remaining(group: Iterable[Action]) -> list[Action]:
        return [remainder for action in group for remainder in _drop_refused(action, refused, depends_on)]

    for current in list_rounds(actions, depends_on):
        problems = _look_at(last_look, keep_remaining(current.retiring))
        parts += problems.values()
        refused |= problems.keys() | last_look.list_spared(current.retiring)
        for group in current.groups:
            operation = group[0].operation
            if operation == _DELETE_SNAPSHOT:
                deletions += group
                continue
            for done, resources in _perform_parallel(call, keep_remaining(group)):
                parts.append(done)
                deletions += _list_unanswered_deletions(done, depends_on)
                if done.failures and operation != _CREATE_REPORT:
                    refused.update(resources, *(depends_on.get(resource, ()) for resource in resources))
                elif operation == DEREGISTER_IMAGE:
                    deregistered.update(resources)
        spared = last_look.list_spared(current.retiring)
        refused |= spared
        deregistered -= spared
    parts += _delete_snapshots(call, keep_remaining(deletions), deregistered)
    return _add_left_snapshots(merge(*parts))


def _call(client_for: Callable[[Action], Any], last_look: LastLook, action: Action) -> Performed:
    """Perform an action; nothing if the last look spares its image while it waits, or keeps its snapshot."""
    client = client_for(action)
    if action.operation == _DELETE_SNAPSHOT:
        snapshot = SnapshotRef(action.target.region, str(action.resource))
        return perform(client, action) if last_look.may_delete(snapshot) else Performed()
    if action.operation not in RETIRING:
        return perform(client, action)
    try:
        with last_look.kept_fresh(_image_of(action)):
            return perform(client, action)
    except PermissionsChanged:
        return Performed()


def _look_at(last_look: LastLook, retiring: Sequence[Action]) -> dict[str, Performed]:
    """Look at the images that are about to be retired, and return the failure of each look that crashed."""
    _done, failed = map_parallel(
        [_image_of(action) for action in retiring], last_look.look, threads=_SIDE_BY_SIDE
    )
    return {
        ref.image_id: Performed(failures=(failure(exception, retiring[0].target, "DescribeImageAttribute"),))
        for ref, exception in failed.items()
    }


def _image_of(action: Action) -> ImageRef:
    return ImageRef(action.target.region, str(action.resource))


def list_operations(action: Action) -> tuple[str, ...]:
    """Return the operations of the action, whose clients are opened before threads start.

    If the answer to a deregistration is lost, the image's snapshots are deleted by calls of their own. A
    snapshot is looked at right before.
    """
    deletes = action.operation == _DELETE_SNAPSHOT or _has_snapshots(action)
    return tuple(
        dict.fromkeys(
            (action.operation, *((_DELETE_SNAPSHOT, "DescribeSnapshotAttribute") if deletes else ()))
        )
    )


def _has_snapshots(action: Action) -> bool:
    return bool(action.parameters.get("DeleteAssociatedSnapshots"))


def _delete_snapshots(
    call: Call, deletions: Sequence[Action], deregistered: Collection[str]
) -> Iterator[Performed]:
    """Yield the results of the deletions of one region.

    Those that AWS refuses because it still sees images of ``deregistered`` are tried again, together, after
    all others are done, until ``_RELEASE_TIMEOUT``.
    """
    deadline, pause = monotonic() + _RELEASE_TIMEOUT, 1.0
    waiting: list[tuple[Action, Performed]] = []

    def attempt(actions: Sequence[Action]) -> Iterator[Performed]:
        for action, (done, _resources) in zip(actions, _perform_parallel(call, actions), strict=True):
            if any(is_still_in_use(failure, deregistered) for failure in done.failures):
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
        yield replace(done, failures=tuple(replace(failure, remedy=_MARKED) for failure in done.failures))


def _perform_parallel(call: Call, actions: Sequence[Action]) -> list[Attempt]:
    """Return the results of the actions, in the order of the actions."""

    def work(number: int) -> list[Attempt]:
        return list(_attempt_action(call, actions[number]))

    done, failed = map_parallel(range(len(actions)), work, threads=_SIDE_BY_SIDE)
    bugs = {
        number: Performed(failures=(failure(exception, actions[number].target, actions[number].operation),))
        for number, exception in failed.items()
    }
    return [
        attempt
        for number, action in enumerate(actions)
        for attempt in done.get(number) or [(bugs[number], list_resources(action))]
    ]


def _drop_refused(
    action: Action, refused: Collection[str], depends_on: Mapping[str, Collection[str]]
) -> Iterator[Action]:
    resources = [
        resource
        for resource in list_resources(action)
        if resource not in refused and not any(image in refused for image in depends_on.get(resource, ()))
    ]
    if len(resources) == len(list_resources(action)):
        yield action
    elif resources:
        yield limit_to(action, resources)


def _attempt_action(call: Call, action: Action) -> Iterator[Attempt]:
    """Yield the result of an action, or one for each of its resources if the common call is refused."""
    done = call(action)
    resources = list_resources(action)
    if not done.failures or len(resources) == 1:
        yield done, resources
        return
    for resource in resources:
        yield call(limit_to(action, [resource])), [resource]


def _list_unanswered_deletions(
    done: Performed, depends_on: Mapping[str, Collection[str]]
) -> Iterator[Action]:
    """Yield the deletions of an image's snapshots that AWS's response does not mention.

    That response was lost, and AWS may have deleted some of them: a snapshot that is gone is no failure.
    Snapshots of several images have deletions of their own.
    """
    for action, answer in zip(done.actions, done.answers, strict=True):
        if _has_snapshots(action) and "DeleteSnapshotResults" not in answer:
            for snapshot_id in sorted(
                key for key, images in depends_on.items() if {*images} == {action.resource}
            ):
                yield Action(action.target, _DELETE_SNAPSHOT, {"SnapshotId": snapshot_id}, snapshot_id)


def _add_left_snapshots(done: Performed) -> Performed:
    """Return the results with a failure for each snapshot that AWS did not delete with its image."""
    return replace(done, failures=(*done.failures, *snapshots_left(done, lambda _code: _MARKED)))
