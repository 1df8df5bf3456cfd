# SPDX-License-Identifier: GPL-3.0-or-later

"""Which keys and key policies are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.modules.ami_kms_grant import DOCUMENTATION

from tests.unit.examples import ORG, OWNER, STRANGER
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import policy_of
from tests.unit.kms_grant.examples import (
    DEPLOY,
    KEY,
    PLAIN_POLICY,
    REGION,
    A,
    B,
    aws_with,
    calls,
    planned,
    root,
    wanted,
)
from tests.unit.kms_grant.kms_in_memory import StoredKey

GOOD = StoredKey(KEY.arn)
DISABLED = StoredKey(KEY.arn, state="Disabled")
AWS_MANAGED = StoredKey(KEY.arn, manager="AWS")
FOREIGN = StoredKey(key_arn(account_id=STRANGER))


@pytest.mark.parametrize(
    ("want", "key", "codes"),
    [
        pytest.param(wanted(A), GOOD, [], id="a good key"),
        pytest.param(wanted(A), AWS_MANAGED, ["default_key"], id="aws/ebs"),
        pytest.param(wanted(A), DISABLED, ["key_not_enabled"], id="disabled"),
        pytest.param(
            wanted(A),
            StoredKey(KEY.arn, state="PendingDeletion"),
            ["key_not_enabled"],
            id="pending deletion",
        ),
        pytest.param(wanted(A), FOREIGN, [], id="another account's, with grants"),
        pytest.param(
            wanted(A),
            StoredKey(FOREIGN.arn, state="Disabled"),
            ["key_not_enabled"],
            id="another account's, disabled",
        ),
        pytest.param(
            wanted(A, access_method="key_policy"), FOREIGN, ["not_owner"], id="another account's, by policy"
        ),
        pytest.param(
            wanted(A, org_arns=frozenset({ORG})), FOREIGN, ["not_owner"], id="another account's, organization"
        ),
        pytest.param(
            wanted(OWNER, access_method="key_policy"), FOREIGN, [], id="another account's, without a consumer"
        ),
        pytest.param(wanted(), AWS_MANAGED, [], id="aws/ebs, without a consumer"),
        pytest.param(wanted(OWNER), AWS_MANAGED, [], id="aws/ebs, for the owner"),
        pytest.param(
            wanted(principals=frozenset({DEPLOY})),
            AWS_MANAGED,
            ["default_key"],
            id="aws/ebs, for a role",
        ),
        pytest.param(
            wanted(org_arns=frozenset({ORG})), AWS_MANAGED, ["default_key"], id="aws/ebs, organization"
        ),
        pytest.param(wanted(), DISABLED, [], id="disabled, without a consumer"),
        pytest.param(
            wanted(OWNER, purge_grants=True),
            DISABLED,
            ["key_not_enabled"],
            id="disabled, purge",
        ),
        pytest.param(wanted(A, state="absent"), DISABLED, [], id="revoking for a disabled key"),
        pytest.param(wanted(A, state="absent"), FOREIGN, [], id="revoking for another account's key"),
    ],
)
def test_keys_that_are_refused(want: dict[str, Any], key: StoredKey, codes: list[str]) -> None:
    failures = planned(want, aws_with(key=key)).refusals
    assert [failure.error_code for failure in failures] == codes
    for failure in failures:
        assert key.arn in failure.message
        assert failure.remedy
        assert (failure.region, failure.account_id, failure.action) == (REGION, OWNER, "CreateGrant")


@pytest.mark.parametrize(
    ("want", "operation"),
    [
        pytest.param(wanted(A), "ListGrants", id="its grants cannot be listed"),
        pytest.param(wanted(A), "CreateGrant", id="no grant can be created"),
        pytest.param(wanted(A, purge_grants=True), "CreateGrant", id="no grant can be created by a purge"),
        pytest.param(wanted(A, state="absent"), "ListGrants", id="revoking"),
    ],
)
def test_refusal_of_a_denied_key_names_the_statement_that_its_owner_adds(
    want: dict[str, Any], operation: str
) -> None:
    aws = aws_with(key=FOREIGN)
    aws.regions[REGION].refuse = {operation: "AccessDeniedException"}
    (failure,) = planned(want, aws).refusals
    assert failure.error_code == "not_owner"
    assert operation in failure.message
    assert STRANGER in failure.message
    path, account_id = re.findall(r"docs/iam/\S+\.json|\b\d{12}\b(?=\.$)", failure.remedy)
    assert account_id == OWNER
    statement = json.loads((Path(__file__).parents[3] / path).read_text("utf-8"))
    assert {"kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"} < {*statement["Action"]}
    assert len(failure.text()) < 500


def crowd(count: int, **options: Any) -> dict[str, Any]:
    """Options that give that many accounts access by the policy."""
    return wanted(*(f"2{number:011d}" for number in range(count)), access_method="key_policy", **options)


def policy_after(options: dict[str, Any], policy: str) -> str:
    """The policy that a run writes."""
    actions = planned(options, aws_with(policy=policy)).actions
    (put,) = (one for one in actions if one.operation == "PutKeyPolicy")
    return str(put.parameters["Policy"])


@pytest.mark.parametrize(
    ("accounts", "refused"), [pytest.param(300, False, id="fits"), pytest.param(2_000, True, id="too large")]
)
def test_policy_that_is_too_large_is_refused(accounts: int, refused: bool) -> None:
    plan = planned(crowd(accounts), aws_with())
    assert [failure.error_code for failure in plan.refusals] == ["key_policy_too_large"] * refused
    assert all("32768" in failure.message and failure.action == "PutKeyPolicy" for failure in plan.refusals)


def test_as_many_accounts_as_the_documentation_says_fit_as_arns() -> None:
    # AWS may store account IDs as the ARNs of their roots; those of AWS GovCloud (US) are the longest.
    options = crowd(350, auto_scaling=True)
    assert "350 accounts" in DOCUMENTATION
    policy = policy_after(options, PLAIN_POLICY)
    for account in options["account_ids"]:
        policy = policy.replace(f'"{account}"', f'"arn:aws-us-gov:iam::{account}:root"')
    assert 28_000 < len(policy) < 32_768


def padded_to(length: int, character: str = "x") -> str:
    """A policy that has this length in bytes after A gets access."""
    policy = {"Id": "", **json.loads(PLAIN_POLICY)}
    after = policy_after(wanted(A, access_method="key_policy"), json.dumps(policy))
    left = length - len(after.encode())
    filled, rest = divmod(left, len(character.encode()))
    return json.dumps({**policy, "Id": character * filled + "x" * rest}, ensure_ascii=False)


@pytest.mark.parametrize("character", ["x", "é"])
@pytest.mark.parametrize(("length", "refused"), [(32_768, False), (32_769, True)])
def test_policy_size_is_measured_in_bytes(character: str, length: int, refused: bool) -> None:
    plan = planned(wanted(A, access_method="key_policy"), aws_with(policy=padded_to(length, character)))
    assert len(plan.actions[0].parameters["Policy"].encode()) == length
    assert bool(plan.refusals) is refused


def test_size_of_an_unchanged_policy_is_not_checked() -> None:
    policy = policy_of(json.loads(PLAIN_POLICY)["Statement"][0] | {"Sid": "x" * 40_000})
    plan = planned(wanted(A, purge_grants=True), aws_with(policy=policy))
    assert calls(plan.actions) == [("CreateGrant", root(A))]
    assert plan.refusals == ()


ROOTLESS = json.dumps(
    {"Statement": [{"Effect": "Allow", "Principal": {"AWS": DEPLOY}, "Action": "kms:*", "Resource": "*"}]}
)


DELETED = {"Sid": "Ops", "Effect": "Allow", "Principal": {"AWS": "AROAEXAMPLEID"}, "Action": "kms:*"}


@pytest.mark.parametrize(
    ("want", "refused"),
    [
        pytest.param(wanted(A, access_method="key_policy"), True, id="the policy changes"),
        pytest.param(wanted(A), False, id="the policy stays"),
    ],
)
def test_policy_that_kms_would_reject_is_refused(want: dict[str, Any], refused: bool) -> None:
    failures = planned(want, aws_with(policy=policy_of(DELETED))).refusals
    assert [failure.error_code for failure in failures] == ["key_policy_invalid"] * refused
    for failure in failures:
        assert failure.action == "PutKeyPolicy"
        assert (
            "statement Ops names the deleted principal AROAEXAMPLEID and has no Resource" in failure.message
        )


@pytest.mark.parametrize(
    ("want", "refused"),
    [
        pytest.param(wanted(A, access_method="key_policy"), True, id="the policy changes"),
        pytest.param(wanted(A, purge_grants=True), False, id="the policy stays"),
    ],
)
def test_policy_without_the_owners_root_is_refused(want: dict[str, Any], refused: bool) -> None:
    failures = planned(want, aws_with(policy=ROOTLESS)).refusals
    assert [failure.error_code for failure in failures] == ["key_policy_without_root"] * refused
    assert all("kms:*" in failure.message and failure.action == "PutKeyPolicy" for failure in failures)


@pytest.mark.parametrize("sid", ["GoldenImagesAccounts", "GoldenImagesUnits2Grants"])
@pytest.mark.parametrize(
    "want",
    [
        pytest.param(wanted(A, access_method="key_policy"), id="added to"),
        pytest.param(wanted(A, purge_grants=True), id="purged"),
        pytest.param(wanted(A, state="absent"), id="absent"),
    ],
)
def test_deny_statement_with_an_own_sid_is_refused(want: dict[str, Any], sid: str) -> None:
    deny = {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": root(B)},
        "Action": "kms:*",
        "Resource": "*",
    }
    (failure,) = planned(want, aws_with(policy=policy_of(deny))).refusals
    assert (failure.error_code, failure.action) == ("reserved_sid_denies", "PutKeyPolicy")
    assert sid in failure.message
    assert "Change the Sid" in failure.remedy


def test_deny_statement_is_ignored_where_the_policy_does_not_change() -> None:
    assert planned(wanted(A), aws_with()).refusals == ()


@pytest.mark.parametrize("access_method", ["auto", "grant", "key_policy"])
@pytest.mark.parametrize(
    ("service", "name", "cure"),
    [
        (
            "autoscaling",
            "AWSServiceRoleForAutoScaling",
            "auto_scaling_roles: [AWSServiceRoleForAutoScaling].",
        ),
        (
            "autoscaling",
            "AWSServiceRoleForAutoScaling_web",
            "auto_scaling_roles: [AWSServiceRoleForAutoScaling_web].",
        ),
        ("spot", "AWSServiceRoleForEC2Spot", "docs/encrypted-images.md has the command."),
    ],
)
def test_service_linked_roles_of_other_accounts_are_refused(
    service: str, name: str, cure: str, access_method: str
) -> None:
    def of(account_id: str, **options: Any) -> dict[str, Any]:
        arn = f"arn:aws:iam::{account_id}:role/aws-service-role/{service}.amazonaws.com/{name}"
        return wanted(principals=[arn], access_method=access_method, **options)

    (refusal,) = planned(of(STRANGER), aws_with()).refusals
    assert refusal.action == "principals"
    assert f"{name}' is a service-linked role, whose grant has to be created in its own" in refusal.message
    assert refusal.remedy.endswith(cure)
    assert planned(of(OWNER), aws_with()).refusals == ()
    assert planned(of(STRANGER, state="absent"), aws_with()).refusals == ()


def test_principals_of_another_partition_are_refused() -> None:
    in_china = DEPLOY.replace("arn:aws:", "arn:aws-cn:")
    want = wanted(principals=frozenset({in_china}))
    (refusal,) = planned(want, aws_with()).refusals
    assert refusal.message == f"principals: '{in_china}' is in the partition aws-cn, and the keys are in aws."
    assert planned(want, aws_with(partition="aws-cn")).refusals == ()
    assert planned({**want, "state": "absent"}, aws_with()).refusals == ()
    assert planned({**want, "kms_key_ids": {REGION: None}}, aws_with()).refusals == ()
