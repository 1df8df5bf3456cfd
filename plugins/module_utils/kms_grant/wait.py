# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wait until AWS lists new grants and returns new key policies."""

from __future__ import annotations

from time import monotonic, sleep

from ..aws import read
from ..aws.clients import Clients
from ..aws.write import Performed
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


def wait_until_stored(clients: Clients, written: Performed) -> str | None:
    """Wait until AWS returns the new policies several times in a row; a warning if it does not in a minute.

    A task that reads an earlier policy would write it back, with access that this one has revoked.
    """
    waiting = {
        (action.target.region, action.parameters["KeyId"]): action.parameters["Policy"]
        for action in written.actions
    }

    def read_policy(key: tuple[str, str]) -> str:
        region, key_arn = key
        return read.key_policy(clients.kms(region), key_arn)

    equal_reads = dict.fromkeys(waiting, 0)
    deadline = monotonic() + _POLICY_TIMEOUT
    while waiting:
        policies, _failed = each(waiting, read_policy)
        for key, policy in waiting.items():
            stored = key in policies and has_own_statements(policies[key], own_statements(policy))
            equal_reads[key] = equal_reads[key] + 1 if stored else 0
        waiting = {key: policy for key, policy in waiting.items() if equal_reads[key] < _EQUAL_READS}
        if waiting and monotonic() > deadline:
            keys = ", ".join(sorted(key_arn for _region, key_arn in waiting))
            return (
                f"AWS does not return the new policy of {keys} yet. Wait some minutes before you change "
                "the policy again; an earlier change would start from the old policy."
            )
        if waiting:
            sleep(_POLICY_INTERVAL)
    return None
