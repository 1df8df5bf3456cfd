# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all checks, even if some fail, and print a summary.

The tests run one after another, in parallel with the checks that use one process.

python -m checks [NAME …]      by name, or all
python -m checks --per-python  those whose outcome can differ between Pythons
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from checks.catalogue import CHECKS, Check
from checks.commands import CheckError
from checks.paths import CHECKOUT, VERSION


def _passes(check: Check) -> bool:
    """Run one check under its heading; if it fails, the last line has the reason."""
    print(f"\n━━━ {check.title} · Python {VERSION} ━━━", flush=True)
    try:
        check.run()
    except (CheckError, OSError, subprocess.SubprocessError) as error:
        print(f"✗ {error}", flush=True)
        return False
    return True


class Ended(NamedTuple):
    """The outcome and the duration of a check."""

    name: str
    passed: bool
    seconds: float


def _ended_here(names: list[str]) -> list[Ended]:
    """Run the checks in this process, one after another, with their output on the terminal."""
    ended = []
    for name in names:
        start = time.monotonic()
        ended.append(Ended(name, _passes(CHECKS[name]), time.monotonic() - start))
    return ended


def _ended_apart(names: list[str]) -> list[Ended]:
    """Run each check in a process of its own, and print its output at its end."""
    ended = []
    for name in names:
        print(f"… {CHECKS[name].title}", flush=True)
        start = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "checks", name],
            check=False,
            text=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output, _, _summary = done.stdout.rpartition("\n━━━ Summary")
        print(output or done.stdout, flush=True)
        ended.append(Ended(name, done.returncode == 0, time.monotonic() - start))
    return ended


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
    small = [name for name in names if CHECKS[name].processes == 1]
    large = [name for name in names if CHECKS[name].processes > 1]
    if small and large:
        with ThreadPoolExecutor(2) as pool:
            ended = [one for lane in pool.map(_ended_apart, (small, large)) for one in lane]
    else:
        ended = _ended_here(small or large)
    lines = [f"{'✓' if one.passed else '✗'} {one.name:<22}{one.seconds:6.1f} s" for one in ended]
    print(f"\n━━━ Summary · Python {VERSION} ━━━", *lines, sep="\n", flush=True)
    return 0 if all(one.passed for one in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
