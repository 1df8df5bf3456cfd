# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order access is granted and revoked, and what a failure leaves undone."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy

from tests.unit.examples import ORG, OWNER
from tests.unit.keys.policies import ROOT, consumers, opened_to, own_access
from tests.unit.kms_grant.examples import (
    AUTO_SCALING_OPERATIONS,
    DEPLOY,
    EU,
    SECRET,
    US,
    A,
    B,
    C,
    Run,
    failures,
    grantees,
    root,
    run,
    scaling,
    scaling_role,
    wanted,
    world_with_access,
)
from tests.unit.kms_grant.kms_in_memory import Kms, World, world

OTHER = f"arn:aws:iam::{A}:role/other"
THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": C},
    "Action": "kms:Decrypt",
    "Resource": "*",
}


def test_statement_that_another_tool_adds_concurrently_is_kept() -> None:
    aws = world(EU)
    want = wanted(org_arns=frozenset({ORG}))
    job = Run(want, aws)
    assert job.plan.actions
    key = aws.key(EU)

    def write_other_statement() -> None:
        key.policy = key_policy.with_own_statements(key.policy, [THEIRS])

    aws.regions[EU].meanwhile["GetKeyPolicy"] = write_other_statement
    outcome = job.outcome
    assert outcome.failures == ()
    statements = json.loads(key.policy)["Statement"]
    assert statements[:2] == [ROOT, THEIRS]
    assert [item["Sid"] for item in statements[2:]] == [
        "GoldenImagesOrganizations",
        "GoldenImagesOrganizationsGrants",
    ]


def test_own_statement_that_another_run_adds_concurrently_is_kept() -> None:
    aws = world(EU)
    want = wanted(org_arns=frozenset({ORG}))
    job = Run(want, aws)
    assert job.plan.actions
    aws.key(EU).policy = opened_to(consumers(C))
    assert job.outcome.failures == ()
    assert own_access(aws.key(EU).policy).consumers == consumers(C, org_ids=("o-a1b2c3d4e5",))


def test_policy_is_read_again_right_before_it_is_written() -> None:
    aws = world(EU)
    run(aws, wanted(A, org_arns=frozenset({ORG})))
    operations = aws.regions[EU].operations()
    assert operations[operations.index("PutKeyPolicy") - 1] == "GetKeyPolicy"
    # Then it is read five times, until it is the new one everywhere.
    assert operations[: operations.index("PutKeyPolicy")].count("GetKeyPolicy") == 2
    assert operations.count("GetKeyPolicy") == 2 + 5


def test_grants_are_created_first_and_revoked_last() -> None:
    aws = world(EU)
    run(aws, wanted(C))
    done = len(aws.writes())
    run(aws, wanted(A, org_arns=frozenset({ORG}), purge_grants=True))
    assert aws.writes()[done:] == ["CreateGrant", "PutKeyPolicy", "RevokeGrant"]


@pytest.mark.parametrize("operation", ["CreateGrant", "PutKeyPolicy"])
def test_region_where_granting_fails_revokes_nothing_and_other_regions_complete(operation: str) -> None:
    aws = world_with_access(C)
    aws.regions[EU].refuse = {operation: "LimitExceededException"}
    want = wanted(A, B, regions=(EU, US), org_arns=frozenset({ORG}), purge_grants=True)
    _result, outcome = run(aws, want)
    assert set(failures(outcome)) == {(EU, operation, "LimitExceededException")}
    assert root(C) in grantees(aws.key(EU))
    assert grantees(aws.key(US)) == {root(A), root(B)}
    aws.regions[EU].refuse = {}
    assert run(aws, want)[1].failures == ()
    assert grantees(aws.key(EU)) == {root(A), root(B)}


def test_rejected_grantee_keeps_no_other_consumer_from_access() -> None:
    aws = world_with_access(C, regions=(EU,))
    aws.regions[EU].unknown = {root(B)}
    want = scaling(A, B, org_arns=frozenset({ORG}), purge_grants=True)
    _result, outcome = run(aws, want)
    assert failures(outcome) == [(EU, "CreateGrant", "consumer_rejected")]
    assert outcome.failures[0].account_id == B
    # Nothing is revoked. The role of the rejected account is not used, that of C to read its volumes.
    assert grantees(aws.key(EU)) == {root(A), scaling_role(A), root(C)}
    assert own_access(aws.key(EU).policy).consumers == consumers(org_ids=("o-a1b2c3d4e5",))
    assert [role for role, _external_id, _region in aws.assumed] == [
        f"arn:aws:iam::{account_id}:role/golden-consumer" for account_id in (C, A)
    ]


def test_missing_auto_scaling_role_is_named_and_stops_no_other_account() -> None:
    aws = world(EU)
    aws.consumers[A] = {EU: Kms(aws.regions[EU].keys, unknown={scaling_role(A)})}
    _result, outcome = run(aws, scaling(A, B))
    (failure,) = outcome.failures
    assert (failure.account_id, failure.error_code) == (A, "InvalidArnException")
    assert "iam create-service-linked-role" in failure.remedy
    assert grantees(aws.key(EU)) == {root(A), root(B), scaling_role(B)}


@pytest.mark.parametrize(
    ("suffix", "option"), [("", ""), ("_web", " --custom-suffix web"), ("__a", " --custom-suffix _a")]
)
def test_each_missing_role_for_auto_scaling_is_named_and_the_others_get_grants(
    suffix: str, option: str
) -> None:
    aws = world(EU)
    missing, there = f"AWSServiceRoleForAutoScaling{suffix}", "AWSServiceRoleForAutoScaling_other"
    aws.consumers[A] = {EU: Kms(aws.regions[EU].keys, unknown={scaling_role(A, suffix)})}
    _result, outcome = run(aws, scaling(A, auto_scaling_roles=[missing, there]))
    (failure,) = outcome.failures
    assert failure.account_id == A
    command = "aws iam create-service-linked-role --aws-service-name autoscaling.amazonaws.com"
    assert f"role {missing}, create it there: {command}{option}. " in failure.remedy
    assert grantees(aws.key(EU)) == {root(A), scaling_role(A, "_other")}


def test_every_planned_grant_is_created_whatever_its_grantee() -> None:
    aws = world(EU)
    _result, outcome = run(aws, wanted(principals=frozenset({scaling_role(OWNER)})))
    assert grantees(aws.key(EU)) == {scaling_role(OWNER)}
    assert [one.operation for one in outcome.performed] == ["CreateGrant"]
    assert aws.assumed == []


def test_actions_before_a_failure_are_returned() -> None:
    aws = world(EU, US)
    aws.regions[EU].refuse = {"PutKeyPolicy": "MalformedPolicyDocumentException"}
    _result, outcome = run(aws, wanted(A, regions=(EU, US), org_arns=frozenset({ORG})))
    done = [(item["region"], item["action"]) for item in (one.to_dict() for one in outcome.performed)]
    assert sorted(done) == [(EU, "CreateGrant"), (US, "CreateGrant"), (US, "PutKeyPolicy")]


def test_grant_that_create_grant_returned_is_not_revoked() -> None:
    # ListGrants shows a role that was created a moment ago by its unique ID (aws/aws-sdk-go#1718).
    aws = world_with_access(A, C, regions=(EU,), principals=frozenset({DEPLOY}))
    aws.key(EU).unique_ids[DEPLOY] = "AROAEXAMPLEID"
    want = wanted(A, principals=frozenset({DEPLOY}), purge_grants=True)
    _result, outcome = run(aws, want)
    assert outcome.failures == ()
    assert grantees(aws.key(EU)) == {root(A), DEPLOY}
    aws.key(EU).unique_ids.clear()
    assert Run(want, aws).plan.actions == ()


def test_grant_that_a_consumer_got_from_create_grant_is_not_revoked() -> None:
    aws = world(EU)
    run(aws, scaling(A))
    aws.key(EU).unique_ids[scaling_role(A)] = "AROAEXAMPLEID"
    run(aws, scaling(A, purge_grants=True))
    assert grantees(aws.key(EU)) == {root(A), scaling_role(A)}


def test_grant_of_a_deleted_role_is_revoked() -> None:
    aws = world_with_access(regions=(EU,), principals=frozenset({DEPLOY}))
    (stale,) = aws.key(EU).grants.values()
    stale["GranteePrincipal"] = "AROAEXAMPLEID"
    run(aws, wanted(principals=frozenset({DEPLOY}), purge_grants=True))
    assert grantees(aws.key(EU)) == {DEPLOY}


def test_grant_shown_with_a_unique_id_is_revoked_from_the_role_it_was_created_for() -> None:
    aws = world_with_access(B, regions=(EU,), principals=frozenset({DEPLOY}))
    aws.key(EU).unique_ids[DEPLOY] = "AROAEXAMPLEID"
    run(aws, wanted(principals=frozenset({OTHER}), state="absent"))
    assert grantees(aws.key(EU)) == {root(B), DEPLOY}
    run(aws, wanted(principals=frozenset({DEPLOY}), state="absent"))
    assert grantees(aws.key(EU)) == {root(B)}


def test_failure_to_revoke_a_grant_is_reported() -> None:
    aws = world_with_access(A, C)
    aws.regions[US].refuse = {"RevokeGrant": "AccessDeniedException"}
    _result, outcome = run(aws, wanted(A, regions=(EU, US), purge_grants=True))
    assert failures(outcome) == [(US, "RevokeGrant", "AccessDeniedException")]
    assert grantees(aws.key(EU)) == {root(A)}


def test_account_that_moves_from_the_policy_to_a_grant_keeps_access() -> None:
    aws = world_with_access(A, regions=(EU,), access_method="key_policy")
    aws.regions[EU].refuse = {"CreateGrant": "LimitExceededException"}
    run(aws, wanted(A, purge_grants=True))
    key = aws.key(EU)
    assert (grantees(key), own_access(key.policy).consumers) == (set(), consumers(A))


def consumer_calls(aws: World, account_id: str, region: str = EU) -> list[dict[str, Any]]:
    return aws.consumers[account_id][region].asked("CreateGrant")


def test_consumers_create_grants_with_the_owners_grant_token() -> None:
    aws = world(EU, US)
    run(aws, scaling(A, B, regions=(US, EU)))
    assert sorted(aws.assumed) == [
        (f"arn:aws:iam::{account}:role/golden-consumer", SECRET, EU) for account in (A, B)
    ]
    for account_id in (A, B):
        for region in (EU, US):
            (request,) = consumer_calls(aws, account_id, region)
            owners = aws.key(region).grants
            parent = [name for name, item in owners.items() if item["GranteePrincipal"] == root(account_id)]
            assert request["GrantTokens"] == [f"token-of-{parent[0]}"]
            assert request["GranteePrincipal"] == scaling_role(account_id)
            assert set(request["Operations"]) <= set(owners[parent[0]]["Operations"])
    assert {grant["GranteePrincipal"] for grant in aws.regions[EU].asked("CreateGrant")} == {root(A), root(B)}


def test_existing_grant_needs_no_grant_token() -> None:
    aws = world_with_access(A, regions=(EU,), operations=AUTO_SCALING_OPERATIONS)
    run(aws, scaling(A))
    (request,) = consumer_calls(aws, A)
    assert "GrantTokens" not in request


def test_only_roles_of_accounts_with_missing_grants_are_assumed() -> None:
    aws = world(EU)
    run(aws, scaling(A))
    aws.assumed.clear()
    run(aws, scaling(A, B))
    assert [role for role, _external_id, _region in aws.assumed] == [f"arn:aws:iam::{B}:role/golden-consumer"]


def test_no_role_is_assumed_without_auto_scaling() -> None:
    aws = world(EU)
    run(aws, wanted(A, consumer_role_name="golden-consumer"))
    assert aws.assumed == []


def test_role_that_cannot_be_assumed_stops_no_other_account_and_revokes_nothing() -> None:
    aws = world_with_access(C)
    aws.denied = {A}
    _result, outcome = run(aws, scaling(A, B, regions=(EU, US), purge_grants=True))
    assert failures(outcome) == [(EU, "AssumeRole", "AccessDenied"), (US, "AssumeRole", "AccessDenied")]
    for region in (EU, US):
        assert grantees(aws.key(region)) == {root(A), root(B), root(C), scaling_role(B)}


def test_consumer_that_fails_in_one_region_completes_the_other() -> None:
    aws = world_with_access(C)
    aws.consumers[A] = {name: Kms(kms.keys) for name, kms in aws.regions.items()}
    aws.consumers[A][EU].refuse = {"CreateGrant": "AccessDeniedException"}
    _result, outcome = run(aws, scaling(A, regions=(EU, US), purge_grants=True))
    assert failures(outcome) == [(EU, "CreateGrant", "AccessDeniedException")]
    assert grantees(aws.key(EU)) == {root(A), root(C)}
    assert grantees(aws.key(US)) == {root(A), scaling_role(A)}


def test_failure_in_a_consumer_account_names_that_account() -> None:
    aws = world(EU)
    aws.denied = {A}
    _result, outcome = run(aws, scaling(A))
    assert [failure.account_id for failure in outcome.failures] == [A]


def test_grants_are_created_in_all_regions_at_once_but_few_at_a_time_in_each() -> None:
    # Otherwise AWS refuses most of them, until botocore's retry quota is used up.
    aws = world(EU, US)
    lock, running, most = threading.Lock(), Counter[str](), Counter[str]()
    together = 0

    def counting(region: str, create: Any) -> Any:
        def counted(**request: Any) -> Any:
            nonlocal together
            with lock:
                running[region] += 1
                most[region] = max(most[region], running[region])
                together = max(together, running.total())
            time.sleep(0.005)
            try:
                return create(**request)
            finally:
                with lock:
                    running[region] -= 1

        return counted

    for region, kms in aws.regions.items():
        kms.create_grant = counting(region, kms.create_grant)  # type: ignore[method-assign]
    _result, outcome = run(aws, wanted(*(f"{number:012d}" for number in range(1, 31)), regions=(EU, US)))
    assert outcome.failures == ()
    assert len(outcome.performed) == 60
    assert max(most.values()) == 4
    assert together > 4


def without_grant_ids(aws: World, region: str) -> None:
    kms = aws.regions[region]
    created = kms.create_grant
    # botocore shape CreateGrantResponse requires no member.
    kms.create_grant = lambda **request: created(**request) and {}  # type: ignore[method-assign]


def test_grant_whose_id_aws_does_not_return_is_a_failure_and_nothing_is_revoked() -> None:
    aws = world_with_access(B)
    want = wanted(A, regions=(EU, US), purge_grants=True)
    job = Run(want, aws)
    plan = job.plan
    assert {action.operation for action in plan.actions} == {"CreateGrant", "RevokeGrant"}
    without_grant_ids(aws, EU)
    outcome = job.outcome
    assert [(one.region, one.error_code, one.action) for one in outcome.failures] == [
        (EU, "incomplete_response", "CreateGrant")
    ]
    assert [(one.target.region, one.operation) for one in outcome.performed] == [
        (EU, "CreateGrant"),
        (US, "CreateGrant"),
        (US, "RevokeGrant"),
    ]


def by_policy(*account_ids: str, **options: Any) -> dict[str, Any]:
    return wanted(*account_ids, access_method="key_policy", **options)


def written(aws: World) -> list[str]:
    """The policies that PutKeyPolicy was called with."""
    return [request["Policy"] for request in aws.regions[EU].asked("PutKeyPolicy")]


def test_accepted_policy_is_written_once() -> None:
    aws = world(EU)
    done = Run(by_policy(A, B), aws)
    assert (len(done.outcome.performed), done.outcome.failures) == (1, ())
    assert written(aws) == [aws.key(EU).policy]
    assert own_access(aws.key(EU).policy).consumers == consumers(A, B)


@pytest.mark.parametrize(
    "unknown", [{A}, {B}, {C}, {A, C}, {DEPLOY, B}, {A, B, C, DEPLOY}], ids=lambda unknown: f"{len(unknown)}"
)
def test_only_rejected_principals_get_no_access_by_the_policy(unknown: set[str]) -> None:
    aws = world(EU)
    aws.regions[EU].unknown = unknown
    _result, outcome = run(aws, by_policy(A, B, C, principals=[DEPLOY], org_arns=[ORG]))
    assert {one.error_code for one in outcome.failures} == {"consumer_rejected"}
    assert {one.message for one in outcome.failures} == {f"AWS rejected {one}: No." for one in unknown}
    assert len(outcome.performed) == 1
    accesses = key_policy.own_accesses(aws.key(EU).policy)
    assert {one for access in accesses for one in access.consumers.principals} == {A, B, C, DEPLOY} - unknown
    assert {one for access in accesses for one in access.consumers.org_ids} == {"o-a1b2c3d4e5"}


@pytest.mark.parametrize("access_method", ["auto", "key_policy"])
@pytest.mark.parametrize("principal", [A, DEPLOY], ids=["account", "role"])
def test_rejection_names_the_principal_and_its_account(access_method: str, principal: str) -> None:
    aws = world(EU, US)
    aws.regions[EU].unknown = {principal, root(principal)}
    options = wanted(B, regions=(EU, US), access_method=access_method)
    options["account_ids" if principal == A else "principals"] = [principal]
    (failure,) = Run(options, aws).outcome.failures
    assert (failure.error_code, failure.account_id, failure.region) == ("consumer_rejected", A, EU)
    assert (failure.request_id, failure.source) == ("req-1", "aws")
    assert failure.message == f"AWS rejected {principal}: No."
    assert "must have enabled the region" in failure.remedy


@pytest.mark.parametrize(
    ("operation", "code"),
    [
        ("CreateGrant", "AccessDeniedException"),
        ("RevokeGrant", "InvalidArnException"),
        ("PutKeyPolicy", "LimitExceededException"),
    ],
)
def test_another_refusal_is_not_the_consumers_failure(operation: str, code: str) -> None:
    aws = world_with_access(C, regions=(EU,))
    aws.regions[EU].refuse = {operation: code}
    _result, outcome = run(aws, wanted(A, org_arns=[ORG], purge_grants=True))
    assert failures(outcome) == [(EU, operation, code)]
    assert outcome.failures[0].account_id == OWNER


def test_purge_waits_until_the_rejected_principals_are_known() -> None:
    aws = world(EU)
    aws.key(EU).policy = opened_to(consumers(A))
    aws.regions[EU].unknown = {B}
    _result, outcome = run(aws, by_policy(B, C, purge_grants=True))
    assert [one.account_id for one in outcome.failures] == [B]
    assert all(f'"{A}"' in policy for policy in written(aws)[1:-1])
    assert own_access(aws.key(EU).policy).consumers == consumers(C)


def test_principal_in_a_statement_of_another_tool_is_the_policys_failure() -> None:
    aws = world(EU)
    key = aws.key(EU)
    key.policy = before = key_policy.with_own_statements(key.policy, [THEIRS])
    aws.regions[EU].unknown = {C}
    _result, outcome = run(aws, by_policy(A, B))
    assert failures(outcome) == [(EU, "PutKeyPolicy", "MalformedPolicyDocumentException")]
    assert outcome.performed == ()
    assert key.policy == before
