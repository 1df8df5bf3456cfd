# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of what the benchmark draws, profiles and compares with: see requirements/benchmark.in."""

from __future__ import annotations

import sys

from checks.apart import Apart
from checks.commands import run
from checks.paths import CHECKOUT

ENVIRONMENT = Apart(CHECKOUT / ".venv" / "benchmark")


def program(name: str) -> str:
    """The path of one of its programs.

    Raises:
        CheckError: the environment could not be set up.
    """
    return str(ENVIRONMENT.scripts(lambda: sys.executable) / name)


def version(package: str) -> str:
    """The version of one of its packages."""
    code = f"import importlib.metadata as m; print(m.version({package!r}), end='')"
    return run(program("python"), "-c", code, quiet=True).strip()
