# SPDX-License-Identifier: GPL-3.0-or-later

"""The statements that give access to a key, and how they are recognized in a policy."""

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
from hypothesis import given

from tests.unit.examples import ORG, OWNER
from tests.unit.examples import UNIT as UNIT_ARN
from tests.unit.keys.policies import (
    ACCESSES,
    CALLERS,
    CONSUMERS,
    DEPLOY,
    ORG_ID,
    ROOT,
    UNIT,
    A,
    B,
    access,
    consumers,
    is_named,
    own_access,
    policy_of,
)
from tests.unit.keys.policy_evaluator import rights

# EBS User Guide, "Share the KMS key used to encrypt a shared EBS snapshot", less CreateGrant.
ACTIONS = [
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
]
FOR_AWS = {"Bool": {"kms:GrantIsForAWSResource": "true"}}
IN_ORG = {"StringEquals": {"aws:PrincipalOrgID": [ORG_ID]}}
IN_UNIT = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{ORG_ID}/*/{UNIT[1]}/*"]}}


def statement(sid: str, principal: Any, actions: list[str], condition: Any = None) -> dict[str, Any]:
    whole = {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": actions,
        "Resource": "*",
    }
    return {**whole, "Condition": condition} if condition else whole


ACCOUNTS = statement("GoldenImagesAccounts", [A, B], ACTIONS)
ACCOUNTS_GRANTS = statement("GoldenImagesAccountsGrants", [A, B], ["kms:CreateGrant"], FOR_AWS)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param(access(PolicyConsumers()), [], id="no consumer"),
        pytest.param(access(consumers(B, A)), [ACCOUNTS, ACCOUNTS_GRANTS], id="accounts"),
        pytest.param(
            access(consumers(A, B), operations=OPERATIONS - {"CreateGrant"}), [ACCOUNTS], id="no CreateGrant"
        ),
        pytest.param(
            access(consumers(DEPLOY), operations=frozenset({"Decrypt"})),
            [statement("GoldenImagesAccounts", [DEPLOY], ["kms:Decrypt"])],
            id="a role",
        ),
        pytest.param(
            access(consumers(A), operations=frozenset({"CreateGrant"})),
            [statement("GoldenImagesAccountsGrants", [A], ["kms:CreateGrant"], FOR_AWS)],
            id="CreateGrant alone, no statement without actions",
        ),
        pytest.param(
            access(consumers(A, B), for_auto_scaling=True),
            [ACCOUNTS, statement("GoldenImagesAccountsGrants", [A, B], ["kms:CreateGrant"])],
            id="accounts with Auto Scaling",
        ),
        pytest.param(
            access(consumers(org_ids=(ORG_ID,))),
            [
                statement("GoldenImagesOrganizations", "*", ACTIONS, IN_ORG),
                statement("GoldenImagesOrganizationsGrants", "*", ["kms:CreateGrant"], {**IN_ORG, **FOR_AWS}),
            ],
            id="an organization",
        ),
        pytest.param(
            access(consumers(units=(UNIT,)), for_auto_scaling=True),
            [
                statement("GoldenImagesUnits", "*", ACTIONS, IN_UNIT),
                statement("GoldenImagesUnitsGrants", "*", ["kms:CreateGrant"], {**IN_UNIT, **FOR_AWS}),
            ],
            id="a unit with Auto Scaling, which is for accounts only",
        ),
    ],
)
def test_statements(wanted: PolicyAccess, expected: list[dict[str, Any]]) -> None:
    assert key_policy.statements_for(wanted) == expected


def test_each_kind_of_consumer_has_separate_statements() -> None:
    # Conditions of one statement are ANDed: combined they would match only members of all of them.
    found = key_policy.statements_for(access(consumers(A, org_ids=(ORG_ID,), units=(UNIT,))))
    assert [item["Sid"].removeprefix("GoldenImages") for item in found] == [
        "Accounts",
        "AccountsGrants",
        "Organizations",
        "OrganizationsGrants",
        "Units",
        "UnitsGrants",
    ]


@given(ACCESSES)
def test_statements_allow_exactly_the_wanted_access(wanted: PolicyAccess) -> None:
    policy = json.dumps({"Statement": key_policy.statements_for(wanted)})
    by_account = PolicyConsumers(wanted.consumers.principals)
    assert rights(policy, CALLERS) == {
        (caller, operation, for_aws)
        for caller in CALLERS
        if is_named(caller, wanted.consumers)
        for operation in wanted.operations
        for for_aws in (False, True)
        if operation != "CreateGrant" or for_aws or (wanted.for_auto_scaling and is_named(caller, by_account))
    }


@given(ACCESSES)
def test_rules_for_every_statement(wanted: PolicyAccess) -> None:
    for found in key_policy.statements_for(wanted):
        assert found["Action"]
        assert "ForAllValues" not in json.dumps(found)  # It is true where the key is absent.
        if "kms:CreateGrant" in found["Action"]:
            assert found["Action"] == ["kms:CreateGrant"]
            bound = found.get("Condition", {}).get("Bool") == {"kms:GrantIsForAWSResource": "true"}
            assert bound or (wanted.for_auto_scaling and found["Sid"] == "GoldenImagesAccountsGrants")
        if found["Principal"] == {"AWS": "*"}:
            assert {"StringEquals", "ForAnyValue:StringLike"} & found["Condition"].keys()


@given(ACCESSES)
def test_own_accesses_reads_written_statements(wanted: PolicyAccess) -> None:
    read = own_access(policy_of(*key_policy.statements_for(wanted)))
    if not wanted.consumers:
        assert read == PolicyAccess()
        return
    assert (read.consumers, read.operations) == (wanted.consumers, wanted.operations)
    bound_to_accounts = wanted.consumers.principals and "CreateGrant" in wanted.operations
    assert read.for_auto_scaling is bool(wanted.for_auto_scaling and bound_to_accounts)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        pytest.param(
            {"Sid": "GoldenImagesAccounts", "Principal": {"AWS": A}, "Action": "kms:Decrypt"},
            consumers(A),
            id="one account as a text",
        ),
        pytest.param(
            {
                "Sid": "GoldenImagesAccounts",
                "Principal": {"AWS": f"arn:aws:iam::{A}:root"},
                "Action": "kms:Decrypt",
            },
            consumers(A),
            id="an account as its root",
        ),
        pytest.param(
            {
                "Sid": "GoldenImagesAccounts",
                "Principal": {"AWS": [f"arn:aws-us-gov:iam::{A}:root", DEPLOY]},
                "Action": ["kms:Decrypt"],
            },
            consumers(A, DEPLOY),
            id="roles stay roles, whatever the partition",
        ),
        pytest.param(
            {
                "Sid": "GoldenImagesOrganizations",
                "Principal": "*",
                "Action": "kms:Decrypt",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}},
            },
            consumers(org_ids=(ORG_ID,)),
            id="one organization as a text",
        ),
        pytest.param(
            {
                "Sid": "GoldenImagesUnits",
                "Principal": {"AWS": "*"},
                "Action": "kms:Decrypt",
                "Condition": {
                    "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG_ID}/r-ab12/ou-x/{UNIT[1]}/*"}
                },
            },
            consumers(units=(UNIT,)),
            id="a unit with its whole path",
        ),
    ],
)
def test_own_accesses_of_statements_as_aws_formats_them(
    found: dict[str, Any], expected: PolicyConsumers
) -> None:
    shown = {"Effect": "Allow", "Resource": "*", **found}
    assert own_access(policy_of(shown)) == PolicyAccess(expected, frozenset({"Decrypt"}))


def test_other_statements_are_not_own() -> None:
    others = [
        {**ACCOUNTS, "Sid": "Accounts"},
        {**ACCOUNTS, "Sid": "MyGoldenImagesAccounts"},
        {key: value for key, value in ACCOUNTS.items() if key != "Sid"},
    ]
    assert key_policy.own_statements(policy_of(*others)) == []
    assert own_access(policy_of(*others)) == PolicyAccess()


SINGLE = {**ACCOUNTS, "Principal": {"AWS": [A]}, "Action": ["kms:Decrypt"]}


@pytest.mark.parametrize(
    ("shown", "wanted", "expected"),
    [
        pytest.param([], [], True, id="none"),
        pytest.param([ACCOUNTS], [ACCOUNTS], True, id="as written"),
        pytest.param([ACCOUNTS, ACCOUNTS_GRANTS], [ACCOUNTS_GRANTS, ACCOUNTS], True, id="in another order"),
        pytest.param([ROOT, ACCOUNTS], [ACCOUNTS], True, id="with statements of others"),
        pytest.param(
            [{**SINGLE, "Principal": {"AWS": A}, "Action": "kms:Decrypt"}],
            [SINGLE],
            True,
            id="one item as text",
        ),
        pytest.param(
            [{**ACCOUNTS, "Principal": {"AWS": [f"arn:aws:iam::{B}:root", f"arn:aws:iam::{A}:root"]}}],
            [ACCOUNTS],
            True,
            id="accounts as their roots, in another order",
        ),
        pytest.param(
            [{**ACCOUNTS, "Action": ACTIONS[::-1]}], [ACCOUNTS], True, id="actions in another order"
        ),
        pytest.param([], [ACCOUNTS], False, id="missing"),
        pytest.param([ACCOUNTS, ACCOUNTS_GRANTS], [ACCOUNTS], False, id="one too many"),
        pytest.param([{**ACCOUNTS, "Principal": {"AWS": [A]}}], [ACCOUNTS], False, id="an account less"),
        pytest.param([{**ACCOUNTS, "Action": ACTIONS[1:]}], [ACCOUNTS], False, id="an action less"),
        pytest.param([{**ACCOUNTS, "Effect": "Deny"}], [ACCOUNTS], False, id="denied"),
        pytest.param([{**ACCOUNTS, "Condition": FOR_AWS}], [ACCOUNTS], False, id="a condition more"),
        pytest.param(
            [{**SINGLE, "Principal": {"AWS": f"arn:aws:iam::{A}:role/root"}}], [SINGLE], False, id="a role"
        ),
        pytest.param([ACCOUNTS, ACCOUNTS], [ACCOUNTS], False, id="twice"),
    ],
)
def test_has_own_statements(
    shown: list[dict[str, Any]], wanted: list[dict[str, Any]], expected: bool
) -> None:
    assert key_policy.has_own_statements(policy_of(*shown), wanted) is expected


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        pytest.param(A, A, id="an account"),
        pytest.param(f"arn:aws:iam::{A}:root", A, id="its root"),
        pytest.param(f"arn:aws-cn:iam::{A}:root", A, id="its root in China"),
        pytest.param(DEPLOY, DEPLOY, id="a role"),
        pytest.param(f"arn:aws:iam::{A}:role/root", f"arn:aws:iam::{A}:role/root", id="a role named root"),
        pytest.param("*", "*", id="every principal"),
    ],
)
def test_short(principal: str, expected: str) -> None:
    assert key_policy.short(principal) == expected


OWNERS_ROOT = f"arn:aws:iam::{OWNER}:root"


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        pytest.param({}, True, id="the default statement"),
        pytest.param({"Principal": {"AWS": OWNER}}, True, id="the account's id"),
        pytest.param({"Principal": {"AWS": [DEPLOY, OWNERS_ROOT]}}, True, id="among others"),
        pytest.param({"Principal": {"AWS": f"arn:aws-cn:iam::{OWNER}:root"}}, True, id="in China"),
        pytest.param({"Action": ["kms:*"]}, True, id="a list of one action"),
        pytest.param({"Action": ["kms:Decrypt", "kms:*"]}, True, id="a list of actions"),
        pytest.param({"Sid": None}, True, id="no Sid"),
        pytest.param({"Effect": "Deny"}, False, id="denied"),
        pytest.param({"Action": "kms:Decrypt"}, False, id="one operation"),
        pytest.param({"Action": ["kms:Create*", "kms:Put*"]}, False, id="wildcards of some operations"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{A}:root"}}, False, id="another account"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{OWNER}:role/admin"}}, False, id="a role of it"),
        pytest.param({"Principal": {"Service": "ec2.amazonaws.com"}}, False, id="a service"),
        pytest.param(
            {"Condition": {"Bool": {"aws:MultiFactorAuthPresent": "true"}}}, False, id="a condition"
        ),
    ],
)
def test_keeps_root(changes: dict[str, Any], kept: bool) -> None:
    found = {key: value for key, value in {**ROOT, **changes}.items() if value is not None}
    for statements in (found, [found], [ACCOUNTS, found]):
        assert key_policy.keeps_root(json.dumps({"Statement": statements}), OWNER) is kept


def test_keeps_root_needs_one_statement() -> None:
    halves = [{**ROOT, "Action": "kms:Decrypt"}, {**ROOT, "Principal": {"AWS": A}}]
    assert not key_policy.keeps_root(json.dumps({"Statement": halves}), OWNER)


def test_ids_of_arns() -> None:
    assert key_policy.organization_id(ORG) == ORG_ID
    assert key_policy.unit_ids(UNIT_ARN) == UNIT


@given(CONSUMERS, CONSUMERS)
def test_sums_and_differences_of_consumers(one: PolicyConsumers, other: PolicyConsumers) -> None:
    assert (one | other) - other == one - other
    assert one - one == PolicyConsumers()
    assert (one | other) - (other - one) == one
    assert bool(one) is (one != PolicyConsumers())


@given(ACCESSES, ACCESSES)
def test_with_access_removes_nothing(one: PolicyAccess, other: PolicyAccess) -> None:
    held = policy_of(*key_policy.statements_for(one))
    both = key_policy.with_access(key_policy.own_accesses(held), other)
    before = rights(held, CALLERS)
    after = rights(policy_of(*key_policy.statements_for(*both)), CALLERS)
    assert before <= after


def test_with_access_of_no_consumer() -> None:
    one = access(consumers(A), operations=frozenset({"Decrypt"}))
    assert key_policy.with_access([one], access(PolicyConsumers(), for_auto_scaling=True)) == (one,)


def test_policy_without_statements_is_an_error() -> None:
    with pytest.raises(ValueError, match="no statements"):
        key_policy.own_statements('{"Version": "2012-10-17", "Id": {"Statement": []}}')


def test_without_consumers() -> None:
    held = (access(consumers(A, DEPLOY)), access(consumers(B, org_ids=(ORG_ID,), units=(UNIT,))))
    assert key_policy.without_consumers(held, consumers(A, B, org_ids=(ORG_ID,))) == (
        access(consumers(DEPLOY)),
        access(consumers(units=(UNIT,))),
    )


@pytest.mark.parametrize(
    ("sid", "own"),
    [("GoldenImagesAccounts", True), ("GoldenImagesUnits2Grants", True), ("GoldenImagesOther", False)],
)
def test_is_own(sid: str, own: bool) -> None:
    assert key_policy.is_own({"Sid": sid}) is own
    assert key_policy.is_own({"Effect": "Allow"}) is False


FULL_PATH = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG_ID}/r-ab12/{UNIT[1]}/*"}}


@given(ACCESSES)
def test_all_written_statements_have_the_own_form(wanted: PolicyAccess) -> None:
    statements = key_policy.statements_for(wanted)
    assert all(map(key_policy.has_own_form, statements))
    assert key_policy.accesses_in_own_form(policy_of(*statements)) == key_policy.own_accesses(
        policy_of(*statements)
    )


@pytest.mark.parametrize(
    ("changes", "own"),
    [
        pytest.param({}, True, id="as written"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{A}:root"}}, True, id="as AWS formats it"),
        pytest.param({"Condition": FOR_AWS}, True, id="only for AWS services"),
        pytest.param({"Sid": "Theirs"}, False, id="another Sid"),
        pytest.param({"Effect": "Deny"}, False, id="denied"),
        pytest.param({"Principal": "*"}, False, id="everyone"),
        pytest.param({"Principal": {"AWS": [A, "*"]}}, False, id="everyone and an account"),
        pytest.param({"Principal": {"AWS": A, "Service": "ec2.amazonaws.com"}}, False, id="a service, too"),
        pytest.param({"Condition": {"Bool": {"aws:SecureTransport": "true"}}}, False, id="another condition"),
        pytest.param(
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": A}}},
            False,
            id="an account by condition",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}}},
            True,
            id="an organization",
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}}},
            False,
            id="an account in an organization",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": ORG_ID}}},
            False,
            id="another operator",
        ),
        pytest.param({"Principal": "*", "Condition": FULL_PATH}, False, id="a whole path"),
    ],
)
def test_has_own_form(changes: dict[str, Any], own: bool) -> None:
    statement = {**ACCOUNTS, "Principal": {"AWS": [A]}, **changes}
    assert key_policy.has_own_form(statement) is own
    assert bool(key_policy.accesses_in_own_form(policy_of(statement))) is own


@pytest.mark.parametrize(
    ("principal", "named"),
    [
        ("*", ["*"]),
        ({"AWS": A}, [A]),
        ({"AWS": [A, "*"], "Service": "ec2.amazonaws.com"}, [A, "*"]),
        ({"Service": "ec2.amazonaws.com"}, []),
    ],
)
def test_aws_principals(principal: Any, named: list[str]) -> None:
    assert key_policy.aws_principals({"Principal": principal}) == named
    assert key_policy.aws_principals({"NotPrincipal": principal}) == []


def test_denying_sids() -> None:
    deny = [{**ACCOUNTS, "Effect": "Deny", "Sid": f"GoldenImages{name}"} for name in ("Units", "Accounts2")]
    others = {**ACCOUNTS, "Effect": "Deny", "Sid": "Theirs"}
    assert key_policy.denying_sids(policy_of(*deny, others)) == ["GoldenImagesAccounts2", "GoldenImagesUnits"]
    assert key_policy.denying_sids(policy_of(ACCOUNTS, others)) == []


def test_with_own_statements() -> None:
    policy = policy_of(ACCOUNTS)
    written = json.loads(key_policy.with_own_statements(policy, [ACCOUNTS_GRANTS]))
    assert written == {**json.loads(policy), "Statement": [ROOT, ACCOUNTS_GRANTS]}
    assert key_policy.with_own_statements(policy_of(), []) == policy_of()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (f"{ORG_ID}/*/{UNIT[1]}/*", UNIT),
        (f"{ORG_ID}/r-ab12/ou-x/{UNIT[1]}/*", UNIT),
        (f"{ORG_ID}/*", None),
        (f"{ORG_ID}/*/{UNIT[1]}/", None),
        ("*", None),
    ],
)
def test_unit_of_path(path: str, expected: tuple[str, str] | None) -> None:
    assert key_policy.unit_of_path(path) == expected


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        pytest.param({}, [], id="valid"),
        pytest.param({"Action": None, "NotAction": "kms:PutKeyPolicy"}, [], id="NotAction"),
        pytest.param({"Principal": {"AWS": f"arn:aws:iam::{A}:role/AROAROLE"}}, [], id="a role's name"),
        pytest.param(
            {"Principal": {"AWS": [DEPLOY, "AROAEXAMPLEID"]}},
            ["the statement Other names the deleted principal AROAEXAMPLEID"],
            id="a deleted role",
        ),
        pytest.param(
            {"Sid": None, "Principal": {"AWS": "AIDAEXAMPLEID"}},
            ["statement number 2 names the deleted principal AIDAEXAMPLEID"],
            id="a deleted user, without a Sid",
        ),
        pytest.param({"Action": None}, ["the statement Other has no Action"], id="no Action"),
        pytest.param(
            {"Action": None, "Resource": None},
            ["the statement Other has no Action and has no Resource"],
            id="neither Action nor Resource",
        ),
    ],
)
def test_statements_with_which_a_policy_cannot_be_written(
    changes: dict[str, Any], reasons: list[str]
) -> None:
    """(AWS re:Post Knowledge Center, kms-policy-error-invalid-principals.)"""
    whole = {**statement("Other", DEPLOY, ["kms:Decrypt"]), **changes}
    policy = policy_of({key: value for key, value in whole.items() if value is not None})
    assert key_policy.invalid_statements(policy) == reasons
