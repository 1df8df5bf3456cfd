# SPDX-License-Identifier: GPL-3.0-or-later
"""The files for GitHub and GitLab follow their formats, and no workflow lets others in."""

from __future__ import annotations

from pathlib import Path

from checks.commands import CheckError, run
from checks.paths import CHECKOUT

WORKFLOWS = (".github/workflows/*.yml", "examples/github-actions/*.yml")
# The files of each schema that check-jsonschema brings along; each pattern matches at least one.
SCHEMAS = {
    "custom.github-workflows-require-timeout": WORKFLOWS,
    "vendor.dependabot": (".github/dependabot.yml",),
    "vendor.github-issue-config": (".github/ISSUE_TEMPLATE/config.yml",),
    "vendor.github-issue-forms": (".github/ISSUE_TEMPLATE/[!c]*.yml",),
    "vendor.gitlab-ci": ("examples/gitlab-ci/.gitlab-ci.yml",),
}


def matching(root: Path, patterns: tuple[str, ...]) -> list[Path]:
    """Return the files that the patterns match.

    Raises:
        CheckError: a pattern matches none.
    """
    found = {pattern: sorted(root.glob(pattern)) for pattern in patterns}
    if missing := [pattern for pattern, paths in found.items() if not paths]:
        raise CheckError(f"there is no file {', '.join(missing)}")
    return [path for paths in found.values() for path in paths]


def check() -> None:
    """Run the linters.

    Raises:
        CheckError: one of them finds something.
    """
    for schema, patterns in SCHEMAS.items():
        run("check-jsonschema", "--builtin-schema", schema, *matching(CHECKOUT, patterns))
    workflows = matching(CHECKOUT, WORKFLOWS)
    run("actionlint", *workflows)
    # Without a network: it asks GitHub otherwise.
    run("zizmor", "--offline", "--no-progress", "--quiet", *workflows, ".github/dependabot.yml")
