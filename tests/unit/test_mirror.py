# SPDX-License-Identifier: GPL-3.0-or-later

"""Each source file has a test file of its name, in the folder of the same name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.mirror import folders_without_sources, sources_without_tests

CHECKOUT = Path(__file__).resolve().parents[2]


def test_every_source_file_has_a_test_file() -> None:
    assert sources_without_tests(CHECKOUT) == []


def test_every_folder_of_tests_has_sources() -> None:
    assert folders_without_sources(CHECKOUT) == []


@pytest.mark.parametrize(
    "source",
    ["module_utils/new.py", "module_utils/copy/new.py", "action/new.py", "inventory/new.py"],
)
def test_a_source_file_without_a_test_file_is_found(tmp_path: Path, source: str) -> None:
    for folder in ("plugins", "tests/unit"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugins" / source).touch()
    assert source.removeprefix("module_utils/") in sources_without_tests(tmp_path)
