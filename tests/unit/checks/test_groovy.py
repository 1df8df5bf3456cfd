# SPDX-License-Identifier: GPL-3.0-or-later

"""The first mistake in a file of Groovy is named with its place."""

from __future__ import annotations

from pathlib import Path

from checks.groovy import mistakes


def test_a_mistake_has_its_place_and_a_right_file_none(tmp_path: Path):
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("int code = 1\n", encoding="utf-8")
    wrong.write_text("int code = = 1\n", encoding="utf-8")
    (said,) = mistakes([right, wrong])
    assert said.startswith(f"{wrong}: ")
    assert "at line 1" in said
    assert "\n" not in said
