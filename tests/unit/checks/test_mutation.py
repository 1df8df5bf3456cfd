# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the tests of a package: what it reports of a small tree, and what it lets pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from checks.commands import CheckError
from checks.mutants import mutants_of
from checks.mutation import package, packages, prove

CHECKOUT = Path(__file__).resolve().parents[3]
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
"""
ADD = "def add(one, other):\n    return one + other"
IMPORT = "from plugins.module_utils._sums.adding import add\n"
NOTICES = IMPORT + "def test_add():\n    assert add(1, 2) == 3"
BOTH = "def add(one, other):\n    if one > 0 and other > 0:\n        return one + other\n    return 0"


def tree(root: Path, tests: str | None, source: str = ADD) -> Path:
    """A checkout with one package, of one source file."""
    # A package, so that it goes before the checkout's own directory of that name.
    files = {
        "pyproject.toml": SETTINGS,
        "plugins/__init__.py": "",
        "plugins/module_utils/_sums/adding.py": source,
    }
    if tests is not None:
        files["tests/unit/sums/test_all.py"] = tests
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def checked(root: Path, *options: str) -> tuple[int, list[str]]:
    """The exit status of the check of a tree, and its output except the last line."""
    done = subprocess.run(
        [sys.executable, "-m", "checks.mutation", "--root", root, *options],
        cwd=CHECKOUT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stdout.splitlines()[:-1]


def test_tests_that_notice_every_mutant_pass(tmp_path):
    assert checked(tree(tmp_path, NOTICES)) == (0, [])


def test_a_mutant_that_survives_is_named(tmp_path):
    tests = f"{IMPORT}def test_add():\n    assert add(1, 2) is not None"
    assert checked(tree(tmp_path, tests)) == (
        1,
        ["✗ No test fails with this mutant (1):", "  sums/adding.py: add: return one"],
    )


def test_conditions_are_altered_on_demand(tmp_path):
    tests = f"{IMPORT}def test_add():\n    assert [add(1, 2), add(0, 0)] == [3, 0]"
    _, lines = checked(tree(tmp_path, tests, BOTH), "--conditions", "sums/adding.py")
    assert lines[1:] == ["  sums/adding.py: add: or: one > 0 and other > 0 (line 2)"]


def test_a_test_that_does_not_pass_proves_nothing(tmp_path):
    status, lines = checked(tree(tmp_path, NOTICES.replace("== 3", "== 4")))
    assert (status, lines[:2]) == (
        1,
        [
            "✗ A test does not pass without a mutant, or pytest crashed (1):",
            "  tests/unit/sums/test_all.py::test_add",
        ],
    )
    assert lines[2].startswith("✗ No test fails with this mutant (2)")


def test_a_test_file_that_cannot_be_imported_fails_the_check(tmp_path):
    assert checked(tree(tmp_path, "import no_such_module")) == (1, [])


@pytest.mark.parametrize(
    ("tests", "name", "reason"),
    [
        (None, "sums", "the package sums has no tests"),
        (NOTICES, "subtraction", "there is no package subtraction"),
        (NOTICES, "sums/subtracting.py", "no source files: sums/subtracting.py"),
    ],
)
def test_what_does_not_exist_proves_nothing(tests, name, reason, tmp_path):
    with pytest.raises(CheckError, match=reason):
        prove(tree(tmp_path, tests), [name], mutants_of)


def test_each_folder_with_sources_is_a_room_and_so_are_the_files_beside_them():
    found = packages(CHECKOUT)
    assert {"copy", "module_utils"} <= {*found}
    assert Path("tests/unit/copy/test_plan.py") in package(CHECKOUT, "copy").tests
    assert {path.parent for path in package(CHECKOUT, "module_utils").tests} == {Path("tests/unit")}
    assert package(CHECKOUT, "action").sources[0].parent == Path("plugins/action")
