# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of the checks has done, does now and has left, for the terminal and for the summary."""

from __future__ import annotations

import signal
import subprocess
import textwrap
import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

PASSED, FAILED, SKIPPED, STOPPED = "✓", "✗", "–", "■"
_WIDTH = 80


class Ended(NamedTuple):
    """The outcome and the duration of a check, why it was skipped if it was, and what it printed if it ran
    in a process of its own.
    """

    name: str
    outcome: str
    seconds: float
    reason: str = ""
    output: str = ""

    def __str__(self) -> str:
        line = f"{self.outcome} {self.name:<22}{self.seconds:6.1f} s"
        if self.outcome == STOPPED:
            return f"{line}  interrupted"
        return f"{line}  skipped: {self.reason}" if self.reason else line


class Progress:
    """The checks of a run: which have ended, which run now, which are left."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = [*names]
        self.ended: list[Ended] = []
        self.is_interrupted = False
        self._began: dict[str, float] = {}
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._start = time.monotonic()
        self._lock = threading.Lock()

    def begin(self, name: str, title: str) -> None:
        """Print the check's number and title."""
        with self._lock:
            self._began[name] = time.monotonic()
            print(f"… {len(self._began)} of {len(self.names)}: {title}", flush=True)

    def attach(self, name: str, process: subprocess.Popen[str]) -> None:
        """Keep the process that runs a check, for an interruption."""
        with self._lock:
            self._processes[name] = process
            if self.is_interrupted:
                process.send_signal(signal.SIGINT)

    def end(self, name: str, outcome: str, reason: str = "", output: str = "") -> Ended:
        """Print what the check printed, if anything was kept back, its outcome, and what is left."""
        with self._lock:
            seconds = time.monotonic() - self._began[name]
            # A check that failed because it was interrupted says nothing about the checkout.
            outcome = STOPPED if self.is_interrupted and outcome == FAILED else outcome
            ended = Ended(name, outcome, seconds, reason, output)
            self.ended.append(ended)
            self._processes.pop(name, None)
            print(*filter(None, (output, str(ended), self._state())), sep="\n", flush=True)
        return ended

    def show(self) -> None:
        """Print how long the run has taken, and what is left."""
        with self._lock:
            seconds = round(time.monotonic() - self._start)
            print(f"… {seconds // 60} min {seconds % 60} s", self._state(), sep="\n", flush=True)

    def interrupt(self) -> None:
        """Interrupt the checks that run, and have no further one begin."""
        with self._lock:
            self.is_interrupted = True
            for process in self._processes.values():
                process.send_signal(signal.SIGINT)

    def interrupted(self) -> list[Ended]:
        """Return the checks that had begun, and not ended, when the run was interrupted."""
        done = {ended.name for ended in self.ended}
        now = time.monotonic()
        return [Ended(name, STOPPED, now - began) for name, began in self._began.items() if name not in done]

    def left(self) -> list[str]:
        """Return the checks that have not begun."""
        return [name for name in self.names if name not in self._began]

    def _state(self) -> str:
        """How many checks are done, and the names of those that run and that are left."""
        if len(self.names) == 1 or self.is_interrupted:
            return ""
        done = {ended.name for ended in self.ended}
        running = [name for name in self._began if name not in done]
        parts = [f"{len(done)} of {len(self.names)} done"]
        parts += [f"{word}: {', '.join(names)}" for word, names in _named(running, self.left())]
        return textwrap.fill(
            "; ".join(parts), _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )


def _named(running: Sequence[str], left: Sequence[str]) -> list[tuple[str, Sequence[str]]]:
    return [(word, names) for word, names in (("running", running), ("left", left)) if names]
