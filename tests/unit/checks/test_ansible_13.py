# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests with Ansible 13 use its environment, on a Python that is new enough for it."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from checks import ansible_13, apart, oldest_boto
from checks.apart import Apart


def test_the_playbooks_run_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    environment = dataclasses.replace(ansible_13.ENVIRONMENT, folder=tmp_path / "ansible-13")
    monkeypatch.setattr(ansible_13, "ENVIRONMENT", environment)
    monkeypatch.setattr(Apart, "scripts", lambda _apart, _python: tmp_path)
    ran = []
    monkeypatch.setattr(oldest_boto, "run", lambda *command, env: ran.append((command, env)))
    ansible_13.check("--quiet")
    ((command, env),) = ran
    assert command[:6] == ("python", "-m", "pytest", "--quiet", "-m", "ansible_13")
    assert env["PLAYBOOK_ENVIRONMENT"] == str(tmp_path / "ansible-13")


def test_its_python_is_new_enough(monkeypatch: pytest.MonkeyPatch):
    done = subprocess.CompletedProcess((), 0, "/usr/bin/python3.13\n", "note\n")
    monkeypatch.setattr(apart.subprocess, "run", lambda *_command, **_options: done)
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    assert ansible_13.python() == "/usr/bin/python3.13"
    monkeypatch.setattr(sys, "version_info", (3, 13, 0))
    assert ansible_13.python() == sys.executable
