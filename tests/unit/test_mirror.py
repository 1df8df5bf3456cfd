# SPDX-License-Identifier: GPL-3.0-or-later

"""Each source file has a test file of its name, in the directory of the same name, and helpers are few."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from checks.mirror import (
    HELPERS,
    TESTS,
    folders_without_sources,
    sources_without_tests,
    unlisted_helpers,
)

CHECKOUT = Path(__file__).resolve().parents[2]


def test_every_source_file_has_a_test_file() -> None:
    assert sources_without_tests(CHECKOUT) == []


def test_every_folder_of_tests_has_sources() -> None:
    assert folders_without_sources(CHECKOUT) == []


def test_what_a_room_shares_is_in_its_examples() -> None:
    assert unlisted_helpers(CHECKOUT) == []
    assert [helper for helper in HELPERS if not (CHECKOUT / TESTS / helper).is_file()] == []


@pytest.mark.parametrize(
    "source",
    ["module_utils/new.py", "module_utils/copy/new.py", "action/new.py", "inventory/new.py"],
)
def test_a_source_file_without_a_test_file_is_found(tmp_path: Path, source: str) -> None:
    for folder in ("plugins", "tests/unit"):
        shutil.copytree(CHECKOUT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "plugins" / source).touch()
    assert source.removeprefix("module_utils/") in sources_without_tests(tmp_path)
