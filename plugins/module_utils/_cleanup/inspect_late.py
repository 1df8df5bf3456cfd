# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the uses that are read only in regions with images to disable or deregister."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from .._aws import errors
from .._aws.clients import Clients
from .._failures import ValidationError
from .._fanout import map_parallel
from .state import CleanupState, Evidence, LateUses
from .uses.read import Attempts, Place, Source, list_services, read_users
from .uses.read_all import LATE
from .uses.users import User, list_uses


def read_late_uses(
    clients: Clients, state: CleanupState, regions: Collection[str], unused_services: Collection[str]
) -> dict[str, LateUses]:
    """Return the uses in each of the regions; what AWS refuses to return is noted as unread.

    Raises:
        ValidationError: a read failed for another reason.
    """
    sources = tuple(source for source in LATE if source.service not in unused_services)
    if not regions:
        return {}
    for service in list_services(sources):
        clients.open(service, regions)

    # Sessions, which have botocore's data, are not thread-safe.
    absent = {
        region: frozenset(service for service in list_services(sources) if clients.lacks(service, region))
        for region in regions
    }

    def read(item: tuple[str, Source]) -> tuple[tuple[User, ...], tuple[Evidence, ...]]:
        region, source = item
        return _read_source(Place(clients, region, absent=absent[region]), source)

    done, failed = map_parallel([(region, source) for region in regions for source in sources], read)
    if failed:
        raise ValidationError(
            errors.failure(exception, state.target(region), source.reads[0].action)
            for (region, source), exception in failed.items()
        )
    return {region: _merge(done[region, source] for source in sources) for region in regions}


def _merge(results: Iterable[tuple[tuple[User, ...], tuple[Evidence, ...]]]) -> LateUses:
    """Return the uses of all sources of a region."""
    users: list[User] = []
    problems: list[Evidence] = []
    for users_of_source, unread in results:
        users += users_of_source
        problems += unread
    return LateUses(list_uses(users), tuple(problems))


def _read_source(place: Place, source: Source) -> tuple[tuple[User, ...], tuple[Evidence, ...]]:
    """Return the uses of a source, and its failed reads with the name of its service.

    Several services have an operation of the same name, such as ListClusters.
    """
    attempt = Attempts()
    users = read_users(place, (source,), attempt)
    advice = f"If no image is used by this service, add {source.service} to unused_services."
    unread = (
        replace(problem, subject=f"{source.service}:{problem.subject}", remedy=f"{problem.remedy} {advice}")
        for problem in attempt.problems
    )
    return users, tuple(unread)
