# SPDX-License-Identifier: GPL-3.0-or-later

"""A version that contradicts the table is found wherever it stands."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from checks.commands import CheckError
from checks.versions import PAGES, SUPPORTED, check_collections, contradictions, different, table

CHECKOUT = Path(__file__).resolve().parents[3]
# Each file that names versions, one of its texts, and a wrong one.
WRONG = {
    "galaxy.yml": (">=10.1.2", ">=9.0.0"),
    "meta/runtime.yml": (">=2.19.0", ">=2.18.0"),
    "roles/audit/meta/main.yml": ('"2.19"', '"2.17"'),
    "requirements.txt": ("boto3>=1.41.0", "boto3>=1.34.0"),
    "requirements/oldest/boto/oldest-boto.txt": ("botocore==1.41.0", "botocore==1.42.0"),
    "requirements/dev.txt": ("ansible-core==2.21.", "ansible-core==2.22."),
    "plugins/module_utils/_runner.py": ('OLDEST_BOTOCORE = "1.41.0"', 'OLDEST_BOTOCORE = "1.40.0"'),
    "plugins/modules/ami_cleanup.py": ("botocore 1.42.94 or", "botocore 1.42.93 or"),
    "plugins/modules/ami_publish.py": ("  - python >= 3.11\n", ""),
    "plugins/modules/ami_share.py": ("  - botocore >= 1.41.0\n", ""),
    ".github/workflows/test.yml": ('- python: "3.14"', '- python: "3.15"'),
    ".github/workflows/nightly.yml": ('java-version: "17"', 'java-version: "21"'),
    "tests/config.yml": (">=3.11", ">=3.10"),
    "checks/environment.py": ("sys.version_info < (3, 11)", "sys.version_info < (3, 12)"),
    "checks/lock.sh": ("lock dev 3.11", "lock dev 3.12"),
    "pyproject.toml": ("py311", "py312"),
    "simulated_aws/pyproject.toml": (">=3.11", ">=3.12"),
    "execution-environment.yml": ("ansible-core>=2.21,<2.22", "ansible-core>=2.20,<2.21"),
    "docs/event-driven.md": ("amazon.aws 11.3 or newer", "amazon.aws 11.2 or newer"),
    "checks/rulebook.py": ("_JAVA = 17", "_JAVA = 21"),
    "requirements/rulebook.in": ("since 11.3.", "since 11.2."),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The files that name versions."""
    modules = (path.relative_to(CHECKOUT).as_posix() for path in CHECKOUT.glob("plugins/modules/ami_*.py"))
    for name in {*WRONG, *PAGES, *modules, "requirements/ansible-13.txt"}:
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(CHECKOUT / name, target)
    return tmp_path


def test_the_checkout_has_no_contradiction(copy: Path):
    assert contradictions(copy) == []
    assert different(copy) == {}


@pytest.mark.parametrize("name", WRONG)
def test_a_contradiction_is_found(name: str, copy: Path):
    right, wrong = WRONG[name]
    text = (copy / name).read_text(encoding="utf-8")
    assert right in text
    (copy / name).write_text(text.replace(right, wrong), encoding="utf-8")
    (found,) = contradictions(copy)
    assert found.startswith(f"{name} has ")


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("docs/versions.md", "| 1.43.82 |", "| 1.43.81 |"),
        ("docs/versions.md", "`ami_launch_probe` and", "`ami_restore` and"),
        ("plugins/modules/ami_launch_probe.py", "botocore 1.43.82 or newer", "some botocore"),
    ],
)
def test_a_feature_that_needs_a_newer_botocore_is_in_the_notes_of_its_module(
    name: str, right: str, wrong: str, copy: Path
):
    text = (copy / name).read_text(encoding="utf-8")
    assert right in text
    (copy / name).write_text(text.replace(right, wrong), encoding="utf-8")
    found = contradictions(copy)
    expected = "plugins/modules/ami_launch_probe.py has "
    assert any(one.startswith(expected) and "newer botocore" in one for one in found)


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("Ansible 13 (ansible-core 2.20)", "Ansible 13 (ansible-core 2.21)"),
        ("on Python 3.11", "on Python 3.12"),
        ("Java 17", "Java 21"),
        ("amazon.aws 11.3 or newer", "amazon.aws 11"),
    ],
)
def test_the_sentences_of_the_page_agree_with_the_table(right: str, wrong: str, copy: Path):
    page = copy / "docs" / "versions.md"
    text = page.read_text(encoding="utf-8")
    assert right in text
    page.write_text(text.replace(right, wrong), encoding="utf-8")
    (found,) = contradictions(copy)
    assert found.startswith("docs/versions.md has ")


@pytest.mark.parametrize("name", PAGES)
def test_a_changed_table_is_a_difference(name: str, copy: Path):
    text = (copy / name).read_text(encoding="utf-8")
    (copy / name).write_text(text.replace("| 1.41.0 |", "| 1.34.0 |"), encoding="utf-8")
    assert different(copy) == {copy / name: text}


def test_a_page_without_a_place_for_the_table_is_an_error(copy: Path):
    (copy / "docs" / "versions.md").write_text(table(), encoding="utf-8")
    with pytest.raises(CheckError, match=r"versions\.md needs the line"):
        different(copy)


@pytest.mark.parametrize(("core", "which"), [("2.19", "oldest"), ("2.21", "newest")])
def test_collections_are_the_oldest_or_the_newest(core: str, which: str, tmp_path: Path):
    for one in SUPPORTED:
        if "." in one.name:
            folder = tmp_path.joinpath(*one.name.split("."))
            folder.mkdir(parents=True)
            manifest = {"collection_info": {"version": getattr(one, which)}}
            (folder / "MANIFEST.json").write_text(json.dumps(manifest), encoding="utf-8")
    check_collections(tmp_path, core)
    with pytest.raises(CheckError, match=r"amazon\.aws"):
        check_collections(tmp_path, "2.21" if core == "2.19" else "2.19")
