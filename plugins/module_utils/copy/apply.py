# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starts and replaces copies: performs the actions of targets, in all of them at the same time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ..aws import errors, read
from ..aws.assumed_roles import AssumedAccounts
from ..aws.write import perform_all, snapshots_left
from ..fanout import CHANGE_GRACE_PERIOD, each
from ..model import Image, Target
from ..plan import Action, Performed
from . import plan as planner
from .run import CopyRun

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client

# EC2 API Reference, "Error codes". Whether CopyImage refuses a name in use is not documented, so nothing is
# removed for its name.
_NAME_TAKEN = "InvalidAMIName.Duplicate"


def start_copies(
    accounts: AssumedAccounts,
    runs: Mapping[Target, CopyRun],
    actions: Mapping[Target, tuple[Action, ...]],
    optional: Collection[Target],
) -> dict[Target, CopyRun]:
    """Perform each target's planned actions, and return all runs as they then are."""

    def start(target: Target) -> CopyRun:
        return runs[target].add_performed(perform(accounts, target, actions[target]))

    return change_each(runs, actions, start, optional)


def change_each(
    runs: Mapping[Target, CopyRun],
    targets: Iterable[Target],
    change: Callable[[Target], CopyRun],
    optional: Collection[Target],
) -> dict[Target, CopyRun]:
    """Return all runs, those of the targets as ``change`` returns them, which may change images."""
    changed, failed = each(targets, change, optional=optional, grace_period=CHANGE_GRACE_PERIOD)
    failures = {
        target: runs[target].fail(errors.failure(exception, target, "CopyImage"))
        for target, exception in failed.items()
    }
    return {**runs, **changed, **failures}


def perform(accounts: AssumedAccounts, target: Target, actions: tuple[Action, ...]) -> Performed:
    """Perform one target's actions in their order."""
    with accounts.as_account(target.account_id) as clients:
        done = _perform(clients.ec2(target.region), actions)
    return replace(done, failures=(*done.failures, *snapshots_left(done, _remedy_for_snapshot)))


def _perform(ec2: EC2Client, actions: tuple[Action, ...]) -> Performed:
    """Perform one target's actions. The refusal of a name in use names the images that have it."""
    done = perform_all(ec2, actions)
    if not any(failure.error_code == _NAME_TAKEN for failure in done.failures):
        return done
    copy = next(action for action in actions if action.operation == "CopyImage")
    holders = _images_named(ec2, copy.parameters["Name"])
    failures = tuple(
        planner.name_taken(failure, holders) if failure.error_code == _NAME_TAKEN else failure
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
