# SPDX-License-Identifier: GPL-3.0-or-later

"""Source files without a test file, and directories of tests without sources."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.mirror import (
    OTHER_FOLDERS,
    folders_without_sources,
    sources,
    sources_without_tests,
    unlisted_helpers,
)

CHECKOUT = Path(__file__).resolve().parents[3]


def write(root: Path, *names: str) -> Path:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return root


@pytest.mark.parametrize(
    ("source", "test"),
    [
        ("copy/plan.py", "copy/test_plan.py"),
        ("audit/report/flow.py", "audit/report/test_flow.py"),
        ("model.py", "test_model.py"),
    ],
)
def test_a_source_file_needs_a_test_file_of_its_name(source, test, tmp_path):
    write(tmp_path, f"plugins/module_utils/{source}", "plugins/module_utils/copy/__init__.py")
    assert sources_without_tests(tmp_path) == [source]
    write(tmp_path, "tests/unit/share/test_plan.py", "tests/unit/copy/test_plans.py")
    assert sources_without_tests(tmp_path) == [source]
    write(tmp_path, f"tests/unit/{test}")
    assert sources_without_tests(tmp_path) == []


def test_a_tree_without_sources_is_an_error(tmp_path):
    with pytest.raises(AssertionError, match="no Python below"):
        sources(tmp_path)


@pytest.mark.parametrize("folder", ["action", "inventory"])
def test_a_plugin_needs_a_test_file_of_its_name(folder, tmp_path):
    write(tmp_path, "plugins/module_utils/model.py", "tests/unit/test_model.py", f"plugins/{folder}/one.py")
    assert sources_without_tests(tmp_path) == [f"{folder}/one.py"]
    write(tmp_path, f"tests/unit/{folder}/test_one.py")
    assert sources_without_tests(tmp_path) == []


@pytest.mark.parametrize("folder", ["planners", "copy/report", "filter"])
def test_a_folder_of_tests_needs_a_folder_of_sources(folder, tmp_path):
    write(tmp_path, "plugins/module_utils/copy/plan.py", f"tests/unit/{folder}/test_plan.py")
    assert folders_without_sources(tmp_path) == [folder]


def test_folders_of_tests_that_mirror_sources_are_accepted(tmp_path):
    write(
        tmp_path,
        "plugins/module_utils/audit/report/flow.py",
        "plugins/inventory/accounts.py",
        "tests/unit/test_model.py",
        "tests/unit/audit/test_plan.py",
        "tests/unit/audit/report/test_flow.py",
        "tests/unit/inventory/test_accounts.py",
    )
    assert folders_without_sources(tmp_path) == []


def test_a_helper_other_than_the_examples_is_found(tmp_path):
    names = ("test_plan", "examples", "conftest", "__init__", "aws_in_steps", "helpers")
    write(tmp_path, "tests/unit/hostile.py", *(f"tests/unit/copy/{name}.py" for name in names))
    write(tmp_path, "tests/unit/audit/report/runs.py")
    assert unlisted_helpers(tmp_path) == ["audit/report/runs.py", "copy/helpers.py"]


def test_other_folders_exist():
    assert [folder for folder in OTHER_FOLDERS.values() if not (CHECKOUT / folder).is_dir()] == []
