# SPDX-License-Identifier: GPL-3.0-or-later

"""A run goes on however much it prints, and ends when it is killed."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic, sleep

from tests.chaos.run import Running


def start(script: str) -> Running:
    command = [sys.executable, "-c", script]
    return Running(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))


def test_output_is_read_while_the_process_runs() -> None:
    running = start("print('x' * 1_000_000)")
    deadline = monotonic() + 30
    while not running.has_ended and monotonic() < deadline:
        sleep(0.01)
    assert running.has_ended
    run = running.finish()
    assert (run.code, len(run.stdout)) == (0, 1_000_001)


def test_a_killed_run_ends() -> None:
    running = start("import time; print('begun', flush=True); time.sleep(600)")
    assert not running.has_ended
    running.kill()
    assert running.has_ended
