# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read with whom the owner's parameters are shared: once in each region, whatever the number of accounts."""

from __future__ import annotations

from dataclasses import replace

from .._aws import errors
from .._aws.clients import Clients
from .._aws.resource_shares import other_shares
from .._failures import Failure
from .._fanout import map_parallel
from .._model import Sharing, Target
from .._parameter_share import consumers_of, parameter_arn, sharing_of
from .parameter_consumers import WITHOUT, select_shareable
from .state import RecallState, Unit


def add_consumers(clients: Clients, current: RecallState) -> RecallState:
    """Return the state with the consumers of parameters that move. One that cannot be read fails its unit."""
    units = {unit.target: unit for unit in select_shareable(current.account_id, current.units)}
    clients.open("ram", sorted(target.region for target in units))

    def read_one(target: Target) -> Sharing:
        # A resource share of any name may have the parameter.
        arn = parameter_arn(current.partition, target, units[target].options.parameter)
        shares = other_shares(clients.client("ram", target.region), arn, ())
        return sharing_of(consumers_of(shares, arn)).without(current.account_id)

    done, failed = map_parallel(units, read_one)

    def add(unit: Unit) -> Unit:
        if exception := failed.get(unit.target):
            failure = errors.failure(exception, unit.target, "GetResourceShareAssociations")
            return replace(unit, failures=(_explain(unit, failure),))
        return replace(unit, consumers=done.get(unit.target, Sharing()))

    return replace(current, units=tuple(add(unit) for unit in current.units))


def _explain(unit: Unit, failure: Failure) -> Failure:
    """Return the failure with what could not be read, and how to do without it."""
    return replace(
        failure,
        message=f"With whom {unit.options.parameter} is shared could not be read: {failure.message}",
        remedy=f"{failure.remedy} Or {WITHOUT}. Then rerun.",
    )
