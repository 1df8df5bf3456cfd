# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS lists new grants."""

from __future__ import annotations

from time import monotonic, sleep

from ..aws import read
from ..aws.clients import Clients
from ..aws.write import Performed
from ..fanout import each

# KMS Developer Guide, "Grants in AWS KMS": a new grant is usually visible in seconds, at most in 5 minutes.
_LIST_TIMEOUT = 60.0
_LIST_INTERVAL = 1.0


def wait_until_listed(clients: Clients, created: Performed) -> str | None:
    """Wait until AWS lists the new grants; a warning if it does not within a minute."""
    missing: dict[tuple[str, str], set[str]] = {}
    for action, answer in zip(created.actions, created.answers, strict=True):
        key = action.target.region, action.parameters["KeyId"]
        missing.setdefault(key, set()).update({answer["GrantId"]} if "GrantId" in answer else ())

    def listed_ids(key: tuple[str, str]) -> set[str]:
        region, key_arn = key
        return {grant.grant_id for grant in read.grants(clients.kms(region), key_arn)}

    deadline = monotonic() + _LIST_TIMEOUT
    while missing:
        listed, _failed = each(missing, listed_ids)
        missing = {key: ids for key, ids in missing.items() if not ids <= listed.get(key, set())}
        if missing and monotonic() > deadline:
            regions = ", ".join(sorted(region for region, _key in missing))
            return (
                f"{regions}: AWS does not list all new grants yet: retry launches that fail for some minutes."
            )
        if missing:
            sleep(_LIST_INTERVAL)
    return None
