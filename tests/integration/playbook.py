# SPDX-License-Identifier: GPL-3.0-or-later

"""Real ``ansible-playbook`` processes, and what they say as values."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import yaml

CHECKOUT = Path(__file__).parents[2]
MODULES = "golden.images."
_EVENT = '{"_event":'
# What fails in these tasks is done again for each region.
_RETRIED = {
    f"golden.images.remediate : {name}" for name in ("Unshare images and snapshots", "Revoke key access")
}
_TIME = re.compile(r"report-[0-9]{8}T[0-9]{6}Z")


class Change(NamedTuple):
    """A call that changes something; ``resource`` is None if it is created, or only planned as yet."""

    action: str
    region: str
    resource: str | None


@dataclass(frozen=True)
class Task:
    """What became of one task; ``status`` is ok or failed."""

    name: str
    action: str
    status: str
    result: Mapping[str, Any]

    @property
    def changed(self) -> bool:
        """Whether the task reports a change."""
        return bool(self.result.get("changed"))

    @property
    def codes(self) -> list[tuple[str | None, str]]:
        """Region and error code of each failure that the task lists."""
        return [(failure["region"], failure["error_code"]) for failure in self.result.get("failures", ())]


@dataclass(frozen=True)
class Run:
    """A finished run: exit code, output, tasks that ran in their order, and what a job of AWX passes on."""

    code: int
    stdout: str
    stderr: str
    tasks: tuple[Task, ...]
    artifacts: Mapping[str, Any] = field(default_factory=dict)

    def task(self, name: str) -> Task:
        """The one task whose name ends so: a role's tasks begin with the role's name."""
        (found,) = [task for task in self.tasks if task.name.endswith(name)]
        return found

    @property
    def changed(self) -> list[str]:
        """The names of the tasks that report a change."""
        return [task.name for task in self.tasks if task.changed]

    @property
    def failed(self) -> list[str]:
        """The names of the tasks that failed, those that were rescued or ignored included."""
        return [task.name for task in self.tasks if task.status == "failed"]

    @property
    def actions(self) -> list[Change]:
        """The AWS calls that the changed tasks report to have made or, in check mode, would make.

        What a task plans for another one to do, as the role's check of the sharing does, is no change.
        """
        return sorted(
            (
                Change(action["action"], action["region"], _without_time(action["resource"]))
                for task in self.tasks
                for action in (task.result.get("actions", ()) if task.changed else ())
                if action["region"] is not None
                for _number in range(action.get("count", 1))
            ),
            key=str,
        )

    @property
    def facts(self) -> dict[str, Any]:
        """All facts that were set, the last value of each."""
        return {
            name: value for task in self.tasks for name, value in task.result.get("ansible_facts", {}).items()
        }

    @property
    def text(self) -> str:
        """All that a person would see."""
        return f"{self.stdout}\n{self.stderr}"


def checked(run: Run) -> Run:
    """The run; no task failed if it succeeded: nobody would miss the work of a task that is rescued."""
    assert run.code != 0 or {*run.failed} <= _RETRIED, run.failed
    return run


def _scripts() -> Path:
    """The directory of ansible-playbook: in this environment, or in that of checks/oldest_boto.py."""
    other = os.environ.get("PLAYBOOK_ENVIRONMENT")
    return Path(other, "bin") if other else Path(sys.executable).parent


def _site_packages() -> str:
    """The directory that has Ansible's collections, golden.images linked among them."""
    (found,) = _scripts().parent.glob("lib/python3.*/site-packages")
    return str(found)


def version_of(package: str) -> tuple[int, ...]:
    """The version of a package that playbooks run with."""
    (found,) = distributions(name=package, path=[_site_packages()])
    return tuple(int(part) for part in found.version.split("."))


class Ansible:
    """Runs playbooks in a directory of their own, with an environment that holds nothing of the user's."""

    # In seconds. A run takes less than ten; one that takes this long hangs.
    timeout = 120
    # What tests/record/plugin.py adds.
    more_environment: ClassVar[Mapping[str, str]] = {}

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.folder = folder
        kept = {name: value for name, value in environment.items() if not name.startswith("ANSIBLE_")}
        self.environment = kept | {
            "ANSIBLE_CONFIG": str(CHECKOUT / "ansible.cfg"),
            "ANSIBLE_COLLECTIONS_PATH": _site_packages(),
            "ANSIBLE_HOME": str(folder / "ansible-home"),
            "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.jsonl",
            "ANSIBLE_NOCOLOR": "true",
            "PATH": os.pathsep.join([str(_scripts()), environment.get("PATH", "")]),
            # Its file keeps compiled code.
            "PYTHONPATH": str(Path(__file__).with_name("startup")),
            "PYTHONUNBUFFERED": "1",
            **self.more_environment,
        }

    def run(
        self,
        playbook: str | Path,
        variables: Mapping[str, Any] | None = None,
        *options: str,
        environment: Mapping[str, str] | None = None,
    ) -> Run:
        """Run a playbook, given by path or FQCN, to its end.

        A run of one of this collection's playbooks is ``checked``.
        """
        process = self.start(playbook, variables, *options, environment=environment)
        try:
            stdout, stderr = process.communicate(timeout=self.timeout)
        finally:
            if process.poll() is None:
                kill(process)
        run = Run(process.returncode, stdout, stderr, tuple(tasks_of(stdout)))
        return checked(run) if str(playbook).startswith(MODULES) else run

    def start(
        self,
        playbook: str | Path,
        variables: Mapping[str, Any] | None = None,
        *options: str,
        environment: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[str]:
        """Start a playbook and return its process, as the leader of a process group."""
        command = ["ansible-playbook", str(playbook), *options]
        if variables:
            command += ["--extra-vars", json.dumps(variables)]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env={**self.environment, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def job(
        self, playbook: str, answers: Mapping[str, Any], template: Mapping[str, Any] | None = None
    ) -> Run:
        """Run a playbook, given by FQCN, as AWX runs a job: with ansible-runner, and a survey's answers.

        ``template`` has the extra vars of the job template. Answers, and the artifacts of earlier jobs, take
        precedence.
        """
        folder = self.folder / f"job-{len([*self.folder.glob('job-*')])}"
        private = folder / "private"
        for name in ("env", "inventory", "project"):
            (private / name).mkdir(parents=True)
        (private / "env" / "extravars").write_text(_extra_vars(template or {}, answers), encoding="utf-8")
        (private / "inventory" / "hosts").write_text("localhost\n", encoding="utf-8")
        (private / "project" / "job.yml").write_text(f"- import_playbook: {playbook}\n", encoding="utf-8")
        # As AWX does: functions send the job and read its events, and a process on another node runs it.
        stdout = io.StringIO()
        # The library asks for the names of these streams.
        with (folder / "sent").open("wb") as sent:
            self._stream("transmit", private, playbook="job.yml", _output=sent)
        self._work(folder / "sent", folder / "received", folder / "worker")
        with (folder / "received").open("rb") as received, contextlib.redirect_stdout(stdout):
            self._stream("process", folder / "processed", _input=received)
        artifacts = folder / "processed" / "artifacts"
        events = [
            json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(
                (artifacts / "job_events").glob("*-*.json"),
                key=lambda path: int(path.name.partition("-")[0]),
            )
        ]
        code = int((artifacts / "rc").read_text(encoding="utf-8"))
        (stats,) = [event["event_data"] for event in events if event["event"] == "playbook_on_stats"]
        return checked(Run(code, stdout.getvalue(), "", tuple(_tasks_of_job(events)), stats["artifact_data"]))

    @staticmethod
    def _stream(streamer: str, folder: Path, **options: Any) -> None:
        # Most processes that collect the tests run no job.
        import ansible_runner  # noqa: PLC0415

        # Without a callback, it would handle signals to this process.
        ansible_runner.run(
            private_data_dir=str(folder), streamer=streamer, cancel_callback=lambda: False, **options
        )

    def _work(self, sent: Path, received: Path, folder: Path) -> None:
        # It sets the callback itself.
        environment = {
            name: value for name, value in self.environment.items() if name != "ANSIBLE_STDOUT_CALLBACK"
        }
        done = subprocess.run(
            ["ansible-runner", "worker", "--private-data-dir", str(folder)],
            cwd=self.folder,
            env=environment,
            input=sent.read_bytes(),
            capture_output=True,
            timeout=self.timeout,
            check=False,
        )
        assert not done.stderr, done.stderr.decode()
        received.write_bytes(done.stdout)

    def tasks(
        self,
        tasks: Sequence[Mapping[str, Any]],
        *options: str,
        environment: Mapping[str, str] | None = None,
        **play: Any,
    ) -> Run:
        """Run a play of these tasks; ``play`` are further keywords of the play, ``vars`` say."""
        return self.run(self.write_play(tasks, **play), None, *options, environment=environment)

    def write_play(self, tasks: Sequence[Mapping[str, Any]], **play: Any) -> Path:
        """The file of a play of these tasks."""
        path = self.folder / "play.yml"
        content = {"hosts": "localhost", "gather_facts": False, "tasks": list(tasks), **play}
        path.write_text(yaml.safe_dump([content], sort_keys=False), encoding="utf-8")
        return path

    def module(self, module: str, *options: str, **arguments: Any) -> tuple[Run, Task]:
        """Run a play of one task with a module of this collection."""
        run = self.tasks([{"name": module, MODULES + module: arguments}], *options)
        return run, run.task(module)


def kill(process: subprocess.Popen[str]) -> None:
    """Kill a playbook with all its descendants, as a machine that goes down does, and wait for their end.

    Ansible's workers are in sessions of their own, so that the process group's end isn't theirs.
    """
    children: dict[int, list[int]] = {}
    for child, parent in _ps("pid=,ppid="):
        children.setdefault(int(parent), []).append(int(child))
    family = [process.pid]
    for pid in family:
        family += children.get(pid, ())
    for pid in family:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            # It ended meanwhile, or with its parent.
            continue
    process.wait()
    while {int(one) for one, state in _ps("pid=,stat=") if not state.startswith("Z")} & set(family):
        time.sleep(0.05)


def _ps(columns: str) -> list[list[str]]:
    listed = subprocess.run(["ps", "-e", "-o", columns], capture_output=True, text=True, check=True)
    return [line.split() for line in listed.stdout.splitlines()]


def failures_by_host(run: Run) -> dict[str, list[str]]:
    """The messages of the failed tasks of each host, the last ones: Ansible counts no ignored failures."""
    messages: dict[str, list[str]] = {}
    counted: dict[str, int] = {}
    for line in run.stdout.splitlines():
        event = json.loads(line) if line.startswith(_EVENT) else {"_event": ""}
        if event["_event"] == "v2_runner_on_failed":
            for host, result in event["hosts"].items():
                messages.setdefault(host, []).append(str(result.get("msg")))
        elif event["_event"] == "v2_playbook_on_stats":
            counted = {host: stats["failures"] for host, stats in event["stats"].items()}
    return {host: messages[host][-count:] for host, count in counted.items() if count}


def listed_by_host(run: Run) -> dict[str, list[str]]:
    """The failures that results list, each with its remedy, also those of tasks whose failure is ignored."""
    found: dict[str, list[str]] = {}
    for line in run.stdout.splitlines():
        event = json.loads(line) if line.startswith(_EVENT) else {}
        for host, result in event.get("hosts", {}).items():
            listed = result.get("failures", ()) if isinstance(result, dict) else ()
            found.setdefault(host, []).extend(f"{one['message']} {one['remedy']}" for one in listed)
    return found


def _without_time(resource: str | None) -> str | None:
    """The resource without the time of the run, which the names of some files have."""
    return resource and _TIME.sub("report-TIME", resource)


def prediction_error(predicted: Iterable[Change], done: Iterable[Change]) -> str:
    """What of a plan and of what was done doesn't fit; empty if each says the other.

    A planned change names its resource if that existed when it was planned.
    """
    left = Counter(done)
    for change in sorted(predicted, key=lambda change: change.resource is None):
        fits = change if change.resource is not None else _same_without_id(change, left)
        if fits is None or not left[fits]:
            return f"{change} was predicted and not done; what else was done is {left}"
        left -= Counter([fits])
    return f"done and not predicted: {left}" if left else ""


def _same_without_id(change: Change, among: Counter[Change]) -> Change | None:
    return next((one for one in among if (one.action, one.region) == (change.action, change.region)), None)


def tasks_of(stdout: str) -> Iterable[Task]:
    """The tasks in the output of a run."""
    for line in stdout.splitlines():
        if not line.startswith(_EVENT):
            continue
        event = json.loads(line)
        status = event["_event"].removeprefix("v2_runner_on_")
        if status not in ("ok", "failed", "unreachable"):
            continue
        for result in event["hosts"].values():
            yield Task(event["task"]["name"], result["action"], status, result)


def _tasks_of_job(events: Iterable[Mapping[str, Any]]) -> Iterable[Task]:
    """The tasks in the events of a job."""
    for event in events:
        status = event["event"].removeprefix("runner_on_")
        if status in ("ok", "failed", "unreachable"):
            data = event["event_data"]
            yield Task(data["task"], data["task_action"], status, data.get("res", {}))


class _UnsafeText(yaml.SafeDumper):
    """Writes each text as ``!unsafe 'text'``: AWX 24.6.1, awx/main/utils/safe_yaml.py, SafeStringDumper."""

    def represent_data(self, data: Any) -> yaml.Node:
        return (
            self.represent_scalar("!unsafe", data) if isinstance(data, str) else super().represent_data(data)
        )


def _extra_vars(template: Mapping[str, Any], answers: Mapping[str, Any]) -> str:
    """The extra vars of a job, as AWX's safe_dump writes them: only the template's can be templates."""
    return "".join(
        yaml.dump_all(
            [{name: value}],
            None,
            Dumper=yaml.SafeDumper if name in template and value == template[name] else _UnsafeText,
            default_flow_style=False,
        )
        for name, value in {**template, **answers}.items()
    )
