# SPDX-License-Identifier: GPL-3.0-or-later

"""Who needs a key because something under it is shared with them."""

from __future__ import annotations

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.needed import (
    ConsumerResources,
    SharedUnderKey,
    account_of,
    examples_of,
    names_of,
    of_principals,
    select_needing,
    shared_by_name,
    split_by_name,
    unused_key_access,
)
from ansible_collections.golden.images.plugins.module_utils._keys.policy_statements import PolicyConsumers
from ansible_collections.golden.images.plugins.module_utils._model import Sharing

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.keys.policies import DEPLOY, ORG_ID, OTHER_ORG_ID, A, B, consumers

UNIT_IDS = (ORG_ID, "ou-ab12-11111111")
OTHER_UNIT = (ORG_ID, "ou-ab12-22222222")
FOREIGN_UNIT = (OTHER_ORG_ID, "ou-ab12-11111111")
ALL = PolicyConsumers(
    frozenset({A, B, DEPLOY, "AROAEXAMPLE"}),
    frozenset({ORG_ID, OTHER_ORG_ID}),
    frozenset({UNIT_IDS, OTHER_UNIT, FOREIGN_UNIT}),
)
ANY_PRINCIPAL = {A, B, DEPLOY, "AROAEXAMPLE"}


def accounts(*account_ids: str) -> Sharing:
    return Sharing(account_ids=frozenset(account_ids))


@pytest.mark.parametrize(
    ("shared", "principals", "org_ids", "units"),
    [
        pytest.param(Sharing(), set(), set(), set(), id="nothing shared"),
        pytest.param(accounts(B), {B, "AROAEXAMPLE"}, set(), set(), id="an account, or who may be in it"),
        pytest.param(
            accounts(account_of(DEPLOY) or ""),
            {one for one in (A, B) if one == account_of(DEPLOY)} | {DEPLOY, "AROAEXAMPLE"},
            set(),
            set(),
            id="a role of the account",
        ),
        pytest.param(
            Sharing(org_arns=frozenset({ORG})),
            ANY_PRINCIPAL,
            {ORG_ID},
            {UNIT_IDS, OTHER_UNIT},
            id="an organization: its units, and any account",
        ),
        pytest.param(
            Sharing(org_unit_arns=frozenset({UNIT})),
            ANY_PRINCIPAL,
            {ORG_ID},
            {UNIT_IDS},
            id="a unit: its organization, and any account",
        ),
        pytest.param(Sharing(public=True), ANY_PRINCIPAL, set(), set(), id="the public"),
    ],
)
def test_needed(
    shared: Sharing, principals: set[str], org_ids: set[str], units: set[tuple[str, str]]
) -> None:
    expected = PolicyConsumers(frozenset(principals), frozenset(org_ids), frozenset(units))
    assert select_needing(ALL, shared) == expected
    # The owner always needs its key, and one who may be in any account may be in that of the owner.
    owner = frozenset({"AROAEXAMPLE"})
    assert unused_key_access(ALL, shared, OWNER) == ALL - expected - PolicyConsumers(owner)


@pytest.mark.parametrize(
    ("shared", "expected"),
    [
        pytest.param(Sharing(public=True), PolicyConsumers(), id="the public"),
        pytest.param(accounts(account_of(DEPLOY) or ""), consumers(A, DEPLOY), id="an account and its role"),
        pytest.param(
            Sharing(org_arns=frozenset({ORG})),
            consumers(org_ids=(ORG_ID,), units=(UNIT_IDS, OTHER_UNIT)),
            id="an organization with its units",
        ),
        pytest.param(Sharing(org_unit_arns=frozenset({UNIT})), consumers(units=(UNIT_IDS,)), id="a unit"),
    ],
)
def test_shared_by_name(shared: Sharing, expected: PolicyConsumers) -> None:
    assert shared_by_name(ALL, shared) == expected


def test_only_the_named_consumers_are_needed_or_unused() -> None:
    assert select_needing(consumers(A), accounts(A, B)) == consumers(A)
    assert unused_key_access(consumers(A, OWNER), accounts(B), OWNER) == consumers(A)


def test_a_key_is_needed_for_any_of_its_images() -> None:
    shared = SharedUnderKey({"ami-2": accounts(A, B), "ami-1": accounts(A), "ami-3": accounts()})
    assert shared.select_needing(consumers(A, B, OWNER)) == consumers(A, B)
    assert shared.images_for(consumers(A)) == ("ami-1", "ami-2")
    assert shared.images_for(consumers(B)) == ("ami-2",)
    assert shared.images_for(consumers(OWNER)) == ()


def test_a_key_is_needed_by_all_if_an_image_could_not_be_read() -> None:
    assert SharedUnderKey({}, ("ami-1 is pending.",)).select_needing(ALL) == ALL


def test_names() -> None:
    named = PolicyConsumers(frozenset({B, A}), frozenset({ORG_ID}), frozenset({UNIT_IDS, FOREIGN_UNIT}))
    assert names_of(named) == sorted([A, B, ORG_ID, "ou-ab12-11111111"])
    alone = split_by_name(named)
    assert [name for name, _one in alone] == sorted([A, B, ORG_ID, "ou-ab12-11111111", "ou-ab12-11111111"])
    assert {one for name, one in alone if name == A} == {consumers(A)}
    assert of_principals([f"arn:aws:iam::{A}:root", DEPLOY]) == consumers(A, DEPLOY)


@pytest.mark.parametrize(
    ("principal", "account_id"),
    [
        (A, A),
        (f"arn:aws:iam::{A}:root", A),
        (f"arn:aws-cn:iam::{B}:role/deploy", B),
        ("AROAEXAMPLE", None),
        ("ec2.amazonaws.com", None),
    ],
)
def test_account_of(principal: str, account_id: str | None) -> None:
    assert account_of(principal) == account_id


def test_accounts_whose_volumes_were_not_read_are_returned_sorted() -> None:
    unseen = ConsumerResources(unseen={B: "Allow it.", A: "No role."}).unseen_as_result()
    assert unseen == [{"account_id": A, "reason": "No role."}, {"account_id": B, "reason": "Allow it."}]


def test_some_of_many_names_are_examples() -> None:
    assert examples_of(["a", "b"]) == "a, b"
    assert examples_of(list("abcdefg")) == "a, b, c, d, e and 2 more"
