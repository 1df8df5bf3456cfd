# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the branches that the unit tests run; coverage's own limit counts them together with the lines.

python -m checks.coverage FILE    judges what `coverage json` has written
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path

from checks.commands import CheckError

# The least percentage of all branches.
LEAST = 95


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


def main() -> int:
    try:
        print(judge(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["totals"]))
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
