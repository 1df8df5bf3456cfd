# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.record OLD NEW [--renames FILE]``: what differs between two records.

OLD and NEW are names below .cache/record, or folders. Exits with 1 if anything differs, 2 if one is missing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from . import files, renames
from .compare import differences
from .render import rendered

RECORDS = Path(__file__).parents[2] / ".cache" / "record"


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare two records and print the differences."""
    parser = argparse.ArgumentParser(prog="tests.record", description=__doc__)
    parser.add_argument("old")
    parser.add_argument("new")
    parser.add_argument("--renames", type=Path, help="YAML: words and keys, each old: new")
    given = parser.parse_args(arguments)
    try:
        table = renames.read(given.renames) if given.renames else renames.NONE
        # A relative name is below the records; an absolute path stays what it is.
        old, new = (files.read(RECORDS / name) for name in (given.old, given.new))
    except (FileNotFoundError, ValueError) as error:
        parser.error(str(error))
    old = renames.renamed(old, table)
    found = [*differences(old, new)]
    runs = sum(len(test["steps"]) for test in new.values())
    print(rendered(found) or f"Equal: {len(new)} tests with {runs} runs.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
