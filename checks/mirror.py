# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the tests of a source file are: tests/unit mirrors plugins/module_utils, and has more directories."""

from __future__ import annotations

import re
from pathlib import Path

SOURCES = Path("plugins/module_utils")
TESTS = Path("tests/unit")
# Directories of tests/unit for sources outside of module_utils, and the directories of these sources.
OTHER_FOLDERS = {
    "action": "plugins/action",
    "benchmark": "tests/benchmark",
    "chaos": "tests/chaos",
    "checks": "checks",
    "inventory": "plugins/inventory",
    "lookup": "plugins/lookup",
    "plugin_utils": "plugins/plugin_utils",
    "record": "tests/record",
}
# What the tests of a room share is in its examples.py. All other helpers are listed here with what they hold.
HELPERS = {
    "cleanup/aws_in_memory.py": "AWS: the account after the calls of a cleanup",
    "copy/aws_in_steps.py": "AWS: copies that progress from read to read",
    "inventory/hostile_file.py": "a program that a test runs in a process of its own",
    "keys/policies.py": "key policies and callers, for the tests of several rooms",
    "keys/policy_evaluator.py": "AWS: what a key policy allows, by other code than the plugins'",
    "kms_grant/kms_in_memory.py": "AWS: KMS with keys, grants and policies",
    "kms_grant/runs.py": "runs of ami_kms_grant against kms_in_memory",
}
_SHARED = re.compile(r"(?:test_\w+|__init__|conftest|examples)\.py")
# Actions that only run their modules; tests/unit/plugin_utils tests them all.
_ALIKE = re.compile(r"class ActionModule\((?:\w+, )?RunsHere\):\n    flow = FLOW\n")


def sources(root: Path) -> list[Path]:
    """The source files below module_utils, relative to it.

    Raises:
        AssertionError: there are none, so that every check of all of them would pass.
    """
    below = root / SOURCES
    found = sorted(path.relative_to(below) for path in below.rglob("*.py") if path.stem != "__init__")
    assert found, f"no Python below {below}"
    return found


def test_file_of(source: Path) -> Path:
    """The test file of a source file, relative to tests/unit."""
    return source.with_name(f"test_{source.name}")


def sources_without_tests(root: Path) -> list[str]:
    """The source files of module_utils and of plugins on the controller without a test file of their name."""
    plugins = [
        Path(folder, path.name)
        for folder in ("action", "inventory", "lookup", "plugin_utils")
        for path in sorted((root / OTHER_FOLDERS[folder]).glob("[!_]*.py"))
        if not _ALIKE.search(path.read_text(encoding="utf-8"))
    ]
    return [
        str(source)
        for source in (*sources(root), *plugins)
        if not (root / TESTS / test_file_of(source)).is_file()
    ]


def unlisted_helpers(root: Path) -> list[str]:
    """The files in folders of tests/unit that are no tests, not ``examples.py``, and not in ``HELPERS``."""
    below = root / TESTS
    helpers = (path.relative_to(below) for path in below.rglob("*/*.py") if not _SHARED.fullmatch(path.name))
    return sorted(str(path) for path in helpers if str(path) not in HELPERS)


def folders_without_sources(root: Path) -> list[str]:
    """The directories of tests/unit that are neither directories of module_utils nor in ``OTHER_FOLDERS``."""
    below = root / TESTS
    folders = sorted({str(path.relative_to(below).parent) for path in below.rglob("*.py")} - {"."})
    return [
        folder for folder in folders if not (root / OTHER_FOLDERS.get(folder, str(SOURCES / folder))).is_dir()
    ]
