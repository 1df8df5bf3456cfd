# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of a record: one for each test, readable, and read as they were written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.record.__main__ import main
from tests.record.files import read, readable, write

from .examples import STEP, TEST, record


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    write(tmp_path, TEST, "passed", [STEP])
    write(tmp_path, f"{TEST}[a/b: 'c']", "passed", [])
    assert read(tmp_path) == {
        **record(),
        f"{TEST}[a/b: 'c']": {"test": f"{TEST}[a/b: 'c']", "outcome": "passed", "steps": []},
    }
    assert {path.name for path in (tmp_path / "test_share").iterdir()} == {
        "test_an_image_is_shared.json",
        "test_an_image_is_shared[a_b___c_].json",
    }


def test_where_there_is_no_record_nothing_is_equal(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no record"):
        read(tmp_path)


def test_each_line_has_what_fits_into_it() -> None:
    value = {"lines": ["a" * 70, "b" * 70], "short": {"a": [1, "ä"]}, "empty": []}
    text = readable(value)
    assert json.loads(text) == value
    assert text.splitlines()[-3:] == [' "short": {"a": [1, "ä"]},', ' "empty": []', "}"]
    assert max(map(len, text.splitlines())) < 80


def test_the_comparison_fails_if_anything_differs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, code in (("old", 0), ("same", 0), ("new", 2)):
        step = {**STEP, "processes": [{**STEP["processes"][0], "code": code}]}
        write(tmp_path / name, TEST, "passed", [step])
    assert main([str(tmp_path / "old"), str(tmp_path / "same")]) == 0
    assert capsys.readouterr().out == "Equal: 1 tests with 1 runs.\n"
    assert main([str(tmp_path / "old"), str(tmp_path / "new")]) == 1
    assert "another exit code" in capsys.readouterr().out


def test_a_missing_record_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "old"), str(tmp_path / "new")])
    assert f"there is no record in {tmp_path / 'old'}" in capsys.readouterr().err
