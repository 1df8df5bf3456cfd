# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing a key policy, of which KMS may reject principals."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.aws.write import Performed
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantWanted
from ansible_collections.golden.images.plugins.module_utils.kms_grant.write_policy import write_policy
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.examples import ORG, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers, opened_to, own_access
from tests.unit.kms_grant.examples import DEPLOY, NO_OTHER_IMAGE, A, B, C, wanted
from tests.unit.kms_grant.kms_in_memory import Kms, StoredKey

ARN = key_arn()
ORG_ID = "o-a1b2c3d4e5"


def kms(*unknown: str, **changes: Any) -> Kms:
    return Kms({ARN: StoredKey(ARN, **changes)}, unknown=set(unknown))


def written(client: Kms, want: GrantWanted) -> Performed:
    parameters = {"KeyId": ARN, "Policy": "planned", "PolicyName": "default"}
    action = Action(target_in("eu-west-1"), "PutKeyPolicy", parameters, ARN)
    return write_policy(client, want, action, NO_OTHER_IMAGE)  # type: ignore[arg-type]


def by_policy(*account_ids: str, **changes: Any) -> GrantWanted:
    return wanted(*account_ids, access_method="key_policy", **changes)


def named(client: Kms) -> key_policy.PolicyConsumers:
    return own_access(client.keys[ARN].policy).consumers


def test_accepted_policy_is_written_once() -> None:
    client = kms()
    done = written(client, by_policy(A, B))
    assert (len(done.actions), done.failures) == (1, ())
    assert done.actions[0].parameters["Policy"] == client.keys[ARN].policy
    assert client.operations() == ["GetKeyPolicy", "PutKeyPolicy"]
    assert named(client) == consumers(A, B)


@pytest.mark.parametrize("unknown", [{A}, {B}, {C}, {A, C}, {DEPLOY, B}, {A, B, C, DEPLOY}])
def test_only_rejected_principals_get_no_access(unknown: set[str]) -> None:
    client = kms(*unknown)
    done = written(client, by_policy(A, B, C, principals=frozenset({DEPLOY}), org_arns=frozenset({ORG})))
    assert {one.error_code for one in done.failures} == {"consumer_rejected"}
    assert {one.message for one in done.failures} == {f"AWS rejected {one}: No." for one in unknown}
    assert len(done.actions) == 1
    accesses = key_policy.own_accesses(client.keys[ARN].policy)
    assert {one for access in accesses for one in access.consumers.principals} == {A, B, C, DEPLOY} - unknown
    assert {one for access in accesses for one in access.consumers.org_ids} == {ORG_ID}


def test_purge_waits_until_the_rejected_principals_are_known() -> None:
    client = kms(B, policy=opened_to(consumers(A)))
    policies = []
    done = written(client, by_policy(B, C, purge=True))
    policies = [request["Policy"] for request in client.asked("PutKeyPolicy")]
    assert [one.account_id for one in done.failures] == [B]
    assert all(f'"{A}"' in policy for policy in policies[1:-1])
    assert named(client) == consumers(C)


def test_principal_in_a_statement_of_another_tool_is_the_policy_s_failure() -> None:
    theirs = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": C}, "Action": "kms:*", "Resource": "*"}
    client = kms(C)
    key = client.keys[ARN]
    key.policy = before = key_policy.with_own_statements(key.policy, [theirs])
    done = written(client, by_policy(A, B))
    assert [one.error_code for one in done.failures] == ["MalformedPolicyDocumentException"]
    assert done.actions == ()
    assert key.policy == before


def test_another_refusal_is_not_the_consumers_failure() -> None:
    client = kms()
    client.refuse = {"PutKeyPolicy": "LimitExceededException"}
    done = written(client, by_policy(A, B))
    assert [one.error_code for one in done.failures] == ["LimitExceededException"]
    assert client.operations() == ["GetKeyPolicy", "PutKeyPolicy"]
