# SPDX-License-Identifier: GPL-3.0-or-later

"""Any value of any type in an option of an inventory file: an error of Ansible's, or hosts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).parents[3]
FILES = 400


def test_no_value_of_an_option_ends_in_another_exception() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "tests.unit.inventory.hostile_file", str(FILES)],
        cwd=CHECKOUT,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": sysconfig.get_path("purelib")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2000:]
    counts = json.loads(run.stdout.splitlines()[-1])
    assert sum(counts.values()) == FILES
    assert min(counts.values()) > FILES / 10
