# SPDX-License-Identifier: GPL-3.0-or-later

"""What a key policy says of somebody of whom little is known: yes, no, or that it cannot be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys import policy_evaluation as key_reading
from ansible_collections.golden.images.plugins.module_utils.keys.access import Access, access
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.keys.policy_evaluation import (
    Consumer,
    Request,
    Truth,
    Word,
    word,
)
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import (
    CALLERS,
    DEPLOY,
    ORG_ID,
    OTHER_ORG_ID,
    ROOT,
    UNIT,
    A,
    B,
    consumers,
    opened_to,
    policy_of,
)
from tests.unit.keys.policy_evaluator import rights
from tests.unit.kms_grant.examples import made, root

KEY = key_arn("golden")
ACCOUNT = Consumer(account_id=A)
ORG = Consumer(org_id=ORG_ID)
IN_UNIT = Consumer(None, *UNIT)
VIA_EC2 = {"StringEquals": {"kms:ViaService": "ec2.eu-west-1.amazonaws.com"}}
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
IN_ORG = {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}}
BELOW = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{ORG_ID}/*/{UNIT[1]}/*"]}}


def statement(effect: str = "Allow", /, **changes: Any) -> dict[str, Any]:
    """A statement that lets an account do everything; what is None is left out."""
    whole = {
        "Effect": effect,
        "Principal": {"AWS": root(A)},
        "Action": "kms:*",
        "Resource": "*",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def asked(
    *statements: Mapping[str, Any],
    consumer: Consumer = ACCOUNT,
    operation: str = "Decrypt",
    through_ec2: bool = True,
) -> Word:
    """What a policy of these statements says of the request."""
    return word(json.dumps({"Statement": list(statements)}), Request(consumer, operation, KEY, through_ec2))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"Action": "*"}, True, id="everything of all services"),
        pytest.param({"Action": "kms:Decrypt*"}, True, id="a wildcard"),
        pytest.param({"Action": "KMS:decrypt"}, True, id="whatever the case"),
        pytest.param({"Action": ["kms:Encrypt", "kms:De?rypt"]}, True, id="one of several"),
        pytest.param({"Action": "kms:ReEncrypt*"}, False, id="other operations"),
        pytest.param({"Action": "kms:GenerateDataKey*"}, False, id="a wildcard for others"),
        pytest.param({"Action": None, "NotAction": "kms:Put*"}, True, id="all but some"),
        pytest.param({"Action": None, "NotAction": "kms:De*"}, False, id="all but this"),
        pytest.param({"Principal": {"AWS": A}}, True, id="by id"),
        pytest.param({"Principal": {"AWS": [root(B), root(A)]}}, True, id="among others"),
        pytest.param({"Principal": {"AWS": root(B)}}, False, id="another account"),
        pytest.param({"Principal": {"AWS": DEPLOY}}, False, id="one role is not its account"),
        pytest.param({"Principal": {"AWS": "AROAEXAMPLE"}}, False, id="somebody deleted"),
        pytest.param({"Principal": "*"}, True, id="everybody"),
        pytest.param({"Principal": {"AWS": "*"}}, True, id="every AWS principal"),
        pytest.param({"Principal": {"Service": "ec2.amazonaws.com"}}, False, id="a service"),
        pytest.param({"Principal": None, "NotPrincipal": {"AWS": root(B)}}, None, id="all but somebody"),
        pytest.param({"Resource": KEY}, True, id="this key"),
        pytest.param({"Resource": key_arn("other")}, False, id="another key"),
        pytest.param({"Resource": None, "NotResource": KEY}, None, id="all but a key"),
        pytest.param({"Condition": VIA_EC2}, True, id="through EC2"),
        pytest.param(
            {"Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}}, True, id="EC2 anywhere"
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
            False,
            id="through another service",
        ),
        pytest.param(
            {"Condition": {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}}},
            True,
            id="not through another service",
        ),
        pytest.param({"Condition": {"StringEquals": {"kms:CallerAccount": [B, A]}}}, True, id="the caller"),
        pytest.param({"Condition": {"StringEquals": {"KMS:callerAccount": B}}}, False, id="another caller"),
        pytest.param(
            {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": A}}}, False, id="not the caller"
        ),
        pytest.param({"Condition": FOR_AWS}, False, id="only CreateGrant is for an AWS resource"),
        pytest.param({"Principal": "*", "Condition": IN_ORG}, None, id="whoever is in an organization"),
        pytest.param({"Principal": "*", "Condition": BELOW}, None, id="whoever is in a unit"),
        pytest.param(
            {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, None, id="an unknown operator"
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, None, id="an unknown key"
        ),
        pytest.param(
            {"Action": "kms:Decrypt", "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}},
            True,
            id="a key that there is not, if it need not exist",
        ),
        pytest.param(
            {"Condition": {"ForAnyValue:StringNotEquals": {"kms:GrantIsForAWSResource": "true"}}},
            False,
            id="any value of a key that there is not",
        ),
        pytest.param(
            {"Condition": {"ForAllValues:StringEquals": {"kms:GrantIsForAWSResource": "true"}}},
            True,
            id="all values of a key that there is not",
        ),
        pytest.param(
            {"Condition": {"StringLike": {"kms:CallerAccount": "${aws:PrincipalTag/a}"}}},
            None,
            id="a policy variable",
        ),
        pytest.param(
            {"Condition": {**VIA_EC2, "Null": {"aws:MultiFactorAuthAge": "false"}}},
            None,
            id="one of two unknown",
        ),
        pytest.param(
            {"Action": "kms:Encrypt", "Condition": {"Null": {"aws:MultiFactorAuthAge": "false"}}},
            False,
            id="not about it, whatever the condition",
        ),
    ],
)
def test_what_a_statement_allows_an_account(changes: dict[str, Any], expected: Truth) -> None:
    assert asked(statement(**changes)) == Word(expected, denies=False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"Principal": "*", "Action": "kms:Decrypt"}, True, id="everybody"),
        pytest.param({"Action": "kms:PutKeyPolicy"}, False, id="something else"),
        pytest.param({"Principal": {"AWS": root(B)}}, False, id="somebody else"),
        pytest.param({"Principal": {"AWS": DEPLOY}}, None, id="a role of the account"),
        pytest.param(
            {"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ORG_ID}}},
            None,
            id="whoever is not in an organization",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringNotLike": {"kms:ViaService": "ec2.*"}}},
            False,
            id="whatever does not come through EC2",
        ),
    ],
)
def test_what_a_statement_denies_an_account(changes: dict[str, Any], expected: Truth) -> None:
    assert asked(statement("Deny", **changes)) == Word(allows=False, denies=expected)


@pytest.mark.parametrize(
    ("consumer", "changes", "expected"),
    [
        pytest.param(ORG, {"Principal": "*", "Condition": IN_ORG}, True, id="an organization"),
        pytest.param(
            ORG,
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": OTHER_ORG_ID}}},
            False,
            id="another one",
        ),
        pytest.param(ORG, {"Principal": "*", "Condition": BELOW}, False, id="a unit is not all of it"),
        pytest.param(ORG, {}, False, id="an account is not all of it"),
        pytest.param(IN_UNIT, {"Principal": "*", "Condition": IN_ORG}, True, id="a unit's organization"),
        pytest.param(IN_UNIT, {"Principal": "*", "Condition": BELOW}, True, id="a unit"),
        pytest.param(
            IN_UNIT,
            {
                "Principal": "*",
                "Condition": {"ForAnyValue:StringEquals": BELOW["ForAnyValue:StringLike"]},
            },
            None,
            id="a wildcard that is none",
        ),
        pytest.param(
            IN_UNIT,
            {
                "Principal": "*",
                "Condition": {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG_ID}/*"}},
            },
            True,
            id="all paths of its organization",
        ),
    ],
)
def test_what_a_statement_allows_many(consumer: Consumer, changes: dict[str, Any], expected: Truth) -> None:
    assert asked(statement(**changes), consumer=consumer).allows is expected


MEMBER = Consumer(A, *UNIT)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(IN_ORG, True, id="its organization"),
        pytest.param({"StringEquals": {"aws:PrincipalOrgID": OTHER_ORG_ID}}, False, id="another one"),
        pytest.param(BELOW, True, id="its unit"),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG_ID}/*/ou-ab12-22222222/*"}},
            None,
            id="a unit that may be in its unit",
        ),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{OTHER_ORG_ID}/*"}},
            False,
            id="a path of another organization",
        ),
        *(
            pytest.param(
                {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": path}}, expected, id=f"paths {path}"
            )
            for path, expected in {"o-*": None, f"{ORG_ID}*": None, "o-?*/*": None, "o-z*": False}.items()
        ),
    ],
)
def test_what_an_account_is_allowed_of_which_it_is_known_where_it_is(
    condition: dict[str, Any], expected: Truth
) -> None:
    found = asked(statement(Principal="*", Condition=condition), consumer=MEMBER)
    assert found.allows is expected


def test_a_part_that_is_denied_may_matter() -> None:
    assert asked(statement("Deny"), consumer=ORG).denies is None


@pytest.mark.parametrize(
    ("operation", "condition", "directly"),
    [("CreateGrant", FOR_AWS, False), ("Decrypt", VIA_EC2, False), ("CreateGrant", {}, True)],
)
def test_what_ec2_may_ask_for_a_consumer_may_not_itself(
    operation: str, condition: dict[str, Any], directly: bool
) -> None:
    given_ = statement(Condition=condition)
    assert asked(given_, operation=operation).allows is True
    assert asked(given_, operation=operation, through_ec2=False).allows is directly


def test_roles_that_are_named_are_told() -> None:
    policy = policy_of(statement(Principal={"AWS": [DEPLOY, root(B)]}))
    assert key_reading.principals_within(policy, A) == {DEPLOY}
    assert key_reading.principals_within(policy, B) == set()


# Grants and policy together.

GRANT = made(root(A))
DENY = statement("Deny", Principal="*", Action="kms:Decrypt")
MAYBE = statement("Deny", Principal="*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})


@pytest.mark.parametrize(
    ("grants", "policy", "expected"),
    [
        pytest.param([], policy_of(), Access.DENIED, id="nothing"),
        pytest.param([], None, Access.DENIED, id="a policy that was not read says nothing"),
        pytest.param([GRANT], policy_of(), Access.ALLOWED, id="a grant"),
        pytest.param([GRANT], policy_of(DENY), Access.DENIED, id="a denial goes before a grant"),
        pytest.param([GRANT], policy_of(MAYBE), Access.UNKNOWN, id="a grant, perhaps denied"),
        pytest.param([], policy_of(statement()), Access.ALLOWED, id="the policy"),
        pytest.param([], policy_of(statement(), DENY), Access.DENIED, id="a denial goes before the policy"),
        pytest.param(
            [], policy_of(statement(Principal="*", Condition=IN_ORG)), Access.UNKNOWN, id="an organization"
        ),
        pytest.param([made(DEPLOY)], policy_of(), Access.DENIED, id="a grant to one role"),
    ],
)
def test_grants_and_policy_together(grants: list[Grant], policy: str | None, expected: Access) -> None:
    assert access(KeySeen(Key(KEY), tuple(grants), policy), ACCOUNT, "Decrypt") is expected


EFFECTS = st.sampled_from(["Allow", "Allow", "Deny"])
WHO = st.sampled_from(
    ["*", {"AWS": "*"}, {"AWS": root(A)}, {"AWS": [A, root(B)]}, {"AWS": DEPLOY}, {"AWS": root(B)}]
)
STATEMENTS = st.builds(
    statement,
    EFFECTS,
    Principal=WHO,
    Action=st.sampled_from(["kms:*", "kms:Decrypt", ["kms:CreateGrant", "kms:Re*"], "kms:Encrypt"]),
    Condition=st.sampled_from([{}, IN_ORG, BELOW]),
) | st.builds(
    statement,
    EFFECTS,
    Principal=WHO,
    Action=st.just("kms:CreateGrant"),
    Condition=st.sampled_from([FOR_AWS, {**IN_ORG, **FOR_AWS}]),
)


@given(st.lists(STATEMENTS, max_size=4), st.sampled_from(sorted(OPERATIONS)), st.booleans())
def test_nobody_is_told_a_false_yes_or_a_false_no(
    statements: list[dict[str, Any]], operation: str, through_ec2: bool
) -> None:
    policy = policy_of(*statements)
    may = rights(policy, CALLERS)
    for account_id in (A, B):
        of_account = [caller for caller in CALLERS if caller.account_id == account_id]
        held = {(caller, operation, through_ec2) in may for caller in of_account}
        found = access(KeySeen(Key(KEY), (), policy), Consumer(account_id=account_id), operation, through_ec2)
        if found is Access.ALLOWED:
            assert held == {True}
        elif found is Access.DENIED:
            # Where only one role is let in, the account as a whole is not.
            assert False in held


@given(st.frozensets(st.sampled_from([A, B]), min_size=1))
def test_what_this_collection_writes_is_understood(accounts: frozenset[str]) -> None:
    key = KeySeen(Key(KEY), (), opened_to(consumers(*accounts)))
    for account_id in (A, B):
        expected = Access.ALLOWED if account_id in accounts else Access.DENIED
        assert {access(key, Consumer(account_id=account_id), item) for item in OPERATIONS} == {expected}


def test_the_owners_statement_is_nobody_elses() -> None:
    assert asked(ROOT).allows is False
