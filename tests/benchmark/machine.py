# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine, what it runs, how fast it is, and how busy other programs keep it. Linux only."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import resource
import time
from collections.abc import Iterable
from pathlib import Path

_TURNS = 200
"""Enough that the work takes about a second."""
_VERSIONS = ("ansible", "ansible-core", "boto3", "botocore")


def description() -> str:
    """Processors, memory and system."""
    model = _field(Path("/proc/cpuinfo"), "model name") or platform.machine()
    gigabytes = round(int((_field(Path("/proc/meminfo"), "MemTotal") or "0 kB").split()[0]) / 1024**2)
    return f"{os.cpu_count()} cores ({model}), {gigabytes} GB, {platform.system()} {platform.release()}"


def versions(*others: tuple[str, str]) -> dict[str, str]:
    """The versions of Python and of what the collection runs on, and of ``others``, by name."""
    here = {name: importlib.metadata.version(name) for name in _VERSIONS}
    return {"Python": platform.python_version(), **here, **dict(others)}


def work() -> float:
    """Do a fixed piece of work, and return the seconds of CPU that it took: how fast the machine is now.

    A virtual machine's speed changes with what its host does. The work is to write and read JSON.
    """
    document = {f"ami-{number:017x}": ["eu-west-1", number, {"state": "available"}] for number in range(1000)}
    started = time.process_time()
    for _turn in range(_TURNS):
        json.loads(json.dumps(document, indent=1))
    return time.process_time() - started


class Load:
    """Measures which share of the processors other programs use from its start on."""

    def __init__(self) -> None:
        self._started, self._all, self._own = time.monotonic(), _busy_seconds(), _own_seconds()

    def share(self) -> float:
        """The share of all processors; the simulated AWS and all commands have to have ended."""
        elapsed = time.monotonic() - self._started
        foreign = _busy_seconds() - self._all - (_own_seconds() - self._own)
        return max(0.0, foreign / (elapsed * (os.cpu_count() or 1)))


def _busy_seconds() -> float:
    """What all processors have worked, and what a hypervisor withheld (proc(5), /proc/stat)."""
    with Path("/proc/stat").open(encoding="utf-8") as lines:
        user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, next(lines).split()[1:9])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_seconds() -> float:
    return _cpu(resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


def _cpu(*whose: int) -> float:
    used = [resource.getrusage(one) for one in whose]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _field(path: Path, name: str) -> str | None:
    lines: Iterable[str] = path.read_text(encoding="utf-8").splitlines()
    found = (line.partition(":") for line in lines if line.startswith(name))
    return next((value.strip() for _name, _colon, value in found), None)
