# SPDX-License-Identifier: GPL-3.0-or-later
"""Which lines and branches of plugins/ the unit tests run.

pyproject.toml has the settings of coverage, and its limit for lines and branches together. Here is the limit
for the branches alone.

python -m checks.coverage    runs the unit tests and writes pages, in coverage/
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from checks.commands import CheckError, run
from checks.paths import CHECKOUT

# The least percentage of all branches.
LEAST = 95
PAGES = "coverage"
MEASURED = CHECKOUT / PAGES / "coverage.json"
# The options with which pytest measures, lists what is not covered, and writes the file that is judged.
OPTIONS = ("--cov", "--cov-report", "term", "--cov-report", f"json:{MEASURED}")


def judge(totals: Mapping[str, int]) -> str:
    """A line with the part that was run, of the totals of a measurement.

    Raises:
        CheckError: it is too small, or no branch was measured.
    """
    there, covered = totals["num_branches"], totals["covered_branches"]
    if not there:
        raise CheckError("no branch was measured")
    line = f"{covered} of {there} branches, {100 * covered / there:.1f} %"
    if 100 * covered < LEAST * there:
        raise CheckError(f"{line}, fewer than {LEAST} %")
    return line


def check(measured: Path = MEASURED) -> None:
    """Print the part that was run, of what pytest has measured with ``OPTIONS``.

    Raises:
        CheckError: it is too small.
    """
    print(judge(json.loads(measured.read_text(encoding="utf-8"))["totals"]), flush=True)


def main() -> int:
    parallel = ("--quiet", "--numprocesses", "2")
    try:
        run("python", "-m", "pytest", *parallel, *OPTIONS, "--cov-report", f"html:{PAGES}", "tests/unit")
        check()
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
