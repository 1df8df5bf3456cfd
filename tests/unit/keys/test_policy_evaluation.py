# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether a key policy allows or denies a consumer's request, or whether that is undetermined."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys.access import Access, access
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._keys.policy_evaluation import (
    Consumer,
    PolicyDecision,
    Request,
    Truth,
    allow_statements,
    evaluate,
    may_allow_in_account,
    may_apply_to_one_only,
    operations_of,
    principals_in_account,
)
from ansible_collections.golden.images.plugins.module_utils._model import Grant, Key, KeyState
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
SOURCE = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
IN_ORG = {"StringEquals": {"aws:PrincipalOrgID": ORG_ID}}
BELOW = {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": [f"{ORG_ID}/*/{UNIT[1]}/*"]}}


def statement(effect: str = "Allow", /, **changes: Any) -> dict[str, Any]:
    """A statement that allows an account every operation; elements that are None are left out."""
    whole = {
        "Effect": effect,
        "Principal": {"AWS": root(A)},
        "Action": "kms:*",
        "Resource": "*",
        **changes,
    }
    return {name: value for name, value in whole.items() if value is not None}


def decision(
    *statements: Mapping[str, Any],
    consumer: Consumer = ACCOUNT,
    operation: str = "Decrypt",
    through_ec2: bool = True,
) -> PolicyDecision:
    """The decision of a policy of these statements on the request."""
    request = Request(consumer, operation, KEY, through_ec2)
    return evaluate(json.dumps({"Statement": list(statements)}), request)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"Action": "*"}, True, id="everything of all services"),
        pytest.param({"Action": "kms:Decrypt*"}, True, id="a wildcard"),
        pytest.param({"Action": "KMS:decrypt"}, True, id="another case"),
        pytest.param({"Action": ["kms:Encrypt", "kms:De?rypt"]}, True, id="one of several"),
        pytest.param({"Action": "kms:ReEncrypt*"}, False, id="other operations"),
        pytest.param({"Action": "kms:GenerateDataKey*"}, False, id="a wildcard for others"),
        pytest.param({"Action": None, "NotAction": "kms:Put*"}, True, id="NotAction of others"),
        pytest.param({"Action": None, "NotAction": "kms:De*"}, False, id="NotAction of this"),
        pytest.param({"Principal": {"AWS": A}}, True, id="by id"),
        pytest.param({"Principal": {"AWS": [root(B), root(A)]}}, True, id="among others"),
        pytest.param({"Principal": {"AWS": root(B)}}, False, id="another account"),
        pytest.param({"Principal": {"AWS": DEPLOY}}, False, id="one role, not its account"),
        pytest.param({"Principal": {"AWS": "AROAEXAMPLE"}}, False, id="a deleted role"),
        pytest.param({"Principal": "*"}, True, id="every principal"),
        pytest.param({"Principal": {"AWS": "*"}}, True, id="every AWS principal"),
        pytest.param({"Principal": {"Service": "ec2.amazonaws.com"}}, False, id="a service"),
        pytest.param({"Principal": None, "NotPrincipal": {"AWS": root(B)}}, None, id="NotPrincipal"),
        pytest.param({"Resource": KEY}, True, id="this key"),
        pytest.param({"Resource": key_arn("other")}, False, id="another key"),
        pytest.param({"Resource": None, "NotResource": KEY}, None, id="NotResource"),
        pytest.param({"Resource": None}, False, id="no Resource: without effect"),
        pytest.param({"Condition": VIA_EC2}, True, id="through EC2 in this region"),
        pytest.param(
            {"Condition": {"StringLike": {"kms:ViaService": "ec2.*.amazonaws.com"}}},
            True,
            id="through EC2 in any region",
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
        pytest.param(
            {"Condition": {"StringEquals": {"kms:CallerAccount": [B, A]}}}, True, id="the caller's account"
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"KMS:callerAccount": B}}}, False, id="another caller's account"
        ),
        pytest.param(
            {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": A}}},
            False,
            id="not the caller's account",
        ),
        pytest.param({"Condition": FOR_AWS}, False, id="GrantIsForAWSResource without CreateGrant"),
        pytest.param({"Principal": "*", "Condition": IN_ORG}, None, id="members of an organization"),
        pytest.param({"Principal": "*", "Condition": BELOW}, None, id="members of a unit"),
        pytest.param(
            {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, None, id="an unknown operator"
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}}, None, id="an unknown key"
        ),
        pytest.param(
            {"Action": "kms:Decrypt", "Condition": {"BoolIfExists": {"kms:GrantIsForAWSResource": "true"}}},
            True,
            id="IfExists, condition key absent",
        ),
        pytest.param(
            {"Condition": {"ForAnyValue:StringNotEquals": {"kms:GrantIsForAWSResource": "true"}}},
            False,
            id="ForAnyValue, condition key absent",
        ),
        pytest.param(
            {"Condition": {"ForAllValues:StringEquals": {"kms:GrantIsForAWSResource": "true"}}},
            True,
            id="ForAllValues, condition key absent",
        ),
        pytest.param(
            {"Condition": {"StringLike": {"kms:CallerAccount": "${aws:PrincipalTag/a}"}}},
            None,
            id="a policy variable",
        ),
        pytest.param(
            {"Condition": {**VIA_EC2, "Null": {"aws:MultiFactorAuthAge": "false"}}},
            None,
            id="one of two conditions unknown",
        ),
        pytest.param(
            {"Action": "kms:Encrypt", "Condition": {"Null": {"aws:MultiFactorAuthAge": "false"}}},
            False,
            id="another operation, unknown condition",
        ),
    ],
)
def test_allows_account(changes: dict[str, Any], expected: Truth) -> None:
    assert decision(statement(**changes)) == PolicyDecision(expected, denies=False)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, True, id="everything"),
        pytest.param({"Principal": "*", "Action": "kms:Decrypt"}, True, id="every principal"),
        pytest.param({"Action": "kms:PutKeyPolicy"}, False, id="another operation"),
        pytest.param({"Principal": {"AWS": root(B)}}, False, id="another account"),
        pytest.param({"Principal": {"AWS": DEPLOY}}, None, id="a role of the account"),
        pytest.param(
            {"Principal": "*", "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ORG_ID}}},
            None,
            id="accounts outside an organization",
        ),
        pytest.param(
            {"Principal": "*", "Condition": {"StringNotLike": {"kms:ViaService": "ec2.*"}}},
            False,
            id="requests not through EC2",
        ),
    ],
)
def test_denies_account(changes: dict[str, Any], expected: Truth) -> None:
    assert decision(statement("Deny", **changes)) == PolicyDecision(allows=False, denies=expected)


@pytest.mark.parametrize(
    ("consumer", "changes", "expected"),
    [
        pytest.param(ORG, {"Principal": "*", "Condition": IN_ORG}, True, id="the organization"),
        pytest.param(
            ORG,
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": OTHER_ORG_ID}}},
            False,
            id="another organization",
        ),
        pytest.param(
            ORG, {"Principal": "*", "Condition": BELOW}, False, id="a unit, not the whole organization"
        ),
        pytest.param(ORG, {}, False, id="an account, not the whole organization"),
        pytest.param(IN_UNIT, {"Principal": "*", "Condition": IN_ORG}, True, id="the unit's organization"),
        pytest.param(IN_UNIT, {"Principal": "*", "Condition": BELOW}, True, id="the unit"),
        pytest.param(
            IN_UNIT,
            {
                "Principal": "*",
                "Condition": {"ForAnyValue:StringEquals": BELOW["ForAnyValue:StringLike"]},
            },
            None,
            id="a wildcard with StringEquals",
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
def test_allows_organization_or_unit(consumer: Consumer, changes: dict[str, Any], expected: Truth) -> None:
    assert decision(statement(**changes), consumer=consumer).allows is expected


MEMBER = Consumer(A, *UNIT)


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param(IN_ORG, True, id="its own organization"),
        pytest.param(
            {"StringEquals": {"aws:PrincipalOrgID": OTHER_ORG_ID}}, False, id="another organization"
        ),
        pytest.param(BELOW, True, id="its own unit"),
        pytest.param(
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORG_ID}/*/ou-ab12-22222222/*"}},
            None,
            id="a unit that may be inside its own",
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
def test_allows_account_in_a_known_organization_and_unit(condition: dict[str, Any], expected: Truth) -> None:
    found = decision(statement(Principal="*", Condition=condition), consumer=MEMBER)
    assert found.allows is expected


def test_deny_for_one_account_of_an_organization_is_undetermined() -> None:
    assert decision(statement("Deny"), consumer=ORG).denies is None


@pytest.mark.parametrize(
    ("operation", "condition", "directly"),
    [("CreateGrant", FOR_AWS, False), ("Decrypt", VIA_EC2, False), ("CreateGrant", {}, True)],
)
def test_operations_that_are_allowed_through_ec2_only(
    operation: str, condition: dict[str, Any], directly: bool
) -> None:
    allowing = statement(Condition=condition)
    assert decision(allowing, operation=operation).allows is True
    assert decision(allowing, operation=operation, through_ec2=False).allows is directly


def one_only(*statements: Mapping[str, Any], effect: str = "Allow", through_ec2: bool = False) -> bool:
    """Whether a statement may apply to this request, and not to the one that is made the other way."""
    request, other = (
        Request(ACCOUNT, "CreateGrant", KEY, through) for through in (through_ec2, not through_ec2)
    )
    return may_apply_to_one_only(policy_of(*statements), effect, request, other)


@pytest.mark.parametrize("service", ["ec2.cn-north-1.amazonaws.com.cn", "s3.cn-north-1.amazonaws.com.cn"])
@pytest.mark.parametrize("partition", ["aws-cn", "aws-eusc"])
def test_the_names_of_services_in_other_partitions_are_unknown(partition: str, service: str) -> None:
    """No page has the value of kms:ViaService there (KMS Developer Guide, "kms:ViaService")."""
    key = KEY.replace("arn:aws:", f"arn:{partition}:")
    principal = {"AWS": root(A).replace("arn:aws:", f"arn:{partition}:")}
    condition = {"StringEquals": {"kms:ViaService": service}}
    for effect, through_ec2, expected in (
        ("Allow", True, None),
        ("Deny", True, None),
        ("Allow", False, False),
    ):
        policy = {"Statement": [statement(effect, Principal=principal, Condition=condition)]}
        found = evaluate(json.dumps(policy), Request(ACCOUNT, "Decrypt", key, through_ec2))
        assert (found.allows if effect == "Allow" else found.denies) is expected


@pytest.mark.parametrize(
    ("condition", "directly", "through_ec2"),
    [
        pytest.param({}, False, False, id="none"),
        pytest.param(VIA_EC2, False, True, id="through EC2"),
        pytest.param(FOR_AWS, False, True, id="for an AWS resource"),
        pytest.param(
            {"StringNotEquals": {"kms:ViaService": "s3.eu-west-1.amazonaws.com"}},
            False,
            False,
            id="not through another service",
        ),
        *(
            pytest.param({"StringEquals": {key: "x"}}, True, True, id=key)
            for key in (
                *("aws:SourceIp", "aws:VpcSourceIp", "aws:SourceVpc", "aws:SourceVpce", "aws:ViaAWSService"),
                *("aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:UserAgent"),
                *("kms:EncryptionContext:team", "kms:EncryptionContextKeys", "kms:GranteePrincipal"),
                *("kms:GrantOperations", "kms:GrantConstraintType", "aws:CurrentTime"),
            )
        ),
        *(
            pytest.param({"StringEquals": {key: "x"}}, False, False, id=key)
            for key in (
                *("aws:PrincipalArn", "aws:PrincipalTag/team", "aws:principalorgid", "aws:PrincipalOrgPaths"),
                *("aws:PrincipalType", "aws:userid", "aws:username", "aws:ResourceTag/team"),
                *("aws:SecureTransport", "aws:RequestedRegion", "kms:KeyOrigin", "kms:ResourceAliases"),
            )
        ),
        pytest.param(
            {"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, False, False, id="a variable"
        ),
        pytest.param(
            {"StringEquals": {"aws:PrincipalTag/ip": "${aws:SourceIp, 'none'}"}},
            True,
            True,
            id="a variable of the call",
        ),
        pytest.param(
            {"StringEquals": {"aws:SourceVpce": "vpce-1", "kms:CallerAccount": B}},
            False,
            False,
            id="of another account",
        ),
        pytest.param({**VIA_EC2, **SOURCE}, False, True, id="through EC2 from an address"),
    ],
)
def test_conditions_that_may_hold_in_one_call_only(
    condition: dict[str, Any], directly: bool, through_ec2: bool
) -> None:
    for effect in ("Allow", "Deny"):
        conditional = statement(effect, Principal="*", Condition=condition)
        assert one_only(conditional, effect=effect) is directly
        assert one_only(conditional, effect=effect, through_ec2=True) is through_ec2
        other = "Deny" if effect == "Allow" else "Allow"
        assert not one_only(conditional, effect=other)


def test_a_statement_about_one_role_may_apply_to_one_call_only() -> None:
    of_role = statement(Principal={"AWS": DEPLOY}, Condition=SOURCE)
    assert one_only(statement(), of_role)
    assert not one_only({**of_role, "Principal": {"AWS": root(B)}})
    assert not one_only({**of_role, "Action": "kms:Decrypt"})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"Principal": {"AWS": DEPLOY}}, True),
        ({"Principal": {"AWS": DEPLOY}, "Effect": "Deny"}, False),
        ({"Principal": {"AWS": DEPLOY}, "Action": "kms:CreateGrant"}, False),
        ({"Principal": {"AWS": root(B)}}, False),
    ],
)
def test_an_account_may_be_allowed_through_one_of_its_roles(changes: dict[str, Any], expected: bool) -> None:
    policy = policy_of(statement(**changes))
    assert may_allow_in_account(policy, Request(ACCOUNT, "Decrypt", KEY)) is expected


def test_principals_in_account() -> None:
    policy = policy_of(statement(Principal={"AWS": [DEPLOY, root(B)]}))
    assert principals_in_account(policy, A) == {DEPLOY}
    assert principals_in_account(policy, B) == set()


def test_allow_statements_of_a_key() -> None:
    here, unknown = statement(Resource=KEY), statement(Resource=None, NotResource=key_arn("other"))
    elsewhere, denying = statement(Resource=key_arn("other")), statement("Deny")
    policy = json.dumps({"Statement": [here, elsewhere, unknown, denying]})
    assert allow_statements(policy, KEY) == [here, unknown]


def test_operations_of_a_statement() -> None:
    assert operations_of(statement(Action="kms:De*"), ["Decrypt", "DescribeKey", "Encrypt"]) == {
        "Decrypt",
        "DescribeKey",
    }
    assert operations_of(statement(Action=None, NotAction="kms:De*"), ["Decrypt", "Encrypt"]) == {"Encrypt"}


# Grants and policies combined.

GRANT = made(root(A))
DENY = statement("Deny", Principal="*", Action="kms:Decrypt")
MAYBE = statement("Deny", Principal="*", Condition={"StringEquals": {"aws:SourceVpce": "vpce-1"}})


@pytest.mark.parametrize(
    ("grants", "policy", "expected"),
    [
        pytest.param([], policy_of(), Access.DENIED, id="no grant and no statement"),
        pytest.param([], None, Access.DENIED, id="policy not read"),
        pytest.param([GRANT], policy_of(), Access.ALLOWED, id="a grant"),
        pytest.param([GRANT], policy_of(DENY), Access.DENIED, id="a deny overrides a grant"),
        pytest.param([GRANT], policy_of(MAYBE), Access.UNKNOWN, id="a grant and an undetermined deny"),
        pytest.param([], policy_of(statement()), Access.ALLOWED, id="an allow in the policy"),
        pytest.param([], policy_of(statement(), DENY), Access.DENIED, id="a deny overrides an allow"),
        pytest.param(
            [], policy_of(statement(Principal="*", Condition=IN_ORG)), Access.UNKNOWN, id="an organization"
        ),
        pytest.param([made(DEPLOY)], policy_of(), Access.DENIED, id="a grant to one role"),
    ],
)
def test_access_by_grants_and_policy(grants: list[Grant], policy: str | None, expected: Access) -> None:
    assert access(KeyState(Key(KEY), tuple(grants), policy), ACCOUNT, "Decrypt") is expected


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
def test_access_agrees_with_the_reference_evaluator(
    statements: list[dict[str, Any]], operation: str, through_ec2: bool
) -> None:
    policy = policy_of(*statements)
    may = rights(policy, CALLERS)
    for account_id in (A, B):
        of_account = [caller for caller in CALLERS if caller.account_id == account_id]
        held = {(caller, operation, through_ec2) in may for caller in of_account}
        found = access(
            KeyState(Key(KEY), (), policy), Consumer(account_id=account_id), operation, through_ec2
        )
        if found is Access.ALLOWED:
            assert held == {True}
        elif found is Access.DENIED:
            # Access of one role is not access of the whole account.
            assert False in held


@given(st.frozensets(st.sampled_from([A, B]), min_size=1))
def test_access_by_statements_of_this_collection(accounts: frozenset[str]) -> None:
    key = KeyState(Key(KEY), (), opened_to(consumers(*accounts)))
    for account_id in (A, B):
        expected = Access.ALLOWED if account_id in accounts else Access.DENIED
        assert {access(key, Consumer(account_id=account_id), item) for item in OPERATIONS} == {expected}


def test_the_default_statement_allows_no_other_account() -> None:
    assert decision(ROOT).allows is False
