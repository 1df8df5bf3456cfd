# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check by name, those that find common mistakes first."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from checks import (
    ansible_13,
    codes,
    coverage,
    execution_environment,
    forges,
    iam,
    importer,
    oldest_boto,
    package,
    readmes,
    responses,
    returns,
    rulebook,
    sanity,
    site,
    surveys,
    variables,
    versions,
)
from checks.commands import run
from checks.paths import CHECKOUT, SITE_COLLECTIONS

OLDEST_PYTHON = (3, 11)


@dataclass(frozen=True)
class Check:
    """One check.

    ``per_python``: its outcome can differ between Pythons, so CI repeats it on each. ``processes`` is the
    number of processes that it uses. ``oldest_python``: the machine must have a Python that is this new,
    whichever runs the checks.
    """

    title: str
    run: Callable[[], object]
    per_python: bool = False
    processes: int = 1
    oldest_python: tuple[int, int] = OLDEST_PYTHON


# Most machines that run this have two cores.
PYTEST_PROCESSES = 2
# Playbooks often wait for copies and retries of the simulated AWS.
PLAYBOOK_PROCESSES = 3


def _pytest(folder: str, *options: str, processes: int = PYTEST_PROCESSES) -> Callable[[], object]:
    """pytest on one directory, with a list of the slowest tests."""
    # A process that has run all of its tests takes some of the other: long ones can be together.
    parallel = ("--numprocesses", str(processes), "--dist", "worksteal")
    return lambda: run("python", "-m", "pytest", *parallel, "--durations", "12", *options, folder)


def _unit() -> None:
    """The unit tests. On the oldest Python they measure the coverage, which others would measure again."""
    measured = sys.version_info[:2] == OLDEST_PYTHON
    _pytest("tests/unit", *(coverage.OPTIONS if measured else ()))()
    if measured:
        coverage.check()


def _changelog() -> None:
    run("antsibull-changelog", "lint")
    run("antsibull-changelog", "lint-changelog-yaml", "changelogs/changelog.yaml")


def _docs() -> None:
    run(
        "antsibull-docs", "lint-collection-docs", "--plugin-docs",
        "--validate-collection-refs", "dependent", "--disallow-unknown-collection-refs", ".",
        # It copies amazon.aws as git lists it, and the checkout's git lists nothing in .venv.
        env={**os.environ, "GIT_CEILING_DIRECTORIES": str(CHECKOUT / ".venv")},
    )  # fmt: skip


def _ansible_lint() -> None:
    # The package ansible for Python 3.12 and newer does not include the modules that awx/setup.yml runs.
    known = (SITE_COLLECTIONS / "awx").exists()
    run("ansible-lint", "--strict", *(() if known else ("--exclude", "awx")))


CHECKS: dict[str, Check] = {
    "ruff": Check("ruff: style and common mistakes", lambda: run("ruff", "check", ".")),
    "format": Check("ruff: layout", lambda: run("ruff", "format", "--check", ".")),
    "returns": Check("returns: what several modules return is documented alike", returns.check),
    "variables": Check("variables: roles are documented as meta/variables.yml declares", variables.check),
    "surveys": Check("surveys: awx/surveys asks for the options of the roles", surveys.check),
    "codes": Check("codes: docs/codes.md has every code, with cause and remedy", codes.check),
    "responses": Check("responses: what an AWS answer may lack is not read by subscript", responses.check),
    "policies": Check("policies: docs/iam is as checks/iam declares it", iam.check),
    "readmes": Check("readmes: each role's README.md is as its argument spec declares it", readmes.check),
    "versions": Check(
        "versions: every place that names a supported version agrees", versions.check, per_python=True
    ),
    "forges": Check(
        "check-jsonschema, actionlint, Groovy: workflows, pipelines and templates of forges", forges.check
    ),
    "licenses": Check("reuse: copyright and license of every file", lambda: run("reuse", "lint")),
    "mypy": Check("mypy: types", lambda: run("python", "-m", "mypy"), per_python=True),
    "unit": Check(
        "pytest: tests/unit, the collection",
        _unit,
        per_python=True,
        processes=PYTEST_PROCESSES,
    ),
    "mutants": Check(
        "mutants: each source file's test file fails when a function of it does nothing",
        lambda: run("python", "-m", "checks.mutation"),
        processes=PYTEST_PROCESSES,
    ),
    "simulated-aws": Check(
        "pytest: tests/simulated_aws, the simulated AWS",
        _pytest("tests/simulated_aws"),
        processes=PYTEST_PROCESSES,
    ),
    "changelog": Check("antsibull-changelog: changelog and its fragments", _changelog),
    "docs": Check("antsibull-docs: documentation of the collection and its plugins", _docs),
    "site": Check("Sphinx: the site of the documentation, and the links between its pages", site.check),
    "ansible-lint": Check("ansible-lint: playbooks, roles, metadata", _ansible_lint),
    "package": Check("the built collection installs and works", package.check, per_python=True),
    "importer": Check("galaxy-importer: Galaxy accepts the built archive", importer.check),
    "execution-environment": Check(
        "ansible-builder: execution environments with the collection", execution_environment.check
    ),
    "compatibility": Check(
        "pytest: tests/integration, what can differ between versions of Python and Ansible",
        _pytest("tests/integration", "-m", "every_python", processes=PLAYBOOK_PROCESSES),
        per_python=True,
        processes=PLAYBOOK_PROCESSES,
    ),
    "integration": Check(
        "pytest: tests/integration, all else",
        _pytest("tests/integration", "-m", "not every_python and not rulebook", processes=PLAYBOOK_PROCESSES),
        processes=PLAYBOOK_PROCESSES,
    ),
    "oldest-boto": Check(
        "pytest: tests/integration, a few playbooks with the oldest botocore", oldest_boto.check
    ),
    "ansible-13": Check(
        "pytest: tests/integration, a few playbooks with Ansible 13",
        ansible_13.check,
        oldest_python=ansible_13.OLDEST_PYTHON,
    ),
    "rulebook": Check(
        "pytest: tests/integration, the rulebook in ansible-rulebook",
        rulebook.check,
        oldest_python=rulebook.OLDEST_PYTHON,
    ),
    "second-opinion": Check(
        "pytest: tests/second_opinion, modules and roles against an AWS emulator by other authors",
        _pytest("tests/second_opinion", "--verbose", processes=PLAYBOOK_PROCESSES),
        processes=PLAYBOOK_PROCESSES,
    ),
    "sanity": Check("ansible-test sanity: nothing ignored", sanity.check, per_python=True),
    "sanity-2.20": Check(
        "ansible-test sanity of ansible-core 2.20",
        lambda: sanity.check(sanity.between()),
        oldest_python=ansible_13.OLDEST_PYTHON,
    ),
}
