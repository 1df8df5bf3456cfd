# Copyright (c) 2026, golden.images contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run one function for groups of items in worker processes. No other file starts processes.

Botocore builds, signs and parses each request in Python, of which one process uses one core. Worker processes
are forks of this process between two phases of its work: the threads of the first have ended, and its
connections are closed. They have all that it has read, create their own clients, and return values.
"""

from __future__ import annotations

import contextlib
import gc
import math
import multiprocessing
import os
import pickle
import queue
import signal
import sys
import threading
import traceback
from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from pathlib import Path
from time import monotonic
from typing import Any, Generic, Protocol, TypeVar

from ._failures import Failure
from ._fanout import MAX_THREADS, map_parallel
from ._model import Target

Item = TypeVar("Item", bound=Hashable)
Result = TypeVar("Result")
ClientsT = TypeVar("ClientsT", bound="Forkable")

# More processes only wait for AWS, and each needs the memory of its clients.
MAX_PROCESSES = 8
# Calls for which it is worth to start a process: it takes the CPU time of some hundred calls, mostly for its
# clients.
CALLS_PER_PROCESS = 2000

# Seconds between the signs of life of a process that works.
_BEAT = 1.0
# Seconds without a sign of life after which a process counts as hung, and the times that they are divided
# into: when all processes were stopped (Ctrl-Z) and go on, a wait has timed out although none of them hangs.
SILENCE = 60.0
_WAITS = 6

# The name of threads that may exist while this process forks: they hold the lock while they do anything but
# wait, so that a fork gets no other lock that one of them holds.
WAITING_THREAD = "golden.images waiting"
FORKING = threading.Lock()

# The names under which distributions mount the controller of version 1.
_V1_MOUNTS = ("cpu", "cpu,cpuacct")


class WorkerEnded(Exception):
    """A worker process has ended, or gave no sign of life, before it returned the result of an item."""

    def as_failure(self, target: Target, action: str) -> Failure:
        """Return the failure of an account and region that the process would have read by this operation."""
        return Failure.at(
            target,
            action,
            "worker_process_ended",
            str(self),
            "Rerun. If it ends again, for example because memory is short, set max_processes to 1.",
        )


class WorkerError(Exception):
    """An exception of a worker process that cannot be sent, as text with its traceback."""


class Forkable(Protocol):
    """Clients, of one account or of many."""

    def close_connections(self) -> None:
        """Close all connections to AWS."""

    def of_fork(self: ClientsT) -> ClientsT:
        """Return clients for a fork of this process, which uses none of its parent's."""


def count_processes(calls: int, cpus: int, most: int) -> int:
    """Return the number of processes for this number of calls: 1 if one process makes all of them."""
    return max(1, min(calls // CALLS_PER_PROCESS, cpus, most, MAX_PROCESSES))


def count_cpus(affinity: int, quota: float | None) -> int:
    """Return the CPUs that the process can use: those that it may run on, of which a quota allows a part."""
    return affinity if quota is None else max(1, min(affinity, math.ceil(quota)))


def read_cpus() -> int:
    """Return the CPUs that this process can use; 1 on a system that is not Linux.

    On macOS, system libraries do not support fork without exec.
    """
    return count_cpus(len(os.sched_getaffinity(0)), find_quota(_read)) if sys.platform == "linux" else 1


def find_quota(read: Callable[[str], str | None]) -> float | None:
    """Return the smallest CPU quota of the process's cgroups and those above them, in CPUs; None without one.

    ``read`` returns the content of a file, None if there is none. The Linux kernel's "Control Group v2"
    (``cpu.max``) and "CFS Bandwidth Control" (``cpu.cfs_quota_us``) describe the files.
    """
    texts: list[str | None] = []
    for line in (read("/proc/self/cgroup") or "").splitlines():
        _number, controllers, path = line.split(":", 2)
        places = [*_list_ancestors(path)]
        if not controllers:
            texts += [read(f"/sys/fs/cgroup{place}/cpu.max") for place in places]
        elif "cpu" in controllers.split(","):
            groups = [f"/sys/fs/cgroup/{mount}{place}" for mount in _V1_MOUNTS for place in places]
            # Together as in version 2, empty without the files.
            both = ("cpu.cfs_quota_us", "cpu.cfs_period_us")
            texts += [" ".join(read(f"{group}/{name}") or "" for name in both) for group in groups]
    return min((quota for text in texts if (quota := _quota_of(text or "")) is not None), default=None)


def _list_ancestors(path: str) -> Iterator[str]:
    """Yield the path of a cgroup and those above it: ``/a/b``, ``/a``, and empty text for the root.

    In a container, the path can be that on the host, of which the container has only the root.
    """
    parts = [part for part in path.split("/") if part]
    for length in range(len(parts), -1, -1):
        yield "".join(f"/{part}" for part in parts[:length])


def _quota_of(text: str) -> float | None:
    """Return the CPUs of ``QUOTA PERIOD``; None without a limit: ``max`` in version 2, -1 in version 1."""
    quota, period = text.split() or ("max", "")
    return int(quota) / int(period) if quota.isdigit() else None


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return None


def divide(items: Sequence[Item], processes: int) -> list[tuple[Item, ...]]:
    """Return the items in groups of nearly the same size, each for one process at a time.

    An item is all that must stay in one process, such as an account with its regions. A group has about as
    many items as a process has threads, and each process gets the same number of groups: a process that is
    killed loses only the group that it works on.
    """
    rounds = max(1, round(len(items) / (processes * MAX_THREADS)))
    count = min(len(items), processes * rounds)
    return [tuple(items[number::count]) for number in range(count)]


def map_in_processes(
    items: Sequence[Item],
    prepare: Callable[[ClientsT], Callable[[tuple[Item, ...]], Result]],
    clients: ClientsT,
    *,
    calls: int,
    most: int,
    while_waiting: Callable[[Collection[Item]], None] | None = None,
) -> tuple[list[Result], dict[Item, WorkerEnded]] | None:
    """Work on the items in worker processes, and return what each group gave, and why items were lost.

    ``calls`` is about how many calls the work makes, ``most`` the most processes. Each process calls
    ``prepare`` once, with its own clients, and what that returns for groups of the items. Items, results and
    exceptions are sent: they must be values that can be pickled. ``while_waiting`` is that of
    ``map_parallel``.

    Returns None, and has done nothing, if one process is enough, if this process has other threads, which can
    hold locks that a fork would never get, or if no process can be started.
    """
    count = count_processes(calls, min(len(items), read_cpus()), most)
    if count == 1 or _has_threads():
        return None
    # A fork would have the connections, too.
    clients.close_connections()
    workers: Workers[tuple[Item, ...], Result] = Workers(count, lambda: prepare(clients.of_fork()))
    if not workers.count:
        return None

    def report(groups: Collection[tuple[Item, ...]]) -> None:
        if while_waiting:
            while_waiting([item for group in groups for item in group])

    try:
        done, failed = workers.map(divide(items, workers.count), report)
    finally:
        workers.end()
    lost: dict[Item, WorkerEnded] = {}
    for group, exception in failed.items():
        # Any other exception ends a run without processes, too.
        if not isinstance(exception, WorkerEnded):
            raise exception
        lost |= dict.fromkeys(group, exception)
    return [*done.values()], lost


class Workers(Generic[Item, Result]):
    """Worker processes, which work on one item each at a time.

    Each calls ``prepare`` for its first item, and what that returns for all its items.
    """

    def __init__(self, count: int, prepare: Callable[[], Callable[[Item], Result]]) -> None:
        self._idle: queue.SimpleQueue[_Worker | None] = queue.SimpleQueue()
        self._all: list[_Worker] = []
        # The collector would otherwise write to all objects, which processes then no longer share. Within
        # Ansible's process, its objects are frozen; those of this run must not stay after it.
        if not gc.get_freeze_count():
            gc.freeze()
        # A container's limit of processes may allow fewer.
        with FORKING, contextlib.suppress(OSError):
            for _number in range(count):
                self._all.append(_Worker(prepare, [worker.connection for worker in self._all]))
                self._idle.put(self._all[-1])
        self._alive, self._lock = self.count, threading.Lock()

    @property
    def count(self) -> int:
        """Return the number of processes that were started."""
        return len(self._all)

    def map(
        self, items: Sequence[Item], while_waiting: Callable[[Collection[Item]], None] | None = None
    ) -> tuple[dict[Item, Result], dict[Item, Exception]]:
        """Work on every item in a process, and return the results and the exceptions, by item.

        If a process ends or hangs, its item fails with ``WorkerEnded``, and the other processes work on the
        remaining ones. ``while_waiting`` is that of ``map_parallel``.
        """

        def work(item: Item) -> Result:
            worker = self._idle.get()
            if worker is None:
                # For the next item.
                self._idle.put(None)
                raise WorkerEnded("All worker processes have ended before.")
            try:
                result: Result = worker.work(item)
            except WorkerEnded:
                with self._lock:
                    self._alive -= 1
                    is_last = self._alive == 0
                if is_last:
                    self._idle.put(None)
                raise
            except Exception:
                self._idle.put(worker)
                raise
            self._idle.put(worker)
            return result

        return map_parallel(items, work, threads=self.count, while_waiting=while_waiting)

    def end(self) -> None:
        """End all processes: they hold nothing that is needed."""
        for worker in self._all:
            worker.end()


class _Worker:
    """A process, and the connection to it."""

    def __init__(self, prepare: Callable[[], Any], others: Sequence[Any]) -> None:
        fork = multiprocessing.get_context("fork")
        self.connection, theirs = fork.Pipe()
        ends = [*others, self.connection]
        self._process = fork.Process(target=_serve, args=(theirs, ends, prepare), daemon=True)
        self._process.start()
        # Otherwise a send would not fail after the end of the process.
        theirs.close()

    def work(self, item: Any) -> Any:
        """Return the result of an item, or raise its exception.

        Raises:
            WorkerEnded: the process has ended, or hangs and was ended.
        """
        try:
            with self._use_with_watchdog() as connection:
                connection.send(item)
            kind, value = self._receive()
        except (EOFError, OSError) as exception:
            self._process.join(_BEAT)
            self.end()
            raise WorkerEnded(self._explain_end()) from exception
        if kind == "exception":
            raise value
        return value

    @contextlib.contextmanager
    def _use_with_watchdog(self) -> Iterator[Any]:
        """Yield the connection, and kill the process if its use takes too long.

        A process that is stopped within a message neither reads nor writes the rest of it.
        """
        watchdog = threading.Timer(SILENCE, self._process.kill)
        watchdog.daemon = True
        watchdog.start()
        try:
            yield self.connection
        finally:
            watchdog.cancel()

    def _receive(self) -> tuple[str, Any]:
        waits = 0
        while waits < _WAITS:
            if not self.connection.poll(SILENCE / _WAITS):
                waits += 1
                continue
            waits = 0
            with self._use_with_watchdog() as connection:
                message = connection.recv()
            if message is not None:
                kind, content = message
                return kind, pickle.loads(content)
        self.end()
        raise WorkerEnded(f"A worker process gave no sign of life for {SILENCE:.0f} s, and was ended.")

    def end(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()
        self.connection.close()

    def _explain_end(self) -> str:
        code = self._process.exitcode or 0
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return f"A worker process has ended ({how}) before it returned a result."


def _has_threads() -> bool:
    """Whether this process has threads that can hold locks, once those whose work is done have ended."""
    deadline = monotonic() + _BEAT
    waiting = [thread for thread in threading.enumerate() if thread.name == WAITING_THREAD]
    for thread in threading.enumerate():
        if thread not in (threading.current_thread(), *waiting):
            thread.join(max(0.0, deadline - monotonic()))
    return threading.active_count() > 1 + len(waiting)


def _serve(connection: Any, ends: Sequence[Any], prepare: Callable[[], Any]) -> None:
    """Work on the items that the connection brings, until it ends: the main function of a worker process.

    ``ends`` are the other ends of this and the other connections. If they stayed open here, no connection
    would end with the process that has started this one.
    """
    for end in ends:
        end.close()
    # Ctrl-C ends the process that has started this one, and with it the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # The result of the module is written to the standard output, and its reader waits for all its writers.
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        os.dup2(nowhere, stream)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__
    lock = threading.Lock()
    work: Any = None
    while True:
        try:
            item = connection.recv()
        except EOFError:
            return
        with _signs_of_life(connection, lock):
            try:
                work = work or prepare()
                answer = ("result", pickle.dumps(work(item), pickle.HIGHEST_PROTOCOL))
            except Exception as exception:  # noqa: BLE001  (not swallowed: it is the item's outcome)
                answer = ("exception", _pickle_exception(exception))
        with lock:
            connection.send(answer)


@contextlib.contextmanager
def _signs_of_life(connection: Any, lock: threading.Lock) -> Iterator[None]:
    """Send a sign of life each second, and end this process once no process can receive it."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(_BEAT):
            try:
                with lock:
                    connection.send(None)
            except OSError:
                # The process that has started this one has ended: its work is for nothing.
                os._exit(1)

    threading.Thread(target=beat, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def _pickle_exception(exception: Exception) -> bytes:
    """Return the exception with the traceback of this process as a note, or its text if it cannot be sent.

    The exceptions that botocore makes for each client cannot: their classes are in no file.
    """
    trace = "".join(traceback.format_exception(exception))
    exception.add_note(trace)
    try:
        sent = pickle.dumps(exception, pickle.HIGHEST_PROTOCOL)
        pickle.loads(sent)
    except Exception:  # noqa: BLE001  (a class decides what it raises)
        return pickle.dumps(WorkerError(trace))
    return sent
