# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all checks, even if some fail, and print a summary.

What this machine lacks something for is skipped, and the summary says why.

The tests run one after another, in parallel with the checks that use one process.

python -m checks [NAME …]               by name, or all
python -m checks --per-python [NAME …]  those whose outcome can differ between Pythons, and the named ones
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from checks.apart import newer_python
from checks.catalogue import CHECKS, Check
from checks.commands import CheckError, Unfit
from checks.paths import CHECKOUT, VERSION

PASSED, FAILED, SKIPPED = "✓", "✗", "–"
# So many lines of a failed check are printed again after the summary: services that run CI cut long logs.
_LAST_LINES = 100


class Ended(NamedTuple):
    """The outcome and the duration of a check, why it was skipped if it was, and what it printed if it ran
    apart.
    """

    name: str
    outcome: str
    seconds: float
    reason: str = ""
    output: str = ""

    def __str__(self) -> str:
        line = f"{self.outcome} {self.name:<22}{self.seconds:6.1f} s"
        return f"{line}  skipped: {self.reason}" if self.reason else line


def _ended(name: str, check: Check) -> Ended:
    """Run one check under its heading; if it fails or is skipped, the last line has the reason."""
    start = time.monotonic()
    print(f"\n━━━ {check.title} · Python {VERSION} ━━━", flush=True)
    try:
        newer_python(check.oldest_python)
        check.run()
    except Unfit as unfit:
        print(f"{SKIPPED} {unfit}", flush=True)
        return Ended(name, SKIPPED, time.monotonic() - start, str(unfit))
    except (CheckError, OSError, subprocess.SubprocessError) as error:
        print(f"{FAILED} {error}", flush=True)
        return Ended(name, FAILED, time.monotonic() - start)
    return Ended(name, PASSED, time.monotonic() - start)


def _ended_here(names: list[str]) -> list[Ended]:
    """Run the checks in this process, one after another, with their output on the terminal."""
    return [_ended(name, CHECKS[name]) for name in names]


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
        seconds = time.monotonic() - start
        skipped = re.search(rf"^{SKIPPED} (.+)\Z", output.rstrip(), flags=re.MULTILINE)
        if done.returncode == 0 and skipped:
            ended.append(Ended(name, SKIPPED, seconds, skipped[1]))
        else:
            outcome = FAILED if done.returncode else PASSED
            ended.append(Ended(name, outcome, seconds, output=output or done.stdout))
    return ended


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(CHECKS))
    parser.add_argument("--no-skips", action="store_true", help="fail if this machine cannot run a check")
    parser.add_argument("--per-python", action="store_true", help="those that can differ between Pythons")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.names if name not in CHECKS]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(CHECKS)}")
    if wanted.per_python:
        names = [name for name, check in CHECKS.items() if check.per_python or name in wanted.names]
    else:
        names = wanted.names or list(CHECKS)

    os.chdir(CHECKOUT)
    small = [name for name in names if CHECKS[name].processes == 1]
    large = [name for name in names if CHECKS[name].processes > 1]
    if small and large:
        with ThreadPoolExecutor(2) as pool:
            ended = [one for lane in pool.map(_ended_apart, (small, large)) for one in lane]
    else:
        ended = _ended_here(small or large)
    print(f"\n━━━ Summary · Python {VERSION} ━━━", *ended, sep="\n", flush=True)
    for one in ended:
        if one.outcome == FAILED and one.output:
            last = one.output.rstrip().splitlines()[-_LAST_LINES:]
            print(f"\n━━━ Failed: {one.name}, its last lines ━━━", *last, sep="\n", flush=True)
    bad = (FAILED, SKIPPED) if wanted.no_skips else (FAILED,)
    return 1 if any(one.outcome in bad for one in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
