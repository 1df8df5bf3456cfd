# SPDX-License-Identifier: GPL-3.0-or-later

"""A part counts as passed on the commit that it ran on, and on no other state of the checkout."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks import passed


@pytest.fixture(autouse=True)
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with one commit."""
    monkeypatch.setattr(passed, "CHECKOUT", tmp_path)
    monkeypatch.setattr(passed, "FOLDER", tmp_path / ".git" / "nightly")
    (tmp_path / "file").write_text("1", encoding="utf-8")
    for command in (
        ("init", "--quiet"),
        ("add", "file"),
        ("-c", "user.name=x", "-c", "user.email=x@example.org", "commit", "--quiet", "-m", "x"),
    ):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    return tmp_path


def test_a_part_has_passed_on_the_commit_only():
    on = passed.commit()
    assert not passed.has_passed("unit", on)
    passed.note("unit", on)
    assert passed.has_passed("unit", on)
    assert not passed.has_passed("unit", "0123abc")
    assert not passed.has_passed("chaos", on)


def test_nothing_has_passed_on_a_changed_checkout(checkout: Path):
    (checkout / "file").write_text("2", encoding="utf-8")
    assert passed.commit() is None
    passed.note("unit", None)
    assert not passed.has_passed("unit", None)
    assert not passed.FOLDER.exists()
