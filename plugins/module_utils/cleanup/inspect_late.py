# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads the uses that are read only in regions with images to disable or deregister."""

from __future__ import annotations

from collections.abc import Collection

from ..aws import errors
from ..aws.clients import Clients
from ..failures import Refused
from ..fanout import each
from .state import CleanupSeen, LateUses
from .uses.read import Attempts, Place, read_users, services
from .uses.read_all import LATE
from .uses.users import uses


def read_late_uses(clients: Clients, seen: CleanupSeen, regions: Collection[str]) -> dict[str, LateUses]:
    """Return the uses in each of the regions. What AWS refuses to return is noted as unread.

    Raises:
        Refused: a read failed for another reason.
    """
    if not regions:
        return {}
    for service in services(LATE):
        clients.open(service, regions)

    def read(region: str) -> LateUses:
        attempt = Attempts()
        users = read_users(Place(clients, region), LATE, attempt)
        return LateUses(uses(users), tuple(attempt.problems))

    done, failed = each(regions, read)
    if failed:
        raise Refused(
            errors.failure(exception, seen.target(region), LATE[0].reads[0].action)
            for region, exception in failed.items()
        )
    return done
