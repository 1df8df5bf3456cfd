# SPDX-License-Identifier: GPL-3.0-or-later

"""The command for ansible-navigator in docs/awx.md, which shows what ansible-playbook shows."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from checks.navigator import ENVIRONMENT
from simulated_aws.client import SimulatedAws

from .fixture import HOME, OWNER, Fixture
from .playbook import CHECKOUT

pytestmark = pytest.mark.nightly


def test_a_playbook_runs_in_ansible_navigator(aws: SimulatedAws, fixture: Fixture, tmp_path: Path) -> None:
    scripts = ENVIRONMENT.scripts(lambda: sys.executable)
    text = (CHECKOUT / "docs" / "awx.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\$ (ansible-navigator .+)$", text, re.MULTILINE)
    # The directory of the report is relative to the current one.
    variables = {"audit_regions": [HOME], "audit_report_dir": "audit", "audit_fail_on": "high"}
    (tmp_path / "audit.yml").write_text(yaml.safe_dump(variables), encoding="utf-8")
    environment = {
        **fixture.environment(OWNER),
        "ANSIBLE_NOCOLOR": "true",
        "HOME": str(tmp_path / "home"),
        "PATH": os.pathsep.join([str(scripts), "/usr/bin", "/bin"]),
    }

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            shlex.split(command),
            cwd=tmp_path,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=180,
        )

    clean = run()
    assert clean.returncode == 0, clean.stdout + clean.stderr
    account = aws.account_id(OWNER)
    assert f"Audit of account {account}: no findings.\n" in clean.stdout.replace("\r\n", "\n")
    # Neither colors nor the codes of ansible-runner are in a log.
    assert "\x1b" not in clean.stdout
    assert (tmp_path / "audit-run.json").is_file()
    report = json.loads((tmp_path / "audit" / "report.json").read_text(encoding="utf-8"))
    assert report["status"] == "clean"

    (partner,) = fixture.account_ids("partner")
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=fixture.image_id, LaunchPermission={"Add": [{"UserId": partner}]}
    )
    found = run()
    assert found.returncode == 2, found.stdout + found.stderr
    assert f"Audit of account {account}: 1 high finding.\n" in found.stdout.replace("\r\n", "\n")
    assert {file.suffix for file in (CHECKOUT / "playbooks").iterdir()} == {".yml"}
