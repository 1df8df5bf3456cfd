# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the account's parameters that are shared through AWS RAM, and the images that they name.

One call lists the resources of all own resource shares of a region. Only if parameters are among them,
another one lists the principals. The value is read only of a parameter with a consumer that is not allowed
for every image.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .._aws import parameters
from .._aws.errors import AWS_ERRORS, failure
from .._aws.resource_shares import list_associations
from .._fanout import map_parallel
from .._model import Target
from .._parameter_names import name_in_arn
from .._parameter_share import Association, sharing_of
from .options import AuditOptions
from .region import not_allowed
from .state import SHARES_READ, Problem, RegionState, SharedParameter

if TYPE_CHECKING:
    from .._aws.clients import Clients

_CODE = "parameters_unreadable"


def add_parameters(
    clients: Clients, current: Mapping[Target, RegionState], options: AuditOptions
) -> dict[Target, RegionState]:
    """Return the regions with their shared parameters. What cannot be read is one of their problems."""
    for service in ("ram", "ssm"):
        clients.open(service, [target.region for target in current])
    done, failed = map_parallel(current, lambda target: _read_region(clients, target, options))

    def read_items(target: Target) -> list[SharedParameter | Problem]:
        if target in done:
            return done[target]
        return [_problem(target, SHARES_READ, SHARES_READ, failed[target])]

    return {
        target: replace(
            region,
            parameters=tuple(item for item in read_items(target) if isinstance(item, SharedParameter)),
            problems=(*region.problems, *(item for item in read_items(target) if isinstance(item, Problem))),
        )
        for target, region in current.items()
    }


def _read_region(clients: Clients, target: Target, options: AuditOptions) -> list[SharedParameter | Problem]:
    ram, ssm = clients.client("ram", target.region), clients.ssm(target.region)
    return [
        item
        for arn, consumers in sorted(_read_consumers(ram, target).items())
        if not_allowed(sharing_of(consumers).without(target.account_id), options.allowed)
        for item in _read_parameter(ssm, target, arn, consumers)
    ]


def _read_consumers(ram: Any, target: Target) -> dict[str, dict[str, Association]]:
    """Return the principals of each shared parameter by its ARN, also whom AWS is still removing."""
    resources: dict[str, list[Association]] = {}
    for share, item in list_associations(ram, "RESOURCE"):
        if item.may_have_access and name_in_arn(item.entity, target.account_id, target.region):
            resources.setdefault(share, []).append(item)
    consumers: dict[str, dict[str, Association]] = {}
    for share, item in list_associations(ram, "PRINCIPAL") if resources else ():
        for resource in resources.get(share, ()) if item.may_have_access else ():
            of_parameter = consumers.setdefault(resource.entity, {})
            consumer = item if resource.is_present else replace(item, status=resource.status)
            if consumer.is_present or item.entity not in of_parameter:
                of_parameter[item.entity] = consumer
    return consumers


def _read_parameter(
    ssm: Any, target: Target, arn: str, consumers: Mapping[str, Association]
) -> Iterator[SharedParameter | Problem]:
    """Yield a parameter that names an image, or why it could not be read; nothing if it is deleted."""
    name = f"/{name_in_arn(arn, target.account_id, target.region)}"
    try:
        # botocore operation GetParameter, Name: also the ARN.
        parameter = parameters.current(ssm, arn)
    except AWS_ERRORS as exception:
        yield _problem(target, name, "GetParameter", exception)
        return
    if parameter is not None and parameter.not_an_image() is None:
        external = sharing_of(item.entity for item in consumers.values() if item.is_external)
        statuses = {
            consumer: item.status
            # A role counts as its account, which has access if any of them has.
            for item in sorted(consumers.values(), key=lambda item: item.is_present)
            for consumer in sharing_of([item.entity]).names
        }
        yield SharedParameter(name, parameter.value, sharing_of(consumers), external.names, statuses)


def _problem(target: Target, resource: str, action: str, exception: Exception) -> Problem:
    return Problem(_CODE, resource, failure(exception, target, action))
