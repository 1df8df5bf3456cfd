# SPDX-License-Identifier: GPL-3.0-or-later

"""The environment is set up again when, and only when, something that it depends on has changed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from checks import environment


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose environment is ready."""
    for name in ("uv.txt", "dev.txt", "pyproject.toml"):
        (tmp_path / name).write_text("ansible==12.3.0", encoding="utf-8")
    python = tmp_path / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.touch()
    monkeypatch.setattr(environment, "CHECKOUT", tmp_path)
    monkeypatch.setattr(environment, "UV_LOCK", tmp_path / "uv.txt")
    monkeypatch.setattr(environment, "LOCK", tmp_path / "dev.txt")
    monkeypatch.setattr(environment, "SIMULATED_AWS", tmp_path)
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


def test_a_command_shows_its_progress_without_each_package(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(environment, "_SECONDS_BETWEEN", 0.1)
    lines = "Downloading ansible (51.8MiB)\\n + ansible==12\\n ~ uv==1\\n - pip==1\\nInstalled 2 packages\\n"
    program = f"import sys, time; sys.stderr.write('{lines}'); sys.stderr.flush(); time.sleep(1)"
    environment.run(sys.executable, "-c", program)
    shown = capfd.readouterr()
    assert shown.err == "  Downloading ansible (51.8MiB)\n  Installed 2 packages\n"
    assert shown.out.startswith("  … 0 s\n")


@pytest.mark.usefixtures("checkout")
def test_a_failed_download_says_what_to_set(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    environment.UV_LOCK.write_text(f"golden-images-is-no-package==1 --hash=sha256:{'0' * 64}", "utf-8")
    monkeypatch.setattr(environment, "VENV", Path(sys.prefix))
    monkeypatch.setattr(environment, "PYTHON", Path(sys.executable))
    monkeypatch.setattr(environment, "is_usable", lambda: True)
    # No server listens on the discard port.
    for name, value in {"PIP_INDEX_URL": "http://127.0.0.1:9", "PIP_RETRIES": "0"}.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_DRY_RUN", "1")
    with pytest.raises(SystemExit):
        environment.set_up()
    assert capsys.readouterr().err.splitlines()[-1].startswith("If the package index cannot be reached, set ")
    assert not environment.STAMP.exists()


def test_installers_trust_the_systems_store_of_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    store = tmp_path / "ca.pem"
    store.write_text("certificates", encoding="utf-8")
    monkeypatch.setenv("SSL_CERT_FILE", str(store))
    found = environment.installer_settings({"HOME": "/home", "PYTHONPATH": "/other"})
    assert found == {"HOME": "/home", "UV_SYSTEM_CERTS": "true", "PIP_CERT": str(store)}


@pytest.mark.parametrize("name", ["PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_the_users_certificates_stay(name: str):
    users = {name: "/own.pem", "UV_SYSTEM_CERTS": "false"}
    assert environment.installer_settings(users) == users


def test_an_empty_store_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "certs").mkdir()
    (tmp_path / "ca.pem").touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_DIR", str(tmp_path / "certs"))
    assert environment.system_certificates() is None
