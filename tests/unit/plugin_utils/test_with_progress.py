# SPDX-License-Identifier: GPL-3.0-or-later

"""When the progress of a module is displayed, which lines are, and that the temporary file is removed."""

from __future__ import annotations

import queue
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action.ami_copy_regions import ActionModule
from ansible_collections.golden.images.plugins.module_utils._processes import FORKING, WAITING_THREAD
from ansible_collections.golden.images.plugins.plugin_utils import _with_progress as with_progress

ARGUMENTS = {"source_image_id": "ami-1", "regions": ["eu-west-1"]}
Module = Callable[[Path], None]


@dataclass
class Screen:
    """Stands for Ansible's display."""

    lines: queue.SimpleQueue[str] = field(default_factory=queue.SimpleQueue)

    def display(self, line: str) -> None:
        # No process is forked while the display holds a lock.
        assert FORKING.locked()
        assert threading.current_thread().name == WAITING_THREAD
        self.lines.put(line)

    def next_line(self) -> str:
        """The next line, as soon as it is displayed."""
        return self.lines.get(timeout=5)

    def rest(self) -> list[str]:
        """The lines displayed since then."""
        return [self.lines.get_nowait() for _number in range(self.lines.qsize())]


@dataclass
class Ran:
    """The arguments that the module was run with, and the result of the action."""

    result: dict[str, Any]
    executed: dict[str, Any]
    removed: list[str]
    task_arguments: dict[str, Any]


Run = Callable[..., Ran]


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    screen = Screen()
    monkeypatch.setattr(with_progress, "display", screen)
    return screen


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The directory of temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, screen: Screen, folder: Path) -> Run:  # noqa: ARG001
    """Runs the action at a terminal; ``module`` receives the progress file, if there is one."""
    monkeypatch.setattr(with_progress, "_INTERVAL", 0.01)
    monkeypatch.setattr(with_progress, "_LOG_INTERVAL", 0)

    def run(
        module: Module = lambda _file: None,
        arguments: dict[str, Any] | None = None,
        transport: str = "local",
        become: object = None,
        async_val: int = 0,
        has_native_async: bool = False,
        check_mode: bool = False,
        no_log: bool = False,
    ) -> Ran:
        task = SimpleNamespace(
            action="golden.images.ami_copy_regions",
            args={**ARGUMENTS, **(arguments or {})},
            async_val=async_val,
            check_mode=check_mode,
            delegate_to=None,
            environment=[],
            failed_when=[],
            loop=None,
            no_log=no_log,
            get_name=lambda: "Copy it",
            timeout=0,
        )
        connection = SimpleNamespace(
            transport=transport,
            become=become,
            has_native_async=has_native_async,
            _shell=SimpleNamespace(tmpdir="/remote/tmp"),
        )
        action = ActionModule(task, connection, None, None, None, None)
        action._templar = SimpleNamespace(template=lambda text: text)
        executed: list[dict[str, Any]] = []
        removed: list[str] = []

        def execute(**given: Any) -> dict[str, Any]:
            # ansible-core 2.21 passes the number of seconds.
            wrap_async = bool(given["wrap_async"])
            executed.append({**given, "module_args": dict(task.args), "wrap_async": wrap_async})
            if str(task.args.get("progress_path", "")).startswith(tempfile.gettempdir()):
                module(Path(task.args["progress_path"]))
            return {"changed": True, "images": {"eu-west-1": "ami-2"}}

        monkeypatch.setattr(action, "_execute_module", execute)
        monkeypatch.setattr(action, "_remove_tmp_path", removed.append)
        result = action.run(task_vars={"x": 1})
        (how,) = executed
        return Ran(result, how, removed, task.args)

    return run


def append(file: Path, text: str) -> None:
    with file.open("a", encoding="utf-8") as stream:
        stream.write(text)


def test_lines_are_displayed_while_the_module_runs(run: Run, screen: Screen) -> None:
    displayed: list[str] = []

    def module(file: Path) -> None:
        for line in ("eu-west-1 10 %", "eu-west-1 90 %"):
            append(file, f"{line}\n")
            displayed.append(screen.next_line())

    run(module)
    assert displayed == ["    eu-west-1 10 %", "    eu-west-1 90 %"]
    assert screen.rest() == []


def test_lines_written_just_before_the_end_are_displayed(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    def module(file: Path) -> None:
        append(file, "eu-west-1 99 %\neu-west-1 available\n")

    # The module ends long before the file is read for the first time.
    monkeypatch.setattr(with_progress, "_INTERVAL", 60)
    run(module)
    assert screen.rest() == ["    eu-west-1 99 %", "    eu-west-1 available"]


def test_a_log_has_the_first_and_the_last_line_of_a_short_time(
    run: Run, screen: Screen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(with_progress, "_LOG_INTERVAL", 600)
    displayed: list[str] = []

    def module(file: Path) -> None:
        append(file, "eu-west-1 10 %\n")
        displayed.append(screen.next_line())
        append(file, "eu-west-1 50 %\neu-west-1 available\n")

    run(module)
    assert displayed == ["    eu-west-1 10 %"]
    assert screen.rest() == ["    eu-west-1 available"]


def test_nothing_is_displayed_without_progress(run: Run, screen: Screen) -> None:
    run()
    assert screen.rest() == []


@pytest.mark.parametrize("check_mode", [False, True])
def test_the_module_receives_the_tasks_arguments_and_a_file(run: Run, check_mode: bool) -> None:
    files: list[Path] = []
    ran = run(files.append, check_mode=check_mode)
    assert ran.executed == {
        "module_args": {**ARGUMENTS, "progress_path": str(files[0])},
        "task_vars": {"x": 1},
        "wrap_async": False,
    }
    # A retry or a loop starts from the task's own arguments.
    assert ran.task_arguments == ARGUMENTS
    assert ran.result == {"changed": True, "images": {"eu-west-1": "ami-2"}}
    assert ran.removed == ["/remote/tmp"]


def test_the_file_is_private_and_removed_afterwards(run: Run, folder: Path) -> None:
    def module(file: Path) -> None:
        assert list(folder.iterdir()) == [file]
        assert file.read_text(encoding="utf-8") == ""
        assert file.stat().st_mode & 0o077 == 0

    run(module)
    assert list(folder.iterdir()) == []


def test_an_exception_leaves_neither_file_nor_thread(run: Run, screen: Screen, folder: Path) -> None:
    before = set(threading.enumerate())

    def module(file: Path) -> None:
        append(file, "eu-west-1 10 %\n")
        raise ConnectionError

    with pytest.raises(ConnectionError):
        run(module)
    assert screen.rest() == ["    eu-west-1 10 %"]
    assert list(folder.iterdir()) == []
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize(
    ("how", "wrap_async", "removed"),
    [
        pytest.param({"transport": "ssh"}, False, ["/remote/tmp"], id="remote connection"),
        pytest.param({"become": "sudo"}, False, ["/remote/tmp"], id="another user cannot write to the file"),
        pytest.param({"no_log": True}, False, ["/remote/tmp"], id="no_log"),
        pytest.param({"async_val": 60}, True, [], id="asynchronous"),
        pytest.param({"async_val": 60, "transport": "ssh"}, True, [], id="asynchronous, remote connection"),
        pytest.param(
            {"arguments": {"progress_path": "/home/me/progress"}},
            False,
            ["/remote/tmp"],
            id="the task sets progress_path",
        ),
    ],
)
def test_tasks_without_displayed_progress_keep_their_arguments(
    run: Run, screen: Screen, folder: Path, how: dict[str, Any], wrap_async: bool, removed: list[str]
) -> None:
    ran = run(**how)
    arguments = {**ARGUMENTS, **how.get("arguments", {})}
    assert ran.executed == {"module_args": arguments, "task_vars": {"x": 1}, "wrap_async": wrap_async}
    assert ran.result == {"changed": True, "images": {"eu-west-1": "ami-2"}}
    # An asynchronous module needs its temporary directory until it ends.
    assert ran.removed == removed
    assert list(folder.iterdir()) == []
    assert screen.rest() == []


@pytest.mark.parametrize(
    "how",
    [
        pytest.param({"arguments": {"progress_path": None}}, id="progress_path is null"),
        pytest.param(
            {"async_val": 60, "has_native_async": True}, id="asynchronous, and the connection waits"
        ),
    ],
)
def test_progress_is_displayed_nevertheless(run: Run, screen: Screen, how: dict[str, Any]) -> None:
    run(lambda file: append(file, "eu-west-1 10 %\n"), **how)
    assert screen.rest() == ["    eu-west-1 10 %"]
