# SPDX-License-Identifier: GPL-3.0-or-later

"""A run goes on however much it prints, and ends when it is killed; and what a case requires of it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from time import monotonic, sleep
from typing import Any

import pytest

from simulated_aws.http.record import RecordedCall
from tests.chaos.cases import Case, Denied, Failed
from tests.chaos.run import (
    Running,
    Undisturbed,
    check_denial,
    check_public,
    check_strike,
    check_success,
    expected_elsewhere,
    is_closed_for_good,
    public_names,
    resources,
)
from tests.integration.playbook import Run, Task
from tests.unit.chaos.examples import OWNER


def start(script: str) -> Running:
    command = [sys.executable, "-c", script]
    return Running(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


def test_output_is_read_while_the_process_runs() -> None:
    running = start("print('x' * 1_000_000)")
    deadline = monotonic() + 30
    while not running.has_ended and monotonic() < deadline:
        sleep(0.01)
    assert running.has_ended
    run = running.finish()
    assert (run.code, len(run.stdout)) == (0, 1_000_001)


def test_a_killed_run_ends() -> None:
    running = start("import time; print('begun', flush=True); time.sleep(600)")
    assert not running.has_ended
    running.kill()
    assert running.has_ended


def call(region: str, action: str, status: int = 200) -> RecordedCall:
    return RecordedCall(1, 0.0, OWNER, region, "ec2", action, {}, "", "", status, changes=True)


def step(action: str, *regions: str) -> list[dict[str, str]]:
    return [{"account_id": OWNER, "action": action, "region": region} for region in regions]


CALLS = [call(region, action) for action in ("Share", "Copy", "Share") for region in ("r1", "r2", "r3")]


def test_other_regions_do_all_that_they_do_undisturbed() -> None:
    expected = Undisturbed({}, {}, [*CALLS, call("r2", "Share", 503)], beside=False)
    lacking = expected_elsewhere(expected, Failed("r1", OWNER, "Share"))
    assert lacking == {"Share in r2": 2, "Share in r3": 2}


def test_where_a_run_ends_with_the_failed_step_they_do_what_that_step_does() -> None:
    regions = ("r1", "r2", "r3")
    steps = [step("Copy", *regions), step("Share", "r2"), step("Share", *regions), step("Share", *regions)]
    expected = Undisturbed({}, {}, CALLS, beside=False, steps=steps)
    lacking = expected_elsewhere(expected, Failed("r1", OWNER, "Share"))
    assert lacking == {"Share in r2": 1, "Share in r3": 1}


def by(process: str, **changed: Any) -> RecordedCall:
    """A call of one of the processes of a case."""
    return replace(call("r1", "Share"), user_agent=f"Boto3/1 app/{process} golden.images", **changed)


def case(**fields: Any) -> Case:
    return Case("some", "family", "which", **fields)


FAULT = {"faults": [{"kind": "drop"}]}


@pytest.mark.parametrize(
    ("fields", "calls", "expected"),
    [
        (FAULT, [by("run-1", faulted="drop")], []),
        (FAULT, [by("run-1")], ["struck no call"]),
        ({"kill_at": 1}, [by("run-1")], ["struck no call"]),
        ({}, [by("run-1")], []),
        ({"together": True}, [by("run-1", faulted="freeze"), by("run-2", faulted="freeze")], []),
        (
            {"together": True},
            [by("run-1", faulted="freeze"), by("run-1", faulted="freeze"), by("run-2")],
            ["not both processes were held up at their first change"],
        ),
        (
            {"together": True, "faults": FAULT["faults"] * 3},
            [by("run-1", faulted="freeze"), by("run-2", faulted="delay")],
            ["struck 2 calls, not 3"],
        ),
        (
            {"together": True, "faults": FAULT["faults"] * 2},
            [by("run-1", faulted="freeze"), by("run-2", faulted="delay")],
            [],
        ),
        ({"throttled": True}, [by("run-1", error_code="RequestLimitExceeded")], []),
        ({"throttled": True}, [by("run-1", error_code="InvalidAMIID.NotFound")], ["no call was throttled"]),
    ],
)
def test_a_fault_that_strikes_nothing_is_wrong(
    fields: dict[str, Any], calls: list[RecordedCall], expected: list[str]
) -> None:
    assert [*check_strike(case(**fields), calls)] == expected


AFTER = {"image a": {"state": "available"}, "parameter p newest": {"versions": "1"}}


@pytest.mark.parametrize(
    ("now", "twice", "expected"),
    [
        (AFTER, False, []),
        ({**AFTER, "image a": {"state": "pending"}}, False, ["run: exit code 0, but image a: state is"]),
        ({**AFTER, "parameter p newest": {"versions": "2"}}, False, ["run: exit code 0, but parameter p"]),
        ({**AFTER, "parameter p newest": {"versions": "2"}}, True, []),
    ],
)
def test_success_means_a_finished_world(now: Any, twice: bool, expected: list[str]) -> None:
    found = [*check_success(case(twice=twice), CALLS, Undisturbed({}, AFTER, CALLS, beside=False), now)]
    assert len(found) == len(expected)
    assert all(one.startswith(part) for one, part in zip(found, expected, strict=True))


def test_of_a_run_beside_another_it_means_that_both_did_their_work() -> None:
    expected = Undisturbed({}, AFTER, CALLS, beside=True)
    assert [*check_success(case(), CALLS, expected, {})] == []
    copied = [one for one in CALLS if one.action == "Copy"]
    assert [*check_success(case(), copied, expected, {})] == ["run: exit code 0, but never ec2:Share"]


def test_of_two_commands_that_put_versions_it_means_a_finished_world_whatever_their_number() -> None:
    meeting = replace(case(), scenario="recall-beside")
    expected = Undisturbed({}, AFTER, CALLS, beside=True)
    assert [*check_success(meeting, [], expected, {**AFTER, "parameter p newest": {"versions": "2"}})] == []
    (found,) = check_success(meeting, [], expected, {**AFTER, "image a": {"state": "pending"}})
    assert found.startswith("run: exit code 0, but image a: state is")


IMAGE, OTHER = "ami-00123456789abcdef", "ami-00fedcba987654321"


def run(message: str) -> Run:
    failed = Task("share", "golden.images.ami_share", "failed", {"msg": message, "failed": True})
    return Run(2, "", "", (failed,))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (f"eu-west-1: {IMAGE}: You are not allowed ec2:DeregisterImage.", []),
        (f"eu-west-1: {IMAGE}: You are not allowed.", ["fails without naming ec2:DeregisterImage"]),
        (
            f"eu-west-1: {OTHER}: You are not allowed ec2:DeregisterImage.",
            [f"does not name {IMAGE} in eu-west-1"],
        ),
        (
            f"us-west-2: {IMAGE}: You are not allowed ec2:DeregisterImage.",
            [f"does not name {IMAGE} in eu-west-1"],
        ),
    ],
)
def test_a_denial_is_named_with_its_own_resource(message: str, expected: list[str]) -> None:
    refused = replace(
        call("eu-west-1", "DeregisterImage", 403), parameters={"ImageId": IMAGE}, faulted="denied"
    )
    found = [*check_denial(Denied("ec2", "DeregisterImage"), run(message), [refused])]
    assert [one.partition(":")[0] for one in found] == [one.partition(":")[0] for one in expected]


@pytest.mark.parametrize(
    ("service", "action", "parameters", "expected"),
    [
        ("ec2", "DescribeImages", {"MaxResults": "5", "Filter.1.Value.1": "x"}, []),
        ("ec2", "CreateTags", {"ResourceId.1": "a", "ResourceId.2": "b", "Tag.1.Key": "k"}, ["a", "b"]),
        ("sqs", "GetQueueAttributes", {"QueueUrl": "http://127.0.0.1:1/1/q"}, ["q"]),
        ("monitoring", "DescribeAlarms", {"AlarmNames": ["a"]}, ["a"]),
        ("s3", "PUT /kept/a/b", {}, ["kept"]),
    ],
)
def test_the_resources_of_a_call(
    service: str, action: str, parameters: dict[str, Any], expected: list[str]
) -> None:
    one = replace(call("r1", action), service=service, parameters=parameters)
    assert resources(one) == expected


def test_what_comes_out_of_the_recycle_bin_becomes_public() -> None:
    binned = {"kind": "image in the Recycle Bin", "name": "ami-1", "public": True}
    image = {**binned, "kind": "image"}
    assert (public_names([binned]), public_names([image])) == ([], ["ami-1"])


@pytest.mark.parametrize(
    ("scenario", "action", "faulted", "difference", "expected"),
    [
        ("restore-public", "CreateTags", "error", "image a: public is false, not true", True),
        ("restore-public", "CreateTags", "error", "image a: public is true, not false", False),
        ("restore-public", "CreateTags", "error", "snapshot a: public is false, not true", False),
        ("restore-public", "CreateTags", "", "image a: public is false, not true", False),
        ("restore-public", "DeleteTags", "error", "image a: public is false, not true", False),
        ("enable-public", "CreateTags", "error", "image a: public is false, not true", False),
    ],
)
def test_only_an_image_without_its_tag_stays_private(
    scenario: str, action: str, faulted: str, difference: str, expected: bool
) -> None:
    case = Case(scenario, "refused", "05")
    calls = [replace(call("r1", action), faulted=faulted)]
    assert is_closed_for_good(case, calls, difference) is expected


def test_what_is_public_has_to_be_named() -> None:
    result = {"results": [{"image_id": "ami-1"}], "warnings": ["Public since this run: ami-2."]}
    failed = {"failures": [{"message": "snap-1 is public"}], "failed": True, "msg": "snap-1 is public"}
    runs = [Run(1, "", "", (Task("", "", "ok", result), Task("", "", "failed", failed)))]
    assert list(check_public(["ami-1", "ami-2", "snap-1"], runs)) == []
    assert list(check_public(["snap-2"], runs)) == ["public and not named: snap-2"]
