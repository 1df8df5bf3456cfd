# SPDX-License-Identifier: GPL-3.0-or-later

"""The archive is built and installed into emptied directories."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from checks import collection
from checks.commands import CheckError


@pytest.mark.parametrize("archives", [[], ["golden-images-0.1.0.tar.gz", "golden-images-0.2.0.tar.gz"]])
def test_anything_but_one_archive_is_a_failure(
    archives: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "build"

    def galaxy(*_command: Any, **_options: Any) -> None:
        folder.mkdir()
        for name in archives:
            (folder / name).touch()

    monkeypatch.setattr(collection, "run", galaxy)
    with pytest.raises(CheckError, match=f"not {len(archives)}"):
        collection.build(folder)


def test_an_archive_of_an_earlier_build_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "golden-images-0.0.9.tar.gz").touch()

    def galaxy(*command: Any, **_options: Any) -> None:
        folder = Path(command[-1])
        folder.mkdir()
        (folder / "golden-images-0.1.0.tar.gz").touch()

    monkeypatch.setattr(collection, "run", galaxy)
    assert collection.build(tmp_path / "build").name == "golden-images-0.1.0.tar.gz"
