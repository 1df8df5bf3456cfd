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
from checks.forges import FILES, WITHOUT_SCHEMA, matching

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("schema", FILES)
def test_each_pattern_matches_a_file(schema: str, tmp_path: Path):
    assert matching(CHECKOUT, schema)
    with pytest.raises(CheckError, match=r"there is no file \."):
        matching(tmp_path, schema)


def test_no_workflow_is_left_out():
    found = {path for schema in FILES for path in matching(CHECKOUT, schema)}
    there = {path for path in CHECKOUT.joinpath(".github").rglob("*.yml") if path.is_file()}
    assert there <= found


def test_every_folder_of_examples_has_a_schema_or_a_reason():
    with_schema = {path.parent.name for schema in FILES for path in matching(CHECKOUT, schema)}
    folders = {path.name for path in CHECKOUT.joinpath("examples").iterdir() if path.is_dir()}
    assert folders - with_schema == set(WITHOUT_SCHEMA)


@pytest.mark.parametrize("name", [".github/workflows/test.yml", ".gitlab-ci.yml"])
def test_a_pipeline_runs_the_checks(name: str):
    assert "make ci" in (CHECKOUT / name).read_text(encoding="utf-8")


def test_each_check_is_part_of_a_nightly_job_whose_python_is_new_enough():
    content = yaml.safe_load((CHECKOUT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))
    job = content["jobs"]["part"]
    matrix = job["strategy"]["matrix"]
    parts = [name for part in matrix["part"] for name in part.split()]
    # All others take seconds, and each change runs them.
    long = [name for name, check in checks_of().items() if check.target != "test" or check.processes > 1]
    assert sorted(parts) == sorted({*long} - {"forges"})
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


def test_actions_are_pinned_by_commit():
    found = [
        name
        for path in CHECKOUT.glob(".github/workflows/*.yml")
        for name in re.findall(r"uses: (?!\./)(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found
    assert [one for one in found if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+", one)] == []


def test_dependabot_resolves_the_locks_for_every_python():
    options = re.compile(
        r"^#    make lock \(uv pip compile --universal --python-version 3\.\d+\)$", re.MULTILINE
    )
    locks = [path.with_suffix(".txt") for path in CHECKOUT.glob("requirements/**/*.in")]
    assert [lock.name for lock in locks if not options.search(lock.read_text(encoding="utf-8"))] == []


def test_pull_requests_of_both_forges_ask_the_same():
    pages = (".github/pull_request_template.md", ".gitlab/merge_request_templates/Default.md")
    assert len({(CHECKOUT / page).read_text(encoding="utf-8") for page in pages}) == 1


def test_the_jobs_of_gitlab_use_the_python_of_their_image():
    jobs = yaml.safe_load((CHECKOUT / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    names = {name for one in jobs["test"]["parallel"]["matrix"] for name in one}
    assert "PYTHON" not in names, "make would run it as a command"
    assert jobs["test"]["image"] == "python:$PYTHON_IMAGE-bookworm"
    assert "PYTHON_IMAGE" in names
