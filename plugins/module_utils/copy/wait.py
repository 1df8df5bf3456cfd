# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for copies: one deadline for all regions, progress meanwhile, one retry of a copy that died."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic, sleep
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.write import Performed, perform_all
from ..failures import Failure
from ..fanout import each
from ..model import Image, Snapshot, Target
from ..plan import Action, names_of
from ..progress import Report
from . import plan as planner
from .state import DEAD, CopySeen, CopyWanted

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# Seconds between looks. A copy takes minutes to hours and the API's bucket refills with 20 reads a second,
# so a look every few seconds costs nothing and keeps the screen alive; towards the end they are closer.
_SHORTEST = 0.5
_LONGEST = 3.0
# A line even if nothing moved, so that nobody takes the task for dead.
_SILENCE = 15.0
# How long a copy may stay invisible after AWS has named its id. EC2 is eventually consistent without a
# stated bound; beyond this the id is that of an earlier copy with the same client token, since deregistered.
_VISIBLE_WITHIN = 60.0


# Looks in a row that may fail, beyond botocore's own retries, before a copy that may take hours is given up.
_MISSES = 5


@dataclass
class CopyRun:
    """What has become of one target's copy so far."""

    image: Image | None = None
    snapshots: tuple[Snapshot, ...] = ()
    percent: int | None = None
    performed: list[Action] = field(default_factory=list)
    failure: Failure | None = None
    warnings: list[str] = field(default_factory=list)
    retried: bool = False
    misses: int = 0
    invisible_since: float | None = None

    @property
    def pending(self) -> bool:
        """Whether there is something to wait for."""
        return (
            self.failure is None and self.image is not None and self.image.state in ("pending", "transient")
        )

    def note(self, performed: Performed) -> None:
        """Take over what was done; a CopyImage among it is this target's image from now on.

        A dead copy that could not be removed is only warned of: the new one is what counts.
        """
        self.performed += performed.actions
        for failure in performed.failures:
            if failure.action == "DeregisterImage":
                self.warnings.append(failure.sentence())
            else:
                self.failure = self.failure or failure
        for action, answer in zip(performed.actions, performed.answers, strict=True):
            if action.operation == "CopyImage":
                name = action.parameters["Name"]
                self.image = Image(answer["ImageId"], name, action.target.account_id, state="pending")
                self.snapshots = ()


@dataclass(frozen=True)
class Look:
    """One look at a pending copy."""

    image: Image | None
    snapshots: tuple[Snapshot, ...] = ()
    percent: int | None = None


def wait_for_copies(
    accounts: AssumedAccounts,
    wanted: CopyWanted,
    seen: CopySeen,
    runs: Mapping[Target, CopyRun],
    optional: Collection[Target],
    report: Report,
) -> None:
    """Follow every pending copy until it is available, failed for good, or time is up.

    ``runs`` are brought up to date. Optional targets are waited for only as long as others are.
    """
    started = monotonic()
    deadline = started + wanted.wait_timeout
    show = _shower(report, runs)
    delay = _SHORTEST
    while True:
        pending = [target for target, run in runs.items() if run.pending]
        if not [target for target in pending if target not in optional]:
            _give_up(runs, pending, "all required regions are ready")
            return
        left = deadline - monotonic()
        if left <= 0:
            _give_up(runs, pending, f"{wanted.wait_timeout} s (wait_timeout) are over")
            return
        sleep(min(delay, left))
        _look_at(accounts, wanted, seen, runs, pending, optional)
        delay = _until_next_look(monotonic() - started, [runs[target].percent for target in pending])
        _retry_dead(accounts, wanted, seen, runs, pending, optional)
        show(pending)


def _until_next_look(elapsed: float, percents: Iterable[int | None]) -> float:
    """Half of what the copy that is nearest to its end still needs, if it goes on as fast as so far."""
    remaining = [elapsed * (100 - percent) / percent for percent in percents if percent]
    return min(_LONGEST, max(_SHORTEST, min(remaining, default=2 * _LONGEST) / 2))


def _look_at(
    accounts: AssumedAccounts,
    wanted: CopyWanted,
    seen: CopySeen,
    runs: Mapping[Target, CopyRun],
    pending: list[Target],
    optional: Collection[Target],
) -> None:
    ids = {target: image.image_id for target in pending if (image := runs[target].image)}

    def look(target: Target) -> Look:
        with accounts.as_account(target.account_id) as clients:
            return _look(clients.ec2(target.region), wanted, seen, target, ids[target])

    looks, failed = each(pending, look, optional=optional)
    for target, exception in failed.items():
        runs[target].misses += 1
        if runs[target].misses >= _MISSES:
            runs[target].failure = errors.failure(exception, target, "DescribeImages")
    for target, found in looks.items():
        run = runs[target]
        run.misses = 0
        run.percent = found.percent
        if found.image is not None:
            run.image, run.snapshots, run.invisible_since = found.image, found.snapshots, None
        elif run.invisible_since is None:
            run.invisible_since = monotonic()


def _look(ec2: EC2Client, wanted: CopyWanted, seen: CopySeen, target: Target, image_id: str) -> Look:
    image = read.image(ec2, image_id)
    if image is None:
        return Look(None)
    if image.state == "available":
        return Look(image, read.snapshots(ec2, image.snapshot_ids) if image.encrypted else ())
    source_region = wanted.source_region_of(target.region)
    try:
        snapshots = read.pending_snapshots(ec2, seen.source_of(target).image_id, source_region)
    except errors.AWS_ERRORS:
        # Only the percentage is lost; whether the copy gets ready is seen from the image.
        snapshots = ()
    percents = [snapshot.percent for snapshot in snapshots]
    return Look(image, percent=sum(percents) // len(percents) if percents else None)


def _retry_dead(
    accounts: AssumedAccounts,
    wanted: CopyWanted,
    seen: CopySeen,
    runs: Mapping[Target, CopyRun],
    pending: list[Target],
    optional: Collection[Target],
) -> None:
    dead = {target: image for target in pending if (image := _dead(runs[target])) is not None}
    for target, image in dead.items():
        if runs[target].retried:
            runs[target].image = image
            runs[target].failure = _copy_failed(target, image)

    def copy_again(target: Target) -> Performed:
        actions = planner.replacement(wanted, seen, target, (dead[target],))
        with accounts.as_account(target.account_id) as clients:
            return perform_all(clients.ec2(target.region), actions)

    names = names_of(runs)
    retry = [target for target in dead if not runs[target].retried]
    done, failed = each(retry, copy_again, optional=optional)
    for target, exception in failed.items():
        runs[target].failure = errors.failure(exception, target, "CopyImage")
    for target, performed in done.items():
        run = runs[target]
        run.retried, run.invisible_since = True, None
        run.note(performed)
        sequel = " It was copied once more." if performed.actions else ""
        run.warnings.append(f"{names[target]}: {_obituary(dead[target])}{sequel}")


def _dead(run: CopyRun) -> Image | None:
    """The run's image if it will never be available."""
    image = run.image
    if image is None or run.failure is not None:
        return None
    if image.state in DEAD | {"deregistered"}:
        return image
    if run.invisible_since is not None and monotonic() - run.invisible_since > _VISIBLE_WITHIN:
        return Image(image.image_id, image.name, image.owner_id, state="deregistered")
    return None


def _obituary(image: Image) -> str:
    if image.state == "deregistered":
        return f"The copy {image.image_id} that AWS named does not exist (any more)."
    return f"The copy {image.image_id} is {image.state}: {image.state_reason or 'AWS gives no reason'}."


def _copy_failed(target: Target, image: Image) -> Failure:
    return Failure(
        message=_obituary(image),
        remedy="Mend the reason that AWS gives and run again: the dead copy is then removed and made anew.",
        error_code="copy_failed",
        action="CopyImage",
        region=target.region,
        account_id=target.account_id,
    )


def _give_up(runs: Mapping[Target, CopyRun], pending: list[Target], why: str) -> None:
    for target in pending:
        run = runs[target]
        if run.image is None:
            continue
        progress = "" if run.percent is None else f" at {run.percent} %"
        run.failure = Failure(
            message=f"{run.image.image_id} is still pending{progress}, and {why}.",
            remedy="AWS goes on copying: run again to wait for it.",
            error_code="copy_pending",
            action="CopyImage",
            region=target.region,
            account_id=target.account_id,
        )


def _shower(report: Report, runs: Mapping[Target, CopyRun]) -> Callable[[list[Target]], None]:
    """A function that reports how far the targets are, when that has changed or a while has passed."""
    last, last_time = "", 0.0
    one_account = len({target.account_id for target in runs}) <= 1

    def show(targets: list[Target]) -> None:
        nonlocal last, last_time
        line = _by_target(runs, targets) if one_account else _by_region(runs, targets)
        if line != last or monotonic() - last_time > _SILENCE:
            report(line)
            last, last_time = line, monotonic()

    return show


def _by_target(runs: Mapping[Target, CopyRun], targets: Iterable[Target]) -> str:
    return ", ".join(f"{target.region} {_standing(runs[target])}" for target in targets)


def _by_region(runs: Mapping[Target, CopyRun], targets: Iterable[Target]) -> str:
    """How many of each region's copies are ready: there may be hundreds of accounts."""
    parts = []
    for region in dict.fromkeys(target.region for target in targets):
        here = [run for target, run in runs.items() if target.region == region]
        ready = sum(run.image is not None and run.image.state == "available" for run in here)
        percents = [run.percent for run in here if run.pending and run.percent is not None]
        furthest_behind = f" (the slowest {min(percents)} %)" if percents else ""
        parts.append(f"{region} {ready} of {len(here)}{furthest_behind}")
    return ", ".join(parts)


def _standing(run: CopyRun) -> str:
    if run.failure is not None or run.image is None:
        return "failed"
    return f"{run.percent} %" if run.pending and run.percent is not None else run.image.state
