# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all checks, even if some fail, and print a summary.

What this machine lacks something for is skipped, and the summary says why.

The tests run one after another, in parallel with the checks that use one process.

python -m checks [NAME …]               by name, or those of ``make test``
python -m checks --target ci            those of ``make ci``
python -m checks --target nightly       those of ``make nightly`` that have not passed on this commit
python -m checks --per-python …         of these, what can differ from the Python that has run all of them
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from checks import passed
from checks.apart import newer_python
from checks.catalogue import TARGETS, Check, checks_of
from checks.commands import CheckError, Unfit
from checks.paths import CHECKOUT, VERSION

PASSED, FAILED, SKIPPED = "✓", "✗", "–"
# So many lines of a failed check are printed again after the summary: services that run CI cut long logs.
_LAST_LINES = 100
# What is printed at the end; .ci/run repeats it.
SUMMARY = CHECKOUT / ".cache" / "summary" / f"{VERSION}.txt"


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


def _ended_here(checks: Mapping[str, Check], on: str | None) -> list[Ended]:
    """Run the checks in this process, one after another, with their output on the terminal.

    Those that pass are noted for the commit, if one is given.
    """
    ended = []
    for name, check in checks.items():
        ended.append(_ended(name, check))
        if ended[-1].outcome == PASSED:
            passed.note(name, on)
    return ended


def _ended_apart(checks: Mapping[str, Check], options: Sequence[str]) -> list[Ended]:
    """Run each check in a process of its own, and print its output at its end."""
    ended = []
    for name, check in checks.items():
        print(f"… {check.title}", flush=True)
        start = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="golden-images-") as folder:
            result = Path(folder) / "result"
            done = subprocess.run(
                [sys.executable, "-m", "checks", *options, "--result", str(result), name],
                check=False,
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            )
            # A process that was killed leaves none.
            outcome, reason = json.loads(result.read_bytes()) if result.is_file() else (FAILED, "")
        print(done.stdout, flush=True)
        ended.append(Ended(name, outcome, time.monotonic() - start, reason, done.stdout))
    return ended


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m checks", description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(checks_of()))
    parser.add_argument("--target", choices=TARGETS, default="test", help="the target of the Makefile")
    parser.add_argument("--no-skips", action="store_true", help="fail if this machine cannot run a check")
    parser.add_argument("--result", type=Path, help="write the outcome of one check into this file")
    parser.add_argument("--per-python", action="store_true", help="those that can differ between Pythons")
    wanted = parser.parse_args()
    unknown = [name for name in wanted.names if name not in checks_of()]
    if unknown:
        parser.error(f"no such check: {', '.join(unknown)}; there are {', '.join(checks_of())}")
    return wanted


def _chosen(wanted: argparse.Namespace) -> dict[str, Check]:
    """The named checks, or those of the target."""
    checks = checks_of(wanted.target, again=wanted.per_python)
    if wanted.names:
        return {name: checks[name] for name in wanted.names}
    reached = TARGETS[: TARGETS.index(wanted.target) + 1]
    return {
        name: check
        for name, check in checks.items()
        if check.target in reached and (check.per_python or not wanted.per_python)
    }


def _summary(ended: Sequence[Ended], earlier: Sequence[str]) -> str:
    """Return a line for each check, then the last lines of each one that failed apart."""
    lines = [f"\n━━━ Summary · Python {VERSION} ━━━", *map(str, ended)]
    lines += [f"{PASSED} {name:<22} passed before on this commit" for name in earlier]
    for one in ended:
        if one.outcome == FAILED and one.output:
            lines.append(f"\n━━━ Failed: {one.name}, its last lines ━━━")
            lines += one.output.rstrip().splitlines()[-_LAST_LINES:]
    return "".join(f"{line}\n" for line in lines)


def main() -> int:
    wanted = _options()
    os.chdir(CHECKOUT)
    chosen = _chosen(wanted)
    on = passed.commit() if wanted.target == "nightly" else None
    earlier = [name for name in chosen if passed.has_passed(name, on)]
    chosen = {name: check for name, check in chosen.items() if name not in earlier}
    if wanted.result:
        (one,) = _ended_here(chosen, on)
        wanted.result.write_text(json.dumps((one.outcome, one.reason)), encoding="utf-8")
        return 0
    SUMMARY.unlink(missing_ok=True)
    small = {name: check for name, check in chosen.items() if check.processes == 1}
    large = {name: check for name, check in chosen.items() if check.processes > 1}
    if small and large:
        options = ["--target", wanted.target, *(["--per-python"] if wanted.per_python else [])]
        with ThreadPoolExecutor(2) as pool:
            lanes = pool.map(lambda lane: _ended_apart(lane, options), (small, large))
            ended = [one for lane in lanes for one in lane]
    else:
        ended = _ended_here(small or large, on)
    summary = _summary(ended, earlier)
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(summary, encoding="utf-8")
    print(summary, end="", flush=True)
    bad = (FAILED, SKIPPED) if wanted.no_skips else (FAILED,)
    return 1 if any(one.outcome in bad for one in ended) else 0


if __name__ == "__main__":
    sys.exit(main())
