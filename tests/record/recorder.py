# SPDX-License-Identifier: GPL-3.0-or-later

"""Collects what happens during one test: runs of playbooks and modules, each with the calls that it made."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from . import calls
from .normalise import Names, normalised

# The user agents of the collection, and of the modules of amazon.aws and community.aws.
_OF_COLLECTION = "golden.images"
_OF_OTHER_MODULES = "APN/1.0 Ansible"
# A test gives it, or it says when and for how long something ran.
_LEFT_OUT = frozenset({"invocation", "start", "end", "delta"})
# What these display is recorded by the callback.
_SHOWN_BY_CALLBACK = ("ansible-playbook", "ansible-runner")
KILLED = -9
"""The exit code of a process that a test killed."""


class Recorder:
    """The record of one test. ``folder`` is where the callback ``behaviour`` writes."""

    def __init__(self, folder: Path, places: Mapping[str, str]) -> None:
        self._aws: SimulatedAws | None = None
        self._folder = folder
        self._places = places
        self._names = Names()
        self._calls: list[RecordedCall] = []
        self._last = 0
        self._running: list[subprocess.Popen[Any]] = []
        self._ended: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []

    def watch(self, aws: SimulatedAws) -> None:
        """Take calls from now on: those before this test's first use of the simulated AWS are of another."""
        if self._aws is None:
            self._aws = aws
            self._last = max((call.number for call in aws.calls()), default=0)
        self.look()

    def look(self) -> None:
        """Take the calls since the last look, and learn what IDs stand for."""
        if self._aws is None:
            return
        found = self._aws.calls(since=self._last)
        if found:
            self._last = found[-1].number
        self._calls += [
            call
            for call in found
            if _OF_COLLECTION in call.user_agent or call.user_agent.startswith(_OF_OTHER_MODULES)
        ]
        self._names.learn(self._aws.world(), self._aws.description())

    def started(self, process: subprocess.Popen[Any]) -> None:
        """Note that a process runs."""
        self.look()
        self._running.append(process)

    def ended(self, process: subprocess.Popen[Any], stdout: Any, stderr: Any) -> None:
        """Note the end of a process with what it wrote; a step ends when none is left."""
        if process not in self._running:
            return
        self._running.remove(process)
        self._ended.append(_process(process, stdout, stderr))
        if all(one.poll() is not None for one in self._running):
            self.end_step()

    def module(self, module: str, options: Mapping[str, Any], check: bool, result: Mapping[str, Any]) -> None:
        """Note a module that ran in this process."""
        self.look()
        task = {"task": module, "action": f"golden.images.{module}", "host": "", "status": "ok"}
        status = "failed" if result.get("failed") else "ok"
        self._add(
            {
                "command": [module, *(["--check"] if check else []), _without_credentials(options)],
                "playbooks": [{"tasks": [{**task, "status": status, "result": _result(result)}]}],
            }
        )

    def end_step(self) -> None:
        """End a step: all processes that ended since the last one, and the playbooks that ran in them."""
        self._ended += [_process(one, "", "") for one in self._running]
        self._running = []
        self.look()
        files = sorted(self._folder.glob("*.jsonl"))
        playbooks = [_playbook(path) for path in files]
        for path in files:
            path.unlink()
        if self._ended or playbooks or self._calls:
            self._add({"processes": self._ended, "playbooks": playbooks})
            self._ended = []

    def _add(self, step: dict[str, Any]) -> None:
        found = [
            # The action of a service with paths can have IDs, too.
            replace(call, action=self._normalised(call.action), parameters=self._normalised(call.parameters))
            for call in self._calls
        ]
        self._calls = []
        self.steps.append({**self._normalised(step), "calls": calls.by_resource(found)})

    def _normalised(self, value: Any) -> Any:
        return normalised(value, self._names, self._places)


def _process(process: subprocess.Popen[Any], stdout: Any, stderr: Any) -> dict[str, Any]:
    arguments = process.args
    command = [arguments] if isinstance(arguments, str) else [str(one) for one in arguments]
    shown = Path(command[0]).name not in _SHOWN_BY_CALLBACK
    return {
        "command": command,
        "code": process.poll(),
        "stdout": _lines(stdout) if shown else [],
        "stderr": _lines(stderr),
    }


def _lines(output: Any) -> list[str]:
    text = output.decode(errors="replace") if isinstance(output, bytes) else output or ""
    return text.splitlines()


def _playbook(path: Path) -> dict[str, Any]:
    """What the callback wrote about one playbook; the last line may be cut off if it was killed."""
    command: Sequence[str] = ()
    tasks, screen = [], []
    for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        written = json.loads(line)
        if "command" in written:
            command = written["command"]
        elif "screen" in written:
            screen += written["screen"].splitlines() or [""]
        else:
            tasks.append({**written, "result": _result(written["result"])})
    return {"command": command, "tasks": tasks, "screen": screen}


def _result(value: Any) -> Any:
    """A result without what the task was given and Ansible's own notes; a text of several is ``lines``."""
    if isinstance(value, Mapping):
        return {
            name: _result(one)
            for name, one in value.items()
            if name not in _LEFT_OUT and not str(name).startswith("_ansible")
        }
    if isinstance(value, list):
        return [_result(one) for one in value]
    return {"lines": value.split("\n")} if isinstance(value, str) and "\n" in value else value


def _without_credentials(options: Mapping[str, Any]) -> dict[str, Any]:
    hidden = ("access_key", "secret_key", "endpoint_url")
    return {name: value for name, value in options.items() if name not in hidden}
