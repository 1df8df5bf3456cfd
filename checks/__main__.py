# SPDX-License-Identifier: GPL-3.0-or-later
"""Run checks one after another, all of them whatever fails, and sum up.

python -m checks [NAME …]      by name, or all
python -m checks --per-python  those that can differ between Pythons
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time

from checks.catalogue import CHECKS, Check
from checks.commands import CheckError
from checks.paths import CHECKOUT, VERSION


def _passes(check: Check) -> bool:
    """Run one check under its heading; where it fails, a last line says at what."""
    print(f"\n━━━ {check.title} · Python {VERSION} ━━━", flush=True)
    try:
        check.run()
    except (CheckError, OSError, subprocess.SubprocessError) as error:
        print(f"✗ {error}", flush=True)
        return False
    return True


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    parser.add_argument("--per-python", action="store_true", help="those that can differ between Pythons")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.names if name not in CHECKS]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    names = wanted.names or [
        name for name, check in CHECKS.items() if check.per_python or not wanted.per_python
    ]

    os.chdir(CHECKOUT)
    lines, passed = [], []
    for name in names:
        start = time.monotonic()
        passed.append(_passes(CHECKS[name]))
        lines.append(f"{'✓' if passed[-1] else '✗'} {name:<13}{time.monotonic() - start:6.1f} s")
    print(f"\n━━━ Summary · Python {VERSION} ━━━", *lines, sep="\n", flush=True)
    return 0 if all(passed) else 1


if __name__ == "__main__":
    sys.exit(main())
