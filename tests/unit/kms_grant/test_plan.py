# SPDX-License-Identifier: GPL-3.0-or-later

"""Which grants are created and revoked, and when key policies change."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._model import Grant
from ansible_collections.golden.images.plugins.module_utils._plan import Action

from tests.unit.examples import ORG, OWNER, UNIT, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.keys.policies import opened_to, own_access
from tests.unit.kms_grant.examples import (
    AUTO_SCALING_OPERATIONS,
    DEPLOY,
    KEY,
    PLAIN_POLICY,
    REGION,
    US,
    A,
    B,
    C,
    Run,
    aws_with,
    calls,
    foreign,
    made,
    planned,
    root,
    scaling_role,
    wanted,
)
from tests.unit.kms_grant.kms_in_memory import StoredKey, World, world

ORGS = {"org_arns": frozenset({ORG}), "org_unit_arns": frozenset({UNIT})}


def test_create_grant_request() -> None:
    (action,) = planned(wanted(A), aws_with()).actions
    parameters = dict(action.parameters)
    assert re.fullmatch("golden-images:[0-9a-f]{32}", parameters.pop("Name"))
    assert parameters == {
        "GranteePrincipal": root(A),
        "KeyId": KEY.arn,
        "Operations": [
            "CreateGrant",
            "Decrypt",
            "DescribeKey",
            "GenerateDataKey",
            "GenerateDataKeyWithoutPlaintext",
            "ReEncryptFrom",
            "ReEncryptTo",
        ],
    }
    assert (action.service, action.resource, action.target) == ("kms", KEY.arn, target_in(REGION))


def create(*grantees: str) -> list[tuple[str, str]]:
    return [("CreateGrant", grantee) for grantee in grantees]


def revoke(*grant_ids: str) -> list[tuple[str, str]]:
    return [("RevokeGrant", grant_id) for grant_id in grant_ids]


PUT = [("PutKeyPolicy", KEY.arn)]


@pytest.mark.parametrize(
    ("want", "grants", "expected"),
    [
        pytest.param(wanted(), [], [], id="no consumer"),
        pytest.param(wanted(OWNER), [], [], id="the owner is no consumer"),
        pytest.param(wanted(A, B), [], create(root(A), root(B)), id="two accounts"),
        pytest.param(
            wanted(A, principals=frozenset({DEPLOY})), [], create(root(A), DEPLOY), id="an account and a role"
        ),
        pytest.param(wanted(A), [made(root(A))], [], id="granted already"),
        pytest.param(wanted(A), [made(root(A), grantee=A)], [], id="granted already, shown as an id"),
        pytest.param(wanted(A, B), [made(root(A))], create(root(B)), id="one is missing"),
        pytest.param(wanted(A), [made(root(B)), foreign(root(C))], create(root(A)), id="other grants stay"),
        pytest.param(wanted(A), [foreign(root(A))], create(root(A)), id="a grant of another tool"),
        pytest.param(
            wanted(A), [made(root(A), grantee=root(B))], create(root(A)), id="name with another grantee"
        ),
        pytest.param(
            wanted(A),
            [made(root(A), operations=OPERATIONS - {"CreateGrant"})],
            create(root(A)),
            id="granted fewer operations",
        ),
        pytest.param(
            wanted(A),
            [replace(made(root(A)), operations=OPERATIONS - {"Decrypt"})],
            create(root(A)),
            id="name of the content, other operations",
        ),
        pytest.param(
            wanted(A),
            [replace(made(root(A)), operations=OPERATIONS | {"Encrypt"})],
            create(root(A)),
            id="name of the content, more operations",
        ),
        pytest.param(wanted(A), [made(root(A), constrained=True)], create(root(A)), id="constrained"),
        pytest.param(
            wanted(A, operations=frozenset({"Decrypt"})),
            [made(root(A))],
            create(root(A)),
            id="fewer operations, added",
        ),
        pytest.param(wanted(A, purge_grants=True), [made(root(A))], [], id="purge: only wanted grants"),
        pytest.param(
            wanted(A, purge_grants=True),
            [made(root(B))],
            create(root(A)) + revoke(f"g-{root(B)}"),
            id="purge",
        ),
        pytest.param(
            wanted(A, purge_grants=True),
            [foreign(root(B)), foreign(root(C), "theirs"), foreign(C, "goldenimages:x")],
            create(root(A)),
            id="purge: grants of other tools stay",
        ),
        pytest.param(
            wanted(A, purge_grants=True, operations=frozenset({"Decrypt"})),
            [made(root(A))],
            create(root(A)) + revoke(f"g-{root(A)}"),
            id="purge: fewer operations, replaced",
        ),
        pytest.param(
            wanted(A, purge_grants=True),
            [made(root(A)), made(scaling_role(A), AUTO_SCALING_OPERATIONS)],
            revoke(f"g-{scaling_role(A)}"),
            id="purge: Auto Scaling no longer wanted",
        ),
        pytest.param(
            wanted(A, state="absent"), [made(root(A)), made(root(B))], revoke(f"g-{root(A)}"), id="absent"
        ),
        pytest.param(wanted(A, state="absent"), [], [], id="absent: nothing there"),
        pytest.param(
            wanted(A, state="absent", operations=frozenset({"Decrypt"})),
            [made(root(A)), made(root(A), AUTO_SCALING_OPERATIONS, "g-2")],
            revoke(f"g-{root(A)}", "g-2"),
            id="absent: all operations",
        ),
        pytest.param(
            wanted(A, state="absent"),
            [made(scaling_role(A), AUTO_SCALING_OPERATIONS), made(scaling_role(B), AUTO_SCALING_OPERATIONS)],
            revoke(f"g-{scaling_role(A)}"),
            id="absent: the Auto Scaling role too",
        ),
        pytest.param(
            wanted(A, state="absent"),
            [foreign(root(A)), foreign(scaling_role(A))],
            [],
            id="absent: only own grants",
        ),
        pytest.param(wanted(A, state="absent"), [made(DEPLOY)], [], id="absent: a role of the account"),
        pytest.param(
            wanted(state="absent", principals=frozenset({DEPLOY})),
            [made(DEPLOY), made(root(A))],
            revoke(f"g-{DEPLOY}"),
            id="absent: a role",
        ),
    ],
)
def test_grants(want: dict[str, Any], grants: list[Grant], expected: list[tuple[str, str]]) -> None:
    assert calls(planned(want, aws_with(*grants)).actions) == expected


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(made(root(A), grant_id="g-odd", grantee="AROAEXAMPLE"), id="of a deleted role"),
        pytest.param(made(root(A), grant_id="g-odd", constrained=True), id="constrained"),
    ],
)
def test_purge_revokes_own_grants_with_a_wanted_name_and_other_content(odd: Grant) -> None:
    plan = planned(wanted(A, purge_grants=True), aws_with(made(root(A)), odd, policy=PLAIN_POLICY))
    assert calls(plan.actions) == revoke("g-odd")


def test_absent_revokes_a_grant_whose_grantee_is_shown_as_an_account_id() -> None:
    shown = made(root(A), grant_id="g-1", grantee=A)
    assert calls(planned(wanted(A, state="absent"), aws_with(shown, policy=PLAIN_POLICY)).actions) == revoke(
        "g-1"
    )


@pytest.mark.parametrize(
    ("want", "grantees", "sids"),
    [
        pytest.param(wanted(A), [root(A)], [], id="auto: accounts get grants"),
        pytest.param(wanted(A, access_method="grant"), [root(A)], [], id="grant"),
        pytest.param(
            wanted(A, principals=frozenset({DEPLOY}), access_method="key_policy"),
            [],
            ["Accounts", "AccountsGrants"],
            id="key_policy",
        ),
        pytest.param(
            wanted(A, **ORGS),
            [root(A)],
            ["Organizations", "OrganizationsGrants", "Units", "UnitsGrants"],
            id="auto: organizations can only be in the policy",
        ),
        pytest.param(
            wanted(A, access_method="key_policy", org_arns=frozenset({ORG})),
            [],
            ["Accounts", "AccountsGrants", "Organizations", "OrganizationsGrants"],
            id="key_policy: all together",
        ),
    ],
)
def test_access_by_grant_or_key_policy(want: dict[str, Any], grantees: list[str], sids: list[str]) -> None:
    plan = planned(want, aws_with())
    assert [name for operation, name in calls(plan.actions) if operation == "CreateGrant"] == grantees
    policies = [action.parameters for action in plan.actions if action.operation == "PutKeyPolicy"]
    assert len(policies) == bool(sids)
    written = [item for parameters in policies for item in key_policy.own_statements(parameters["Policy"])]
    assert [item["Sid"].removeprefix("GoldenImages") for item in written] == sids
    assert all(
        (parameters["KeyId"], parameters["PolicyName"]) == (KEY.arn, "default") for parameters in policies
    )


BOTH_WAYS = aws_with(made(root(A)), policy=opened_to(policy_consumers(A, B)))


@pytest.mark.parametrize(
    ("want", "saw", "expected"),
    [
        pytest.param(
            wanted(A, access_method="key_policy", purge_grants=True),
            aws_with(made(root(A)), policy=PLAIN_POLICY),
            PUT + revoke(f"g-{root(A)}"),
            id="from grants to the policy",
        ),
        pytest.param(
            wanted(A, purge_grants=True),
            aws_with(policy=opened_to(policy_consumers(A))),
            create(root(A)) + PUT,
            id="from the policy to grants",
        ),
        pytest.param(
            wanted(A, state="absent"), BOTH_WAYS, PUT + revoke(f"g-{root(A)}"), id="absent: both ways"
        ),
        pytest.param(wanted(A, purge_grants=True), BOTH_WAYS, PUT, id="purge: removed from the policy"),
        pytest.param(wanted(A), BOTH_WAYS, [], id="additive leaves both"),
        pytest.param(
            wanted(B, C, org_arns=frozenset({ORG}), purge_grants=True, auto_scaling=True),
            aws_with(made(root(A)), policy=PLAIN_POLICY),
            create(root(B), root(C))
            + PUT
            + create(scaling_role(B), scaling_role(C))
            + revoke(f"g-{root(A)}"),
            id="granted first, revoked last",
        ),
        pytest.param(
            wanted(state="absent", **ORGS),
            aws_with(policy=opened_to(policy_consumers(org_ids=("o-a1b2c3d4e5",)))),
            PUT,
            id="absent: an organization",
        ),
        pytest.param(
            wanted(state="absent", **ORGS),
            aws_with(policy=PLAIN_POLICY),
            [],
            id="absent: an organization that has none",
        ),
    ],
)
def test_access_is_granted_before_other_access_is_revoked(
    want: dict[str, Any], saw: World, expected: list[tuple[str, str]]
) -> None:
    assert calls(planned(want, saw).actions) == expected


def test_absent_removes_organizations_and_units_by_id() -> None:
    ids: dict[str, Any] = {
        "org_ids": ("o-a1b2c3d4e5", "o-zzzzzzzzzz"),
        "units": (("o-a1b2c3d4e5", "ou-ab12-11111111"),),
    }
    saw = aws_with(policy=opened_to(policy_consumers(B, **ids)))
    want = wanted(
        state="absent",
        org_ids=frozenset({"o-a1b2c3d4e5"}),
        org_unit_ids=frozenset({"ou-ab12-11111111", "ou-ab12-99999999"}),
    )
    (put,) = planned(want, saw).actions
    left = own_access(put.parameters["Policy"]).consumers
    assert left == policy_consumers(B, org_ids=("o-zzzzzzzzzz",))


def test_accounts_with_auto_scaling_get_the_operations_of_its_grant() -> None:
    plan = planned(wanted(A, auto_scaling=True), aws_with())
    parent, child = plan.actions
    assert set(parent.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert set(child.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert calls([child]) == create(scaling_role(A))
    assert [action.caller for action in plan.actions] == [None, A]


def test_accounts_in_the_policy_can_create_their_auto_scaling_grant() -> None:
    plan = planned(wanted(A, auto_scaling=True, access_method="key_policy"), aws_with(policy=PLAIN_POLICY))
    assert calls(plan.actions) == PUT + create(scaling_role(A))
    statements = key_policy.own_statements(plan.actions[0].parameters["Policy"])
    assert [(item["Action"], "Condition" in item) for item in statements if "Grants" in item["Sid"]] == [
        (["kms:CreateGrant"], False)
    ]


def by_consumers(want: dict[str, Any], saw: World) -> list[Action]:
    """The actions that accounts other than the owner make."""
    return [action for action in Run(want, saw).plan.actions if action.caller is not None]


def test_grants_that_each_account_creates() -> None:
    aws = aws_with(made(scaling_role(B), AUTO_SCALING_OPERATIONS))
    aws.regions[US] = world(US).regions[US]
    found = by_consumers(wanted(A, B, auto_scaling=True, regions=(REGION, US)), aws)
    assert [(action.caller, action.target.region, action.resource) for action in found] == [
        (A, REGION, KEY.arn),
        (A, US, key_arn("a", US)),
        (B, US, key_arn("a", US)),
    ]
    assert all(one.parameters["GranteePrincipal"] == scaling_role(str(one.caller)) for one in found)


@pytest.mark.parametrize("want", [wanted(A), wanted(A, auto_scaling=True, state="absent")])
def test_accounts_create_no_grants_without_auto_scaling(want: dict[str, Any]) -> None:
    assert by_consumers(want, aws_with()) == []


BOTH_ROLES = frozenset({"AWSServiceRoleForAutoScaling", "AWSServiceRoleForAutoScaling_web"})


def test_each_role_for_auto_scaling_gets_a_grant() -> None:
    want = wanted(A, auto_scaling=True, auto_scaling_roles=BOTH_ROLES)
    saw = aws_with(made(scaling_role(A), AUTO_SCALING_OPERATIONS))
    (web,) = by_consumers(want, saw)
    assert calls([web]) == create(scaling_role(A, "_web"))
    assert calls(by_consumers(want, aws_with())) == create(scaling_role(A), scaling_role(A, "_web"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="additive"),
        pytest.param(
            {"purge_grants": True, "auto_scaling": True, "auto_scaling_roles": BOTH_ROLES}, [], id="wanted"
        ),
        pytest.param({"purge_grants": True, "auto_scaling": True}, revoke("g-web"), id="purge: another role"),
        pytest.param({"purge_grants": True}, revoke("g-scaling", "g-web"), id="purge: no Auto Scaling"),
        pytest.param({"state": "absent"}, revoke(f"g-{root(A)}", "g-scaling", "g-web"), id="absent: all"),
    ],
)
def test_grants_of_roles_for_auto_scaling_are_revoked(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    want = wanted(A, operations=AUTO_SCALING_OPERATIONS, **changes)
    saw = aws_with(
        made(root(A), AUTO_SCALING_OPERATIONS),
        made(scaling_role(A), AUTO_SCALING_OPERATIONS, "g-scaling"),
        made(scaling_role(A, "_web"), AUTO_SCALING_OPERATIONS, "g-web"),
        policy=PLAIN_POLICY,
    )
    assert calls(planned(want, saw).actions) == expected


def test_absent_keeps_the_grants_of_other_accounts_roles_for_auto_scaling() -> None:
    saw = aws_with(made(scaling_role(B, "_web"), AUTO_SCALING_OPERATIONS), policy=PLAIN_POLICY)
    assert planned(wanted(A, state="absent"), saw).actions == ()


def test_grant_for_a_service_linked_role_of_principals_is_the_owners() -> None:
    # The options refuse it. What the plan contains is created.
    saw = aws_with()
    (action,) = planned(wanted(principals=frozenset({scaling_role(A)})), saw).actions
    assert (action.caller, action.parameters["GranteePrincipal"]) == (None, scaling_role(A))


def test_arns_in_another_partition() -> None:
    plan = planned(wanted(A, auto_scaling=True), aws_with(partition="aws-cn"))
    assert [name.split(":")[1] for _operation, name in calls(plan.actions)] == ["aws-cn", "aws-cn"]


def test_warning_of_an_unencrypted_image() -> None:
    aws = aws_with()
    plan = planned(wanted(A, kms_key_ids={REGION: None}), aws)
    assert (plan.actions, plan.refusals) == ((), ())
    (warning,) = plan.warnings
    assert "not encrypted" in warning
    assert aws.regions[REGION].calls == []


def test_no_warning_of_a_planned_image() -> None:
    options = wanted(A, kms_key_ids=None, images={REGION: None})
    assert Run(options, aws_with(), check_mode=True).plan.warnings == ()


@pytest.mark.parametrize(
    ("grantee", "stale"),
    [
        pytest.param("AROAEXAMPLEID", True, id="a deleted role"),
        pytest.param("AIDAEXAMPLEID", True, id="a deleted user"),
        pytest.param(DEPLOY, False, id="a role"),
        pytest.param(f"arn:aws:iam::{A}:role/AROAMA", False, id="a role with such a name"),
        pytest.param("ec2.us-west-2.amazonaws.com", False, id="a service"),
    ],
)
@pytest.mark.parametrize("make", [made, foreign])
def test_warning_of_grants_to_deleted_principals(make: Any, grantee: str, stale: bool) -> None:
    grants = [make(grantee, grant_id="g-old")]
    warnings = planned(wanted(A), aws_with(*grants)).warnings
    assert ["g-old" in text and grantee in text and KEY.arn in text for text in warnings] == [True] * stale


def test_purge_revokes_own_grants_to_deleted_principals() -> None:
    saw = aws_with(made("AROAEXAMPLEID", grant_id="g-old"), policy=PLAIN_POLICY)
    assert calls(planned(wanted(OWNER, purge_grants=True), saw).actions) == revoke("g-old")


def test_before_and_after_show_own_grants_and_statements() -> None:
    saw = aws_with(made(root(A)), foreign(root(C)), policy=PLAIN_POLICY)
    plan = planned(wanted(B, org_arns=frozenset({ORG}), purge_grants=True), saw)
    whole = sorted(OPERATIONS)
    assert plan.before == {
        KEY.arn: {"grants": [{"grantees": [A], "operations": whole}], "policy_statements": []}
    }
    after = plan.after[KEY.arn]
    assert after["grants"] == [{"grantees": [B], "operations": whole}]
    assert [item["Sid"] for item in after["policy_statements"]] == [
        "GoldenImagesOrganizations",
        "GoldenImagesOrganizationsGrants",
    ]


def test_statements_are_not_shown_without_the_policy() -> None:
    plan = planned(wanted(A), aws_with())
    assert plan.before == {KEY.arn: {"grants": []}}


def test_regions_are_planned_in_a_stable_order() -> None:
    plan = Run(wanted(A, regions=("us-west-2", REGION)), world("us-west-2", REGION)).plan
    assert [action.resource for action in plan.actions] == [key_arn("a"), key_arn("a", "us-west-2")]
    assert [target.target.region for target in plan.targets] == [REGION, "us-west-2"]


@pytest.mark.parametrize(
    ("options", "key", "lacking"),
    [
        pytest.param(wanted(A, B), KEY.arn, None, id="that changes"),
        pytest.param(wanted(A), KEY.arn, [], id="with access"),
        pytest.param(wanted(A, OWNER), KEY.arn, [], id="the owner needs none"),
        pytest.param(wanted(C, state="absent"), KEY.arn, None, id="access is revoked"),
        pytest.param(wanted(A), key_arn(account_id=C), None, id="another account's key does not show enough"),
    ],
)
def test_consumers_without_access(options: dict[str, Any], key: str, lacking: list[str] | None) -> None:
    done = Run(options, aws_with(made(root(A)), key=StoredKey(key)))
    assert done.key["consumers_without_access"] == lacking


def test_names_of_grants_follow_the_pattern_of_kms_and_differ_by_content() -> None:
    """(KMS API Reference, CreateGrant, Name.)"""
    session = f"arn:aws:sts::{A}:assumed-role/{'r' * 64}/{'s' * 64}"
    names = [
        action.parameters["Name"]
        for operations in (OPERATIONS, AUTO_SCALING_OPERATIONS, {"Decrypt"})
        for action in planned(
            wanted(A, B, principals=[DEPLOY, session], operations=operations), aws_with()
        ).actions
    ]
    assert all(re.fullmatch(r"[a-zA-Z0-9:/_-]{1,256}", name) for name in names)
    assert len(set(names)) == len(names) == 12
