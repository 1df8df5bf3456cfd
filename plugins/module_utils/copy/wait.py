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
from .apply import change_each, perform
from .options import CopyOptions
from .progress_line import progress_line
from .run import CopyRun, after_failure, copy_failed, copy_pending, failed_image, time_left
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
) -> Runs:
    """Poll the pending copies until each is available or has failed, or ``wait_timeout`` has passed.

    ``optional`` targets are waited for only as long as others are; without others, all are waited for.
    Returns all runs as they then are: those that are still pending have failed with the code
    ``copy_pending``.
    """
    polling = _Polling(accounts, wanted, seen, optional)
    print_progress = _progress_printer(report)
    started = monotonic()
    deadline = started + wanted.wait_timeout
    runs = _schedule(runs, runs, started)
    awaited = [target for target in runs if target not in optional] or list(runs)
    while True:
        pending = [target for target, run in runs.items() if run.pending]
        required = [target for target in awaited if runs[target].pending]
        if not required:
            return _stop(runs, pending, "although all required regions are ready")
        if monotonic() >= deadline:
            return _stop(runs, pending, f"after wait_timeout ({wanted.wait_timeout} s)")
        _sleep_until(min(deadline, *(runs[target].next_read for target in required)))
        soon = monotonic() + _TOGETHER
        due = [target for target in pending if soon >= min(runs[target].next_read, deadline)]
        runs = polling.read(runs, due)
        runs = polling.replace_failed(runs, due)
        now = monotonic()
        runs = _schedule(runs, due, now)
        print_progress(progress_line(runs, pending, time_left(runs.values(), now)))


def _sleep_until(time: float) -> None:
    if (seconds := time - monotonic()) > 0:
        sleep(seconds)


def _schedule(runs: Runs, targets: Iterable[Target], now: float) -> Runs:
    return {**runs, **{target: runs[target].schedule(now) for target in targets}}


def _stop(runs: Runs, pending: Iterable[Target], reason: str) -> Runs:
    return {**runs, **{target: _end(target, runs[target], reason) for target in pending}}


def _end(target: Target, run: CopyRun, reason: str) -> CopyRun:
    """Return a run that is not waited for any longer, also one whose key could not be used yet."""
    if run.retry_at is not None and run.image is not None:
        return run.fail(copy_failed(target, run.image))
    return run.fail(copy_pending(target, run, reason))


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
    """The steps of one round of polling, in all its targets at the same time; each returns all runs.

    A step makes one run of another: what an optional target returns too late is lost, and changes nothing.
    """

    accounts: AssumedAccounts
    wanted: CopyOptions
    seen: CopySeen
    optional: Collection[Target]

    def read(self, runs: Runs, targets: Iterable[Target]) -> Runs:
        """Read the pending copies of these targets."""

        def read_copy(target: Target) -> CopyRun:
            with self.accounts.as_account(target.account_id) as clients:
                return self._read_copy(clients.ec2(target.region), target, runs[target])

        found, failed = each(targets, read_copy, optional=self.optional)
        unread = {
            target: runs[target].add_failed_read(errors.failure(exception, target, "DescribeImages"))
            for target, exception in failed.items()
        }
        return {**runs, **found, **unread}

    def _read_copy(self, ec2: EC2Client, target: Target, run: CopyRun) -> CopyRun:
        image = read.image(ec2, run.image.image_id) if run.image else None
        if image is None:
            return run.add_read(None, monotonic())
        if image.state == "available":
            return run.add_read(image, monotonic(), _snapshots_of(ec2, image))
        source_region = self.wanted.source_region_of(target.region)
        try:
            pending = read.pending_snapshots(ec2, self.seen.source_of(target).image_id, source_region)
        except errors.AWS_ERRORS:
            # Only the percentage is lost; the image itself shows whether the copy is available.
            pending = ()
        percents = [snapshot.percent for snapshot in pending]
        percent = sum(percents) // len(percents) if percents else None
        return run.add_read(image, monotonic(), percent=percent)

    def replace_failed(self, runs: Runs, targets: Iterable[Target]) -> Runs:
        """Start a new copy for each of these targets whose copy failed and can succeed."""
        now, names = monotonic(), names_of(runs)
        failed = {target: image for target in targets if (image := failed_image(runs[target], now))}

        def react(target: Target) -> CopyRun:
            run, image = runs[target], failed[target]
            match after_failure(self.seen, target, run, image, now):
                case "wait":
                    return run
                case "wait for key":
                    return run.wait_for_key(now)
                case "fail":
                    return run.fail(copy_failed(target, image), image)
                case "copy":
                    actions = planner.replacement(self.wanted, self.seen, target, (image,))
                    done = perform(self.accounts, target, actions)
                    return run.replace_copy(image, done, names[target])

        return change_each(runs, failed, react, self.optional)


def _snapshots_of(ec2: EC2Client, image: Image) -> tuple[Snapshot, ...]:
    """The snapshots of an available copy: their keys, and when they were completed."""
    try:
        return read.snapshots(ec2, image.snapshot_ids)
    except errors.AWS_ERRORS:
        if image.encrypted:
            raise
        # Only the duration is lost.
        return ()
