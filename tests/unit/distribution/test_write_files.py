# SPDX-License-Identifier: GPL-3.0-or-later

"""Files for other tools: what is refused, what is written, what stays."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.golden.images.plugins.module_utils.distribution import write_files as module
from ansible_collections.golden.images.plugins.module_utils.distribution.output import Images
from ansible_collections.golden.images.plugins.module_utils.distribution.write_files import (
    check_files,
    write_files,
)

IMAGES = Images({"eu-west-1": "ami-0123456789abcdef0"})
TEXT = "AMI_EU_WEST_1=ami-0123456789abcdef0\n"


def problems(*paths: Path) -> list[str]:
    return [failure.message for failure in check_files(map(str, paths))]


def test_files_are_written_once(tmp_path: Path) -> None:
    paths = [str(tmp_path / "a.env"), str(tmp_path / "a.auto.tfvars.json")]
    assert write_files(paths, IMAGES, check_mode=False) == (paths, [])
    assert Path(paths[0]).read_text(encoding="utf-8") == TEXT
    assert write_files(paths, IMAGES, check_mode=False) == ([], [])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.auto.tfvars.json", "a.env"]


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.env"
    assert write_files([str(path)], IMAGES, check_mode=True) == ([str(path)], [])
    assert not path.exists()


def test_a_file_with_other_content_is_kept(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("PASSWORD=hunter2\n", encoding="utf-8")
    assert problems(path) == [f"output_files: {path} has other content, which would be lost."]
    other = tmp_path / "b.env"
    written, failures = write_files([str(path), str(other)], IMAGES, check_mode=False)
    assert (written, len(failures), other.exists()) == ([], 1, False)
    assert path.read_text(encoding="utf-8") == "PASSWORD=hunter2\n"


def test_paths_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "c.json").mkdir()
    (tmp_path / "d.json").write_bytes(b"\xff")
    found = problems(tmp_path / "a.txt", tmp_path / "no" / "b.env", tmp_path / "c.json", tmp_path / "d.json")
    assert len(found) == 4
    assert found[0].endswith("a.txt does not end with .tfvars.json, .env, .json.")
    assert found[1].endswith(f"no/b.env: there is no folder {tmp_path}/no.")
    assert "c.json exists and cannot be read: Is a directory." in found[2]
    assert "d.json exists and cannot be read: 'utf-8' codec" in found[3]
    assert all(failure.remedy for failure in check_files([str(tmp_path / "a.txt")]))


def test_a_full_disk_is_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_file(_path: Path, _text: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_file", write_file)
    written, (failure,) = write_files([str(tmp_path / "a.env")], IMAGES, check_mode=False)
    assert written == []
    assert failure.message == f"output_files: {tmp_path}/a.env: No space left on device."
