# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS lists new grants and returns new key policies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

from .._aws import errors, read
from .._aws.attempts import attempts
from .._aws.clients import Clients
from .._denial import FAILS_AGAIN
from .._fanout import map_parallel
from .._keys.policy_statements import has_own_statements, own_statements
from .._model import KeyRef
from .._plan import Performed

# KMS Developer Guide, "Grants in AWS KMS": a new grant is usually visible in seconds, at most in 5 minutes.
_LIST_TIMEOUT = 60.0
_LIST_INTERVAL = 1.0
# Up to this many new grants on a key are asked for one by one: a key may have 50,000 grants, 500 pages of
# them. For more, all pages are read, which are usually fewer calls.
_FEW = 10
# "The KMS API follows an eventual consistency model" (botocore operations GetKeyPolicy and PutKeyPolicy).
# Answers can alternate between the old and the new policy, so one answer proves nothing
# (hashicorp/terraform#3928, hashicorp/terraform#4447); Terraform waits for five equal ones.
_POLICY_TIMEOUT = 60.0
_POLICY_INTERVAL = 0.5
_EQUAL_READS = 5


class _NewGrant(NamedTuple):
    """A grant that was created on a key."""

    key: KeyRef
    grant_id: str


def wait_until_listed(clients: Clients, created: Performed) -> str | None:
    """Wait until AWS lists the new grants; a warning if it does not within a minute, or refuses the read."""
    missing = [
        _NewGrant(KeyRef(action.target.region, action.parameters["KeyId"]), answer["GrantId"])
        for action, answer in zip(created.actions, created.answers, strict=True)
        if "GrantId" in answer
    ]

    def list_ids(key: KeyRef) -> frozenset[str]:
        return frozenset(grant.grant_id for grant in read.grants(clients.kms(key.region), key.key_arn))

    def is_listed(grant: _NewGrant) -> bool:
        return read.is_grant_listed(clients.kms(grant.key.region), grant.key.key_arn, grant.grant_id)

    refused: dict[KeyRef, str] = {}
    for _attempt in attempts(_LIST_TIMEOUT, _LIST_INTERVAL):
        numbers = Counter(grant.key for grant in missing)
        lists, failed = map_parallel([key for key, number in numbers.items() if number > _FEW], list_ids)
        few = [grant for grant in missing if numbers[grant.key] <= _FEW]
        listed, failed_few = map_parallel(few, is_listed)
        failed |= {grant.key: exception for grant, exception in failed_few.items()}
        refused |= _find_refused(failed, "ListGrants")
        missing = [
            grant
            for grant in missing
            if grant.key not in refused
            and not (listed.get(grant) or grant.grant_id in lists.get(grant.key, ()))
        ]
        if not missing:
            return _warn_of_refused("AWS lists the new grants", refused)
    regions = ", ".join(sorted({grant.key.region for grant in missing}))
    return f"{regions}: AWS does not list all new grants yet: retry launches that fail for some minutes."


def wait_until_stored(clients: Clients, written: Performed) -> str | None:
    """Wait until AWS returns the new policies several times in a row.

    Returns a warning if it does not within a minute, or refuses the read.
    A task that reads an earlier policy would write it back, with access that this one has revoked.
    """
    waiting = {
        KeyRef(action.target.region, action.parameters["KeyId"]): action.parameters["Policy"]
        for action in written.actions
    }

    def read_policy(key: KeyRef) -> str:
        return read.key_policy(clients.kms(key.region), key.key_arn)

    refused: dict[KeyRef, str] = {}
    equal_reads = dict.fromkeys(waiting, 0)
    for _attempt in attempts(_POLICY_TIMEOUT, _POLICY_INTERVAL):
        policies, failed = map_parallel(waiting, read_policy)
        refused |= _find_refused(failed, "GetKeyPolicy")
        for key, policy in waiting.items():
            stored = key in policies and has_own_statements(policies[key], own_statements(policy))
            equal_reads[key] = equal_reads[key] + 1 if stored else 0
        waiting = {
            key: policy
            for key, policy in waiting.items()
            if key not in refused and equal_reads[key] < _EQUAL_READS
        }
        if not waiting:
            return _warn_of_refused("AWS returns the new policies", refused)
    keys = ", ".join(sorted(key.key_arn for key in waiting))
    return (
        f"AWS does not return the new policy of {keys} yet. Wait some minutes before you change the policy "
        "again; an earlier change would start from the old policy."
    )


def _find_refused(failed: Mapping[KeyRef, Exception], action: str) -> dict[KeyRef, str]:
    """Return why reads failed that would fail again."""
    failures = {key: errors.failure(exception, None, action) for key, exception in failed.items()}
    return {key: failure.text() for key, failure in failures.items() if failure.error_code in FAILS_AGAIN}


def _warn_of_refused(what: str, refused: Mapping[KeyRef, str]) -> str | None:
    """Return a warning about reads that were refused, with the first of them."""
    if not refused:
        return None
    regions = ", ".join(sorted(key.region for key in refused))
    return f"{regions}: whether {what} could not be read: {next(iter(refused.values()))}"
