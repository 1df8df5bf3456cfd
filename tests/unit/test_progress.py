# SPDX-License-Identifier: GPL-3.0-or-later

"""Progress is appended to a file in lines."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils._progress import reporter, waiting_reporter


def test_lines_are_appended_at_once(tmp_path: Path) -> None:
    file = tmp_path / "progress"
    file.write_text("before\n", encoding="utf-8")
    report = reporter(str(file), pytest.fail)
    report("eu-west-1 10 %")
    assert file.read_text(encoding="utf-8") == "before\neu-west-1 10 %\n"
    report("eu-west-1 ready")
    assert file.read_text(encoding="utf-8").splitlines()[1:] == ["eu-west-1 10 %", "eu-west-1 ready"]


def test_no_file_is_written_without_a_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    reporter(None, pytest.fail)("eu-west-1 10 %")
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_causes_one_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    report = reporter(str(tmp_path / "missing" / "progress"), warnings.append)
    report("eu-west-1 10 %")
    report("eu-west-1 20 %")
    (warning,) = warnings
    missing = tmp_path / "missing" / "progress"
    assert warning == f"progress_path: cannot write to {missing}: No such file or directory."


def test_a_line_names_what_is_waited_for_and_how_long() -> None:
    lines: list[str] = []
    report = waiting_reporter(lines.append, "Launching", 500)
    report([f"{number:012}" for number in range(499, 0, -1)])
    report(["012345678901"])
    assert lines == [
        "Launching: 1 of 500 done, 0 s, waits for 000000000001 and 498 more",
        "Launching: 499 of 500 done, 0 s, waits for 012345678901",
    ]
