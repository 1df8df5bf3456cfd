# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbook with the command that a user types, and collects the result and the API calls."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulated_aws.client import SimulatedAws
from simulated_aws.http.record import RecordedCall

from .screen import say

CHECKOUT = Path(__file__).parents[1]
PLAYBOOK, VARS = "playbooks/distribute_ami.yml", "demo/vars.yml"
FOLDER = ".cache/demo"

_READS = ("Describe", "Get", "List")


@dataclass(frozen=True)
class Run:
    """A finished run; `changed` is the number of changed tasks, None if Ansible gave none."""

    exit_code: int
    changed: int | None
    seconds: float
    calls: list[RecordedCall]

    @property
    def writes(self) -> list[RecordedCall]:
        """The API calls that change resources."""
        return [call for call in self.calls if not call.action.startswith(_READS)]

    def counts(self, region: str) -> tuple[int, int]:
        """The number of calls in a region that read, and that write."""
        writes = Counter(call.region for call in self.writes)[region]
        return Counter(call.region for call in self.calls)[region] - writes, writes


def distribute(aws: SimulatedAws, owner: str, more_variables: Mapping[str, Any]) -> Run:
    """Run the playbook with the owner's credentials, demo/vars.yml and more variables."""
    folder = CHECKOUT / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "ansible.log"
    log.write_text("", encoding="utf-8")
    (folder / "more_vars.json").write_text(json.dumps(more_variables, indent=2), encoding="utf-8")
    command = ["ansible-playbook", "-i", "localhost,", PLAYBOOK]
    command += ["-e", f"@{VARS}", "-e", f"@{FOLDER}/more_vars.json"]
    say(f"$ {shlex.join(command)}")
    earlier = max((call.number for call in aws.calls()), default=0)
    started = time.monotonic()
    done = subprocess.run(
        [Path(sys.executable).with_name(command[0]), *command[1:]],
        cwd=CHECKOUT,
        # The log repeats the output, so that the screen shows Ansible's own output unchanged.
        env={**aws.environment(owner), "ANSIBLE_LOG_PATH": str(log)},
        check=False,
    )
    seconds = time.monotonic() - started
    recap = re.search(r"\bchanged=(\d+)", log.read_text(encoding="utf-8"))
    changed = int(recap[1]) if recap else None
    calls = aws.calls(since=earlier, account_id=aws.account_id(owner))
    return Run(done.returncode, changed, seconds, calls)
