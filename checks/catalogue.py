# SPDX-License-Identifier: GPL-3.0-or-later
"""Every check by name, those that find common mistakes first, and the targets of the Makefile that run it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass

from checks import (
    ansible_13,
    chaos,
    codes,
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
    uses,
    variables,
    versions,
)
from checks.commands import run
from checks.paths import CHECKOUT, SITE_COLLECTIONS

OLDEST_PYTHON = (3, 11)
# The targets of the Makefile: each one runs all that the one before it runs, and more.
TARGETS = ("test", "ci", "nightly")
# Pytest's marks of the integration tests that each target runs. The rulebook has a check of its own.
_PLAYBOOKS = {"test": "quick", "ci": "not nightly and not rulebook", "nightly": "not rulebook"}


@dataclass(frozen=True)
class Check:
    """One check.

    ``target`` is the first target that runs it. ``per_python``: its outcome can differ between Pythons, so CI
    repeats it on each. ``processes`` is the number of processes that it uses. ``oldest_python``: the machine
    must have a Python that is this new, whichever runs the checks.
    """

    title: str
    run: Callable[[], object]
    target: str = "test"
    per_python: bool = False
    processes: int = 1
    oldest_python: tuple[int, int] = OLDEST_PYTHON


# The folders of tests/unit about what only this checkout has.
_TESTS_OF_TOOLS = ("benchmark", "chaos", "checks", "record")
# Most machines that run this have two cores.
PYTEST_PROCESSES = 2
# Playbooks wait much of their time, for copies and retries of the simulated AWS.
PLAYBOOK_PROCESSES = 4


def _pytest(folder: str, *options: str, processes: int = PYTEST_PROCESSES) -> None:
    """pytest on one directory, with a list of the slowest tests and of what the machine lacks for others."""
    # The folder first: --cov would take it as its own value, and pytest then runs all tests.
    # A process that has run all of its tests takes some of the other: long ones can be together.
    parallel = ("--numprocesses", str(processes), "--dist", "worksteal")
    run("python", "-m", "pytest", folder, *parallel, "--durations", "12", "-rs", *options)


def _unit(target: str, again: bool) -> None:
    """The unit tests, with as many examples of each property as the target has time for.

    On a Python that repeats what another has run, they are those of the collection, without properties and
    other tests of many inputs: an example does not differ between Pythons. By night, the oldest Python
    measures the coverage, which takes three times as long.
    """
    measured = target == "nightly" and sys.version_info[:2] == OLDEST_PYTHON
    options = [f"--hypothesis-profile={target}"]
    if again:
        tools = [f"--ignore=tests/unit/{folder}" for folder in _TESTS_OF_TOOLS]
        options = ["-m", "not hypothesis and not exhaustive", *tools]
    _pytest("tests/unit", *options, *(["--cov"] if measured else ()))


def _integration(target: str, again: bool) -> None:
    """The playbooks of the target.

    On a Python that repeats what another has run, those that depend on Python and Ansible: each role with all
    its variables, screens, files, inventories and plugins. What a role does in AWS does not.
    """
    marks = "per_python" if again else _PLAYBOOKS[target]
    _pytest("tests/integration", "-m", marks, processes=PLAYBOOK_PROCESSES)


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


def checks_of(target: str = "test", again: bool = False) -> dict[str, Check]:
    """All checks, which run as many tests as the target does.

    ``again`` is whether this Python repeats what another one has run.
    """
    return {
        "ruff": Check("ruff: style and common mistakes", lambda: run("ruff", "check", ".")),
        "format": Check("ruff: layout", lambda: run("ruff", "format", "--check", ".")),
        "imports": Check(
            "import-linter: the direction of imports",
            lambda: run("lint-imports", "--no-cache", "--no-logo"),
        ),
        "words": Check("codespell: misspelled words", lambda: run("codespell")),
        "returns": Check("returns: what several modules return is documented alike", returns.check),
        "variables": Check("variables: roles are documented as meta/variables.yml declares", variables.check),
        "surveys": Check("surveys: awx/surveys asks for the options of the roles", surveys.check),
        "codes": Check("codes: docs/codes.md has every code, with cause and remedy", codes.check),
        "uses": Check("uses: docs/cleanup.md lists what the cleanup reads", uses.check),
        "responses": Check(
            "responses: what an AWS answer may lack is not read by subscript", responses.check
        ),
        "policies": Check(
            "policies, cfn-lint: docs/iam and bootstrap are as checks/iam declares them", iam.check
        ),
        "readmes": Check("readmes: each role's README.md is as its argument spec declares it", readmes.check),
        "versions": Check(
            "versions: every place that names a supported version agrees", versions.check, per_python=True
        ),
        "forges": Check(
            "check-jsonschema, actionlint, zizmor: workflows, pipelines and templates", forges.check
        ),
        "licenses": Check("reuse: copyright and license of every file", lambda: run("reuse", "lint")),
        "mypy": Check("mypy: types", lambda: run("python", "-m", "mypy"), per_python=True),
        "unit": Check(
            "pytest: tests/unit, the collection",
            lambda: _unit(target, again),
            per_python=True,
            processes=PYTEST_PROCESSES,
        ),
        "mutants": Check(
            "mutants: a capability's unit tests fail when a function of it does nothing",
            lambda: run("python", "-m", "checks.mutation"),
            "nightly",
            processes=PYTEST_PROCESSES,
        ),
        "simulated-aws": Check(
            "pytest: simulated_aws/tests, the simulated AWS",
            lambda: _pytest("simulated_aws/tests"),
            "ci",
            processes=PYTEST_PROCESSES,
        ),
        "changelog": Check("antsibull-changelog: changelog and its fragments", _changelog),
        "docs": Check("antsibull-docs: documentation of the collection and its plugins", _docs),
        "site": Check(
            "Sphinx: the site of the documentation, and the links between its pages", site.check, "nightly"
        ),
        "ansible-lint": Check("ansible-lint: playbooks, roles, metadata", _ansible_lint),
        "package": Check("the built collection installs and works", package.check, "ci", per_python=True),
        "importer": Check("galaxy-importer: Galaxy accepts the built archive", importer.check, "ci"),
        "execution-environment": Check(
            "ansible-builder: execution environments with the collection",
            execution_environment.check,
            "nightly",
        ),
        "integration": Check(
            "pytest: tests/integration, real playbooks against the simulated AWS",
            lambda: _integration(target, again),
            per_python=True,
            processes=PLAYBOOK_PROCESSES,
        ),
        "chaos": Check(
            "chaos: playbooks killed, cut off, throttled, denied at each call",
            chaos.check,
            "nightly",
            processes=PLAYBOOK_PROCESSES,
        ),
        "oldest-boto": Check(
            "pytest: tests/integration, a few playbooks with the oldest botocore",
            oldest_boto.check,
            "nightly",
        ),
        "ansible-13": Check(
            "pytest: tests/integration, a few playbooks with Ansible 13",
            ansible_13.check,
            "nightly",
            oldest_python=ansible_13.OLDEST_PYTHON,
        ),
        "rulebook": Check(
            "pytest: tests/integration, the rulebook in ansible-rulebook",
            rulebook.check,
            "nightly",
            oldest_python=rulebook.OLDEST_PYTHON,
        ),
        "second-opinion": Check(
            "pytest: tests/second_opinion, modules and roles against an AWS emulator by other authors",
            lambda: _pytest("tests/second_opinion", "--verbose", processes=PLAYBOOK_PROCESSES),
            "nightly",
            processes=PLAYBOOK_PROCESSES,
        ),
        "sanity": Check("ansible-test sanity", sanity.check, "ci"),
        "sanity-2.20": Check(
            "ansible-test sanity of ansible-core 2.20",
            lambda: sanity.check(sanity.between()),
            "nightly",
            oldest_python=ansible_13.OLDEST_PYTHON,
        ),
    }
