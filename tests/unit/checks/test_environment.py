# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment is set up again when, and only when, something that it depends on has changed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from checks import environment


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose environment is ready."""
    for name in ("uv.txt", "dev.txt"):
        (tmp_path / name).write_text("ansible==12.3.0", encoding="utf-8")
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    monkeypatch.setattr(environment, "UV_LOCK", tmp_path / "uv.txt")
    monkeypatch.setattr(environment, "LOCK", tmp_path / "dev.txt")
    monkeypatch.setattr(environment, "PYTHON", python)
    monkeypatch.setattr(environment, "LINK", tmp_path / "venv" / "images")
    monkeypatch.setattr(environment, "STAMP", tmp_path / "venv" / "ready")
    environment.LINK.symlink_to(tmp_path, target_is_directory=True)
    environment.STAMP.write_text(environment.wanted_state(), encoding="utf-8")
    return tmp_path


def test_an_environment_that_is_ready_is_left_alone(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(environment, "set_up", lambda: pytest.fail("set up again"))
    environment.main()
    assert environment.STAMP.read_text(encoding="utf-8") == environment.wanted_state()
    assert environment.LINK.resolve() == checkout


def test_a_changed_lock_sets_it_up_again(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    done: list[str] = []
    monkeypatch.setattr(environment, "set_up", lambda: done.append("set up"))
    (checkout / "dev.txt").write_text("ansible==13.0.0", encoding="utf-8")
    environment.main()
    environment.main()
    assert done == ["set up"]


def test_a_link_to_another_checkout_sets_it_up_again(checkout: Path):
    environment.LINK.unlink()
    environment.LINK.symlink_to(checkout / "venv", target_is_directory=True)
    assert not environment.is_ready(environment.wanted_state())


def test_an_old_python_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        environment.refuse_unfit_python()


def test_a_command_that_fails_ends_the_setup(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as ended:
        environment.run(sys.executable, "-c", "raise SystemExit(7)")
    assert ended.value.code == 7
    assert "Setting up" in capsys.readouterr().err
