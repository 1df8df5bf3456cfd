# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS lists new grants and returns new key policies."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic, sleep
from typing import TypeAlias

from ..aws import errors, read
from ..aws.clients import Clients
from ..aws.write import Performed
from ..denial import FAILS_AGAIN
from ..fanout import each
from ..keys.policy_statements import has_own_statements, own_statements

# KMS Developer Guide, "Grants in AWS KMS": a new grant is usually visible in seconds, at most in 5 minutes.
_LIST_TIMEOUT = 60.0
_LIST_INTERVAL = 1.0
# "The KMS API follows an eventual consistency model" (botocore operations GetKeyPolicy and PutKeyPolicy).
# Answers can alternate between the old and the new policy, so one answer proves nothing
# (hashicorp/terraform#3928, hashicorp/terraform#4447); Terraform waits for five equal ones.
_POLICY_TIMEOUT = 60.0
_POLICY_INTERVAL = 0.5
_EQUAL_READS = 5

# A region and the ARN of a key.
_Place: TypeAlias = "tuple[str, str]"


def wait_until_listed(clients: Clients, created: Performed) -> str | None:
    """Wait until AWS lists the new grants; a warning if it does not within a minute, or refuses the read."""
    missing: dict[_Place, set[str]] = {}
    for action, answer in zip(created.actions, created.answers, strict=True):
        key = action.target.region, action.parameters["KeyId"]
        missing.setdefault(key, set()).update({answer["GrantId"]} if "GrantId" in answer else ())

    def listed_ids(key: _Place) -> set[str]:
        region, key_arn = key
        return {grant.grant_id for grant in read.grants(clients.kms(region), key_arn)}

    refused: dict[_Place, str] = {}
    deadline = monotonic() + _LIST_TIMEOUT
    while missing:
        listed, failed = each(missing, listed_ids)
        refused |= _refused(failed, "ListGrants")
        missing = {
            key: ids
            for key, ids in missing.items()
            if key not in refused and not ids <= listed.get(key, set())
        }
        if missing and monotonic() > deadline:
            regions = ", ".join(sorted(region for region, _key in missing))
            return (
                f"{regions}: AWS does not list all new grants yet: retry launches that fail for some minutes."
            )
        if missing:
            sleep(_LIST_INTERVAL)
    return _not_known("AWS lists the new grants", refused)


def wait_until_stored(clients: Clients, written: Performed) -> str | None:
    """Wait until AWS returns the new policies several times in a row.

    Returns a warning if it does not within a minute, or refuses the read.
    A task that reads an earlier policy would write it back, with access that this one has revoked.
    """
    waiting = {
        (action.target.region, action.parameters["KeyId"]): action.parameters["Policy"]
        for action in written.actions
    }

    def read_policy(key: _Place) -> str:
        region, key_arn = key
        return read.key_policy(clients.kms(region), key_arn)

    refused: dict[_Place, str] = {}
    equal_reads = dict.fromkeys(waiting, 0)
    deadline = monotonic() + _POLICY_TIMEOUT
    while waiting:
        policies, failed = each(waiting, read_policy)
        refused |= _refused(failed, "GetKeyPolicy")
        for key, policy in waiting.items():
            stored = key in policies and has_own_statements(policies[key], own_statements(policy))
            equal_reads[key] = equal_reads[key] + 1 if stored else 0
        waiting = {
            key: policy
            for key, policy in waiting.items()
            if key not in refused and equal_reads[key] < _EQUAL_READS
        }
        if waiting and monotonic() > deadline:
            keys = ", ".join(sorted(key_arn for _region, key_arn in waiting))
            return (
                f"AWS does not return the new policy of {keys} yet. Wait some minutes before you change "
                "the policy again; an earlier change would start from the old policy."
            )
        if waiting:
            sleep(_POLICY_INTERVAL)
    return _not_known("AWS returns the new policies", refused)


def _refused(failed: Mapping[_Place, Exception], action: str) -> dict[_Place, str]:
    """Why reads failed that would fail again."""
    failures = {key: errors.failure(exception, None, action) for key, exception in failed.items()}
    return {key: one.text() for key, one in failures.items() if one.error_code in FAILS_AGAIN}


def _not_known(what: str, refused: Mapping[_Place, str]) -> str | None:
    """A warning about reads that were refused, with the first of them."""
    if not refused:
        return None
    regions = ", ".join(sorted(region for region, _key in refused))
    return f"{regions}: whether {what} could not be read: {next(iter(refused.values()))}"
