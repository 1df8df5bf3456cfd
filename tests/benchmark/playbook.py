# SPDX-License-Identifier: GPL-3.0-or-later
"""One run of ``ansible-playbook``: the time of each task, and what all of its processes used."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from tests.integration.playbook import Ansible

from .process_tree import Used, measure

Play = Sequence[Mapping[str, Any]]

_PLUGINS = {
    "ANSIBLE_ACTION_PLUGINS": str(Path(__file__).parent / "action"),
    "ANSIBLE_CALLBACK_PLUGINS": str(Path(__file__).parent / "callback"),
}


@dataclass(frozen=True)
class Task:
    """A task that ran: its name, start in Unix time, duration in seconds, and its failures and findings.

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


def users_environment(ansible: Ansible) -> dict[str, str]:
    """The environment as users have it: the tests' JSON takes longer, and code that they keep takes less."""
    kept = {name: value for name, value in ansible.environment.items() if name != "PYTHONPATH"}
    return {
        **kept,
        "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default",
        # Ansible would look for background tasks in the home directory of the user, whatever HOME says.
        "ANSIBLE_ASYNC_DIR": str(ansible.folder / "async"),
    }


def run(
    aws: SimulatedAws,
    account: str,
    playbook: str | Play,
    variables: Mapping[str, Any] | None = None,
    *options: str,
    inventory: Mapping[str, Any] | None = None,
    callbacks: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
) -> Run:
    """Run a playbook, given by FQCN or as a list of tasks, to its end with the credentials of an account.

    ``inventory`` has groups with their hosts; ``callbacks`` are plugins beside the recorder, which
    ``environment`` can be for.

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
        whole = {
            **users_environment(ansible),
            **_PLUGINS,
            **(environment or {}),
            "ANSIBLE_CALLBACKS_ENABLED": ",".join(["recorder", *callbacks]),
            "BENCHMARK_RECORD": str(folder / "record.json"),
        }
        used = measure(command, whole, folder, folder / "stdout", folder / "stderr")
        if used.code:
            parts = [(folder / name).read_text(encoding="utf-8") for name in ("stdout", "stderr")]
            raise RuntimeError("\n".join([f"{target} failed:", *parts]))
        record = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    return Run(used, record["changed"], tuple(Task(**task) for task in record["tasks"]))
