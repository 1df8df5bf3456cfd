# SPDX-License-Identifier: GPL-3.0-or-later

"""Who, as far as an image's owner can see, cannot use its key."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys import access as key_access
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen, Sharing
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.examples import ORG, OWNER, STRANGER, UNIT, place, volumes
from tests.unit.keys.examples import DEFAULT, key_arn
from tests.unit.keys.policies import consumers, opened_to, policy_of
from tests.unit.kms_grant.examples import DEPLOY, A, B, made, root
from tests.unit.share import examples as sharing

KEY = Key(key_arn())
OTHER_ORG = "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz"
OTHER_UNIT = "arn:aws:organizations::111122223333:ou/o-a1b2c3d4e5/ou-ab12-22222222"
IN_ORG, IN_UNIT = Sharing(org_arns=frozenset({ORG})), Sharing(org_unit_arns=frozenset({UNIT}))


def with_accounts(*account_ids: str) -> Sharing:
    return Sharing(frozenset(account_ids))


def key(*grants: Grant, policy: str | None = policy_of()) -> KeySeen:
    return KeySeen(KEY, grants, policy)


@pytest.mark.parametrize(
    ("grants", "expected"),
    [
        pytest.param([], set(), id="none"),
        pytest.param([made(root(A))], {A}, id="an account, as its id"),
        pytest.param([made(DEPLOY)], set(), id="a role, which is not its account"),
        pytest.param([Grant("g", root(A), OPERATIONS)], {A}, id="whoever made it"),
        pytest.param([made(root(A), frozenset({"CreateGrant", "Decrypt"}))], {A}, id="the least"),
        pytest.param([made(root(A), OPERATIONS - {"CreateGrant"})], set(), id="no CreateGrant"),
        pytest.param([made(root(A), OPERATIONS - {"Decrypt"})], set(), id="no Decrypt"),
        pytest.param([made(root(A), constrained=True)], set(), id="constrained"),
        pytest.param(
            [made(root(A), frozenset({"CreateGrant"})), made(root(A), frozenset({"Decrypt"}))],
            set(),
            id="one half each: no grant serves EBS",
        ),
    ],
)
def test_who_is_granted_what_launching_needs(grants: list[Grant], expected: set[str]) -> None:
    lacking = key_access.without_access([key(*grants)], with_accounts(A))
    assert {A} - set(lacking) == expected


@pytest.mark.parametrize(
    ("keys", "shared_with", "expected"),
    [
        pytest.param([], with_accounts(A), [], id="no key"),
        pytest.param([key()], Sharing(), [], id="nobody"),
        pytest.param([key()], with_accounts(B, A), [A, B], id="accounts"),
        pytest.param([key(made(root(A)))], with_accounts(A, B), [B], id="one has a grant"),
        pytest.param([key(made(DEPLOY))], with_accounts(A), [A], id="only a role has one"),
        pytest.param([key(policy=opened_to(consumers(A)))], with_accounts(A, B), [B], id="one in the policy"),
        pytest.param(
            [key(made(root(A)), policy=opened_to(consumers(B)))], with_accounts(A, B), [], id="one each way"
        ),
        pytest.param(
            [key(made(root(A))), key()], with_accounts(A), [A], id="one of two keys is enough to fail"
        ),
        pytest.param([key(), key()], with_accounts(A), [A], id="named once"),
        pytest.param([key(policy=None)], with_accounts(A), [A], id="the policy is not known"),
        pytest.param([key(made(root(A)), policy=None)], with_accounts(A), [], id="nor needed"),
        pytest.param([key()], IN_ORG, [ORG], id="an organization"),
        pytest.param([key()], IN_UNIT, [UNIT], id="a unit"),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-a1b2c3d4e5",))))],
            IN_ORG,
            [],
            id="an organization, open",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-a1b2c3d4e5",))))],
            IN_UNIT,
            [],
            id="a unit of an organization that may",
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
            id="a unit is not its organization",
        ),
        pytest.param(
            [key(policy=opened_to(consumers(org_ids=("o-zzzzzzzzzz",))))],
            with_accounts(A),
            [],
            id="an account gets the benefit of the doubt",
        ),
        pytest.param(
            [key(), key(policy=opened_to(consumers(org_ids=("o-z",))))], with_accounts(A), [A], id="once"
        ),
    ],
)
def test_who_cannot_use_every_key(keys: list[KeySeen], shared_with: Sharing, expected: list[str]) -> None:
    assert key_access.without_access(keys, shared_with) == expected


SHARINGS = st.builds(
    Sharing,
    account_ids=st.frozensets(st.sampled_from([A, B])),
    org_arns=st.frozensets(st.sampled_from([ORG, OTHER_ORG])),
    org_unit_arns=st.frozensets(st.sampled_from([UNIT, OTHER_UNIT])),
)


@given(SHARINGS)
def test_those_to_whom_a_key_was_opened_are_never_missed(shared_with: Sharing) -> None:
    who = consumers(
        *shared_with.account_ids,
        org_ids=tuple(arn.rsplit("/", 1)[1] for arn in shared_with.org_arns),
        units=tuple(tuple(arn.split("/")[1:]) for arn in shared_with.org_unit_arns),
    )
    assert key_access.without_access([key(policy=opened_to(who))], shared_with) == []


@given(SHARINGS, st.frozensets(st.sampled_from([A, B])))
def test_more_grants_leave_fewer_without(shared_with: Sharing, accounts: frozenset[str]) -> None:
    before = key_access.without_access([key()], shared_with)
    after = key_access.without_access([key(*(made(root(item)) for item in accounts))], shared_with)
    assert after == [item for item in before if item not in accounts]


# How ami_share uses it.


def under(*keys: KeySeen, **changes: Any) -> Any:
    """A shared image under these keys."""
    image = sharing.shared(devices=volumes("snap-1", encrypted=True))
    return type(image)(image.image, image.launch, image.volumes, keys=keys, **changes)


def warned(want: Any, found: Any) -> list[str]:
    return [text for text in sharing.planned(want, found).warnings if "key" in text]


def test_whoever_cannot_launch_is_told_of() -> None:
    (text,) = warned(sharing.wanted(with_accounts(A, B)), under(key(made(root(A)))))
    assert text.startswith(f"{B} cannot use the key of {sharing.IMAGE}")
    assert "ami_kms_grant" in text


@pytest.mark.parametrize(
    ("want", "found"),
    [
        pytest.param(sharing.wanted(with_accounts(A)), under(key(made(root(A)))), id="all may"),
        pytest.param(sharing.wanted(with_accounts(A)), under(), id="not encrypted"),
        pytest.param(sharing.wanted(with_accounts(A), present=False), under(key()), id="withdrawn"),
        pytest.param(sharing.wanted(with_accounts(OWNER)), under(key()), id="the owner needs no grant"),
    ],
)
def test_nothing_is_said_where_nothing_is_wrong(want: Any, found: Any) -> None:
    assert warned(want, found) == []


def test_a_key_that_could_not_be_read_is_said() -> None:
    (text,) = warned(sharing.wanted(with_accounts(A)), under(key_problem="No. Allow it."))
    assert text.endswith("No. Allow it.")


def test_many_without_access_are_counted() -> None:
    (text,) = warned(sharing.wanted(with_accounts(*sharing.accounts(7))), under(key()))
    assert "and 2 more cannot use" in text


def test_an_image_under_a_key_of_aws_is_not_shared() -> None:
    (failure,) = sharing.planned(sharing.wanted(with_accounts(A)), under(KeySeen(DEFAULT))).refusals
    assert (failure.error_code, failure.region, failure.account_id) == ("default_key", place().region, OWNER)
    assert DEFAULT.arn in failure.message
    assert "kms_key_id" in failure.remedy


def test_an_image_under_a_key_of_aws_can_be_withdrawn() -> None:
    want = sharing.wanted(with_accounts(A, STRANGER), present=False)
    assert sharing.planned(want, under(KeySeen(DEFAULT))).refusals == ()
