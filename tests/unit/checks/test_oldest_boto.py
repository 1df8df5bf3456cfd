# SPDX-License-Identifier: GPL-3.0-or-later

"""The tests with the oldest botocore use its environment, and fail with its tests."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from checks import oldest_boto
from checks.apart import Apart


def test_the_playbooks_run_in_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    environment = dataclasses.replace(oldest_boto.ENVIRONMENT, folder=tmp_path / "oldest-boto")
    monkeypatch.setattr(oldest_boto, "ENVIRONMENT", environment)
    monkeypatch.setattr(Apart, "scripts", lambda _apart, _python: tmp_path)
    ran = []
    monkeypatch.setattr(oldest_boto, "run", lambda *command, env: ran.append((command, env)))
    oldest_boto.check()
    ((command, env),) = ran
    assert command[:3] == ("python", "-m", "pytest")
    assert env["PLAYBOOK_ENVIRONMENT"] == str(tmp_path / "oldest-boto")


def test_the_checkout_is_the_collection_of_the_environment(tmp_path: Path):
    site = tmp_path / "lib" / "python3.11" / "site-packages"
    (site / "ansible_collections").mkdir(parents=True)
    oldest_boto.link_collection(tmp_path)
    assert (site / "ansible_collections" / "golden" / "images" / "galaxy.yml").is_file()
