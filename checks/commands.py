# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a tool of the environment, with its output on the terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from checks.paths import CHECKOUT, SCRIPTS


class CheckError(Exception):
    """A check failed; the message is one line with the reason."""


class Unfit(Exception):
    """This machine cannot run a check; the message is one line that says what is missing."""


def run(
    *command: str | Path, cwd: Path = CHECKOUT, env: Mapping[str, str] | None = None, quiet: bool = False
) -> str:
    """Run a script of the environment by its name, or any program by its path.

    ``quiet`` keeps the output back unless the command fails. Returns what was kept back.

    Raises:
        CheckError: the command ended with another status than 0.
    """
    name, *arguments = [str(part) for part in command]
    program = name if "/" in name else str(SCRIPTS / name)
    done = subprocess.run(
        [program, *arguments],
        cwd=cwd,
        env=dict(os.environ if env is None else env),
        check=False,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
    )
    if done.returncode:
        if quiet:
            print(done.stdout, end="", flush=True)
        raise CheckError(f"{' '.join([Path(name).name, *arguments])} ended with status {done.returncode}")
    return done.stdout or ""
