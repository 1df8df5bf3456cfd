# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a command and measure all of its processes, those too that it leaves in the background.

    python -m tests.benchmark.process_tree RESULT COMMAND …

waits until the last one has ended and writes ``Used`` as JSON to the file RESULT. Linux only.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

# prctl(2): orphans become children of this process instead of init's, so that wait4 also counts them.
_PR_SET_CHILD_SUBREAPER = 36
_INTERVAL = 0.2
"""Seconds between two looks at the memory."""


@dataclass(frozen=True)
class Used:
    """What a command used. ``seconds`` end with the command itself, the rest with its last process.

    ``cpu_seconds`` is exact (getrusage). ``pss_megabytes`` is the proportional memory (proc(5), smaps_rollup)
    of all processes at the same time, where a page that n processes share counts 1/n in each: the most of
    five samples a second. ``processes`` is the most of them in the same samples. ``largest_megabytes`` is
    the most that one process ever had resident, shared pages included (getrusage).
    """

    code: int
    seconds: float
    cpu_seconds: float
    pss_megabytes: float
    largest_megabytes: float
    processes: int


def measure(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, stdout: Path, stderr: Path
) -> Used:
    """Run a command in a directory with its output in files."""
    with tempfile.TemporaryDirectory() as name:
        result = Path(name, "used.json")
        # Without -P, modules of this directory would hide others of the same name.
        wrapped = [sys.executable, "-P", __file__, str(result), *command]
        with stdout.open("w") as out, stderr.open("w") as err:
            subprocess.run(
                wrapped,
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                check=True,
            )
        return Used(**json.loads(result.read_text(encoding="utf-8")))


def main(result: str, *command: str) -> None:
    """Run the command as a child of this process and write what all of its processes used."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    sampled = _Memory()
    sampled.start()
    started = time.monotonic()
    process = subprocess.Popen(command)
    process.wait()
    seconds = time.monotonic() - started
    while _reap():
        continue
    sampled.ended.set()
    sampled.join()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = Used(
        code=process.returncode,
        seconds=seconds,
        cpu_seconds=children.ru_utime + children.ru_stime,
        pss_megabytes=sampled.total,
        # getrusage(2): kilobytes.
        largest_megabytes=children.ru_maxrss / 1024,
        processes=sampled.processes,
    )
    Path(result).write_text(json.dumps(asdict(used)), encoding="utf-8")


def _reap() -> bool:
    """Wait for one child, an orphan of the command; False if there is none."""
    try:
        os.wait()
    except ChildProcessError:
        return False
    return True


class _Memory(threading.Thread):
    """Samples the number and the memory of all descendants, in megabytes, until ``ended``."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.ended = threading.Event()
        self.total, self.processes = 0.0, 0

    def run(self) -> None:
        while not self.ended.wait(_INTERVAL):
            pids = _descendants(os.getpid())
            self.processes = max(self.processes, len(pids))
            self.total = max(self.total, sum(map(_pss, pids)))


def _descendants(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (parent := _parent(entry)) is not None:
            children.setdefault(parent, []).append(int(entry))
    found = list(children.get(root, ()))
    for pid in found:
        found += children.get(pid, ())
    return found


def _parent(pid: str) -> int | None:
    """The parent of a process; None if it has ended meanwhile."""
    try:
        status = Path("/proc", pid, "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The name in parentheses may contain any character.
    return int(status.rpartition(")")[2].split()[1])


def _pss(pid: int) -> float:
    """The proportional memory of a process in megabytes; 0 if it has ended meanwhile."""
    try:
        lines = Path("/proc", str(pid), "smaps_rollup").read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
