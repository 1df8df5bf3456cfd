# SPDX-License-Identifier: GPL-3.0-or-later

"""Every case strikes its scenario's calls, and says what the run must do."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from simulated_aws.http.faults import Fault
from simulated_aws.http.record import RecordedCall
from simulated_aws.settings import Settings
from tests.chaos.cases import EITHER, FAIL, SURVIVE, Case, cases, operations
from tests.unit.chaos.examples import OWNER

HOME, AWAY = "us-east-1", "eu-west-1"


def call(
    service: str, action: str, region: str = HOME, *, changes: bool = False, time: float = 0.0
) -> RecordedCall:
    return RecordedCall(1, time, OWNER, region, service, action, {}, "", "", 200, changes=changes)


CALLS = [
    call("sts", "GetCallerIdentity"),
    call("sns", "ListTopics", AWAY),
    call("sns", "CreateTopic", AWAY, changes=True),
    call("sns", "ListTopics"),
    call("sns", "CreateTopic", changes=True),
    call("monitoring", "PutMetricAlarm", AWAY, changes=True),
    call("s3", "HEAD /kept"),
    call("s3", "PUT /kept/retired/ami-1/2026-11-28.json", changes=True),
    call("ec2", "CopyImage", changes=True),
]


def of(family: str, calls: list[RecordedCall] = CALLS) -> dict[str, Case]:
    return {case.which: case for case in cases("some", calls) if case.family == family}


def strikes(case: Case, calls: list[RecordedCall]) -> int:
    """How many of these calls the case's faults strike."""
    faults = [Fault.read(fault) for fault in case.faults]
    struck = 0
    for one in calls:
        names = ("service", "action", "region", "account_id")
        matching = [
            fault
            for fault in faults
            if fault.matches({name: getattr(one, name) for name in names}, one.changes)
        ]
        for fault in matching:
            fault.matched += 1
        struck += any(fault.is_due() for fault in matching)
    return struck


def test_each_fault_strikes_a_call_of_the_run_that_it_is_made_from() -> None:
    striking = [case for case in cases("some", CALLS) if case.faults]
    assert [case.id for case in striking if not strikes(case, CALLS)] == []
    assert len({case.id for case in striking}) == len(striking)


def test_a_region_that_fails_altogether_fails_in_all_its_services() -> None:
    case = of("region")[f"{AWAY}-all"]
    assert (case.expected, case.says) == (FAIL, r"eu\-west\-1")
    assert strikes(case, CALLS) == 3
    assert {fault["service"] for fault in case.faults} == {"monitoring", "sns"}


def test_what_waits_is_killed_at_the_first_reads_of_what_it_has_started() -> None:
    read = call("autoscaling", "DescribeInstanceRefreshes")
    calls = [read, read, call("autoscaling", "StartInstanceRefresh", changes=True), read]
    kills = [case for case in cases("refresh", calls) if case.kill_action]
    assert [(case.id, case.kill_at) for case in kills] == [
        ("refresh/kill/waiting-01", 3),
        ("refresh/kill/waiting-02", 4),
    ]
    assert {case.kill_action for case in kills} == {"DescribeInstanceRefreshes"}
    assert all(case.settings["instance_refresh_seconds"] for case in kills)
    assert not [case for case in cases("some", calls) if case.kill_action]


@pytest.mark.parametrize(("which", "left"), [("first", 2), ("middle", 5), ("last", 8)])
def test_credentials_expire_at_a_change_for_all_services(which: str, left: int) -> None:
    case = of("expire")[which]
    assert (case.expected, case.says) == (FAIL, "RequestExpired|ExpiredToken")
    assert strikes(case, CALLS) == len(CALLS) - left


def test_they_expire_at_that_change_also_if_the_run_polls_less_often() -> None:
    changes = [one for one in CALLS if one.changes]
    assert strikes(of("expire")["last"], changes) == 1


def test_an_object_that_has_another_name_in_each_run_is_denied() -> None:
    denied = of("denied")
    case = denied[f"{OWNER}-s3-PutObject"]
    assert strikes(case, [call("s3", "PUT /kept/retired/ami-2/2026-11-29.json", changes=True)]) == 1
    # Without the look at the bucket, the run only learns later whether there is one.
    before = denied[f"{OWNER}-s3-ListBucket-before"]
    assert (before.expected, before.denied) == (SURVIVE, None)
    assert case.expected == EITHER


def test_the_removal_of_a_failed_copy_is_left_undone() -> None:
    calls = [call("ec2", "CopyImage", changes=True), call("ec2", "DeregisterImage", changes=True)]
    found = {case.id: (case.expected, case.is_left) for case in cases("failed-copy", calls) if case.faults}
    assert found[f"failed-copy/region/{HOME}-DeregisterImage"] == (SURVIVE, True)
    assert found[f"failed-copy/region/{HOME}-CopyImage"] == (FAIL, False)
    assert found[f"failed-copy/denied/{OWNER}-ec2-DeregisterImage"] == (EITHER, True)
    assert found[f"failed-copy/denied/{OWNER}-ec2-CopyImage"] == (EITHER, False)


def test_all_settings_for_late_reads_lag() -> None:
    lagging = set(of("lag")["2s"].settings)
    named = {one.name for one in fields(Settings)}
    assert lagging <= named
    assert {name for name in named if name.endswith("_after_seconds")} <= lagging
    settings = dict(of("lag")["20s"].settings)
    assert settings.pop("new_grantee_by_unique_id_seconds") > of("lag")["20s"].lag == 20.0
    assert set(settings.values()) == {20.0}


def test_what_nothing_lags_behind_is_no_case() -> None:
    calls = [call("s3", "PUT /kept/a", changes=True), call("ec2", "DescribeImages")]
    assert (of("lag", calls), [*of("twice", calls)]) == ({}, ["together", "loose"])
    assert [*of("twice", calls[1:])] == ["loose"]


def test_of_two_versions_the_older_one_is_labeled_last() -> None:
    put = call("ssm", "PutParameter", AWAY, changes=True)
    label = call("ssm", "LabelParameterVersion", AWAY, changes=True)
    abroad = replace(label, region=HOME)
    case = of("twice", [put, abroad, label])["late-label"]
    assert (case.twice, case.together, case.expected) == (True, True, SURVIVE)
    assert strikes(case, [put, abroad, put, label, label]) == 3
    held_up, second_put, first_label = (Fault.read(fault) for fault in case.faults)
    assert [one.when for one in (held_up, second_put, first_label)] == ["before"] * 3
    assert held_up.kind == "freeze"
    assert 0 < second_put.seconds < first_label.seconds
    assert "late-label" not in of("twice", [put])


@pytest.mark.parametrize(
    ("number", "seconds", "expected"),
    [(1, 0.0, []), (3, 0.0, ["0.01"]), (9, 0.0, ["0.03"]), (60, 0.0, ["0.1"]), (3, 60.0, [])],
)
def test_the_rate_is_one_that_throttles_the_calls(number: int, seconds: float, expected: list[str]) -> None:
    calls = [call("ec2", "DescribeImages", time=seconds * place) for place in range(number)]
    assert [*of("rate", calls)] == expected


def test_operations_are_those_that_succeeded_and_changed_something() -> None:
    refused: dict[str, Any] = {"status": 403, "changes": True}
    calls = [*CALLS, RecordedCall(1, 0.0, OWNER, HOME, "kms", "CreateGrant", {}, "", "", **refused)]
    assert operations(calls) == {
        "cloudwatch:PutMetricAlarm",
        "ec2:CopyImage",
        "s3:PutObject",
        "sns:CreateTopic",
    }


def test_each_call_of_a_run_that_opens_something_is_refused_in_turn() -> None:
    changes = [one for one in CALLS if one.changes]
    refused = [case for case in cases("public", CALLS) if case.family == "refused"]
    assert [case.expected for case in refused] == [FAIL] * 2 * len(changes)
    alone, later = refused[::2], refused[1::2]
    assert [strikes(case, CALLS) for case in alone] == [1] * len(changes)
    assert [strikes(case, CALLS) for case in later] == [*range(len(changes), 0, -1)]
    assert "refused" not in {case.family for case in cases("some", CALLS)}


@pytest.mark.parametrize("scenario", ["recall-beside", "recall-back-beside"])
def test_of_two_commands_that_put_versions_the_first_one_is_held_up_ever_longer(scenario: str) -> None:
    found = cases(scenario, CALLS, beside=True)
    put = call("ssm", "PutParameter", changes=True)
    assert [(case.expected, strikes(case, [put, put])) for case in found] == [(EITHER, 1)] * 5
    seconds = [case.faults[0]["seconds"] for case in found]
    assert seconds == sorted(set(seconds))
    others = cases("beside", CALLS, beside=True)
    assert [(case.expected, case.faults) for case in others] == [(SURVIVE, ())] * 5
