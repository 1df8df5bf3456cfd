# SPDX-License-Identifier: GPL-3.0-or-later

"""What a benchmark knows of a run of ansible-playbook."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.benchmark import playbook
from tests.benchmark.callback.recorder import CallbackModule

# Its environment is all that a run needs of the simulated AWS.
AWS: Any = SimpleNamespace(environment=lambda _account: dict(os.environ))
FAILING = {"ansible.builtin.fail": {"msg": "The disk is full."}}


def test_the_tasks_that_ran_are_recorded() -> None:
    tasks = [
        {"name": "wait", "ansible.builtin.command": "sleep 0.3"},
        {"name": "skip", "ansible.builtin.debug": {}, "when": False},
        {"name": "show", "ansible.builtin.debug": {"msg": "large"}, "failed_when": False},
        {"name": "fail", **FAILING, "ignore_errors": True},
    ]
    before = time.time()
    run = playbook.run(AWS, "owner", tasks)
    assert run.changed == 1
    assert [task.name for task in run.tasks] == ["wait", "show", "fail"]
    assert [task.result for task in run.tasks] == [{}, {}, {}]
    waited = run.task("ait")
    assert waited is not None
    assert 0.3 <= waited.seconds < run.used.seconds
    assert before < waited.start < before + run.used.seconds


def test_tasks_in_the_background_are_found_whatever_home_is(tmp_path: Path) -> None:
    aws: Any = SimpleNamespace(environment=lambda _account: {**os.environ, "HOME": str(tmp_path)})
    started = {"ansible.builtin.command": "true", "async": 60, "poll": 0, "register": "job"}
    waited = {
        "ansible.builtin.async_status": {"jid": "{{ job.ansible_job_id }}"},
        "register": "status",
        "until": "status is finished",
        "delay": 1,
    }
    tasks = [{"name": "start", **started}, {"name": "wait", **waited}]
    assert [task.name for task in playbook.run(aws, "owner", tasks).tasks] == ["start", "wait"]


def test_of_results_only_failures_and_findings_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BENCHMARK_RECORD", str(tmp_path / "record.json"))
    recorder = CallbackModule()
    task = SimpleNamespace(get_name=lambda: "audit")
    returned = {"findings": [1], "failures": [], "images": ["large"]}
    recorder.v2_runner_on_ok(SimpleNamespace(task=task, result=returned))
    recorder.v2_playbook_on_stats(SimpleNamespace(processed={}))
    (recorded,) = json.loads((tmp_path / "record.json").read_text())["tasks"]
    assert recorded["result"] == {"findings": [1], "failures": []}


def test_a_failed_run_says_why() -> None:
    with pytest.raises(RuntimeError, match="The disk is full"):
        playbook.run(AWS, "owner", [{"name": "fail", **FAILING}])
