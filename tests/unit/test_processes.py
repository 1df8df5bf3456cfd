# SPDX-License-Identifier: GPL-3.0-or-later

"""Work in processes: how many, in which groups, and what is left when one of them is killed or hangs."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils import _fanout
from ansible_collections.golden.images.plugins.module_utils import _processes as processes
from ansible_collections.golden.images.plugins.module_utils._failures import (
    Failure,
    TargetFailed,
    ValidationError,
)
from ansible_collections.golden.images.plugins.module_utils._model import Target
from ansible_collections.golden.images.plugins.module_utils._processes import (
    CALLS_PER_PROCESS,
    FORKING,
    WAITING_THREAD,
    WorkerEnded,
    WorkerError,
    Workers,
    count_cpus,
    count_processes,
    divide,
    find_quota,
    map_in_processes,
)
from ansible_collections.golden.images.plugins.module_utils._progress import reporter

FAILURE = Failure("It failed.", "Try again.", "some_code", "DescribeImages", "eu-west-1", "012345678901")


@pytest.fixture(autouse=True)
def _without_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    join_threads()
    # Some servers of other files never end.
    others = threading.active_count() - 1
    count = threading.active_count
    monkeypatch.setattr(threading, "active_count", lambda: count() - others)


def join_threads() -> None:
    """Let the threads of earlier work end: Python 3.12 and newer warn of forks of processes with threads."""
    for thread in threading.enumerate():
        if thread is not threading.main_thread():
            thread.join(5)


@pytest.mark.parametrize(
    ("calls", "cpus", "most", "processes"),
    [
        (0, 8, 8, 1),
        (3999, 8, 8, 1),
        (4000, 8, 8, 2),
        (70000, 2, 8, 2),
        (70000, 1, 8, 1),
        (70000, 64, 8, 8),
        (70000, 64, 64, 8),
        (70000, 8, 3, 3),
        (70000, 8, 1, 1),
    ],
)
def test_the_number_of_processes(calls: int, cpus: int, most: int, processes: int) -> None:
    assert count_processes(calls, cpus, most) == processes


@pytest.mark.parametrize(
    ("affinity", "quota", "cpus"), [(4, None, 4), (4, 2.0, 2), (4, 1.5, 2), (4, 0.2, 1), (2, 8.0, 2)]
)
def test_the_cpus_that_a_process_can_use(affinity: int, quota: float | None, cpus: int) -> None:
    assert count_cpus(affinity, quota) == cpus


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({}, None),
        ({"/proc/self/cgroup": "0::/\n"}, None),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 1.5),
        ({"/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"}, None),
        (
            {
                "/proc/self/cgroup": "0::/job.slice/task\n",
                "/sys/fs/cgroup/job.slice/cpu.max": "200000 100000\n",
                "/sys/fs/cgroup/job.slice/task/cpu.max": "max 100000\n",
            },
            2.0,
        ),
        # A container with the path on its host, of which it has only the root.
        ({"/proc/self/cgroup": "0::/docker/1a2b\n", "/sys/fs/cgroup/cpu.max": "50000 100000\n"}, 0.5),
        (
            {
                "/proc/self/cgroup": "2:cpu,cpuacct:/docker/1a2b\n1:cpuset:/\n0::/\n",
                "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "300000\n",
                "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            3.0,
        ),
        (
            {
                "/proc/self/cgroup": "1:cpu:/\n0::/\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            None,
        ),
    ],
)
def test_the_quota_of_cgroups(files: dict[str, str], quota: float | None) -> None:
    assert find_quota(files.get) == quota


def test_another_system_than_linux_has_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert processes.read_cpus() == 1


@pytest.mark.parametrize(
    ("items", "count", "sizes"),
    [(0, 2, []), (1, 2, [1]), (5, 2, [3, 2]), (500, 2, [63] * 4 + [62] * 4), (500, 8, [63] * 4 + [62] * 4)],
)
def test_groups_of_items(items: int, count: int, sizes: list[int]) -> None:
    groups = divide(range(items), count)
    assert [len(group) for group in groups] == sizes
    assert sorted(item for group in groups for item in group) == list(range(items))


def do(item: str, file: str | None = None) -> Any:
    what, _space, value = item.partition(" ")
    if what == "die":
        # All other items are in work by then, or done.
        sleep(0.3)
        os.kill(os.getpid(), getattr(signal, value))
        sleep(600)
    if what == "exit":
        os._exit(int(value))
    if what == "refuse":
        raise ValidationError([FAILURE])
    if what == "fail":
        raise TargetFailed(FAILURE)
    if what == "unsendable":
        raise type("NotInAFile", (Exception,), {})("its text")
    if what == "lambda":
        return lambda: None
    if what == "print":
        print("a line of the worker")
        os.write(2, b"an error of the worker\n")
        warnings.warn("a warning of the worker", stacklevel=1)
    if what == "report":
        for number in range(200):
            reporter(file, pytest.fail)(f"{value} {number}")
    return os.getpid() if what == "pid" else item


@contextmanager
def two_workers(work: Callable[[Any], Any]) -> Iterator[Workers[Any, Any]]:
    workers: Workers[Any, Any] = Workers(2, lambda: work)
    try:
        yield workers
    finally:
        workers.end()


def run(items: list[str], file: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
    with two_workers(partial(do, file=file)) as workers:
        return workers.map(items)


class Clients:
    """Clients of this process, or those of a fork. ``steps`` are what was done with them."""

    def __init__(self, is_of_fork: bool = False) -> None:
        self.is_of_fork = is_of_fork
        self.steps: list[str] = []

    def close_connections(self) -> None:
        self.steps.append("close")

    def of_fork(self) -> Clients:
        assert self.steps == ["close"]
        return Clients(is_of_fork=True)

    def add(self, numbers: Sequence[int]) -> dict[int, int]:
        assert self.is_of_fork
        return {number: number + 1 for number in numbers}

    def sleep(self, items: Sequence[float]) -> dict[float, None]:
        return {item: sleep(item) for item in items}

    def do(self, items: Sequence[str]) -> dict[str, Any]:
        return {item: do(item) for item in items}


def divided(
    items: Sequence[Any],
    method: str = "add",
    count: int = 2,
    clients: Clients | None = None,
    while_waiting: Callable[[Collection[Any]], None] | None = None,
) -> tuple[dict[Any, Any], dict[Any, WorkerEnded]] | None:
    """Work on items in so many processes with a method of the clients of each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(processes, "read_cpus", lambda: 8)
        read = map_in_processes(
            items,
            lambda own: getattr(own, method),
            clients or Clients(),
            calls=count * CALLS_PER_PROCESS,
            most=8,
            while_waiting=while_waiting,
        )
    if read is None:
        return None
    done, lost = read
    return {item: result for group in done for item, result in group.items()}, lost


@pytest.mark.parametrize("count", [2, 3, 5])
def test_results_do_not_depend_on_the_number_of_processes(count: int) -> None:
    assert divided(range(20), count=count) == ({item: item + 1 for item in range(20)}, {})


def test_one_process_starts_no_other() -> None:
    clients = Clients()
    assert divided(range(20), count=1, clients=clients) is None
    # One process can do one item.
    assert divided(range(1), clients=clients) is None
    assert clients.steps == []


def test_a_process_with_threads_starts_no_other() -> None:
    end, clients = threading.Event(), Clients()
    thread = threading.Thread(target=end.wait)
    thread.start()
    assert divided(range(20), clients=clients) is None
    assert clients.steps == []
    end.set()
    thread.join()


def test_a_thread_that_only_waits_is_no_obstacle_and_ends_its_work_first() -> None:
    end, is_working, done = threading.Event(), threading.Event(), threading.Event()

    def work() -> None:
        with FORKING:
            is_working.set()
            sleep(0.5)
            done.set()
        end.wait()

    thread = threading.Thread(target=work, name=WAITING_THREAD)
    thread.start()
    is_working.wait()
    assert divided([1, 2]) == ({1: 2, 2: 3}, {})
    assert done.is_set()
    end.set()
    thread.join()


def test_threads_that_have_done_their_work_are_waited_for() -> None:
    thread = threading.Thread(target=sleep, args=[0.2])
    thread.start()
    assert divided([1, 2]) == ({1: 2, 2: 3}, {})


def test_a_process_that_ends_loses_its_group_and_names_what_it_read() -> None:
    items = ["die SIGKILL", *(str(number) for number in range(299))]
    found = divided(items, "do")
    assert found is not None
    done, lost = found
    # Four groups.
    assert [*lost] == items[::4]
    assert [*done] == [item for start in (1, 2, 3) for item in items[start::4]]
    failure = lost["die SIGKILL"].as_failure(Target("012345678901", "eu-west-1"), "DescribeInstances")
    assert (failure.action, failure.account_id, failure.region) == (
        "DescribeInstances",
        "012345678901",
        "eu-west-1",
    )


def test_an_exception_of_a_process_ends_the_work() -> None:
    with pytest.raises(ValidationError) as caught:
        divided(["a", "refuse"], "do")
    assert caught.value.failures == (FAILURE,)


def test_what_is_waited_for_is_named_by_item(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fanout, "REMINDER_INTERVAL", 0.1)
    waited: list[set[float]] = []
    divided([1.0, 0.0, 0.1], "sleep", while_waiting=lambda items: waited.append({*items}))
    # Those of a group, which ends as a whole.
    assert waited[-1] == {1.0, 0.1}


def test_what_is_frozen_already_is_not_frozen_again() -> None:
    """The objects of a run within Ansible's process must not stay after it."""
    gc.freeze()
    try:
        before = gc.get_freeze_count()
        made = [[number] for number in range(100_000)]
        with two_workers(made.__getitem__):
            assert gc.get_freeze_count() == pytest.approx(before, abs=1000)
    finally:
        gc.unfreeze()


@pytest.mark.parametrize("allowed", [0, 1])
def test_a_limit_of_processes_leaves_fewer(monkeypatch: pytest.MonkeyPatch, allowed: int) -> None:
    forks: list[None] = []
    fork = os.fork

    def refuse() -> int:
        forks.append(None)
        if len(forks) > allowed:
            raise BlockingIOError("Resource temporarily unavailable")
        return fork()

    monkeypatch.setattr(os, "fork", refuse)
    expected = ({1: 2, 2: 3, 3: 4}, {}) if allowed else None
    assert divided([1, 2, 3], count=3) == expected
    assert len(forks) == allowed + 1


def test_processes_end_with_the_context() -> None:
    done, _failed = run(["pid 1", "pid 2"])
    assert os.getpid() not in done.values()
    for pid in done.values():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


@pytest.mark.parametrize(
    ("item", "how"), [("die SIGKILL", "SIGKILL"), ("die SIGTERM", "SIGTERM"), ("exit 3", "exit code 3")]
)
def test_a_process_that_ends_fails_only_what_it_works_on(item: str, how: str) -> None:
    others = [str(number) for number in range(10)]
    done, failed = run([item, *others])
    assert list(done) == others
    assert {key: (type(it), str(it)) for key, it in failed.items()} == {
        item: (WorkerEnded, f"A worker process has ended ({how}) before it returned a result.")
    }


def test_all_processes_end() -> None:
    done, failed = run(["exit 1", "exit 2", "a", "b", "c"])
    assert done == {}
    assert {type(exception) for exception in failed.values()} == {WorkerEnded}
    assert list(failed) == ["exit 1", "exit 2", "a", "b", "c"]


def test_a_process_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SILENCE", 3.0)
    start = monotonic()
    done, failed = run(["die SIGSTOP", "a", "b"])
    assert list(done) == ["a", "b"]
    assert [str(it) for it in failed.values()] == [
        "A worker process gave no sign of life for 3 s, and was ended."
    ]
    assert monotonic() - start >= 3


def test_a_process_that_hangs_before_it_reads_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SILENCE", 1.0)
    with two_workers(do) as workers:
        for worker in workers._all:
            os.kill(worker._process.pid, signal.SIGSTOP)
        large = "x" * 10_000_000
        done, failed = workers.map([large])
    assert done == {}
    assert [type(exception) for exception in failed.values()] == [WorkerEnded]


def test_a_process_that_works_longer_than_the_silence_is_not_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "SILENCE", 3.0)
    monkeypatch.setattr(processes, "_BEAT", 0.2)
    with two_workers(sleep) as workers:
        assert workers.map([4.0]) == ({4.0: None}, {})


@pytest.mark.parametrize(("item", "kind"), [("refuse", ValidationError), ("fail", TargetFailed)])
def test_an_exception_is_the_same_as_without_a_process(item: str, kind: type[Exception]) -> None:
    done, failed = run([item, "a"])
    assert done == {"a": "a"}
    assert type(failed[item]) is kind
    assert str(failed[item]) == str(kind(FAILURE if kind is TargetFailed else [FAILURE]))  # type: ignore[arg-type]
    assert "in do\n" in failed[item].__notes__[0]


def test_an_exception_or_a_result_that_cannot_be_sent_is_an_error_with_its_text() -> None:
    done, failed = run(["unsendable", "lambda", "a"])
    assert done == {"a": "a"}
    assert type(failed["unsendable"]) is WorkerError
    assert "NotInAFile: its text" in str(failed["unsendable"])
    assert "lambda" in str(failed["lambda"])


def test_a_process_writes_nothing_to_the_output_of_the_module(capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["print 1", "print 2"])[1] == {}
    assert capfd.readouterr() == ("", "")


def test_progress_of_processes_has_whole_lines(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    file.touch()
    run(["report a", "report b"], str(file))
    lines = file.read_text(encoding="utf-8").splitlines()
    assert sorted(lines) == sorted(f"{name} {number}" for name in "ab" for number in range(200))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("seconds", [0.0, 600.0])
def test_no_process_stays_after_the_end_of_the_one_that_started_it(
    number: signal.Signals, seconds: float, tmp_path: Path
) -> None:
    script = f"""
        import os, signal, sys, time
        # A shell lets what it starts in the background ignore Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from tests.unit.test_processes import note, two_workers
        with two_workers(lambda item: note({str(tmp_path)!r}, item)) as workers:
            workers.map([({seconds}, 1), ({seconds}, 2)])
            time.sleep(600)
    """
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stderr=subprocess.DEVNULL
    ) as parent:
        try:
            pids = wait_for(lambda: sorted(int(it.name) for it in tmp_path.iterdir()), 2, 60)
            parent.send_signal(number)
            assert parent.wait(30) != 0
            assert wait_for(lambda: [pid for pid in pids if not is_alive(pid)], 2, 10) == pids
        finally:
            parent.kill()


def note(directory: str, item: tuple[float, int]) -> None:
    (Path(directory) / str(os.getpid())).touch()
    # Both processes have an item.
    sleep(max(item[0], 0.5))


def is_alive(pid: int) -> bool:
    """Whether the process runs: what has ended and waits for its parent does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(look: Callable[[], list[int]], count: int, seconds: float) -> list[int]:
    """Return the value once it has ``count`` parts, or what it is after this time."""
    end = monotonic() + seconds
    while len(look()) < count and monotonic() < end:
        sleep(0.05)
    return look()
