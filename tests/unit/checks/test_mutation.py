# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the tests of a room: what it reports of a small tree, and what it lets pass."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
SETTINGS = """
[tool.pytest.ini_options]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
"""
ADD = "def add(one, other):\n    return one + other"
IMPORT = "from plugins.module_utils.sums.adding import add\n"
NOTICES = IMPORT + "def test_add():\n    assert add(1, 2) == 3"


def checked(root: Path, tests: str | None, *options: str, source: str = ADD) -> tuple[int, list[str]]:
    """The exit status of the check of a tree with one source file, and its output except the last line."""
    # A package, so that it goes before the checkout's own directory of that name.
    files = {
        "pyproject.toml": SETTINGS,
        "plugins/__init__.py": "",
        "plugins/module_utils/sums/adding.py": source,
    }
    if tests is not None:
        files["tests/unit/sums/test_all.py"] = tests
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "checks.mutation", "--root", root, *options],
        cwd=CHECKOUT,
        check=False,
        stdout=subprocess.PIPE,
        text=True,
    )
    return done.returncode, done.stdout.splitlines()[:-1]


def test_tests_that_notice_every_mutant_pass(tmp_path):
    assert checked(tmp_path, NOTICES) == (0, [])


def test_a_function_that_was_imported_by_name_is_changed_too(tmp_path):
    tests = (
        IMPORT
        + "import pytest\n@pytest.mark.parametrize('of', [add])\ndef test(of):\n    assert of(1, 2) == 3"
    )
    assert checked(tmp_path, tests) == (0, [])


@pytest.mark.parametrize(
    ("asserted", "survived"),
    [
        ("add(1, 2) or True", ["return None", "return one"]),
        ("add(1, 2) is not None", ["return one"]),
        ("add(3, 0) == 3", ["return one"]),
    ],
)
def test_a_mutant_that_survives_is_named(asserted, survived, tmp_path):
    status, lines = checked(tmp_path, f"{IMPORT}def test_add():\n    assert {asserted}")
    assert (status, lines[1:]) == (1, [f"  sums/adding.py: add: {body}" for body in survived])
    assert lines[0] == f"✗ No test fails with this mutant ({len(survived)}):"


def test_a_room_without_tests_is_named(tmp_path):
    assert checked(tmp_path, None)[0] == 1


def test_a_test_that_does_not_pass_proves_nothing(tmp_path):
    status, lines = checked(tmp_path, NOTICES.replace("== 3", "== 4"))
    assert (status, lines[:2]) == (
        1,
        [
            "✗ A test does not pass without a mutant, or pytest crashed (1):",
            "  tests/unit/sums/test_all.py::test_add",
        ],
    )


@pytest.mark.parametrize("tests", [IMPORT, "def test_sum():\n    assert sum([1, 2]) == 3"])
def test_tests_of_something_else_notice_nothing(tests, tmp_path):
    status, lines = checked(tmp_path, tests)
    assert (status, len(lines)) == (1, 3)


def test_a_test_file_that_cannot_be_imported_fails_the_check(tmp_path):
    status, lines = checked(tmp_path, "import no_such_module")
    assert (status, lines[-1:]) == (1, [])


LARGE = "def add(one, other):\n    if one > 0 and other > 0:\n        return one + other\n    return 0"


@pytest.mark.parametrize(
    ("asserted", "survived"),
    [
        ("[add(1, 2), add(0, 2), add(1, 0)] == [3, 0, 0]", []),
        ("[add(1, 2), add(0, 0)] == [3, 0]", ["or: one > 0 and other > 0"]),
        ("add(1, 2)", ["or: one > 0 and other > 0"]),
        ("add(1, 2) is not None", ["not: one > 0 and other > 0", "or: one > 0 and other > 0"]),
    ],
)
def test_conditions_are_altered_on_demand(asserted, survived, tmp_path):
    tests = f"{IMPORT}def test_add():\n    assert {asserted}"
    _, lines = checked(tmp_path, tests, "--conditions", "sums/adding.py", source=LARGE)
    assert lines[1:] == [f"  sums/adding.py: add: {text} (line 2)" for text in survived]


@pytest.mark.parametrize("name", ["subtraction", "sums/subtracting.py"])
def test_an_unknown_name_is_an_error(name, tmp_path):
    status, lines = checked(tmp_path, NOTICES, name)
    assert (status, len(lines)) == (1, 0)
