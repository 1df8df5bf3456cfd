# SPDX-License-Identifier: GPL-3.0-or-later

"""Which consumers cannot use an image's key, as far as its owner can see."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys import access as key_access
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._keys.policy_evaluation import Consumer
from ansible_collections.golden.images.plugins.module_utils._model import (
    Grant,
    Key,
    KeyState,
    Sharing,
    Snapshot,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import ORG, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers, opened_to, policy_of
from tests.unit.kms_grant.examples import DEPLOY, A, B, made, root, scaling_role

KEY = Key(key_arn())
OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
OTHER_UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-22222222"
IN_ORG, IN_UNIT = Sharing(org_arns=frozenset({ORG})), Sharing(org_unit_arns=frozenset({UNIT}))


def statement(effect: str, equals: dict[str, str] | None = None) -> dict[str, Any]:
    common = {"Effect": effect, "Principal": "*", "Action": "kms:*", "Resource": "*"}
    return {**common, "Condition": {"StringEquals": equals}} if equals else common


def with_accounts(*account_ids: str) -> Sharing:
    return Sharing(frozenset(account_ids))


def key(*grants: Grant, policy: str | None = policy_of()) -> KeyState:
    return KeyState(KEY, grants, policy)


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([made(root(A))], {A}, id="an account, as its id"),
        pytest.param([made(DEPLOY)], {A}, id="a role, which may be all that launches"),
        pytest.param([made(DEPLOY, OPERATIONS - {"Decrypt"})], set(), id="a role without Decrypt"),
        pytest.param([made(DEPLOY, constrained=True)], set(), id="a role, constrained"),
        pytest.param([Grant("g", root(A), OPERATIONS)], {A}, id="made by another tool"),
        pytest.param([made(root(A), frozenset({"CreateGrant", "Decrypt"}))], {A}, id="the least operations"),
        pytest.param([made(root(A), OPERATIONS - {"CreateGrant"})], set(), id="no CreateGrant"),
        pytest.param([made(root(A), OPERATIONS - {"Decrypt"})], set(), id="no Decrypt"),
        pytest.param([made(root(A), constrained=True)], set(), id="constrained"),
        pytest.param(
            [made(root(A), frozenset({"CreateGrant"})), made(root(A), frozenset({"Decrypt"}))],
            set(),
            id="operations split over two grants",
        ),
    ],
)
def test_grants_that_allow_a_launch(grants: list[Grant], expected: set[str]) -> None:
    lacking = key_access.consumers_without_access([key(*grants)], with_accounts(A))
    assert {A} - set(lacking) == expected


def test_the_keys_that_give_access_beside_the_own_one() -> None:
    snapshot = Snapshot("snap-1", "completed", 100, KEY.arn, associated_key_arns=("arn:a", "arn:b"))
    found = key_access.other_access(snapshot)
    assert found.startswith("arn:a, arn:b, associated with snap-1, can give access to it, too.")


@pytest.mark.parametrize(
    ("keys", "shared_with", "expected"),
    [
        pytest.param([], with_accounts(A), [], id="no key"),
        pytest.param([key()], Sharing(), [], id="no consumer"),
        pytest.param([key()], with_accounts(B, A), [A, B], id="accounts"),
        pytest.param([key(made(root(A)))], with_accounts(A, B), [B], id="one has a grant"),
        pytest.param([key(made(DEPLOY))], with_accounts(A, B), [B], id="only a role has one"),
        pytest.param(
            [key(made(scaling_role(A)))], with_accounts(A), [A], id="only the Auto Scaling role has one"
        ),
        pytest.param(
            [key(made(scaling_role(A)), made(root(A)))], with_accounts(A), [], id="the account has one, too"
        ),
        pytest.param(
            [key(made(DEPLOY), policy=None)], with_accounts(A), [], id="policy not read, a role's grant"
        ),
        pytest.param(
            [key(policy=opened_to(consumers(DEPLOY)))], with_accounts(A, B), [B], id="a role in the policy"
        ),
        pytest.param(
            [
                key(
                    policy=policy_of(
                        {**statement("Allow"), "Principal": {"AWS": DEPLOY}, "Action": "kms:Decrypt"}
                    )
                )
            ],
            with_accounts(A),
            [A],
            id="a role in the policy, without CreateGrant",
        ),
        pytest.param(
            [key(made(DEPLOY), policy=policy_of(statement("Deny", {"aws:PrincipalAccount": A})))],
            with_accounts(A),
            [A],
            id="a role has one, but its account is denied",
        ),
        pytest.param([key(policy=opened_to(consumers(A)))], with_accounts(A, B), [B], id="one in the policy"),
        pytest.param(
            [key(made(root(A)), policy=opened_to(consumers(B)))],
            with_accounts(A, B),
            [],
            id="one by grant, one by policy",
        ),
        pytest.param([key(made(root(A))), key()], with_accounts(A), [A], id="no access to one of two keys"),
        pytest.param([key(), key()], with_accounts(A), [A], id="listed once"),
        pytest.param([key(policy=None)], with_accounts(A), [A], id="policy not read"),
        pytest.param([key(made(root(A)), policy=None)], with_accounts(A), [], id="policy not read, a grant"),
        pytest.param([key()], IN_ORG, [ORG], id="an organization"),
        pytest.param([key()], IN_UNIT, [UNIT], id="a unit"),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-a1b2c3d4e5",))))],
            IN_ORG,
            [],
            id="an organization in the policy",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-a1b2c3d4e5",))))],
            IN_UNIT,
            [],
            id="a unit of an organization in the policy",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-a1b2c3d4e5",))))],
            Sharing(org_arns=frozenset({OTHER_ORG})),
            [OTHER_ORG],
            id="another organization",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(units=(("o-a1b2c3d4e5", "ou-ab12-11111111"),))))],
            Sharing(org_unit_arns=frozenset({UNIT, OTHER_UNIT})),
            [OTHER_UNIT],
            id="one unit of two",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(units=(("o-a1b2c3d4e5", "ou-ab12-11111111"),))))],
            IN_ORG,
            [ORG],
            id="a unit in the policy, not its organization",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-zzzzzzzzzz",))))],
            with_accounts(A),
            [],
            id="an account, undetermined",
        ),
        pytest.param(
            [key(), key(policy=opened_to(consumers(org_ids=("o-z",))))],
            with_accounts(A),
            [A],
            id="undetermined for one key, denied for another",
        ),
    ],
)
def test_consumers_without_access(keys: list[KeyState], shared_with: Sharing, expected: list[str]) -> None:
    assert key_access.consumers_without_access(keys, shared_with) == expected


def test_access_of_consumers() -> None:
    in_org = opened_to(consumers(org_ids=(ORG.rsplit("/", 1)[1],)))
    shared_with = with_accounts(A, B) | IN_ORG
    allowed, denied, unknown = key_access.Access
    for seen, expected in (
        (key(made(DEPLOY), made(root(B))), {A: unknown, B: allowed, ORG: denied}),
        (key(made(DEPLOY, OPERATIONS - {"CreateGrant"})), {A: denied, B: denied, ORG: denied}),
        (key(made(root(A)), policy=in_org), {A: allowed, B: unknown, ORG: allowed}),
        (key(made(scaling_role(A)), policy=None), {A: denied, B: denied, ORG: denied}),
    ):
        assert key_access.access_of_consumers(seen, shared_with) == expected


SHARINGS = st.builds(
    Sharing,
    account_ids=st.frozensets(st.sampled_from([A, B])),
    org_arns=st.frozensets(st.sampled_from([ORG, OTHER_ORG])),
    org_unit_arns=st.frozensets(st.sampled_from([UNIT, OTHER_UNIT])),
)


@given(SHARINGS)
def test_consumers_in_own_statements_have_access(shared_with: Sharing) -> None:
    who = consumers(
        *shared_with.account_ids,
        org_ids=tuple(arn.rsplit("/", 1)[1] for arn in shared_with.org_arns),
        units=tuple(tuple(arn.split("/")[1:]) for arn in shared_with.org_unit_arns),
    )
    assert key_access.consumers_without_access([key(policy=opened_to(who))], shared_with) == []


@given(SHARINGS, st.frozensets(st.sampled_from([A, B])))
def test_grants_to_accounts_give_them_access(shared_with: Sharing, accounts: frozenset[str]) -> None:
    before = key_access.consumers_without_access([key()], shared_with)
    after = key_access.consumers_without_access([key(*(made(root(item)) for item in accounts))], shared_with)
    assert after == [item for item in before if item not in accounts]


def test_denied_operations() -> None:
    denying = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["kms:Decrypt", "kms:CreateGrant"],
        "Resource": "*",
    }
    consumer = Consumer(account_id=A)
    denied = key_access.denied_operations(key(policy=policy_of(denying)), consumer, OPERATIONS)
    assert denied == ["CreateGrant", "Decrypt"]
    assert key_access.denied_operations(key(made(root(B))), consumer, OPERATIONS) == []
    assert key_access.denied_operations(key(policy=None), consumer, OPERATIONS) == []


SOURCE = {"aws:SourceVpce": "vpce-1"}


@pytest.mark.parametrize(
    ("grants", "statements", "expected"),
    [
        pytest.param([], [], True, id="by what the owner cannot see"),
        pytest.param([], [statement("Allow", {"aws:PrincipalOrgID": "o-a1b2c3d4e5"})], True, id="by members"),
        pytest.param([], [statement("Allow", SOURCE)], False, id="from one network"),
        pytest.param([], [statement("Allow", SOURCE), statement("Allow")], True, id="from anywhere, too"),
        pytest.param([made(root(A))], [statement("Allow", SOURCE)], True, id="by a grant, too"),
        pytest.param([made(root(A))], [statement("Deny", SOURCE)], False, id="but perhaps denied to EC2"),
        pytest.param(
            [],
            [statement("Allow"), statement("Deny", SOURCE)],
            False,
            id="allowed, but perhaps denied to EC2",
        ),
    ],
)
def test_what_holds_through_ec2(grants: list[Grant], statements: list[Any], expected: bool) -> None:
    of_consumer = Consumer(account_id=A)
    seen = key(*grants, policy=policy_of(*statements))
    assert key_access.holds_through_ec2(seen, of_consumer, "Decrypt") is expected
    assert key_access.holds_through_ec2(key(*grants, policy=None), of_consumer, "Decrypt")


@pytest.mark.parametrize(
    "changes",
    [{"refused": {"Decrypt": "No."}}, {"unusable": "No."}, {"problem": "No."}, {"supported": False}],
)
def test_dry_runs_that_allow_not_all(changes: dict[str, Any]) -> None:
    tried = key_access.KeyDryRun(frozenset({"Decrypt"}))
    assert tried.allows_all
    assert not replace(tried, **changes).allows_all
