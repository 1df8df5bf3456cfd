# SPDX-License-Identifier: GPL-3.0-or-later

"""The rights that a key policy gives before and after a task."""

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
from ansible_collections.golden.images.plugins.module_utils.kms_grant import policy as grant_policy
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
from tests.unit.kms_grant.examples import NO_OTHER_IMAGE


def policy_after(want: GrantWanted, policy: str) -> str:
    """The policy after the task, if no other image is under the key."""
    return grant_policy.policy_after(want, policy, NO_OTHER_IMAGE)


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


def revoked(want: GrantWanted) -> GrantWanted:
    """The same consumers with ``state: absent``."""
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
def test_only_named_consumers_gain_only_the_wanted_access(want: GrantWanted, policy: str) -> None:
    asked = rights(policy_of(*key_policy.statements_for(want.policy_access)), CALLERS)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert gained <= asked
    assert all(is_named(caller, want.policy_consumers) for caller, _operation, _for_aws in gained)


@given(st.lists(ACCESSES, max_size=3))
def test_statements_for_several_accesses_allow_their_union(held: list[PolicyAccess]) -> None:
    together = policy_of(*key_policy.statements_for(*held))
    apart = (rights(policy_of(*key_policy.statements_for(one)), CALLERS) for one in held)
    assert rights(together, CALLERS) == rights(policy_of(), CALLERS).union(*apart)
    read_back = policy_of(*key_policy.statements_for(*key_policy.own_accesses(together)))
    assert rights(read_back, CALLERS) == rights(together, CALLERS)


@given(WANTED, HELD)
def test_additions_remove_no_rights(want: GrantWanted, policy: str) -> None:
    assume(additive(want))
    assert rights(policy, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_named_consumers_get_the_wanted_rights(want: GrantWanted, policy: str) -> None:
    named = policy_of(*key_policy.statements_for(want.policy_access), *_denials(policy))
    assert rights(named, CALLERS) <= rights(policy_after(want, policy), CALLERS)


@given(WANTED, HELD)
def test_purge_leaves_named_consumers_and_other_statements(want: GrantWanted, policy: str) -> None:
    assume(want.purge)
    expected = key_policy.with_own_statements(policy, key_policy.statements_for(want.policy_access))
    assert rights(policy_after(want, policy), CALLERS) == rights(expected, CALLERS)


@given(WANTED, HELD)
def test_absent_adds_no_rights(want: GrantWanted, policy: str) -> None:
    after = policy_after(revoked(want), policy)
    assert rights(after, CALLERS) <= rights(policy, CALLERS)


@given(WANTED, HELD)
def test_absent_removes_rights_of_named_consumers_only(want: GrantWanted, policy: str) -> None:
    gone = revoked(want)
    after = policy_after(gone, policy)
    left = own_access(policy).consumers - gone.policy_consumers
    left -= PolicyConsumers(want.account_ids | want.principals)
    assert own_access(after).consumers == left
    lost = rights(policy, CALLERS) - rights(after, CALLERS)
    named = PolicyConsumers(want.account_ids | want.principals) | gone.policy_consumers
    assert all(is_named(caller, named) for caller, _operation, _for_aws in lost)


@given(WANTED, HELD)
def test_policy_after_is_idempotent(want: GrantWanted, policy: str) -> None:
    for asked in (want, revoked(want)):
        once = policy_after(asked, policy)
        assert policy_after(asked, once) == once


@given(WANTED, HELD)
def test_no_condition_holds_without_its_key(want: GrantWanted, policy: str) -> None:
    assert "ForAllValues" not in policy_after(want, policy)


def _denials(policy: str) -> list[dict[str, Any]]:
    return [item for item in json.loads(policy)["Statement"] if item["Effect"] == "Deny"]


@pytest.mark.parametrize(
    ("held", "want"),
    [
        pytest.param(
            access(consumers(A)),
            GrantWanted(account_ids=frozenset({B}), access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for one account, CreateGrant of another",
        ),
        pytest.param(
            access(consumers(org_ids=(OTHER_ORG_ID,))),
            GrantWanted(account_ids=frozenset({B}), access_method="key_policy", auto_scaling=True),
            id="Auto Scaling for an account, Encrypt of an organization",
        ),
        pytest.param(
            access(consumers(A), operations=frozenset({"Decrypt"})),
            GrantWanted(org_unit_arns=frozenset({UNIT_ARNS[0]})),
            id="operations of a unit, an account with Decrypt only",
        ),
    ],
)
def test_additions_give_no_rights_to_other_consumers(held: PolicyAccess, want: GrantWanted) -> None:
    policy = opened_to(held.consumers, operations=held.operations, for_auto_scaling=held.for_auto_scaling)
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert {caller for caller, _, _ in gained if not is_named(caller, want.policy_consumers)} == set()


def test_added_consumers_get_only_the_wanted_operations() -> None:
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
        pytest.param({"Effect": "Deny", "Principal": {"AWS": B}, "Action": "kms:Decrypt"}, id="a deny"),
    ],
)
def test_other_statement_with_a_similar_sid_gives_consumers_no_rights(theirs: dict[str, Any]) -> None:
    policy = policy_of({"Sid": "GoldenImagesPipeline", "Resource": "*", **theirs})
    want = GrantWanted(account_ids=frozenset({A}), access_method="key_policy")
    gained = rights(policy_after(want, policy), CALLERS) - rights(policy, CALLERS)
    assert {(caller.account_id, operation) for caller, operation, _ in gained} == {
        (A, operation) for operation in OPERATIONS
    }
