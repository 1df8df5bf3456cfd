# SPDX-License-Identifier: GPL-3.0-or-later

"""Every schema has files, and the workflows run the checks of the Makefile."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from checks import oldest_boto
from checks.catalogue import checks_of
from checks.commands import CheckError
from checks.forges import SCHEMAS, matching

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("patterns", SCHEMAS.values(), ids=SCHEMAS)
def test_each_pattern_matches_a_file(patterns: tuple[str, ...], tmp_path: Path):
    assert matching(CHECKOUT, patterns)
    with pytest.raises(CheckError, match="there is no file"):
        matching(tmp_path, patterns)


def test_no_file_of_github_is_left_out():
    found = {path for patterns in SCHEMAS.values() for path in matching(CHECKOUT, patterns)}
    assert set(CHECKOUT.joinpath(".github").rglob("*.yml")) <= found


def test_each_check_is_part_of_a_nightly_job_whose_python_is_new_enough():
    content = yaml.safe_load((CHECKOUT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))
    job = content["jobs"]["part"]
    matrix = job["strategy"]["matrix"]
    parts = [name for part in matrix["part"] for name in part.split()]
    # All others take seconds, and each change runs them.
    long = [name for name, check in checks_of().items() if check.target != "test" or check.processes > 1]
    assert sorted(parts) == sorted(long)
    (setup,) = [step["with"] for step in job["steps"] if "setup-python" in step.get("uses", "")]
    newest = max(map(version, setup["python-version"].replace("${{ matrix.python }}", "").split()))
    assert all(check.oldest_python <= newest for check in checks_of().values())


def version(text: str) -> tuple[int, int]:
    major, minor = text.split(".")
    return int(major), int(minor)


def test_new_versions_of_botocore_are_proposed_except_for_the_oldest():
    updates = yaml.safe_load((CHECKOUT / ".github/dependabot.yml").read_text(encoding="utf-8"))["updates"]
    ignored = {
        one["directory"]: {rule["dependency-name"] for rule in one.get("ignore", ())}
        for one in updates
        if one["package-ecosystem"] == "uv"
    }
    assert {folder for folder, names in ignored.items() if names & {"boto3", "botocore"}} == {
        f"/{oldest_boto.ENVIRONMENT.locks.relative_to(CHECKOUT)}"
    }
    # Dependabot reads a directory and the directories directly below it.
    locks = {path.parent for path in CHECKOUT.glob("requirements/**/*.in")}
    for folder in locks:
        reading = [one for one in ignored if folder in {CHECKOUT / one[1:], *(CHECKOUT / one[1:]).iterdir()}]
        assert len(reading) == 1, folder


def test_dependabot_resolves_the_locks_for_every_python():
    options = re.compile(
        r"^#    make lock \(uv pip compile --universal --python-version 3\.\d+\)$", re.MULTILINE
    )
    locks = [path.with_suffix(".txt") for path in CHECKOUT.glob("requirements/**/*.in")]
    assert [lock.name for lock in locks if not options.search(lock.read_text(encoding="utf-8"))] == []
