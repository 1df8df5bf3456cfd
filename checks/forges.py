# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for forges follow the schemas that check-jsonschema brings along.

actionlint also checks the expressions of GitHub's workflows. A Jenkinsfile is parsed as Groovy.
"""

from __future__ import annotations

from pathlib import Path

from checks import actionlint
from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# The files of each schema; each pattern matches at least one.
FILES = {
    "vendor.github-workflows": (".github/workflows/*.yml", "examples/github-actions/*.yml"),
    "custom.github-workflows-require-timeout": (".github/workflows/test.yml",),
    "vendor.dependabot": (".github/dependabot.yml",),
    "vendor.github-issue-config": (".github/ISSUE_TEMPLATE/config.yml",),
    "vendor.github-issue-forms": (".github/ISSUE_TEMPLATE/[!c]*.yml",),
    "vendor.gitlab-ci": (".gitlab-ci.yml", "examples/gitlab-ci/.gitlab-ci.yml"),
}

JENKINSFILES = (Path("examples/jenkins/Jenkinsfile"),)

# The other examples, by directory, and what holds for them instead.
WITHOUT_SCHEMA = {
    "jenkins": "only a Jenkins with its plugins knows all steps; a Jenkinsfile is parsed as Groovy, and "
    "tests/integration/test_pipelines.py runs the scripts with the arguments in it",
    "pipeline": "tests/integration/test_pipelines.py runs the scripts",
    "systemd": "tests/integration/test_pipelines.py has systemd check the units",
}


def matching(root: Path, schema: str) -> list[Path]:
    """The files of a schema.

    Raises:
        CheckError: a pattern matches none.
    """
    found = {pattern: sorted(root.glob(pattern)) for pattern in FILES[schema]}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise CheckError(f"there is no file {', '.join(missing)}")
    return [path for paths in found.values() for path in paths]


def check() -> None:
    """Validate each file.

    Raises:
        CheckError: a file does not follow its schema, or has a mistake that a linter or parser finds.
    """
    for schema in FILES:
        run("check-jsonschema", "--builtin-schema", schema, *matching(CHECKOUT, schema))
    actionlint.lint(matching(CHECKOUT, "vendor.github-workflows"))
    run("python", "-m", "checks.groovy", *JENKINSFILES)
