# SPDX-License-Identifier: GPL-3.0-or-later

"""Which grants are created and revoked, and when key policies change."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.kms_grant import plan as grant
from ansible_collections.golden.images.plugins.module_utils.kms_grant.state import (
    AUTO_SCALING_OPERATIONS,
    GrantSeen,
    GrantWanted,
)
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen
from ansible_collections.golden.images.plugins.module_utils.plan import Action

from tests.unit.examples import ORG, OWNER, UNIT, target_in
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.keys.policies import opened_to, own_access
from tests.unit.kms_grant.examples import (
    DEPLOY,
    KEY,
    PLAIN_POLICY,
    REGION,
    A,
    B,
    C,
    calls,
    foreign,
    made,
    planned,
    root,
    scaling_role,
    seen,
    wanted,
)

ORGS = {"org_arns": frozenset({ORG}), "org_unit_arns": frozenset({UNIT})}


def test_the_owner_is_no_consumer() -> None:
    assert grant.without_owner(wanted(OWNER, A), seen()) == wanted(A)


def test_create_grant_request() -> None:
    (action,) = planned(wanted(A), seen()).actions
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
        pytest.param(wanted(A, purge=True), [made(root(A))], [], id="purge: only wanted grants"),
        pytest.param(
            wanted(A, purge=True), [made(root(B))], create(root(A)) + revoke(f"g-{root(B)}"), id="purge"
        ),
        pytest.param(
            wanted(A, purge=True),
            [foreign(root(B)), foreign(root(C), "theirs"), foreign(C, "goldenimages:x")],
            create(root(A)),
            id="purge: grants of other tools stay",
        ),
        pytest.param(
            wanted(A, purge=True, operations=frozenset({"Decrypt"})),
            [made(root(A))],
            create(root(A)) + revoke(f"g-{root(A)}"),
            id="purge: fewer operations, replaced",
        ),
        pytest.param(
            wanted(A, purge=True),
            [made(root(A)), made(scaling_role(A), AUTO_SCALING_OPERATIONS)],
            revoke(f"g-{scaling_role(A)}"),
            id="purge: Auto Scaling no longer wanted",
        ),
        pytest.param(
            wanted(A, present=False), [made(root(A)), made(root(B))], revoke(f"g-{root(A)}"), id="absent"
        ),
        pytest.param(wanted(A, present=False), [], [], id="absent: nothing there"),
        pytest.param(
            wanted(A, present=False, operations=frozenset({"Decrypt"})),
            [made(root(A)), made(root(A), AUTO_SCALING_OPERATIONS, "g-2")],
            revoke(f"g-{root(A)}", "g-2"),
            id="absent: all operations",
        ),
        pytest.param(
            wanted(A, present=False),
            [made(scaling_role(A), AUTO_SCALING_OPERATIONS), made(scaling_role(B), AUTO_SCALING_OPERATIONS)],
            revoke(f"g-{scaling_role(A)}"),
            id="absent: the Auto Scaling role too",
        ),
        pytest.param(
            wanted(A, present=False),
            [foreign(root(A)), foreign(scaling_role(A))],
            [],
            id="absent: only own grants",
        ),
        pytest.param(wanted(A, present=False), [made(DEPLOY)], [], id="absent: a role of the account"),
        pytest.param(
            wanted(present=False, principals=frozenset({DEPLOY})),
            [made(DEPLOY), made(root(A))],
            revoke(f"g-{DEPLOY}"),
            id="absent: a role",
        ),
    ],
)
def test_grants(want: GrantWanted, grants: list[Grant], expected: list[tuple[str, str]]) -> None:
    assert calls(planned(want, seen(*grants, policy=PLAIN_POLICY if want.uses_policy else None)).actions) == (
        expected
    )


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(made(root(A), grant_id="g-odd", grantee="AROAEXAMPLE"), id="of a deleted role"),
        pytest.param(made(root(A), grant_id="g-odd", constrained=True), id="constrained"),
    ],
)
def test_purge_revokes_own_grants_with_a_wanted_name_and_other_content(odd: Grant) -> None:
    plan = planned(wanted(A, purge=True), seen(made(root(A)), odd, policy=PLAIN_POLICY))
    assert calls(plan.actions) == revoke("g-odd")


def test_absent_revokes_a_grant_whose_grantee_is_shown_as_an_account_id() -> None:
    shown = made(root(A), grant_id="g-1", grantee=A)
    assert calls(planned(wanted(A, present=False), seen(shown, policy=PLAIN_POLICY)).actions) == revoke("g-1")


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
def test_access_by_grant_or_key_policy(want: GrantWanted, grantees: list[str], sids: list[str]) -> None:
    plan = planned(want, seen(policy=PLAIN_POLICY if want.uses_policy else None))
    assert [name for operation, name in calls(plan.actions) if operation == "CreateGrant"] == grantees
    policies = [action.parameters for action in plan.actions if action.operation == "PutKeyPolicy"]
    assert len(policies) == bool(sids)
    written = [item for parameters in policies for item in key_policy.own_statements(parameters["Policy"])]
    assert [item["Sid"].removeprefix("GoldenImages") for item in written] == sids
    assert all(
        (parameters["KeyId"], parameters["PolicyName"]) == (KEY.arn, "default") for parameters in policies
    )


BOTH_WAYS = seen(made(root(A)), policy=opened_to(policy_consumers(A, B)))


@pytest.mark.parametrize(
    ("want", "saw", "expected"),
    [
        pytest.param(
            wanted(A, access_method="key_policy", purge=True),
            seen(made(root(A)), policy=PLAIN_POLICY),
            PUT + revoke(f"g-{root(A)}"),
            id="from grants to the policy",
        ),
        pytest.param(
            wanted(A, purge=True),
            seen(policy=opened_to(policy_consumers(A))),
            create(root(A)) + PUT,
            id="from the policy to grants",
        ),
        pytest.param(
            wanted(A, present=False), BOTH_WAYS, PUT + revoke(f"g-{root(A)}"), id="absent: both ways"
        ),
        pytest.param(wanted(A, purge=True), BOTH_WAYS, PUT, id="purge: removed from the policy"),
        pytest.param(wanted(A), BOTH_WAYS, [], id="additive leaves both"),
        pytest.param(
            wanted(B, C, org_arns=frozenset({ORG}), purge=True, auto_scaling=True),
            seen(made(root(A)), policy=PLAIN_POLICY),
            create(root(B), root(C))
            + PUT
            + create(scaling_role(B), scaling_role(C))
            + revoke(f"g-{root(A)}"),
            id="granted first, revoked last",
        ),
        pytest.param(
            wanted(present=False, **ORGS),
            seen(policy=opened_to(policy_consumers(org_ids=("o-a1b2c3d4e5",)))),
            PUT,
            id="absent: an organization",
        ),
        pytest.param(
            wanted(present=False, **ORGS),
            seen(policy=PLAIN_POLICY),
            [],
            id="absent: an organization that has none",
        ),
    ],
)
def test_access_is_granted_before_other_access_is_revoked(
    want: GrantWanted, saw: GrantSeen, expected: list[tuple[str, str]]
) -> None:
    assert calls(planned(want, saw).actions) == expected


def test_absent_removes_organizations_and_units_by_id() -> None:
    ids: dict[str, Any] = {
        "org_ids": ("o-a1b2c3d4e5", "o-zzzzzzzzzz"),
        "units": (("o-a1b2c3d4e5", "ou-ab12-11111111"),),
    }
    saw = seen(policy=opened_to(policy_consumers(B, **ids)))
    want = wanted(
        present=False,
        org_ids=frozenset({"o-a1b2c3d4e5"}),
        org_unit_ids=frozenset({"ou-ab12-11111111", "ou-ab12-99999999"}),
    )
    (put,) = planned(want, saw).actions
    left = own_access(put.parameters["Policy"]).consumers
    assert left == policy_consumers(B, org_ids=("o-zzzzzzzzzz",))


def test_accounts_with_auto_scaling_get_the_operations_of_its_grant() -> None:
    plan = planned(wanted(A, auto_scaling=True), seen())
    parent, child = plan.actions
    assert set(parent.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert set(child.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert calls([child]) == create(scaling_role(A))
    assert [action.caller for action in plan.actions] == [None, A]


def test_accounts_in_the_policy_can_create_their_auto_scaling_grant() -> None:
    plan = planned(wanted(A, auto_scaling=True, access_method="key_policy"), seen(policy=PLAIN_POLICY))
    assert calls(plan.actions) == PUT + create(scaling_role(A))
    statements = key_policy.own_statements(plan.actions[0].parameters["Policy"])
    assert [(item["Action"], "Condition" in item) for item in statements if "Grants" in item["Sid"]] == [
        (["kms:CreateGrant"], False)
    ]


def by_consumers(want: GrantWanted, saw: GrantSeen) -> list[Action]:
    """The actions that accounts other than the owner make."""
    return [action for action in grant.plan(want, saw).actions if action.caller is not None]


def test_grants_that_each_account_creates() -> None:
    saw = seen(made(scaling_role(B), AUTO_SCALING_OPERATIONS))
    other = Key(key_arn("b", "us-west-2"))
    saw = replace(saw, keys={**saw.keys, target_in("us-west-2"): (KeySeen(other),)})
    found = by_consumers(wanted(A, B, auto_scaling=True), saw)
    assert [(action.caller, action.target.region, action.resource) for action in found] == [
        (A, REGION, KEY.arn),
        (A, "us-west-2", other.arn),
        (B, "us-west-2", other.arn),
    ]
    assert all(one.parameters["GranteePrincipal"] == scaling_role(str(one.caller)) for one in found)


@pytest.mark.parametrize("want", [wanted(A), wanted(A, auto_scaling=True, present=False)])
def test_accounts_create_no_grants_without_auto_scaling(want: GrantWanted) -> None:
    assert by_consumers(want, seen()) == []


BOTH_ROLES = frozenset({"AWSServiceRoleForAutoScaling", "AWSServiceRoleForAutoScaling_web"})


def test_each_role_for_auto_scaling_gets_a_grant() -> None:
    want = wanted(A, auto_scaling=True, auto_scaling_roles=BOTH_ROLES)
    saw = seen(made(scaling_role(A), AUTO_SCALING_OPERATIONS))
    (web,) = by_consumers(want, saw)
    assert calls([web]) == create(scaling_role(A, "_web"))
    assert calls(by_consumers(want, seen())) == create(scaling_role(A), scaling_role(A, "_web"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        pytest.param({}, [], id="additive"),
        pytest.param(
            {"purge": True, "auto_scaling": True, "auto_scaling_roles": BOTH_ROLES}, [], id="wanted"
        ),
        pytest.param({"purge": True, "auto_scaling": True}, revoke("g-web"), id="purge: another role"),
        pytest.param({"purge": True}, revoke("g-scaling", "g-web"), id="purge: no Auto Scaling"),
        pytest.param({"present": False}, revoke(f"g-{root(A)}", "g-scaling", "g-web"), id="absent: all"),
    ],
)
def test_grants_of_roles_for_auto_scaling_are_revoked(
    changes: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    want = wanted(A, operations=AUTO_SCALING_OPERATIONS, **changes)
    saw = seen(
        made(root(A), AUTO_SCALING_OPERATIONS),
        made(scaling_role(A), AUTO_SCALING_OPERATIONS, "g-scaling"),
        made(scaling_role(A, "_web"), AUTO_SCALING_OPERATIONS, "g-web"),
        policy=PLAIN_POLICY,
    )
    assert calls(planned(want, saw).actions) == expected


def test_absent_keeps_the_grants_of_other_accounts_roles_for_auto_scaling() -> None:
    saw = seen(made(scaling_role(B, "_web"), AUTO_SCALING_OPERATIONS), policy=PLAIN_POLICY)
    assert planned(wanted(A, present=False), saw).actions == ()


def test_grant_for_a_service_linked_role_of_principals_is_the_owners() -> None:
    # The options refuse it. What the plan contains is created.
    saw = seen()
    (action,) = planned(wanted(principals=frozenset({scaling_role(A)})), saw).actions
    assert (action.caller, action.parameters["GranteePrincipal"]) == (None, scaling_role(A))


def test_arns_in_another_partition() -> None:
    plan = planned(wanted(A, auto_scaling=True), seen(partition="aws-cn"))
    assert [name.split(":")[1] for _operation, name in calls(plan.actions)] == ["aws-cn", "aws-cn"]


def test_warning_of_an_unencrypted_image() -> None:
    saw = GrantSeen(OWNER, "aws", {target_in(REGION): ()}, unencrypted=frozenset({target_in(REGION)}))
    plan = planned(wanted(A), saw)
    assert (plan.actions, plan.refusals) == ((), ())
    (warning,) = plan.warnings
    assert "not encrypted" in warning


def test_no_warning_of_a_planned_image() -> None:
    saw = GrantSeen(OWNER, "aws", {target_in(REGION): ()})
    assert planned(wanted(A), saw).warnings == ()


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
    warnings = planned(wanted(A), seen(*grants)).warnings
    assert ["g-old" in text and grantee in text and KEY.arn in text for text in warnings] == [True] * stale


def test_purge_revokes_own_grants_to_deleted_principals() -> None:
    saw = seen(made("AROAEXAMPLEID", grant_id="g-old"), policy=PLAIN_POLICY)
    assert calls(planned(wanted(purge=True), saw).actions) == revoke("g-old")


def test_before_and_after_show_own_grants_and_statements() -> None:
    saw = seen(made(root(A)), foreign(root(C)), policy=PLAIN_POLICY)
    plan = planned(wanted(B, org_arns=frozenset({ORG}), purge=True), saw)
    whole = sorted(OPERATIONS)
    assert plan.before == {
        KEY.arn: {"grants": [{"grantee": root(A), "operations": whole}], "policy_statements": []}
    }
    after = plan.after[KEY.arn]
    assert after["grants"] == [{"grantee": root(B), "operations": whole}]
    assert [item["Sid"] for item in after["policy_statements"]] == [
        "GoldenImagesOrganizations",
        "GoldenImagesOrganizationsGrants",
    ]


def test_statements_are_not_shown_without_the_policy() -> None:
    plan = planned(wanted(A), seen())
    assert plan.before == {KEY.arn: {"grants": []}}


def test_every_key_of_every_region_gets_a_grant() -> None:
    keys = {
        target_in(region): tuple(KeySeen(Key(key_arn(name, region))) for name in names)
        for region, names in {"us-west-2": "z", REGION: "ab"}.items()
    }
    plan = grant.plan(wanted(A), GrantSeen(OWNER, "aws", keys))
    opened: Iterable[str | None] = (action.resource for action in plan.actions)
    assert list(opened) == [key_arn("a"), key_arn("b"), key_arn("z", "us-west-2")]
    assert [target.target.region for target in plan.targets] == [REGION, "us-west-2"]


def test_consumers_without_access_have_neither_a_grant_nor_a_statement() -> None:
    def lacking(want: GrantWanted, saw: GrantSeen, key: Key = KEY) -> list[str] | None:
        return grant.consumers_without_access(want, saw, target_in(REGION), key.arn)

    assert lacking(wanted(A, B), seen(made(root(A)))) == [B]
    assert lacking(wanted(A), seen(made(root(A)))) == []
    # No access is lacking that is revoked, and the key of another account does not show enough.
    assert lacking(wanted(A, present=False), seen()) is None
    others = Key(KEY.arn.replace(OWNER, C))
    assert lacking(wanted(A), seen(key=others), others) is None
