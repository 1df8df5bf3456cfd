# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests of a source file stand: tests/unit mirrors plugins/module_utils."""

from __future__ import annotations

from pathlib import Path

SOURCES = Path("plugins/module_utils")
TESTS = Path("tests/unit")
# Folders of tests/unit for what is not below module_utils, and what each holds tests of.
OTHER_FOLDERS = {
    "action": "plugins/action",
    "benchmark": "tests/benchmark",
    "checks": "checks",
    "inventory": "plugins/inventory",
}


def sources(root: Path) -> list[Path]:
    """The source files below module_utils, relative to it.

    Raises:
        AssertionError: there is none, so that whatever is said of all of them would be true.
    """
    below = root / SOURCES
    found = sorted(path.relative_to(below) for path in below.rglob("*.py") if path.stem != "__init__")
    assert found, f"no Python below {below}"
    return found


def test_file_of(source: Path) -> Path:
    """The test file of a source file, relative to tests/unit: in the folder of the same name."""
    return source.with_name(f"test_{source.name}")


def sources_without_tests(root: Path) -> list[str]:
    """The source files that have no test file of their name."""
    return [str(source) for source in sources(root) if not (root / TESTS / test_file_of(source)).is_file()]


def folders_without_sources(root: Path) -> list[str]:
    """The folders of tests/unit that are neither one of module_utils nor among ``OTHER_FOLDERS``."""
    below = root / TESTS
    folders = sorted({str(path.relative_to(below).parent) for path in below.rglob("*.py")} - {"."})
    return [
        folder for folder in folders if not (root / OTHER_FOLDERS.get(folder, str(SOURCES / folder))).is_dir()
    ]
