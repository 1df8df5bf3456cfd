# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Make the copies: a worker for each target, one deadline for all, and one line of progress.

There can be thousands of targets, and all copies have to start at once: the workers take turns on the threads
of ``fanout``. A worker makes one step at a time, and returns a new run. What the worker of an optional target
returns too late is lost, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from time import monotonic, sleep
from typing import TYPE_CHECKING

from .._aws import errors, read
from .._aws.accounts import AssumedAccounts
from .._aws.write import perform_all, snapshots_left
from .._fanout import CHANGE_GRACE_PERIOD, map_parallel
from .._model import Image, Snapshot, Target
from .._plan import Action, Performed, names_of
from .._progress import Report
from . import plan as planner
from .options import CopyOptions
from .progress_line import progress_line
from .run import CopyRun, after_failure, copy_failed, copy_pending, failed_image, time_left
from .state import CopyState

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EC2 API Reference, "Error codes". Whether CopyImage refuses a name in use is not documented, so nothing is
# removed for its name.
_NAME_TAKEN = "InvalidAMIName.Duplicate"
# Copies that are due within these seconds are read together, so that one line shows the progress of all.
_TOGETHER = 0.5
# Seconds after which an unchanged progress line is repeated, to show that the task is still running.
_REPORT_INTERVAL = 15.0

Runs = Mapping[Target, CopyRun]


@dataclass(frozen=True)
class Worker:
    """Worker for the copy of one target. ``place`` names the target in warnings.

    Each method makes a step, and returns the run after it.
    """

    accounts: AssumedAccounts
    options: CopyOptions
    current: CopyState
    target: Target
    place: str

    def start(self, run: CopyRun, actions: tuple[Action, ...]) -> CopyRun:
        """Perform the planned actions."""
        return run.add_performed(self._perform(actions))

    def read(self, run: CopyRun) -> CopyRun:
        """Read a pending copy."""
        with self.accounts.as_account(self.target.account_id) as clients:
            ec2 = clients.ec2(self.target.region)
            image = read.image(ec2, run.image.image_id) if run.image else None
            if image is None:
                return run.add_read(None, monotonic())
            if image.state == "available":
                return run.add_read(image, monotonic(), _snapshots_of(ec2, image))
            percent = self._percent(ec2)
            return run.add_read(image, monotonic(), percent=percent)

    def _percent(self, ec2: EC2Client) -> int | None:
        source_region = self.options.source_region_of(self.target.region)
        try:
            pending = read.pending_snapshots(ec2, self.current.source_of(self.target).image_id, source_region)
        except errors.AWS_ERRORS:
            # Only the percentage is lost; the image itself shows whether the copy is available.
            return None
        percents = [snapshot.percent for snapshot in pending]
        return sum(percents) // len(percents) if percents else None

    def react(self, run: CopyRun, failed: Image) -> CopyRun:
        """Replace the ``failed`` copy if a new one can succeed, now or later."""
        now = monotonic()
        match after_failure(self.current, self.target, run, failed, now):
            case "wait":
                return run
            case "wait for key":
                return run.wait_for_key(now)
            case "fail":
                return run.fail(copy_failed(self.target, failed), failed)
            case "copy":
                actions = planner.replacement(self.options, self.current, self.target, (failed,))
                return run.replace_copy(failed, self._perform(actions), self.place)

    def stop(self, run: CopyRun, reason: str) -> CopyRun:
        """Give up a copy that is still pending, or that waits for its key."""
        if run.retry_at is not None and run.image is not None:
            return run.fail(copy_failed(self.target, run.image))
        return run.fail(copy_pending(self.target, run, reason))

    def _perform(self, actions: tuple[Action, ...]) -> Performed:
        with self.accounts.as_account(self.target.account_id) as clients:
            done = _perform(clients.ec2(self.target.region), actions)
        return replace(done, failures=(*done.failures, *snapshots_left(done, _remedy_for_snapshot)))


@dataclass(frozen=True)
class Workers:
    """Workers of all targets.

    ``optional`` targets are waited for only as long as others are. Without others, all are waited for.
    """

    by_target: Mapping[Target, Worker]
    optional: Collection[Target]

    @classmethod
    def of(cls, accounts: AssumedAccounts, options: CopyOptions, current: CopyState) -> Workers:
        """Return a worker for each target that was read."""
        places = names_of(current.copies)
        by_target = {
            target: Worker(accounts, options, current, target, place) for target, place in places.items()
        }
        return cls(by_target, options.best_effort(current.copies))

    def start(self, runs: Runs, actions: Mapping[Target, tuple[Action, ...]]) -> Runs:
        """Perform each target's planned actions, and return all runs after them."""
        return self._change(runs, actions, lambda worker, run: worker.start(run, actions[worker.target]))

    def wait(self, runs: Runs, timeout: float, report: Report) -> Runs:
        """Poll the pending copies until each is available or has failed, or the timeout has passed.

        Return all runs after that. Those that are still pending have failed with the code ``copy_pending``.
        """
        print_progress = _progress_printer(report)
        started = monotonic()
        deadline = started + timeout
        runs = _schedule(runs, runs, started)
        awaited = [target for target in runs if target not in self.optional] or list(runs)
        while True:
            pending = [target for target, run in runs.items() if run.pending]
            required = [target for target in awaited if runs[target].pending]
            if not required:
                return self._stop(runs, pending, "although all required regions are ready")
            if monotonic() >= deadline:
                return self._stop(runs, pending, f"after wait_timeout ({timeout} s)")
            _sleep_until(min(deadline, *(runs[target].next_read for target in required)))
            soon = monotonic() + _TOGETHER
            due = [target for target in pending if soon >= min(runs[target].next_read, deadline)]
            runs = self._read(runs, due)
            runs = self._react(runs, due)
            now = monotonic()
            runs = _schedule(runs, due, now)
            print_progress(progress_line(runs, pending, time_left(runs.values(), now)))

    def _read(self, runs: Runs, targets: Collection[Target]) -> Runs:
        read_runs, failed = map_parallel(
            targets, lambda target: self.by_target[target].read(runs[target]), optional=self.optional
        )
        unread = {
            target: runs[target].add_failed_read(errors.failure(exception, target, "DescribeImages"))
            for target, exception in failed.items()
        }
        return {**runs, **read_runs, **unread}

    def _react(self, runs: Runs, targets: Collection[Target]) -> Runs:
        now = monotonic()
        failed = {target: image for target in targets if (image := failed_image(runs[target], now))}
        return self._change(runs, failed, lambda worker, run: worker.react(run, failed[worker.target]))

    def _change(
        self, runs: Runs, targets: Iterable[Target], step: Callable[[Worker, CopyRun], CopyRun]
    ) -> Runs:
        """Make a step that may change images."""
        changed, failed = map_parallel(
            targets,
            lambda target: step(self.by_target[target], runs[target]),
            optional=self.optional,
            grace_period=CHANGE_GRACE_PERIOD,
        )
        failures = {
            target: runs[target].fail(errors.failure(exception, target, "CopyImage"))
            for target, exception in failed.items()
        }
        return {**runs, **changed, **failures}

    def _stop(self, runs: Runs, targets: Iterable[Target], reason: str) -> Runs:
        return {**runs, **{target: self.by_target[target].stop(runs[target], reason) for target in targets}}


def _schedule(runs: Runs, targets: Iterable[Target], now: float) -> Runs:
    return {**runs, **{target: runs[target].schedule(now) for target in targets}}


def _sleep_until(time: float) -> None:
    if (seconds := time - monotonic()) > 0:
        sleep(seconds)


def _progress_printer(report: Report) -> Callable[[str], None]:
    """Return a function that reports a line if it is new, or if ``_REPORT_INTERVAL`` has passed."""
    last, last_time = "", 0.0

    def print_progress(line: str) -> None:
        nonlocal last, last_time
        if line != last or monotonic() - last_time > _REPORT_INTERVAL:
            report(line)
            last, last_time = line, monotonic()

    return print_progress


def _snapshots_of(ec2: EC2Client, image: Image) -> tuple[Snapshot, ...]:
    """Return the snapshots of an available copy: their keys, and when they were completed."""
    try:
        return read.snapshots(ec2, image.snapshot_ids)
    except errors.AWS_ERRORS:
        if image.encrypted:
            raise
        # Only the duration is lost.
        return ()


def _perform(ec2: EC2Client, actions: tuple[Action, ...]) -> Performed:
    """Perform one target's actions in order. If AWS refuses a name in use, the failure names its images."""
    done = perform_all(ec2, actions)
    if not any(failure.error_code == _NAME_TAKEN for failure in done.failures):
        return done
    copy = next(action for action in actions if action.operation == "CopyImage")
    holders = _images_named(ec2, copy.parameters["Name"])
    failures = tuple(
        planner.add_name_holders(failure, holders) if failure.error_code == _NAME_TAKEN else failure
        for failure in done.failures
    )
    return replace(done, failures=failures)


def _images_named(ec2: EC2Client, name: str) -> list[Image]:
    """Return the account's images with this name; none if they cannot be read."""
    try:
        return read.images(ec2, [{"Name": "name", "Values": [name]}], ["self"])
    except errors.AWS_ERRORS:
        return []


def _remedy_for_snapshot(code: str) -> str:
    if code == "missing-permissions":
        return "Allow ec2:DeleteSnapshot in the IAM policy of the credentials used, and delete the snapshot."
    return "Delete the snapshot (DeleteSnapshot)."
