# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of ``ansible-playbook``: the time of each task, and what all of its processes used."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from tests.integration.playbook import Ansible

from .process_tree import Used, measure

Play = Sequence[Mapping[str, Any]]

_ENDS = ("v2_runner_on_ok", "v2_runner_on_failed")


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
    """A successful run: what its processes used, the number of changed tasks, and the tasks that ran."""

    used: Used
    changed: int
    tasks: tuple[Task, ...]

    def task(self, name: str) -> Task | None:
        """The task whose name ends with this text: a role's name precedes it. None if it was skipped."""
        return next((task for task in self.tasks if task.name.endswith(name)), None)


def run(
    aws: SimulatedAws,
    account: str,
    playbook: str | Play,
    variables: Mapping[str, Any] | None = None,
    *options: str,
    inventory: Mapping[str, Any] | None = None,
) -> Run:
    """Run a playbook, given by FQCN or as a list of tasks, to its end with the credentials of an account.

    ``inventory`` has groups with their hosts.

    Raises:
        RuntimeError: it failed; the text is what it said.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        ansible = Ansible(aws.environment(account), folder)
        target = playbook if isinstance(playbook, str) else str(ansible.write_play(playbook))
        variables_file = folder / "variables.json"
        variables_file.write_text(json.dumps(variables or {}), encoding="utf-8")
        command = ["ansible-playbook", target, "-e", f"@{variables_file}", *options]
        if inventory:
            (folder / "hosts.json").write_text(json.dumps(inventory), encoding="utf-8")
            command += ["-i", str(folder / "hosts.json")]
        used = measure(command, ansible.environment, folder, folder / "stdout", folder / "stderr")
        output = (folder / "stdout").read_text(encoding="utf-8")
        errors = (folder / "stderr").read_text(encoding="utf-8")
    events = [json.loads(line) for line in output.splitlines() if line.startswith("{")]
    if used.code:
        failed = (event["hosts"] for event in events if event["_event"] == "v2_runner_on_failed")
        messages = [str(result.get("msg")) for hosts in failed for result in hosts.values()]
        raise RuntimeError("\n".join([f"{target} failed:", *messages, errors]))
    (stats,) = (event["stats"] for event in events if event["_event"] == "v2_playbook_on_stats")
    return Run(
        used=used,
        changed=sum(one["changed"] for one in stats.values()),
        tasks=tuple(_task(event) for event in events if event["_event"] in _ENDS),
    )


def _task(event: Mapping[str, Any]) -> Task:
    task, (result,) = event["task"], event["hosts"].values()
    start, end = (datetime.fromisoformat(task["duration"][edge]).timestamp() for edge in ("start", "end"))
    return Task(task["name"], start, end - start, result)
