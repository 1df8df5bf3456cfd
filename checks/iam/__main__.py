# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m checks.iam [--write]: whether docs/iam and bootstrap are up to date, or write them."""

from __future__ import annotations

import argparse
import sys

from checks.commands import CheckError
from checks.iam import check, write
from checks.paths import CHECKOUT


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks.iam", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the files")
    if parser.parse_args().write:
        write(CHECKOUT)
        return 0
    try:
        check()
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
