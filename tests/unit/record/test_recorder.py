# SPDX-License-Identifier: GPL-3.0-or-later

"""A recorder puts together what belongs to a run: its processes, its playbooks, and its calls."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.http.record import RecordedCall
from tests.record.recorder import Recorder

AMI = "ami-0123456789abcdef0"
IMAGE = {"kind": "image", "name": AMI, "image_name": "golden", "account_id": "1", "region": "us-east-1"}
OURS, THEIRS = "Boto3/1 golden.images", "Boto3/1"


class Aws:
    """A simulated AWS with one image, and with the calls of a test."""

    def __init__(self) -> None:
        self.made: list[RecordedCall] = []

    def make(self, action: str, user_agent: str = OURS) -> None:
        """Record a call."""
        number = len(self.made) + 1
        call = RecordedCall(number, 0, "1", "us-east-1", "ec2", action, {"ImageId": AMI}, user_agent, "", 200)
        self.made.append(call)

    def calls(self, since: int = 0) -> list[RecordedCall]:
        """The calls after this one."""
        return self.made[since:]

    def world(self) -> list[dict[str, Any]]:
        """The image."""
        return [{**IMAGE, "snapshots": {}}]

    def description(self) -> dict[str, Any]:
        """Nothing about an organization."""
        return {"organization": None}


class Process:
    """A process that has ended, or, without an exit code, runs."""

    def __init__(self, code: int | None, *command: str) -> None:
        self.args, self.code = command, code

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        return self.code


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def recorder(aws: Aws, tmp_path: Path) -> Recorder:
    found = Recorder(tmp_path, {"/tmp/x": "TMP"})
    found.watch(aws)
    return found


def written(folder: Path, *lines: dict[str, Any], cut: str = "") -> None:
    """What the callback has written."""
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "1-1.jsonl").write_text(text + cut, encoding="utf-8")


def actions(step: dict[str, Any]) -> list[str]:
    """The actions of a step's calls."""
    return [call["action"] for calls in step["calls"].values() for call in calls]


def test_a_run_has_its_tasks_screen_code_and_calls(aws: Aws, recorder: Recorder, tmp_path: Path) -> None:
    aws.make("CreateImage", THEIRS)
    process = Process(2, "/bin/ansible-playbook", "/tmp/x/play.yml")
    recorder.started(process)
    aws.make("ModifyImageAttribute")
    result = {"msg": "a\nb", "invocation": {}, "_ansible_no_log": False, "images": [AMI]}
    written(
        tmp_path,
        {"command": ["ansible-playbook", "/tmp/x/play.yml"]},
        {"screen": "\nTASK [share]"},
        {"task": "share", "action": "ami_share", "host": "localhost", "status": "ok", "result": result},
        cut='{"screen": "cut o',
    )
    recorder.ended(process, "not of interest", "a warning\n")
    assert recorder.steps == [
        {
            "processes": [
                {
                    "command": ["/bin/ansible-playbook", "TMP/play.yml"],
                    "code": 2,
                    "stdout": [],
                    "stderr": ["a warning"],
                }
            ],
            "playbooks": [
                {
                    "command": ["ansible-playbook", "TMP/play.yml"],
                    "screen": ["", "TASK [share]"],
                    "tasks": [
                        {
                            "task": "share",
                            "action": "ami_share",
                            "host": "localhost",
                            "status": "ok",
                            "result": {"msg": {"lines": ["a", "b"]}, "images": ["<ami 1/us-east-1 golden>"]},
                        }
                    ],
                }
            ],
            "calls": {
                "1 us-east-1 ec2 <ami 1/us-east-1 golden>": [
                    {
                        "action": "ModifyImageAttribute",
                        "parameters": {"ImageId": "<ami 1/us-east-1 golden>"},
                    }
                ]
            },
        }
    ]


def test_the_output_of_another_program_is_recorded(recorder: Recorder) -> None:
    process = Process(0, "ansible-inventory", "--list")
    recorder.started(process)
    recorder.ended(process, b"{}\n", b"")
    assert recorder.steps[0]["processes"][0]["stdout"] == ["{}"]


def test_runs_at_the_same_time_are_one_step(aws: Aws, recorder: Recorder) -> None:
    one, other = Process(0, "ansible-playbook"), Process(None, "ansible-playbook")
    recorder.started(one)
    recorder.started(other)
    recorder.ended(one, "", "")
    assert recorder.steps == []
    other.code = 0
    aws.make("CopyImage")
    recorder.ended(other, "", "")
    (step,) = recorder.steps
    assert ([process["code"] for process in step["processes"]], actions(step)) == ([0, 0], ["CopyImage"])


def test_a_process_that_a_test_only_waits_for_ends_with_the_test(aws: Aws, recorder: Recorder) -> None:
    recorder.started(Process(-9, "ansible-playbook"))
    aws.make("CopyImage")
    recorder.end_step()
    (step,) = recorder.steps
    assert (step["processes"][0]["code"], actions(step)) == (-9, ["CopyImage"])


def test_a_module_in_this_process_is_a_run_of_one_task(aws: Aws, recorder: Recorder) -> None:
    aws.make("CopyImage")
    recorder.module("ami_share", {"image_id": AMI, "secret_key": "x"}, True, {"failed": True, "msg": "no"})
    (step,) = recorder.steps
    assert step["command"] == ["ami_share", "--check", {"image_id": "<ami 1/us-east-1 golden>"}]
    (task,) = step["playbooks"][0]["tasks"]
    assert (task["status"], task["result"]["msg"], actions(step)) == ("failed", "no", ["CopyImage"])


def test_of_a_test_that_ran_nothing_nothing_is_recorded(aws: Aws, recorder: Recorder) -> None:
    aws.make("DescribeImages", THEIRS)
    recorder.end_step()
    assert recorder.steps == []


def test_calls_before_the_test_are_not_its_own(aws: Aws, tmp_path: Path) -> None:
    aws.make("CopyImage")
    recorder = Recorder(tmp_path, {})
    recorder.look()
    recorder.watch(aws)
    aws.make("ModifyImageAttribute")
    recorder.watch(aws)
    recorder.end_step()
    assert [actions(step) for step in recorder.steps] == [["ModifyImageAttribute"]]
