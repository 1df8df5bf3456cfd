# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waits for copies: one deadline for all regions, progress lines, one retry of a copy that failed."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from time import monotonic, sleep
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..fanout import each
from ..model import Image, Snapshot, Target
from ..plan import names_of
from ..progress import Report
from . import plan as planner
from .apply import perform_each
from .options import CopyOptions
from .progress_line import progress_line
from .run import (
    ActionsPerformed,
    CopyReplaced,
    CopyRun,
    Event,
    Failed,
    ImageRead,
    KeyNotUsable,
    ReadFailed,
    ReadScheduled,
    advance_all,
    after_failure,
    copy_failed,
    copy_pending,
    failed_image,
    time_left,
)
from .state import CopySeen

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# Copies that are due within these seconds are read together, so that one line shows the progress of all.
_TOGETHER = 0.5
# Seconds after which an unchanged progress line is repeated, to show that the task is still running.
_REPORT_INTERVAL = 15.0

Runs = Mapping[Target, CopyRun]


def wait_for_copies(
    accounts: AssumedAccounts,
    wanted: CopyOptions,
    seen: CopySeen,
    runs: Runs,
    optional: Collection[Target],
    report: Report,
) -> dict[Target, CopyRun]:
    """Poll the pending copies until each is available or has failed, or ``wait_timeout`` has passed.

    ``optional`` targets are waited for only as long as others are; without others, all are waited for.
    Returns all runs as they then are: those that are still pending have failed with the code
    ``copy_pending``.
    """
    polling = _Polling(accounts, wanted, seen, optional)
    print_progress = _progress_printer(report)
    started = monotonic()
    deadline = started + wanted.wait_timeout
    current = advance_all(runs, dict.fromkeys(runs, ReadScheduled(started)))
    awaited = [target for target in runs if target not in optional] or list(runs)
    while True:
        pending = [target for target, run in current.items() if run.pending]
        required = [target for target in awaited if current[target].pending]
        if not required:
            return _stopped(current, pending, "although all required regions are ready")
        if monotonic() >= deadline:
            return _stopped(current, pending, f"after wait_timeout ({wanted.wait_timeout} s)")
        _sleep_until(min(deadline, *(current[target].next_read for target in required)))
        soon = monotonic() + _TOGETHER
        reading = [target for target in pending if soon >= min(current[target].next_read, deadline)]
        current = advance_all(current, polling.read(current, reading))
        current = advance_all(current, polling.replace_failed(current, reading))
        now = monotonic()
        current = advance_all(current, dict.fromkeys(reading, ReadScheduled(now)))
        print_progress(progress_line(current, pending, time_left(current.values(), now)))


def _sleep_until(time: float) -> None:
    if (seconds := time - monotonic()) > 0:
        sleep(seconds)


def _stopped(runs: Runs, pending: Iterable[Target], reason: str) -> dict[Target, CopyRun]:
    return advance_all(runs, {target: _end(target, runs[target], reason) for target in pending})


def _end(target: Target, run: CopyRun, reason: str) -> Failed:
    """The end of a run that is not waited for any longer, also of one whose key could not be used yet."""
    if run.retry_at is not None and run.image is not None:
        return copy_failed(target, run.image)
    return copy_pending(target, run, reason)


def _progress_printer(report: Report) -> Callable[[str], None]:
    """A function that reports a line if it has changed, or if ``_REPORT_INTERVAL`` has passed."""
    last, last_time = "", 0.0

    def print_progress(line: str) -> None:
        nonlocal last, last_time
        if line != last or monotonic() - last_time > _REPORT_INTERVAL:
            report(line)
            last, last_time = line, monotonic()

    return print_progress


@dataclass(frozen=True)
class _Polling:
    """The AWS calls of one round of polling; each method returns its events by target."""

    accounts: AssumedAccounts
    wanted: CopyOptions
    seen: CopySeen
    optional: Collection[Target]

    def read(self, runs: Runs, pending: Iterable[Target]) -> dict[Target, Event]:
        """Read the pending copies."""
        ids = {target: image.image_id for target in pending if (image := runs[target].image)}

        def read_copy(target: Target) -> ImageRead:
            with self.accounts.as_account(target.account_id) as clients:
                return _read_copy(clients.ec2(target.region), self.wanted, self.seen, target, ids[target])

        found, failed = each(ids, read_copy, optional=self.optional)
        failures = {
            target: ReadFailed(errors.failure(exception, target, "DescribeImages"))
            for target, exception in failed.items()
        }
        return {**found, **failures}

    def replace_failed(self, runs: Runs, pending: Iterable[Target]) -> dict[Target, Event]:
        """Start a new copy for each that failed and can succeed."""
        now, names = monotonic(), names_of(runs)
        failed = {target: image for target in pending if (image := failed_image(runs[target], now))}
        reactions = {
            target: after_failure(self.seen, target, runs[target], image, now)
            for target, image in failed.items()
        }
        actions = {
            target: planner.replacement(self.wanted, self.seen, target, (image,))
            for target, image in failed.items()
            if reactions[target] == "copy"
        }
        events: dict[Target, Event] = {
            target: copy_failed(target, image) if reactions[target] == "fail" else KeyNotUsable(now)
            for target, image in failed.items()
            if reactions[target] in ("fail", "wait for key")
        }
        for target, event in perform_each(self.accounts, actions, self.optional).items():
            if isinstance(event, ActionsPerformed):
                events[target] = CopyReplaced(failed[target], event, names[target])
            else:
                events[target] = event
        return events


def _read_copy(
    ec2: EC2Client, wanted: CopyOptions, seen: CopySeen, target: Target, image_id: str
) -> ImageRead:
    image = read.image(ec2, image_id)
    if image is None:
        return ImageRead(None, monotonic())
    if image.state == "available":
        return ImageRead(image, monotonic(), _snapshots_of(ec2, image))
    source_region = wanted.source_region_of(target.region)
    try:
        pending = read.pending_snapshots(ec2, seen.source_of(target).image_id, source_region)
    except errors.AWS_ERRORS:
        # Only the percentage is lost; the image itself shows whether the copy is available.
        pending = ()
    percents = [snapshot.percent for snapshot in pending]
    return ImageRead(image, monotonic(), percent=sum(percents) // len(percents) if percents else None)


def _snapshots_of(ec2: EC2Client, image: Image) -> tuple[Snapshot, ...]:
    """The snapshots of an available copy: their keys, and when they were completed."""
    try:
        return read.snapshots(ec2, image.snapshot_ids)
    except errors.AWS_ERRORS:
        if image.encrypted:
            raise
        # Only the duration is lost.
        return ()
