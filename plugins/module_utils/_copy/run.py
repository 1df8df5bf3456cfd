# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress of a target's copy while the module runs, as a frozen value, and what follows from it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from .._denial import FAILS_AGAIN
from .._failures import Failure, incomplete_response, with_code
from .._keys.grants import NEW_GRANT_TIMEOUT
from .._model import Image, Snapshot, Target
from .._plan import Action, Performed
from .._wording import with_full_stop
from . import plan as planner
from .options import CopyOptions
from .state import FAILED_STATES, CopyState

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

Reaction: TypeAlias = Literal["copy", "wait", "wait for key", "fail"]


@dataclass(frozen=True)
class CopyRun:
    """Progress of one target's copy. Each method returns the run after a step.

    ``image`` is None where there is none yet, ``percent`` where AWS has reported none. ``performed`` are the
    actions that succeeded. ``retried`` is true once a failed copy has been replaced. Times are in seconds of
    the monotonic clock. ``unread`` is the time since when all reads have failed, with the last failure.
    ``invisible_since`` is since when DescribeImages does not return the image. ``key_failed_since`` is when a
    copy first failed because its key could not be used yet, ``retry_at`` when the copy is made again.

    ``waiting_since`` is since when this copy is waited for. ``first_percent`` is the first percentage after
    that with its time, ``percent_at`` the time of ``percent``, ``next_read`` the time of the next read.

    A copy that CopyImage started, fails in AWS, and is copied again::

        add_performed(CopyImage -> ami-1)                image=ami-1 pending
        schedule(1)                                      waiting_since=1, next_read=2
        add_read(None, at=5)                             invisible_since=5
        add_read(ami-1 pending, at=6, percent=40)        percent=40, percent_at=6, invisible_since=None
        schedule(7)                                      first_percent=(6, 40), next_read=8.5
        add_read(ami-1 failed, at=9)                     image=ami-1 failed
        replace_copy(ami-1, CopyImage -> ami-2)          image=ami-2 pending, retried=True, one warning
        add_read(ami-2 available, at=20)                 image=ami-2 available
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

    def fail(self, failure: Failure, image: Image | None = None) -> CopyRun:
        """Return the failed run. Its first failure stays. ``image`` is the image as it was last read."""
        return replace(self, failure=self.failure or failure, image=image or self.image)

    def add_performed(self, done: Performed) -> CopyRun:
        """Return the run after its actions. A CopyImage starts the target's new image.

        If a failed copy or its snapshots cannot be removed, that is only a warning: the new copy counts.
        """
        not_removed = [failure for failure in done.failures if failure.action in _REMOVALS]
        other_failures = [failure for failure in done.failures if failure.action not in _REMOVALS]
        run = replace(
            self,
            performed=self.performed + done.actions,
            failure=self.failure or next(iter(other_failures), None),
            warnings=(*self.warnings, *(failure.sentence() for failure in not_removed)),
        )
        for action, answer in zip(done.actions, done.answers, strict=True):
            if action.operation == "CopyImage":
                run = run.start_image(action, answer.get("ImageId"))
        return run

    def start_image(self, action: Action, image_id: str | None) -> CopyRun:
        """Return the run with its new image. It fails without an ID: a rerun finds the image by its tag."""
        if image_id is None:
            return self.fail(incomplete_response(action.operation, "ImageId", action.target))
        name, owner_id = action.parameters["Name"], action.target.account_id
        return replace(self, image=Image(image_id, name, owner_id, state="pending"), snapshots=())

    def add_read(
        self,
        image: Image | None,
        at: float,
        snapshots: tuple[Snapshot, ...] = (),
        percent: int | None = None,
    ) -> CopyRun:
        """Return the run whose image was read ``at`` that time. ``image`` is None if it is invisible."""
        percent_at = None if percent is None else at
        run = replace(self, unread=None, percent=percent, percent_at=percent_at)
        if image is not None:
            return replace(run, image=image, snapshots=snapshots, invisible_since=None)
        return replace(run, invisible_since=at if run.invisible_since is None else run.invisible_since)

    def add_failed_read(self, failure: Failure) -> CopyRun:
        """Return the run after a failed read.

        The run fails if the read would fail again, or if no read has succeeded for ``_OUTAGE_TIMEOUT``.
        """
        since, _earlier = self.unread or (self.next_read, failure)
        run = replace(self, unread=(since, failure))
        is_given_up = failure.error_code in FAILS_AGAIN or self.next_read - since >= _OUTAGE_TIMEOUT
        return run.fail(_unread_copy(run, failure)) if is_given_up else run

    def replace_copy(self, failed: Image, done: Performed, place: str) -> CopyRun:
        """Return the run whose ``failed`` copy was replaced by a new one, unless AWS refused that.

        ``place`` names the target in warnings.
        """
        run = replace(
            self,
            retried=True,
            unread=None,
            invisible_since=None,
            retry_at=None,
            waiting_since=None,
            first_percent=None,
        ).add_performed(done)
        started = " A new copy was started." if done.actions else ""
        return replace(run, warnings=(*run.warnings, f"{place}: {_failure_reason(failed)}{started}"))

    def wait_for_key(self, at: float) -> CopyRun:
        """Return the run that waits to copy again, because a key could not be used yet ``at`` that time.

        The delay is as long as the whole wait so far, so that delays double.
        """
        since = at if self.key_failed_since is None else self.key_failed_since
        delay = min(_LONGEST_KEY_DELAY, max(_SHORTEST_KEY_DELAY, at - since))
        return replace(self, key_failed_since=since, retry_at=at + delay)

    def schedule(self, now: float) -> CopyRun:
        """Return the run with the time of its next read."""
        run = self
        if run.waiting_since is None:
            run = replace(run, waiting_since=now)
        elif run.first_percent is None and run.percent is not None:
            run = replace(run, first_percent=(_percent_at(run, now), run.percent))
        return replace(run, next_read=now + _next_interval(run, now))


def initial_runs(options: CopyOptions, current: CopyState) -> dict[Target, CopyRun]:
    """Return the run of every target before anything is done."""
    return {target: _initial(options, current, target) for target in current.copies}


def _initial(options: CopyOptions, current: CopyState, target: Target) -> CopyRun:
    image = planner.existing_copy(options, current, target)
    return CopyRun(
        image=image,
        snapshots=current.snapshots_of(target, image) if image else (),
        # The plan replaces a failed copy: that is the one retry.
        retried=image is None and bool(planner.unusable_copies(current, target)),
    )


def _unread_copy(run: CopyRun, failure: Failure) -> Failure:
    """Return the failure to read a copy. It names the copy: AWS continues what it has started."""
    if run.image is None:
        return failure
    return replace(
        failure,
        message=f"The copy {run.image.image_id} was started, and cannot be read: {failure.message}",
        remedy=f"{failure.remedy} AWS continues the copy; rerun to wait for it.".strip(),
    )


def after_failure(current: CopyState, target: Target, run: CopyRun, image: Image, now: float) -> Reaction:
    """Return what follows the failure of ``image``: a new copy, once, or repeatedly if a grant may be new.

    A grant may be new if another account's key encrypts the source and AWS's reason names a key. AWS can also
    mean the key of the copy.
    """
    if run.retry_at is not None:
        return "copy" if now >= run.retry_at else "wait"
    source = current.source_of(target)
    may_be_new = source.encrypted and target.account_id != source.owner_id
    waited = 0.0 if run.key_failed_since is None else now - run.key_failed_since
    if may_be_new and _KEY.search(image.state_reason or "") and waited < NEW_GRANT_TIMEOUT:
        return "wait for key"
    return "fail" if run.retried else "copy"


def failed_image(run: CopyRun, now: float) -> Image | None:
    """Return the image that will never become available; None if it may, or if the run has failed already.

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


def copy_failed(target: Target, image: Image) -> Failure:
    """Return the failure of a copy that is not made again."""
    return Failure.at(
        target,
        "CopyImage",
        "copy_failed",
        _failure_reason(image),
        "Fix the cause that AWS reports and rerun; the failed copy is then replaced.",
    )


def copy_pending(target: Target, run: CopyRun, reason: str) -> Failure:
    """Return the failure of a copy that is not waited for. ``reason`` completes "is still pending"."""
    image_id = run.image.image_id if run.image else "The copy"
    progress = "" if run.percent is None else f" at {run.percent} %"
    unread = ""
    if run.unread is not None:
        _since, failed = run.unread
        unread = f" Its last read failed: {with_full_stop(with_code(failed.message, failed.error_code))}"
    return Failure.at(
        target,
        "CopyImage",
        "copy_pending",
        f"{image_id} is still pending{progress} {reason}.{unread}",
        "AWS continues the copy; rerun to wait for it.",
    )


def _failure_reason(image: Image) -> str:
    if image.state == "deregistered":
        return f"The copy {image.image_id} that CopyImage returned does not exist."
    return f"The copy {image.image_id} is {planner.state_with_reason(image)}."


def time_left(runs: Iterable[CopyRun], now: float) -> float | None:
    """Return the seconds until the last pending copy is available, if each goes on at its speed so far.

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
    """Return the seconds left at the speed between the first and the latest percentage.

    The latest may have been read a while ago.
    """
    then, percent = run.first_percent or (now, 0)
    if run.percent is None or run.percent <= percent:
        return None
    latest = _percent_at(run, now)
    return max(0.0, (latest - then) * (100 - run.percent) / (run.percent - percent) - (now - latest))


def _percent_at(run: CopyRun, now: float) -> float:
    return now if run.percent_at is None else run.percent_at


def _next_interval(run: CopyRun, now: float) -> float:
    """Return the seconds until a pending copy is read again. A read is two calls: state and percentage.

    That is three quarters of the time left at the speed so far. Without progress, it is a quarter of the time
    waited so far: a copy of 20 s is read after 1, 2, 12, 18, 19 and 20 s. A copy that waits for a key is read
    when it is made again.
    """
    if run.retry_at is not None:
        return max(_SHORTEST_INTERVAL, run.retry_at - now)
    left = _seconds_left(run, now)
    waited = 0.0 if run.waiting_since is None else now - run.waiting_since
    interval = waited / 4 if left is None else left * 3 / 4
    return min(_LONGEST_INTERVAL, max(_SHORTEST_INTERVAL, interval))
