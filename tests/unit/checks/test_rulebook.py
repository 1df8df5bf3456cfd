# SPDX-License-Identifier: GPL-3.0-or-later

"""The error on a machine that cannot run rulebooks names what is missing."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from checks import rulebook
from checks.commands import Unfit


def java(folder: Path, version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Install a java that reports a version as OpenJDK does, on standard error."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2026-01-20' >&2\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("JAVA_HOME", str(folder))


@pytest.fixture
def ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment that an earlier run has set up."""
    environment = tmp_path / ".venv" / "rulebook"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").touch()
    apart = dataclasses.replace(rulebook.ENVIRONMENT, folder=environment)
    monkeypatch.setattr(rulebook, "ENVIRONMENT", apart)
    apart.stamp.write_text(apart.wanted_state(), encoding="utf-8")
    return environment


@pytest.mark.parametrize("version", ["17.0.9", "21"])
def test_an_environment_that_is_ready_is_used(
    version: str, ready: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    java(tmp_path / "jdk", version, monkeypatch)
    assert rulebook.scripts() == ready / "bin"


@pytest.mark.parametrize("version", ["11.0.21", "1.8.0_392"])
def test_an_old_java_is_reported(version: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    java(tmp_path, version, monkeypatch)
    with pytest.raises(Unfit, match="rulebooks need Java 17 or newer"):
        rulebook.scripts()


def test_a_missing_java_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unfit, match="default-jre-headless"):
        rulebook.scripts()
