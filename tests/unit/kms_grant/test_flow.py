# SPDX-License-Identifier: GPL-3.0-or-later

"""``ami_kms_grant`` from options to result."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._aws import read_targets
from ansible_collections.golden.images.plugins.module_utils._aws.read import SETTLING_GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._fanout import GRACE_PERIOD
from ansible_collections.golden.images.plugins.module_utils._keys import policy_statements as key_policy
from ansible_collections.golden.images.plugins.module_utils._keys.grants import OPERATIONS
from ansible_collections.golden.images.plugins.module_utils._kms_grant.flow import FLOW

from tests.unit.examples import ORG, OWNER, UNIT
from tests.unit.keys.examples import key_arn
from tests.unit.keys.policies import ROOT, own_access
from tests.unit.kms_grant.examples import (
    DEPLOY,
    EU,
    SECRET,
    US,
    A,
    B,
    Run,
    grantees,
    key_of,
    root,
    run,
    scaling,
    scaling_role,
    wanted,
    world_with_access,
)
from tests.unit.kms_grant.kms_in_memory import world


def test_all_read_failures_are_reported_and_nothing_is_written() -> None:
    aws = world(EU, US, "ap-south-1")
    aws.regions[EU].refuse = {"DescribeKey": "NotFoundException"}
    aws.regions[US].refuse = {"ListGrants": "AccessDeniedException"}
    with pytest.raises(ValidationError) as caught:
        assert Run(wanted(A, regions=(EU, US, "ap-south-1")), aws).seen
    reported = [
        (item.region, item.action, item.error_code, item.request_id) for item in caught.value.failures
    ]
    assert sorted(reported) == [
        (EU, "DescribeKey", "NotFoundException", "req-1"),
        (US, "ListGrants", "AccessDeniedException", "req-1"),
    ]
    assert aws.writes() == []


BEST_EFFORT = {"regions": (EU, US), "best_effort_regions": frozenset({EU})}


@pytest.mark.parametrize("operation", ["DescribeKey", "ListGrants", "GetKeyPolicy"])
def test_best_effort_region_that_cannot_be_read_is_left_out(operation: str) -> None:
    aws = world(EU, US)
    aws.regions[EU].refuse = {operation: "AccessDeniedException"}
    want = wanted(A, org_arns=frozenset({ORG}), **BEST_EFFORT)
    job = Run(want, aws)
    plan = job.plan
    assert plan.refusals == ()
    assert [(one.region, one.action) for one in plan.tolerated] == [(EU, operation)]
    outcome = job.outcome
    assert (outcome.failures, outcome.tolerated) == ((), ())
    result = job.result
    assert [item["region"] for item in result["results"]] == [US]
    assert result["kms_key_arns"] == {US: key_arn("a", US)}
    assert grantees(aws.key(US)) == {root(A)}
    assert grantees(aws.key(EU)) == set()


@pytest.mark.parametrize(("state", "seconds"), [("present", SETTLING_GRACE_PERIOD), ("absent", GRACE_PERIOD)])
def test_best_effort_region_has_time_until_its_image_is_visible(
    grace_periods: Callable[[ModuleType], list[float]], state: str, seconds: float
) -> None:
    waited = grace_periods(read_targets)
    assert Run(wanted(A, state=state, **BEST_EFFORT), world(EU, US)).seen
    assert waited == [seconds]


def test_only_best_effort_regions_and_none_can_be_read() -> None:
    aws = world(EU)
    aws.regions[EU].refuse = {"DescribeKey": "AccessDeniedException"}
    result, outcome = run(aws, scaling(A, best_effort_regions=frozenset({EU})))
    assert {name: value for name, value in result.items() if value} == {
        "consumers": [A],
        "failed_regions": [EU],
    }
    assert outcome.performed == ()


def test_refused_key_in_a_best_effort_region_leaves_it_out() -> None:
    aws = world(EU, US)
    aws.key(EU).state = "Disabled"
    result, outcome = run(aws, wanted(A, **BEST_EFFORT))
    assert outcome.failures == ()
    assert [item["region"] for item in result["results"]] == [US]
    assert (grantees(aws.key(EU)), grantees(aws.key(US))) == (set(), {root(A)})
    with pytest.raises(AssertionError):
        run(aws, wanted(A, **{**BEST_EFFORT, "best_effort_regions": frozenset({US})}))


def test_region_that_is_left_out_gets_no_grant_of_a_consumer_either() -> None:
    aws = world(EU, US)
    aws.key(EU).state = "Disabled"
    _result, outcome = run(aws, scaling(A, **BEST_EFFORT))
    assert ({action.target.region for action in outcome.performed}, outcome.failures) == ({US}, ())
    aws = world(EU, US)
    aws.regions[EU].refuse = {"CreateGrant": "LimitExceededException"}
    _result, outcome = run(aws, scaling(A, **BEST_EFFORT))
    assert outcome.failures == ()
    assert {(one.region, one.account_id) for one in outcome.tolerated} == {(EU, OWNER)}


def test_principal_of_another_partition_is_refused_with_best_effort_regions_only() -> None:
    other = "arn:aws-cn:iam::222222222222:role/deploy"
    plan = Run(wanted(principals=frozenset({other}), best_effort_regions=[EU]), world(EU)).plan
    assert [one.action for one in plan.refusals] == ["principals"]


@pytest.mark.parametrize("operation", ["CreateGrant", "PutKeyPolicy", "RevokeGrant"])
def test_change_that_fails_in_a_best_effort_region_is_tolerated(operation: str) -> None:
    aws = world(EU, US)
    run(aws, wanted(B, regions=(EU, US)))
    aws.regions[EU].refuse = {operation: "LimitExceededException"}
    result, outcome = run(aws, wanted(A, org_arns=frozenset({ORG}), purge_grants=True, **BEST_EFFORT))
    assert outcome.failures == ()
    assert {(one.region, one.action, one.error_code) for one in outcome.tolerated} == {
        (EU, operation, "LimitExceededException")
    }
    assert [item["region"] for item in result["results"]] == [US]
    assert grantees(aws.key(US)) == {root(A)}


def test_consumer_that_is_rejected_in_a_best_effort_region_fails_the_task() -> None:
    aws = world(EU, US)
    aws.regions[EU].unknown = {root(A)}
    _result, outcome = run(aws, wanted(A, B, **BEST_EFFORT))
    assert [(one.region, one.account_id) for one in outcome.failures] == [(EU, A)]
    assert outcome.tolerated == ()
    assert (grantees(aws.key(EU)), grantees(aws.key(US))) == ({root(B)}, {root(A), root(B)})


def test_access_is_granted_in_every_region_once() -> None:
    aws = world(EU, US)
    want = wanted(
        A,
        B,
        regions=(EU, US),
        org_arns=frozenset({ORG}),
        org_unit_arns=frozenset({UNIT}),
        auto_scaling=True,
    )
    result, first = run(aws, want)
    assert first.failures == ()
    for region in (EU, US):
        key = aws.key(region)
        assert grantees(key) == {root(A), root(B), scaling_role(A), scaling_role(B)}
        assert len(key_policy.own_statements(key.policy)) == 4
    assert result["kms_key_arns"] == {EU: key_arn("a", EU), US: key_arn("a", US)}
    written = aws.writes()
    again, second = run(aws, want)
    assert (second.performed, second.failures, second.warnings) == ((), (), ())
    assert aws.writes() == written
    assert [item["changed"] for item in again["results"]] == [False, False]
    for first_keys, keys in zip(_keys(result), _keys(again), strict=True):
        assert keys == {**first_keys, "access_known": True, "consumers_without_access": []}


def _keys(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [key_of(result, key) for region in result["results"] for key in region["kms_keys"]]


def test_consumers_without_access_are_those_that_were_read_as_such() -> None:
    aws = world(EU)
    (changed,) = _keys(run(aws, wanted(A))[0])
    assert changed["consumers_without_access"] is None
    (again,) = _keys(run(aws, wanted(A, operations=OPERATIONS))[0])
    assert again["consumers_without_access"] == []
    decrypt = wanted(A, operations=frozenset({"Decrypt"}))
    run(aws, {**decrypt, "purge_grants": True})
    (narrow,) = _keys(run(aws, decrypt)[0])
    assert narrow["consumers_without_access"] == [A]
    (revoked,) = _keys(run(aws, wanted(B, state="absent"))[0])
    assert revoked["consumers_without_access"] is None


def test_check_mode_shows_who_could_not_use_a_key_after_the_changes() -> None:
    lacking = []
    for want in (wanted(A, B), wanted(A, B, operations=frozenset({"Decrypt"})), wanted(A, state="absent")):
        aws = world_with_access(A, regions=(EU,))
        (key,) = _keys(Run({**want, "purge_grants": "state" not in want}, aws, check_mode=True).result)
        lacking.append(key["consumers_without_access"])
    assert lacking == [[], [A, B], None]


def test_grants_are_listed_together_that_have_keys_and_operations_in_common() -> None:
    aws = world_with_access(A, B)
    run(aws, wanted(A, B, principals=[DEPLOY], regions=(EU,)))
    result, _outcome = run(aws, wanted(A, B, regions=(EU, US)))
    here, there = key_arn("a", EU), key_arn("a", US)
    assert [(item["grantees"], item["kms_key_arns"]) for item in result["grants"]] == [
        ([A, B], [here, there]),
        ([DEPLOY], [here]),
    ]
    assert {tuple(item["operations"]) for item in result["grants"]} == {tuple(sorted(OPERATIONS))}
    assert result["consumers"] == [A, B]


def test_result_of_a_region() -> None:
    aws = world(EU)
    (region,) = run(aws, wanted(A))[0]["results"]
    (key,) = region.pop("kms_keys")
    assert region == {"account_id": OWNER, "changed": True, "region": EU}
    assert key == {"access_known": False, "dependents": [], "kms_key_arn": key_arn("a", EU)}


def test_absent_keeps_grants_and_statements_of_others() -> None:
    aws = world(EU)
    run(aws, wanted(A, B, org_arns=frozenset({ORG})))
    key = aws.key(EU)
    key.grants["theirs"] = {"GranteePrincipal": root(A), "Operations": ["Decrypt"]}
    before = key.policy
    _result, outcome = run(aws, wanted(A, state="absent", org_arns=frozenset({ORG})))
    assert outcome.failures == ()
    assert grantees(key) == {root(A), root(B)}
    assert [name for name, grant in key.grants.items() if grant["GranteePrincipal"] == root(A)] == ["theirs"]
    assert key_policy.own_statements(before)
    assert json.loads(key.policy)["Statement"] == [ROOT]


def test_external_id_is_in_no_result() -> None:
    aws = world(EU, US)
    aws.denied = {A}
    want = scaling(A, B, regions=(EU, US), org_arns=frozenset({ORG}))
    job = Run(want, aws)
    plan = job.plan
    outcome = job.outcome
    assert outcome.failures
    reported = [
        job.result,
        [action.to_dict() for action in (*plan.actions, *outcome.performed)],
        [failure.to_dict() for failure in outcome.failures],
        plan.before,
        plan.after,
        plan.warnings,
        outcome,
    ]
    assert SECRET not in repr(reported)
    assert (SECRET in {external_id for _role, external_id, _region in aws.assumed}) is True


def test_next_run_completes_an_interrupted_run() -> None:
    aws = world(EU)
    want = scaling(A, org_arns=[ORG])
    job = Run(want, aws)
    assert job.plan.actions
    # The run ends after the first call that changes something.
    aws.regions[EU].refuse = {"PutKeyPolicy": "KMSInternalException"}
    aws.denied = {A}
    assert job.outcome.failures
    assert grantees(aws.key(EU)) == {root(A)}
    aws.regions[EU].refuse, aws.denied = {}, set()
    aws.consumers.clear()
    _result, outcome = run(aws, want)
    assert outcome.failures == ()
    assert grantees(aws.key(EU)) == {root(A), scaling_role(A)}
    assert own_access(aws.key(EU).policy).consumers.org_ids == {"o-a1b2c3d4e5"}


def test_the_diff_has_each_consumer_once_before_and_after() -> None:
    job = Run(wanted(A, regions=(US, EU)), world(EU, US), check_mode=True)
    diff = FLOW.diff(job.wanted, job.seen, job.plan)
    assert "prepared" in diff
    assert diff["state_before"]["grants"] == []
    (grant,) = diff["state_after"]["grants"]
    assert (grant["grantees"], {*grant["kms_key_arns"]}) == ([A], {key_arn("a", EU), key_arn("a", US)})
