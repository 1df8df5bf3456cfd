# SPDX-License-Identifier: GPL-3.0-or-later

"""How keys are opened: which grants are created and revoked, when the policy is written, what is refused."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils.keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils.kms_grant import plan as grant
from ansible_collections.golden.images.plugins.module_utils.kms_grant.plan import (
    AUTO_SCALING_OPERATIONS,
    GrantWanted,
)
from ansible_collections.golden.images.plugins.module_utils.model import Grant, Key, KeySeen

from tests.unit.examples import ORG, OWNER, STRANGER, UNIT, place
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import consumers as policy_consumers
from tests.unit.keys.policies import opened_to, own_access, policy_of
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


def test_a_grant_as_kms_takes_it() -> None:
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
    assert (action.service, action.resource, action.target) == ("kms", KEY.arn, place(REGION))


@pytest.mark.parametrize("grantee", [root(A), DEPLOY, f"arn:aws:sts::{A}:assumed-role/{'r' * 64}/{'s' * 64}"])
@pytest.mark.parametrize("operations", [OPERATIONS, AUTO_SCALING_OPERATIONS, frozenset({"Decrypt"})])
def test_names_that_kms_takes(grantee: str, operations: frozenset[str]) -> None:
    # KMS API Reference, CreateGrant, Name.
    name = grant.grant_request(KEY.arn, grantee, operations)["Name"]
    assert re.fullmatch(r"[a-zA-Z0-9:/_-]{1,256}", name)


def test_a_name_tells_grantee_and_operations_apart() -> None:
    requests = [
        grant.grant_request(KEY.arn, grantee, operations)
        for grantee in (root(A), root(B), DEPLOY)
        for operations in (OPERATIONS, AUTO_SCALING_OPERATIONS)
    ]
    assert len({request["Name"] for request in requests}) == len(requests)


@pytest.mark.parametrize(
    ("partition", "principal", "expected"),
    [
        pytest.param("aws", A, root(A), id="an account"),
        pytest.param("aws-cn", A, f"arn:aws-cn:iam::{A}:root", id="an account in China"),
        pytest.param("aws", DEPLOY, DEPLOY, id="a role"),
    ],
)
def test_principals(partition: str, principal: str, expected: str) -> None:
    assert grant.principal_arn(partition, principal) == expected


def create(*grantees: str) -> list[tuple[str, str]]:
    return [("CreateGrant", grantee) for grantee in grantees]


def revoke(*grant_ids: str) -> list[tuple[str, str]]:
    return [("RevokeGrant", grant_id) for grant_id in grant_ids]


PUT = [("PutKeyPolicy", KEY.arn)]


@pytest.mark.parametrize(
    ("want", "grants", "expected"),
    [
        pytest.param(wanted(), [], [], id="nobody"),
        pytest.param(wanted(A, B), [], create(root(A), root(B)), id="two accounts"),
        pytest.param(
            wanted(A, principals=frozenset({DEPLOY})), [], create(root(A), DEPLOY), id="an account and a role"
        ),
        pytest.param(wanted(A), [made(root(A))], [], id="granted already"),
        pytest.param(wanted(A), [made(root(A), grantee=A)], [], id="granted already, shown as an id"),
        pytest.param(wanted(A, B), [made(root(A))], create(root(B)), id="one is missing"),
        pytest.param(wanted(A), [made(root(B)), foreign(root(C))], create(root(A)), id="others keep theirs"),
        pytest.param(wanted(A), [foreign(root(A))], create(root(A)), id="somebody else's does not count"),
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
        pytest.param(
            wanted(A), [made(root(A), constrained=True)], create(root(A)), id="constrained: EBS can't"
        ),
        pytest.param(
            wanted(A, operations=frozenset({"Decrypt"})),
            [made(root(A))],
            create(root(A)),
            id="narrower beside",
        ),
        pytest.param(wanted(A, purge=True), [made(root(A))], [], id="purge: just those named"),
        pytest.param(
            wanted(A, purge=True), [made(root(B))], create(root(A)) + revoke(f"g-{root(B)}"), id="purge"
        ),
        pytest.param(
            wanted(A, purge=True),
            [foreign(root(B)), foreign(root(C), "theirs"), foreign(C, "goldenimages:x")],
            create(root(A)),
            id="purge: somebody else's stay",
        ),
        pytest.param(
            wanted(A, purge=True, operations=frozenset({"Decrypt"})),
            [made(root(A))],
            create(root(A)) + revoke(f"g-{root(A)}"),
            id="purge: narrower instead",
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
            id="absent: whatever the operations",
        ),
        pytest.param(
            wanted(A, present=False),
            [made(scaling_role(A), AUTO_SCALING_OPERATIONS), made(scaling_role(B), AUTO_SCALING_OPERATIONS)],
            revoke(f"g-{scaling_role(A)}"),
            id="absent: its Auto Scaling too",
        ),
        pytest.param(
            wanted(A, present=False),
            [foreign(root(A)), foreign(scaling_role(A))],
            [],
            id="absent: only own ones",
        ),
        pytest.param(
            wanted(A, present=False), [made(DEPLOY)], [], id="absent: a role of the account is somebody else"
        ),
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
def test_purging_removes_own_grants_of_other_content_under_a_wanted_name(odd: Grant) -> None:
    plan = planned(wanted(A, purge=True), seen(made(root(A)), odd, policy=PLAIN_POLICY))
    assert calls(plan.actions) == revoke("g-odd")


def test_withdrawing_finds_an_account_that_aws_shows_as_its_id() -> None:
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
def test_who_is_served_how(want: GrantWanted, grantees: list[str], sids: list[str]) -> None:
    plan = planned(want, seen(policy=PLAIN_POLICY if want.uses_policy else None))
    assert [name for operation, name in calls(plan.actions) if operation == "CreateGrant"] == grantees
    policies = [action.parameters for action in plan.actions if action.operation == "PutKeyPolicy"]
    assert len(policies) == bool(sids)
    written = [item for parameters in policies for item in key_policy.own_statements(parameters["Policy"])]
    assert [item["Sid"].removeprefix("GoldenImages") for item in written] == sids
    assert all(
        (parameters["KeyId"], parameters["PolicyName"]) == (KEY.arn, "default") for parameters in policies
    )


@pytest.mark.parametrize(
    ("want", "reads"),
    [
        pytest.param(wanted(A), False, id="grants only"),
        pytest.param(wanted(A, access_method="key_policy"), True, id="key_policy"),
        pytest.param(wanted(org_arns=frozenset({ORG})), True, id="an organization"),
        pytest.param(wanted(org_unit_arns=frozenset({UNIT})), True, id="a unit"),
        pytest.param(wanted(A, purge=True), True, id="purge"),
        pytest.param(wanted(A, present=False), True, id="absent"),
    ],
)
def test_policies_are_read_only_where_they_matter(want: GrantWanted, reads: bool) -> None:
    assert want.uses_policy is reads


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
        pytest.param(wanted(A, purge=True), BOTH_WAYS, PUT, id="purge: the policy's are nobody named"),
        pytest.param(wanted(A), BOTH_WAYS, [], id="additive leaves both"),
        pytest.param(
            wanted(B, C, org_arns=frozenset({ORG}), purge=True, auto_scaling=True),
            seen(made(root(A)), policy=PLAIN_POLICY),
            create(root(B), root(C))
            + PUT
            + create(scaling_role(B), scaling_role(C))
            + revoke(f"g-{root(A)}"),
            id="open first, close last",
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
def test_nobody_loses_access_between_two_steps(
    want: GrantWanted, saw: grant.GrantSeen, expected: list[tuple[str, str]]
) -> None:
    assert calls(planned(want, saw).actions) == expected


def test_organizations_and_units_that_are_known_by_their_ids_only_lose_the_key() -> None:
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


def test_accounts_that_use_auto_scaling_may_hand_on_what_it_needs() -> None:
    plan = planned(wanted(A, auto_scaling=True), seen())
    parent, child = plan.actions
    assert set(parent.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert set(child.parameters["Operations"]) == OPERATIONS | {"Encrypt"}
    assert calls([child]) == create(scaling_role(A))
    assert [grant.is_for_auto_scaling(action) for action in plan.actions] == [False, True]


def test_those_limited_to_less_may_still_hand_on_what_auto_scaling_needs() -> None:
    want = wanted(A, auto_scaling=True, operations=frozenset({"Decrypt"}))
    assert want.parent_operations == AUTO_SCALING_OPERATIONS


def test_accounts_in_the_policy_make_their_auto_scaling_grant_themselves() -> None:
    plan = planned(wanted(A, auto_scaling=True, access_method="key_policy"), seen(policy=PLAIN_POLICY))
    assert calls(plan.actions) == PUT + create(scaling_role(A))
    statements = key_policy.own_statements(plan.actions[0].parameters["Policy"])
    assert [(item["Action"], "Condition" in item) for item in statements if "Grants" in item["Sid"]] == [
        (["kms:CreateGrant"], False)
    ]


def test_each_account_makes_the_grants_of_its_own_role() -> None:
    saw = seen(made(scaling_role(B), AUTO_SCALING_OPERATIONS))
    other = Key(key_arn("b", "us-west-2"))
    saw = replace(saw, keys={**saw.keys, place("us-west-2"): (KeySeen(other),)})
    found = grant.consumer_grants(wanted(A, B, auto_scaling=True), saw)
    assert [(account_id, action.target.region, action.resource) for account_id, action in found] == [
        (A, REGION, KEY.arn),
        (A, "us-west-2", other.arn),
        (B, "us-west-2", other.arn),
    ]
    assert all(action.parameters["GranteePrincipal"] == scaling_role(account) for account, action in found)


@pytest.mark.parametrize("want", [wanted(A), wanted(A, auto_scaling=True, present=False)])
def test_nobody_makes_auto_scaling_grants_unless_asked(want: GrantWanted) -> None:
    assert grant.consumer_grants(want, seen()) == ()


def test_another_partition_has_its_own_arns() -> None:
    plan = planned(wanted(A, auto_scaling=True), seen(partition="aws-cn"))
    assert [name.split(":")[1] for _operation, name in calls(plan.actions)] == ["aws-cn", "aws-cn"]


AWS_MANAGED = replace(KEY, aws_managed=True)
FOREIGN = Key(key_arn(account_id=STRANGER))


@pytest.mark.parametrize(
    ("want", "key", "codes"),
    [
        pytest.param(wanted(A), KEY, [], id="a good key"),
        pytest.param(wanted(A), AWS_MANAGED, ["default_key"], id="aws/ebs"),
        pytest.param(wanted(A), replace(KEY, state="Disabled"), ["key_not_enabled"], id="disabled"),
        pytest.param(
            wanted(A),
            replace(KEY, state="PendingDeletion"),
            ["key_not_enabled"],
            id="pending deletion",
        ),
        pytest.param(wanted(A), FOREIGN, ["not_owner"], id="another account's"),
        pytest.param(
            wanted(A),
            replace(FOREIGN, state="Disabled"),
            ["key_not_enabled", "not_owner"],
            id="another account's, disabled",
        ),
        pytest.param(
            wanted(A, present=False), replace(KEY, state="Disabled"), [], id="closing a disabled one"
        ),
        pytest.param(wanted(A, present=False), FOREIGN, ["not_owner"], id="closing another account's"),
    ],
)
def test_keys_that_cannot_be_opened(want: GrantWanted, key: Key, codes: list[str]) -> None:
    failures = planned(want, seen(key=key)).refusals
    assert [failure.error_code for failure in failures] == codes
    for failure in failures:
        assert key.arn in failure.message
        assert failure.remedy
        assert (failure.region, failure.account_id, failure.action) == (REGION, OWNER, "CreateGrant")


def test_whose_key_it_is_and_whose_credentials_to_use() -> None:
    (failure,) = planned(wanted(A), seen(key=FOREIGN)).refusals
    assert STRANGER in failure.message
    assert STRANGER in failure.remedy


def test_an_image_without_a_key_is_said() -> None:
    saw = grant.GrantSeen(OWNER, "aws", {place(REGION): ()}, unencrypted=frozenset({place(REGION)}))
    plan = planned(wanted(A), saw)
    assert (plan.actions, plan.refusals) == ((), ())
    (warning,) = plan.warnings
    assert "not encrypted" in warning


def test_an_image_that_is_only_planned_is_no_unencrypted_one() -> None:
    saw = grant.GrantSeen(OWNER, "aws", {place(REGION): ()})
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
def test_grants_of_those_who_no_longer_exist_are_told(make: Any, grantee: str, stale: bool) -> None:
    grants = [make(grantee, grant_id="g-old")]
    warnings = planned(wanted(A), seen(*grants)).warnings
    assert ["g-old" in text and grantee in text and KEY.arn in text for text in warnings] == [True] * stale


def test_purging_removes_own_stale_grants() -> None:
    saw = seen(made("AROAEXAMPLEID", grant_id="g-old"), policy=PLAIN_POLICY)
    assert calls(planned(wanted(purge=True), saw).actions) == revoke("g-old")


def crowd(count: int) -> frozenset[str]:
    return frozenset(f"2{number:011d}" for number in range(count))


@pytest.mark.parametrize(
    ("accounts", "refused"), [pytest.param(300, False, id="fits"), pytest.param(2_000, True, id="too large")]
)
def test_a_policy_that_would_grow_too_large(accounts: int, refused: bool) -> None:
    plan = planned(
        GrantWanted(account_ids=crowd(accounts), access_method="key_policy"), seen(policy=PLAIN_POLICY)
    )
    assert [failure.error_code for failure in plan.refusals] == ["key_policy_too_large"] * refused
    assert all("32768" in failure.message and failure.action == "PutKeyPolicy" for failure in plan.refusals)


def padded_to(length: int, character: str = "x") -> str:
    """A policy that has so many bytes once it is open to A."""
    policy = {"Id": "", **json.loads(PLAIN_POLICY)}
    after = grant.policy_after(wanted(A, access_method="key_policy"), json.dumps(policy))
    left = length - len(after.encode())
    filled, rest = divmod(left, len(character.encode()))
    return json.dumps({**policy, "Id": character * filled + "x" * rest}, ensure_ascii=False)


@pytest.mark.parametrize("character", ["x", "é"])
@pytest.mark.parametrize(("length", "refused"), [(32_768, False), (32_769, True)])
def test_the_largest_policy_is_measured_in_bytes(character: str, length: int, refused: bool) -> None:
    plan = planned(wanted(A, access_method="key_policy"), seen(policy=padded_to(length, character)))
    assert len(plan.actions[0].parameters["Policy"].encode()) == length
    assert bool(plan.refusals) is refused


def test_a_large_policy_that_does_not_change_is_nobodys_business() -> None:
    policy = policy_of(json.loads(PLAIN_POLICY)["Statement"][0] | {"Sid": "x" * 40_000})
    plan = planned(wanted(A, purge=True), seen(policy=policy))
    assert calls(plan.actions) == create(root(A))
    assert plan.refusals == ()


ROOTLESS = json.dumps({"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEPLOY}, "Action": "kms:*"}]})


@pytest.mark.parametrize(
    ("want", "refused"),
    [
        pytest.param(wanted(A, access_method="key_policy"), True, id="the policy is to be changed"),
        pytest.param(wanted(A, purge=True), False, id="it stays as it is"),
    ],
)
def test_a_policy_that_locks_the_owner_out_is_not_written(want: GrantWanted, refused: bool) -> None:
    failures = planned(want, seen(policy=ROOTLESS)).refusals
    assert [failure.error_code for failure in failures] == ["key_policy_without_root"] * refused
    assert all("kms:*" in failure.message and failure.action == "PutKeyPolicy" for failure in failures)


@pytest.mark.parametrize("sid", ["GoldenImagesAccounts", "GoldenImagesUnits2Grants"])
@pytest.mark.parametrize(
    "want",
    [
        pytest.param(wanted(A, access_method="key_policy"), id="added to"),
        pytest.param(wanted(A, purge=True), id="purged"),
        pytest.param(wanted(A, present=False), id="withdrawn from"),
    ],
)
def test_a_denial_under_an_own_sid_is_not_overwritten(want: GrantWanted, sid: str) -> None:
    denial = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": root(B)},
        "Action": "kms:*",
        "Resource": "*",
    }
    (failure,) = planned(want, seen(policy=policy_of(denial))).refusals
    assert (failure.error_code, failure.action) == ("reserved_sid_denies", "PutKeyPolicy")
    assert sid in failure.message
    assert "another Sid" in failure.remedy


def test_a_denial_under_an_own_sid_is_nobodys_business_where_the_policy_is_not_touched() -> None:
    assert planned(wanted(A), seen()).refusals == ()


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


def test_statements_are_not_shown_where_the_policy_was_not_read() -> None:
    plan = planned(wanted(A), seen())
    assert plan.before == {KEY.arn: {"grants": []}}


def test_every_key_of_a_region_and_every_region_is_opened() -> None:
    keys = {
        place(region): tuple(KeySeen(Key(key_arn(name, region))) for name in names)
        for region, names in {"us-west-2": "z", REGION: "ab"}.items()
    }
    plan = grant.plan(wanted(A), grant.GrantSeen(OWNER, "aws", keys))
    opened: Iterable[str | None] = (action.resource for action in plan.actions)
    assert list(opened) == [key_arn("a"), key_arn("b"), key_arn("z", "us-west-2")]
    assert [target.target.region for target in plan.targets] == [REGION, "us-west-2"]
