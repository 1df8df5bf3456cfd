# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of ``ansible-playbook``: its time, that of each task, and the resources of its processes."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from tests.integration.playbook import Ansible

Play = Sequence[Mapping[str, Any]]

_ENDS = ("v2_runner_on_ok", "v2_runner_on_failed")
_CALLER_INFO = {"name": "yardstick", "amazon.aws.aws_caller_info": {}}


@dataclass(frozen=True)
class Task:
    """A task that ran: its name, its start in Unix time, its duration in seconds, and what it returned.

    One whose failure the playbook ignores has run, too.
    """

    name: str
    start: float
    seconds: float
    result: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """A successful run.

    ``cpu_seconds`` is of all its processes but those that were sent into the background;
    ``peak_megabytes`` is the largest process's.
    """

    seconds: float
    cpu_seconds: float
    peak_megabytes: float
    changed: int
    tasks: tuple[Task, ...]

    def task(self, name: str) -> Task | None:
        """The task whose name ends with this text: a role's name precedes it. None if it was skipped."""
        return next((task for task in self.tasks if task.name.endswith(name)), None)


def run(
    aws: SimulatedAws, account: str, playbook: str | Play, variables: Mapping[str, Any] | None = None
) -> Run:
    """Run a playbook, given by FQCN or as a list of tasks, to its end with the credentials of an account.

    Raises:
        RuntimeError: it failed; the text is what it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ansible = Ansible(aws.environment(account), folder)
        target = playbook if isinstance(playbook, str) else str(ansible.write_play(playbook))
        (folder / "variables.json").write_text(json.dumps(variables or {}), encoding="utf-8")
        command = ["ansible-playbook", target, "-e", f"@{folder / 'variables.json'}"]
        with (folder / "stdout").open("w") as stdout, (folder / "stderr").open("w") as stderr:
            started = time.monotonic()
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=ansible.environment,
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
            )
            # Popen's own wait does not return the resources that the process and its children used.
            _pid, status, used = os.wait4(process.pid, 0)
            seconds = time.monotonic() - started
            process.returncode = os.waitstatus_to_exitcode(status)
        output = (folder / "stdout").read_text(encoding="utf-8")
        errors = (folder / "stderr").read_text(encoding="utf-8")
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if process.returncode:
        failed = (event["hosts"] for event in events if event["_event"] == "v2_runner_on_failed")
        messages = [str(result.get("msg")) for hosts in failed for result in hosts.values()]
        raise RuntimeError("\n".join([f"{target} failed:", *messages, errors]))
    (stats,) = (event["stats"] for event in events if event["_event"] == "v2_playbook_on_stats")
    return Run(
        seconds=seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        # getrusage(2): kilobytes.
        peak_megabytes=used.ru_maxrss / 1024,
        changed=stats["localhost"]["changed"],
        tasks=tuple(_task(event) for event in events if event["_event"] in _ENDS),
    )


def yardstick(aws: SimulatedAws, account: str, times: int = 3) -> float:
    """Median seconds of a task with amazon.aws.aws_caller_info, by which machines can be compared."""
    done = run(aws, account, [_CALLER_INFO] * times)
    return statistics.median(task.seconds for task in done.tasks)


def _task(event: Mapping[str, Any]) -> Task:
    task, (result,) = event["task"], event["hosts"].values()
    start, end = (datetime.fromisoformat(task["duration"][edge]).timestamp() for edge in ("start", "end"))
    return Task(task["name"], start, end - start, result)
