# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Performs the planned actions, in all targets at the same time."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..aws import errors
from ..aws.assumed_roles import AssumedAccounts
from ..aws.write import perform_all
from ..fanout import each
from ..model import Target
from ..plan import Action
from .run import ActionsPerformed, Failed


def perform_each(
    accounts: AssumedAccounts, actions: Mapping[Target, tuple[Action, ...]], optional: Collection[Target]
) -> dict[Target, ActionsPerformed | Failed]:
    """Perform each target's actions in their order, and return the event that this is for each target."""

    def perform(target: Target) -> ActionsPerformed:
        with accounts.as_account(target.account_id) as clients:
            done = perform_all(clients.ec2(target.region), actions[target])
        return ActionsPerformed(done.actions, done.answers, done.failures)

    performed, failed = each(actions, perform, optional=optional)
    failures = {target: Failed(errors.failure(item, target, "CopyImage")) for target, item in failed.items()}
    return {**performed, **failures}
