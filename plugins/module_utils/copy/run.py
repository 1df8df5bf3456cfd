# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The progress of each target's copy while the module runs: a frozen value, which events advance."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from ..denial import FAILS_AGAIN
from ..failures import Failure, incomplete_response, with_code
from ..keys.grants import NEW_GRANT_TIMEOUT
from ..model import Image, Snapshot, Target
from ..plan import Action
from ..wording import ended
from . import plan as planner
from .options import CopyOptions
from .state import FAILED_STATES, CopySeen

# Seconds that a copy may stay invisible after CopyImage has returned its ID. EC2 is eventually consistent
# without a stated bound; beyond this the ID is that of an earlier copy with the same client token, which has
# been deregistered.
_VISIBILITY_TIMEOUT = 60.0
# Seconds without a read that succeeds, after which a copy that may take hours is given up. Botocore's own
# retries can end within seconds, and an outage of a region or of the network takes minutes.
_OUTAGE_TIMEOUT = 300.0
# Seconds between copies while a key cannot be used.
_SHORTEST_KEY_DELAY = 5.0
_LONGEST_KEY_DELAY = 60.0
# EBS User Guide, "Troubleshoot encrypted snapshot copies": Given key ID is not accessible.
_KEY = re.compile(r"\bkey\b", re.IGNORECASE)
# Seconds between reads of a copy: it takes a minute to hours.
_SHORTEST_INTERVAL = 1.0
_LONGEST_INTERVAL = 10.0
# The operations that remove a failed copy.
_REMOVALS = frozenset({"DeregisterImage", "DeleteSnapshot"})


@dataclass(frozen=True)
class CopyRun:
    """The progress of one target's copy.

    ``image`` is None where there is none yet, ``percent`` where AWS has reported none. ``performed`` are the
    actions that succeeded. ``retried`` is true once a failed copy has been replaced. ``unread`` is the time,
    in seconds of the monotonic clock, since when all reads have failed, with the last failure, and
    ``invisible_since`` since when DescribeImages does not return the image. ``key_failed_since`` is when a
    copy first failed because a key cannot be used yet, ``retry_at`` when the failed image is copied again, if
    it waits for that.

    ``waiting_since`` is the time since when this copy is waited for, ``first_percent`` a time and the first
    percentage that was read then, ``percent_at`` when ``percent`` was read, ``next_read`` when the copy is
    read next (``ReadScheduled``).
    """

    image: Image | None = None
    snapshots: tuple[Snapshot, ...] = ()
    percent: int | None = None
    performed: tuple[Action, ...] = ()
    failure: Failure | None = None
    warnings: tuple[str, ...] = ()
    retried: bool = False
    unread: tuple[float, Failure] | None = None
    invisible_since: float | None = None
    key_failed_since: float | None = None
    retry_at: float | None = None
    waiting_since: float | None = None
    first_percent: tuple[float, int] | None = None
    percent_at: float | None = None
    next_read: float = 0.0

    @property
    def pending(self) -> bool:
        """Whether the copy has neither finished nor failed, or will be made again."""
        if self.failure is not None or self.image is None:
            return False
        return self.image.state in ("pending", "transient") or self.retry_at is not None

    @property
    def available(self) -> bool:
        """Whether the image can be used."""
        return self.image is not None and self.image.state == "available"


@dataclass(frozen=True)
class ActionsPerformed:
    """The target's actions were performed; ``answers`` are AWS's to ``actions``, which succeeded."""

    actions: tuple[Action, ...] = ()
    answers: tuple[Mapping[str, Any], ...] = ()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True)
class ImageRead:
    """A pending copy was read ``at`` that time (monotonic seconds); ``image`` is None if it is invisible."""

    image: Image | None
    at: float
    snapshots: tuple[Snapshot, ...] = ()
    percent: int | None = None


@dataclass(frozen=True)
class ReadFailed:
    """A pending copy could not be read."""

    failure: Failure


@dataclass(frozen=True)
class CopyReplaced:
    """``failed`` was replaced by a new copy, or AWS refused that; ``place`` names the target in warnings."""

    failed: Image
    replacement: ActionsPerformed
    place: str


@dataclass(frozen=True)
class KeyNotUsable:
    """The copy failed because a key cannot be used yet, as was read ``at`` that time (monotonic seconds)."""

    at: float


@dataclass(frozen=True)
class ReadScheduled:
    """The copy was started, replaced or read ``at`` that time (monotonic seconds); when is it read next?"""

    at: float


@dataclass(frozen=True)
class Failed:
    """The target has failed; ``image`` is the image as it was last read, if that differs."""

    failure: Failure
    image: Image | None = None


# A string: classes have no | operator in the oldest Python that ansible-test checks modules for.
Reaction: TypeAlias = Literal["copy", "wait", "wait for key", "fail"]
Event: TypeAlias = (
    "ActionsPerformed | ImageRead | ReadFailed | CopyReplaced | KeyNotUsable | ReadScheduled | Failed"
)


def initial_runs(wanted: CopyOptions, seen: CopySeen) -> dict[Target, CopyRun]:
    """The state of every target before anything is done."""
    return {target: _initial(wanted, seen, target) for target in seen.copies}


def _initial(wanted: CopyOptions, seen: CopySeen, target: Target) -> CopyRun:
    image = planner.existing_copy(wanted, seen, target)
    return CopyRun(
        image=image,
        snapshots=seen.snapshots_of(target, image) if image else (),
        # The plan replaces a failed copy: that is the one retry.
        retried=image is None and bool(planner.unusable_copies(seen, target)),
    )


def advance_all(runs: Mapping[Target, CopyRun], events: Mapping[Target, Event]) -> dict[Target, CopyRun]:
    """All runs, those with an event advanced by it."""
    return {
        target: advanced(run, events[target]) if target in events else run for target, run in runs.items()
    }


def advanced(run: CopyRun, event: Event) -> CopyRun:
    """The run after an event. The first failure stays.

    A copy that CopyImage started, fails in AWS, and is copied again::

        ActionsPerformed(CopyImage -> ami-1)           image=ami-1 pending
        ReadScheduled(at=1)                            waiting_since=1, next_read=2
        ImageRead(None, at=5)                          invisible_since=5
        ImageRead(ami-1 pending, at=6, percent=40)     percent=40, percent_at=6, invisible_since=None
        ReadScheduled(at=7)                            first_percent=(6, 40), next_read=8.5
        ImageRead(ami-1 failed)                        image=ami-1 failed
        CopyReplaced(ami-1, CopyImage -> ami-2)        image=ami-2 pending, retried=True, one warning
        ImageRead(ami-2 available)                     image=ami-2 available
    """
    match event:
        case ActionsPerformed():
            return _after_actions(run, event)
        case ImageRead():
            return _after_read(run, event)
        case ReadFailed():
            return _after_failed_read(run, event.failure)
        case CopyReplaced():
            return _after_replacement(run, event)
        case KeyNotUsable():
            return _after_key_failure(run, event.at)
        case ReadScheduled():
            return _scheduled(run, event.at)
        case Failed():
            return replace(run, failure=run.failure or event.failure, image=event.image or run.image)


def _after_actions(run: CopyRun, event: ActionsPerformed) -> CopyRun:
    """A CopyImage among the actions starts the target's new image.

    A failed copy that cannot be removed, with all its snapshots, causes a warning only: the new copy is what
    counts.
    """
    not_removed = [failure for failure in event.failures if failure.action in _REMOVALS]
    other_failures = [failure for failure in event.failures if failure.action not in _REMOVALS]
    run = replace(
        run,
        performed=run.performed + event.actions,
        failure=run.failure or next(iter(other_failures), None),
        warnings=(*run.warnings, *(failure.sentence() for failure in not_removed)),
    )
    for action, answer in zip(event.actions, event.answers, strict=True):
        if action.operation == "CopyImage":
            run = _started(run, action, answer.get("ImageId"))
    return run


def _started(run: CopyRun, action: Action, image_id: str | None) -> CopyRun:
    """The run with its new image. A rerun finds an image whose ID AWS has not returned by its tag."""
    if image_id is None:
        missing = incomplete_response(action.operation, "ImageId", action.target)
        return replace(run, failure=run.failure or missing)
    name, owner_id = action.parameters["Name"], action.target.account_id
    return replace(run, image=Image(image_id, name, owner_id, state="pending"), snapshots=())


def _after_read(run: CopyRun, event: ImageRead) -> CopyRun:
    percent_at = None if event.percent is None else event.at
    run = replace(run, unread=None, percent=event.percent, percent_at=percent_at)
    if event.image is not None:
        return replace(run, image=event.image, snapshots=event.snapshots, invisible_since=None)
    return replace(run, invisible_since=event.at if run.invisible_since is None else run.invisible_since)


def _after_failed_read(run: CopyRun, failure: Failure) -> CopyRun:
    """The run after a read that failed when it was due.

    It ends if the read would fail again, or if none has succeeded for ``_OUTAGE_TIMEOUT``.
    """
    since, _earlier = run.unread or (run.next_read, failure)
    is_given_up = failure.error_code in FAILS_AGAIN or run.next_read - since >= _OUTAGE_TIMEOUT
    given_up = _unread_copy(run, failure) if is_given_up else None
    return replace(run, unread=(since, failure), failure=run.failure or given_up)


def _unread_copy(run: CopyRun, failure: Failure) -> Failure:
    """The failure to read a copy, which names it: AWS continues what it has started."""
    if run.image is None:
        return failure
    return replace(
        failure,
        message=f"The copy {run.image.image_id} was started, and cannot be read: {failure.message}",
        remedy=f"{failure.remedy} AWS continues the copy; rerun to wait for it.".strip(),
    )


def _after_replacement(run: CopyRun, event: CopyReplaced) -> CopyRun:
    run = replace(
        run,
        retried=True,
        unread=None,
        invisible_since=None,
        retry_at=None,
        waiting_since=None,
        first_percent=None,
    )
    run = advanced(run, event.replacement)
    started = " A new copy was started." if event.replacement.actions else ""
    return replace(run, warnings=(*run.warnings, f"{event.place}: {_failure_reason(event.failed)}{started}"))


def _after_key_failure(run: CopyRun, at: float) -> CopyRun:
    """The run that waits: as long as it has waited altogether, so that the delays double."""
    since = at if run.key_failed_since is None else run.key_failed_since
    delay = min(_LONGEST_KEY_DELAY, max(_SHORTEST_KEY_DELAY, at - since))
    return replace(run, key_failed_since=since, retry_at=at + delay)


def _scheduled(run: CopyRun, now: float) -> CopyRun:
    """The run with the time of its next read."""
    if run.waiting_since is None:
        run = replace(run, waiting_since=now)
    elif run.first_percent is None and run.percent is not None:
        run = replace(run, first_percent=(_percent_at(run, now), run.percent))
    return replace(run, next_read=now + _next_interval(run, now))


def after_failure(seen: CopySeen, target: Target, run: CopyRun, image: Image, now: float) -> Reaction:
    """What follows the failure of ``image``: it is copied again, once, or repeatedly if a grant may be new.

    That is so if another account's key encrypts the source and AWS's reason names a key. The key of the copy
    can be meant, too.
    """
    if run.retry_at is not None:
        return "copy" if now >= run.retry_at else "wait"
    source = seen.source_of(target)
    may_be_new = source.encrypted and target.account_id != source.owner_id
    waited = 0.0 if run.key_failed_since is None else now - run.key_failed_since
    if may_be_new and _KEY.search(image.state_reason or "") and waited < NEW_GRANT_TIMEOUT:
        return "wait for key"
    return "fail" if run.retried else "copy"


def failed_image(run: CopyRun, now: float) -> Image | None:
    """The run's image if it will never become available; None if it may, or if the run has failed already.

    ``now`` is in seconds of the monotonic clock.
    """
    image = run.image
    if image is None or run.failure is not None:
        return None
    if image.state in FAILED_STATES | {"deregistered"}:
        return image
    # Only a read shows that the image is still invisible.
    invisible_since = None if run.unread else run.invisible_since
    if invisible_since is not None and now - invisible_since > _VISIBILITY_TIMEOUT:
        return Image(image.image_id, image.name, image.owner_id, state="deregistered")
    return None


def copy_failed(target: Target, image: Image) -> Failed:
    """The end of a run whose copy failed, and is not made again."""
    return Failed(
        Failure.at(
            target,
            "CopyImage",
            "copy_failed",
            _failure_reason(image),
            "Fix the cause that AWS reports and rerun; the failed copy is then replaced.",
        ),
        image,
    )


def copy_pending(target: Target, run: CopyRun, reason: str) -> Failed:
    """The end of a run that is not waited for any longer; ``reason`` completes "is still pending"."""
    image_id = run.image.image_id if run.image else "The copy"
    progress = "" if run.percent is None else f" at {run.percent} %"
    unread = ""
    if run.unread is not None:
        _since, failed = run.unread
        unread = f" Its last read failed: {ended(with_code(failed.message, failed.error_code))}"
    return Failed(
        Failure.at(
            target,
            "CopyImage",
            "copy_pending",
            f"{image_id} is still pending{progress} {reason}.{unread}",
            "AWS continues the copy; rerun to wait for it.",
        )
    )


def _failure_reason(image: Image) -> str:
    if image.state == "deregistered":
        return f"The copy {image.image_id} that CopyImage returned does not exist."
    return f"The copy {image.image_id} is {planner.state_with_reason(image)}."


def time_left(runs: Iterable[CopyRun], now: float) -> float | None:
    """The seconds until the last pending copy is available, if each goes on at its speed so far.

    None if a copy has made no known progress yet.
    """
    left = []
    for run in runs:
        if not run.pending:
            continue
        seconds = _seconds_left(run, now)
        if seconds is None:
            return None
        left.append(seconds)
    return max(left, default=None)


def _seconds_left(run: CopyRun, now: float) -> float | None:
    """At the speed between the first and the latest percentage, which may have been read a while ago."""
    then, percent = run.first_percent or (now, 0)
    if run.percent is None or run.percent <= percent:
        return None
    latest = _percent_at(run, now)
    return max(0.0, (latest - then) * (100 - run.percent) / (run.percent - percent) - (now - latest))


def _percent_at(run: CopyRun, now: float) -> float:
    return now if run.percent_at is None else run.percent_at


def _next_interval(run: CopyRun, now: float) -> float:
    """The seconds until a pending copy is read again; a read is two calls, for its state and its percentage.

    Three quarters of the time that it still needs at its speed so far; while it shows no progress, a quarter
    of the time that it has been waited for: a copy of 20 s is read after 1, 2, 12, 18, 19 and 20 s. One that
    waits for a key is read when it is copied again.
    """
    if run.retry_at is not None:
        return max(_SHORTEST_INTERVAL, run.retry_at - now)
    left = _seconds_left(run, now)
    waited = 0.0 if run.waiting_since is None else now - run.waiting_since
    interval = waited / 4 if left is None else left * 3 / 4
    return min(_LONGEST_INTERVAL, max(_SHORTEST_INTERVAL, interval))
