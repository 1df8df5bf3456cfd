# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.responses [--list]: the reads that may fail, or the operations that each package calls."""

from __future__ import annotations

import argparse
import sys

from checks.commands import CheckError
from checks.paths import CHECKOUT
from checks.responses import check, operations


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks.responses", description=__doc__)
    parser.add_argument("--list", action="store_true", help="the operations that each package calls")
    if parser.parse_args().list:
        for package, needed in operations(CHECKOUT).items():
            print(package, *(f"  {one}" for one in needed), sep="\n")
        return 0
    try:
        check()
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
