# SPDX-License-Identifier: GPL-3.0-or-later

"""Who can do what under a key policy before and after a task: nobody gains or loses what is not theirs."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.policy_statements import (
    PolicyAccess,
    PolicyConsumers,
)
from ansible_collections.golden.images.plugins.module_utils.kms_grant.policy import (
    policy_after,
)
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import GrantWanted
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

MANAGEMENT = "arn:aws:organizations::111122223333"
ORG_ARNS = [f"{MANAGEMENT}:organization/{org_id}" for org_id in (ORG_ID, OTHER_ORG_ID)]
UNIT_ARNS = [
    f"{MANAGEMENT}:ou/{org_id}/{unit}" for org_id, unit in (UNIT, INNER_UNIT, LONGER_UNIT, FOREIGN_UNIT)
]
WANTED = st.builds(
    GrantWanted,
    account_ids=st.frozensets(st.sampled_from([A, B, C, E])),
    principals=st.frozensets(st.just(DEPLOY)),
    org_arns=st.frozensets(st.sampled_from(ORG_ARNS)),
    org_unit_arns=st.frozensets(st.sampled_from(UNIT_ARNS)),
    operations=st.sampled_from([OPERATIONS, frozenset({"Decrypt"}), frozenset({"CreateGrant", "Encrypt"})]),
    access_method=st.sampled_from(["auto", "key_policy"]),
    auto_scaling=st.booleans(),
    purge=st.booleans(),
)
# Statements of other people, among them one that denies.
THEIRS = [
    {"Sid": "Ops", "Effect": "Allow", "Principal": {"AWS": E}, "Action": "kms:Decrypt", "Resource": "*"},
    {"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "kms:Encrypt", "Resource": "*"},
]
HELD = st.builds(
    lambda held, theirs: policy_of(*theirs, *key_policy.statements_for(*held)),
    st.lists(ACCESSES, max_size=3),
    st.lists(st.sampled_from(THEIRS), max_size=2),
)


def withdrawn(want: GrantWanted) -> GrantWanted:
    """The same people, who are to lose what they were given."""
    return GrantWanted(
        account_ids=want.account_ids,
        principals=want.principals,
        org_arns=want.org_arns,
        org_unit_arns=want.org_unit_arns,
        access_method=want.access_method,
        present=False,
    )


def additive(want: GrantWanted) -> bool:
    return want.present and not want.purge


@given(WANTED, HELD)
def test_nobody_gains_anything_but_those_named_what_was_asked_for(want: GrantWanted, policy: str) -> None:
    asked = rights(policy_of(*key_policy.statements_for(want.policy_access)), CALLERS)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert gained <= asked
    assert all(is_named(caller, want.policy_consumers) for caller, _operation, _for_aws in gained)


@given(st.lists(ACCESSES, max_size=3))
def test_several_accesses_allow_what_each_of_them_does(held: list[PolicyAccess]) -> None:
    together = policy_of(*key_policy.statements_for(*held))
    apart = (rights(policy_of(*key_policy.statements_for(one)), CALLERS) for one in held)
    assert rights(together, CALLERS) == rights(policy_of(), CALLERS).union(*apart)
    read_back = policy_of(*key_policy.statements_for(*key_policy.own_accesses(together)))
    assert rights(read_back, CALLERS) == rights(together, CALLERS)


@given(WANTED, HELD)
def test_nobody_loses_anything_unless_asked_for(want: GrantWanted, policy: str) -> None:
    assume(additive(want))
    assert rights(policy, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_those_named_get_what_they_need(want: GrantWanted, policy: str) -> None:
    named = policy_of(*key_policy.statements_for(want.policy_access), *_denials(policy))
    assert rights(named, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_purging_leaves_those_named_and_other_peoples_statements(want: GrantWanted, policy: str) -> None:
    assume(want.purge)
    expected = key_policy.with_own_statements(policy, key_policy.statements_for(want.policy_access))
    assert rights(policy_after(want, policy), CALLERS) == rights(expected, CALLERS)


@given(WANTED, HELD)
def test_withdrawing_gives_nobody_anything(want: GrantWanted, policy: str) -> None:
    after = policy_after(withdrawn(want), policy)
    assert rights(after, CALLERS) <= rights(policy, CALLERS)


@given(WANTED, HELD)
def test_withdrawing_takes_from_those_named_alone(want: GrantWanted, policy: str) -> None:
    gone = withdrawn(want)
    after = policy_after(gone, policy)
    left = own_access(policy).consumers - gone.policy_consumers
    left -= PolicyConsumers(want.account_ids | want.principals)
    assert own_access(after).consumers == left
    lost = rights(policy, CALLERS) - rights(after, CALLERS)
    named = PolicyConsumers(want.account_ids | want.principals) | gone.policy_consumers
    assert all(is_named(caller, named) for caller, _operation, _for_aws in lost)


@given(WANTED, HELD)
def test_a_policy_that_is_as_wanted_is_left_alone(want: GrantWanted, policy: str) -> None:
    for asked in (want, withdrawn(want)):
        once = policy_after(asked, policy)
        assert policy_after(asked, once) == once


@given(WANTED, HELD)
def test_no_condition_is_true_where_its_key_is_absent(want: GrantWanted, policy: str) -> None:
    assert "ForAllValues" not in policy_after(want, policy)


def _denials(policy: str) -> list[dict[str, Any]]:
    return [item for item in json.loads(policy)["Statement"] if item["Effect"] == "Deny"]


@pytest.mark.parametrize(
    ("held", "want"),
    [
        pytest.param(
            access(consumers(A)),
            GrantWanted(account_ids=frozenset({B}), access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for one account frees CreateGrant for another",
        ),
        pytest.param(
            access(consumers(org_ids=(OTHER_ORG_ID,))),
            GrantWanted(account_ids=frozenset({B}), access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for an account lets an organization encrypt",
        ),
        pytest.param(
            access(consumers(A), operations=frozenset({"Decrypt"})),
            GrantWanted(org_unit_arns=frozenset({UNIT_ARNS[0]})),
            id="what a unit needs goes to an account that may only decrypt",
        ),
    ],
)
def test_additions_give_nothing_to_those_who_are_not_named(held: PolicyAccess, want: GrantWanted) -> None:
    policy = opened_to(held.consumers, operations=held.operations, for_auto_scaling=held.for_auto_scaling)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert {caller for caller, _, _ in gained if not is_named(caller, want.policy_consumers)} == set()


def test_those_added_get_no_more_than_was_asked_for() -> None:
    want = GrantWanted(
        account_ids=frozenset({B}), access_method="key_policy", operations=frozenset({"Decrypt"})
    )
    after = rights(policy_after(want, opened_to(consumers(A))), CALLERS)
    assert {operation for caller, operation, _ in after if caller.account_id == B} == {"Decrypt"}


@pytest.mark.parametrize(
    "theirs",
    [
        pytest.param(
            {"Effect": "Allow", "Principal": {"AWS": DEPLOY}, "Action": "kms:*"}, id="a pipeline's own role"
        ),
        pytest.param({"Effect": "Deny", "Principal": {"AWS": B}, "Action": "kms:Decrypt"}, id="a denial"),
    ],
)
def test_a_persons_statement_under_a_similar_sid_gives_consumers_nothing(theirs: dict[str, Any]) -> None:
    policy = policy_of({"Sid": "GoldenImagesPipeline", "Resource": "*", **theirs})
    want = GrantWanted(account_ids=frozenset({A}), access_method="key_policy")
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert {(caller.account_id, operation) for caller, operation, _ in gained} == {
        (A, operation) for operation in OPERATIONS
    }
