# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a playbook with the command that a user types, and collects its output and the API calls."""

from __future__ import annotations

import shlex
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from .screen import say

CHECKOUT = Path(__file__).parents[1]
VARS = "demo/vars.yml"
FOLDER = ".cache/demo"
# Ansible's own settings: tasks that change nothing, and skipped ones, are not displayed.
SHORT = {"ANSIBLE_DISPLAY_OK_HOSTS": "false", "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false"}


@dataclass(frozen=True)
class Run:
    """A finished run: what it displayed, and its API calls."""

    exit_code: int
    seconds: float
    output: str
    calls: list[RecordedCall]

    def made(self, action: str) -> list[RecordedCall]:
        """Return the calls of an action, such as `CopyImage`."""
        return [call for call in self.calls if call.action == action]


def command(playbook: str, *options: str) -> list[str]:
    """Return the command of a playbook, with demo/vars.yml."""
    return ["ansible-playbook", "-i", "localhost,", f"golden.images.{playbook}", "-e", f"@{VARS}", *options]


def play(aws: SimulatedAws, owner: str, playbook: str, *options: str) -> Run:
    """Run the playbook with the owner's credentials."""
    folder = CHECKOUT / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ansible.log"
    log.write_text("", encoding="utf-8")
    words = command(playbook, *options)
    say(f"$ {shlex.join(words)}")
    earlier = max((call.number for call in aws.calls()), default=0)
    started = time.monotonic()
    done = subprocess.run(
        [Path(sys.executable).with_name(words[0]), *words[1:]],
        cwd=CHECKOUT,
        # The log repeats the output, so that the screen shows Ansible's own output unchanged.
        env={**aws.environment(owner), **SHORT, "ANSIBLE_LOG_PATH": str(log)},
        check=False,
    )
    seconds = time.monotonic() - started
    calls = aws.calls(since=earlier, account_id=aws.account_id(owner))
    return Run(done.returncode, seconds, log.read_text(encoding="utf-8"), calls)
