# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-test ignores no finding and leaves no test out."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from checks import sanity
from checks.commands import CheckError

RAN = 'Running sanity test "pep8"\nRunning sanity test "validate-modules"\n'


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The output of ansible-test, which is not run: an element to be set."""
    said = [RAN]

    def run(*command: str, **_options: Any) -> str:
        return "" if "--prime-venvs" in command else said[0]

    monkeypatch.setattr(sanity, "CHECKOUT", tmp_path)
    monkeypatch.setattr(sanity.collection, "build", lambda folder: folder / "archive.tar.gz")
    monkeypatch.setattr(sanity.collection, "install", lambda _archive, tree: tree)
    monkeypatch.setattr(sanity, "run", run)
    return said


def test_the_tests_that_ran_are_named(output: list[str], capsys: pytest.CaptureFixture[str]):
    sanity.check()
    assert capsys.readouterr().out == "2 tests: pep8, validate-modules\n"
    assert output == [RAN]


@pytest.mark.parametrize(
    ("said", "reported"),
    [
        (f"{RAN}WARNING: Skipping tests disabled by default\n", "Skipping tests disabled"),
        (f"{RAN}WARNING: All targets skipped.\n", "All targets skipped"),
        ("Nothing to do.\n", "Nothing to do"),
    ],
)
def test_a_test_that_is_left_out_is_a_failure(output: list[str], said: str, reported: str):
    output[0] = said
    with pytest.raises(CheckError, match=f"left tests out: .*{reported}"):
        sanity.check()


@pytest.mark.parametrize(
    ("line", "is_failure"),
    [
        ("plugins/action/role_failure.py action-plugin-docs # only the roles use it", False),
        ("plugins/action/role_failure.py action-plugin-docs", True),
        ("plugins/action/role_failure.py pep8 # long", True),
        ("plugins/modules/ami_share.py validate-modules:no-docs # later", True),
    ],
)
def test_a_file_that_ignores_other_findings_is_a_failure(
    output: list[str], tmp_path: Path, line: str, is_failure: bool
):
    ignored = tmp_path / "tests" / "sanity" / "ignore-2.19.txt"
    ignored.parent.mkdir(parents=True)
    ignored.write_text(f"{line}\n", encoding="utf-8")
    with pytest.raises(CheckError, match=r"ignore-2\.19\.txt") if is_failure else nullcontext():
        sanity.check()
    assert output == [RAN]
