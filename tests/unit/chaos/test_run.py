# SPDX-License-Identifier: GPL-3.0-or-later

"""A run goes on however much it prints, and ends when it is killed; and what other regions have to do."""

from __future__ import annotations

import subprocess
import sys
from time import monotonic, sleep

from simulated_aws.http.record import RecordedCall
from tests.chaos.cases import Failed
from tests.chaos.run import Running, Undisturbed, expected_elsewhere
from tests.unit.chaos.examples import OWNER


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


def call(region: str, action: str, status: int = 200) -> RecordedCall:
    return RecordedCall(1, 0.0, OWNER, region, "ec2", action, {}, "", "", status, changes=True)


def step(action: str, *regions: str) -> list[dict[str, str]]:
    return [{"account_id": OWNER, "action": action, "region": region} for region in regions]


CALLS = [call(region, action) for action in ("Share", "Copy", "Share") for region in ("r1", "r2", "r3")]


def test_other_regions_do_all_that_they_do_undisturbed() -> None:
    expected = Undisturbed({}, {}, [*CALLS, call("r2", "Share", 503)], beside=False)
    lacking = expected_elsewhere(expected, Failed("r1", OWNER, "Share"))
    assert lacking == {"Share in r2": 2, "Share in r3": 2}


def test_where_a_run_ends_with_the_failed_step_they_do_what_that_step_does() -> None:
    regions = ("r1", "r2", "r3")
    steps = [step("Copy", *regions), step("Share", "r2"), step("Share", *regions), step("Share", *regions)]
    expected = Undisturbed({}, {}, CALLS, beside=False, steps=steps)
    lacking = expected_elsewhere(expected, Failed("r1", OWNER, "Share"))
    assert lacking == {"Share in r2": 1, "Share in r3": 1}
