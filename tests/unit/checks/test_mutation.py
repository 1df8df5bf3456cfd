# SPDX-License-Identifier: GPL-3.0-or-later

"""The check of the test files: what it reports of a small tree, and what it lets pass."""

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


def checked(root: Path, tests: str | None, source: str = ADD) -> tuple[int, list[str]]:
    """The exit status of the check of a tree with one source file, and its output except the last line."""
    # A package, so that it goes before the checkout's own directory of that name.
    files = {
        "pyproject.toml": SETTINGS,
        "plugins/__init__.py": "",
        "plugins/module_utils/sums/adding.py": source,
    }
    if tests is not None:
        files["tests/unit/sums/test_adding.py"] = tests
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "checks.mutation", "--root", root],
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


def test_a_missing_test_file_is_named(tmp_path):
    assert checked(tmp_path, None) == (1, ["✗ No test file (1):", "  sums/adding.py"])


@pytest.mark.parametrize(
    "tests", ["def test_nothing():\n    assert False", IMPORT, NOTICES.replace("== 3", "== 4")]
)
def test_tests_that_never_pass_prove_nothing(tests, tmp_path):
    status, lines = checked(tmp_path, tests)
    assert status == 1
    assert "  sums/adding.py: without a mutant" in [line.partition(" (status")[0] for line in lines]


def test_tests_of_another_file_notice_nothing(tmp_path):
    status, lines = checked(tmp_path, "def test_sum():\n    assert sum([1, 2]) == 3")
    assert (status, len(lines)) == (1, 3)


def test_a_file_of_constants_has_nothing_to_mutate(tmp_path):
    tests = "from plugins.module_utils.sums.adding import LIMIT\ndef test_limit():\n    assert LIMIT == 1"
    assert checked(tmp_path, tests, "LIMIT = 1") == (0, ["Nothing to mutate (1):", "  sums/adding.py"])


def test_a_test_file_that_cannot_be_imported_fails_the_check(tmp_path):
    assert checked(tmp_path, "import no_such_module") == (1, [])
