# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the uses that are read only in regions with images to disable or deregister."""

from __future__ import annotations

from collections.abc import Collection
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

    def read(region: str) -> LateUses:
        results = [_read_source(Place(clients, region, absent=absent[region]), source) for source in sources]
        users = [user for users_of_source, _unread in results for user in users_of_source]
        return LateUses(list_uses(users), tuple(item for _used, unread in results for item in unread))

    done, failed = map_parallel(regions, read)
    if failed:
        raise ValidationError(
            errors.failure(exception, state.target(region), LATE[0].reads[0].action)
            for region, exception in failed.items()
        )
    return done


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
