# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a key policy gives before and after a task."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
)
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.unit.keys.policies import (
    ACCESSES,
    CALLERS,
    DEPLOY,
    FOREIGN_UNIT,
    INNER_UNIT,
    LONGER_UNIT,
    ORG_ID,
    OTHER_ORG_ID,
    UNIT,
    A,
    B,
    C,
    E,
    access,
    consumers,
    is_named,
    opened_to,
    own_access,
    policy_of,
)
from tests.unit.keys.policy_evaluator import rights
from tests.unit.kms_grant.examples import AUTO_SCALING_OPERATIONS, aws_with, planned, wanted

Options = dict[str, Any]


def policy_after(want: Options, policy: str) -> str:
    """The policy after the task, if no other image is under the key."""
    changed = [
        one.parameters["Policy"]
        for one in planned(want, aws_with(policy=policy)).actions
        if one.operation == "PutKeyPolicy"
    ]
    return str(changed[0]) if changed else policy


def consumers_of(want: Options) -> PolicyConsumers:
    """The consumers that get access by the policy."""
    by_policy = {*want["account_ids"], *want["principals"]} if want["access_method"] == "key_policy" else ()
    return PolicyConsumers(
        frozenset(by_policy),
        frozenset(arn.rpartition("/")[2] for arn in want["org_arns"]),
        frozenset(tuple(arn.split("/")[1:]) for arn in want["org_unit_arns"]),
    )


def access_of(want: Options) -> PolicyAccess:
    """The access that the policy gives them."""
    operations = frozenset(want["operations"])
    scales = want["auto_scaling"]
    return PolicyAccess(
        consumers_of(want), operations | AUTO_SCALING_OPERATIONS if scales else operations, scales
    )


MANAGEMENT = "arn:aws:organizations::111122223333"
ORG_ARNS = [f"{MANAGEMENT}:organization/{org_id}" for org_id in (ORG_ID, OTHER_ORG_ID)]
UNIT_ARNS = [
    f"{MANAGEMENT}:ou/{org_id}/{unit}" for org_id, unit in (UNIT, INNER_UNIT, LONGER_UNIT, FOREIGN_UNIT)
]
WANTED = st.builds(
    lambda accounts, **options: wanted(*accounts, **options),
    st.frozensets(st.sampled_from([A, B, C, E]), min_size=1),
    principals=st.frozensets(st.just(DEPLOY)),
    org_arns=st.frozensets(st.sampled_from(ORG_ARNS)),
    org_unit_arns=st.frozensets(st.sampled_from(UNIT_ARNS)),
    operations=st.sampled_from([OPERATIONS, frozenset({"Decrypt"}), frozenset({"CreateGrant", "Encrypt"})]),
    access_method=st.sampled_from(["auto", "key_policy"]),
    auto_scaling=st.booleans(),
    purge_grants=st.booleans(),
)
# Statements of others, one of them a deny.
THEIRS = [
    {"Sid": "Ops", "Effect": "Allow", "Principal": {"AWS": E}, "Action": "kms:Decrypt", "Resource": "*"},
    {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Encrypt", "Resource": "*"},
]
HELD = st.builds(
    lambda held, theirs: policy_of(*theirs, *key_policy.statements_for(*held)),
    st.lists(ACCESSES, max_size=3),
    st.lists(st.sampled_from(THEIRS), max_size=2),
)


def revoked(want: Options) -> Options:
    """The same consumers with ``state: absent``."""
    return {**want, "state": "absent", "purge_grants": False}


@given(WANTED, HELD)
def test_only_named_consumers_gain_only_the_wanted_access(want: Options, policy: str) -> None:
    asked = rights(policy_of(*key_policy.statements_for(access_of(want))), CALLERS)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert gained <= asked
    assert all(is_named(caller, consumers_of(want)) for caller, _operation, _for_aws in gained)


@given(st.lists(ACCESSES, max_size=3))
def test_statements_for_several_accesses_allow_their_union(held: list[PolicyAccess]) -> None:
    together = policy_of(*key_policy.statements_for(*held))
    apart = (rights(policy_of(*key_policy.statements_for(one)), CALLERS) for one in held)
    assert rights(together, CALLERS) == rights(policy_of(), CALLERS).union(*apart)
    read_back = policy_of(*key_policy.statements_for(*key_policy.own_accesses(together)))
    assert rights(read_back, CALLERS) == rights(together, CALLERS)


@given(WANTED, HELD)
def test_additions_remove_no_rights(want: Options, policy: str) -> None:
    assume(not want["purge_grants"])
    assert rights(policy, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_named_consumers_get_the_wanted_rights(want: Options, policy: str) -> None:
    named = policy_of(*key_policy.statements_for(access_of(want)), *_denials(policy))
    assert rights(named, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_purge_leaves_named_consumers_and_other_statements(want: Options, policy: str) -> None:
    assume(want["purge_grants"])
    expected = key_policy.with_own_statements(policy, key_policy.statements_for(access_of(want)))
    assert rights(policy_after(want, policy), CALLERS) == rights(expected, CALLERS)


@given(WANTED, HELD)
def test_absent_adds_no_rights(want: Options, policy: str) -> None:
    after = policy_after(revoked(want), policy)
    assert rights(after, CALLERS) <= rights(policy, CALLERS)


@given(WANTED, HELD)
def test_absent_removes_rights_of_named_consumers_only(want: Options, policy: str) -> None:
    gone = revoked(want)
    after = policy_after(gone, policy)
    left = own_access(policy).consumers - consumers_of(gone)
    left -= PolicyConsumers(frozenset({*want["account_ids"], *want["principals"]}))
    assert own_access(after).consumers == left
    lost = rights(policy, CALLERS) - rights(after, CALLERS)
    named = PolicyConsumers(frozenset({*want["account_ids"], *want["principals"]})) | consumers_of(gone)
    assert all(is_named(caller, named) for caller, _operation, _for_aws in lost)


@given(WANTED, HELD)
def test_policy_after_is_idempotent(want: Options, policy: str) -> None:
    for asked in (want, revoked(want)):
        once = policy_after(asked, policy)
        assert policy_after(asked, once) == once


@given(WANTED, HELD)
def test_no_condition_holds_without_its_key(want: Options, policy: str) -> None:
    assert "ForAllValues" not in policy_after(want, policy)


def _denials(policy: str) -> list[dict[str, Any]]:
    return [item for item in json.loads(policy)["Statement"] if item["Effect"] == "Deny"]


@pytest.mark.parametrize(
    ("held", "want"),
    [
        pytest.param(
            access(consumers(A)),
            wanted(B, access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for one account, CreateGrant of another",
        ),
        pytest.param(
            access(consumers(org_ids=(OTHER_ORG_ID,))),
            wanted(B, access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for an account, Encrypt of an organization",
        ),
        pytest.param(
            access(consumers(A), operations=frozenset({"Decrypt"})),
            wanted(org_unit_arns=[UNIT_ARNS[0]]),
            id="operations of a unit, an account with Decrypt only",
        ),
    ],
)
def test_additions_give_no_rights_to_other_consumers(held: PolicyAccess, want: Options) -> None:
    policy = opened_to(held.consumers, operations=held.operations, for_auto_scaling=held.for_auto_scaling)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    named = consumers(B, units=(UNIT,))
    assert {caller for caller, _, _ in gained if not is_named(caller, named)} == set()


def test_added_consumers_get_only_the_wanted_operations() -> None:
    want = wanted(B, access_method="key_policy", operations=["Decrypt"])
    after = rights(policy_after(want, opened_to(consumers(A))), CALLERS)
    assert {operation for caller, operation, _ in after if caller.account_id == B} == {"Decrypt"}


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(
            {"Effect": "Allow", "Principal": {"AWS": DEPLOY}, "Action": "kms:*"}, id="a pipeline's own role"
        ),
        pytest.param({"Effect": "Deny", "Principal": {"AWS": B}, "Action": "kms:Decrypt"}, id="a deny"),
    ],
)
def test_other_statement_with_a_similar_sid_gives_consumers_no_rights(theirs: dict[str, Any]) -> None:
    policy = policy_of({"Sid": "GoldenImagesPipeline", "Resource": "*", **theirs})
    want = wanted(A, access_method="key_policy")
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert {(caller.account_id, operation) for caller, operation, _ in gained} == {
        (A, operation) for operation in OPERATIONS
    }
