# SPDX-License-Identifier: GPL-3.0-or-later
"""Run all checks, even if some fail, and print a summary.

What this machine lacks something for is skipped, and the summary says why.

The tests run one after another, in parallel with the checks that use one process. Ctrl-C ends the run with a
summary of what has ended, what was interrupted and what is left.

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
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path

from checks import passed
from checks.apart import newer_python
from checks.catalogue import TARGETS, Check, checks_of
from checks.commands import CheckError, Unfit
from checks.paths import CHECKOUT, VERSION
from checks.progress import FAILED, PASSED, SKIPPED, STOPPED, Progress

# So many lines of a failed check are printed again after the summary: services that run CI cut long logs.
_LAST_LINES = 100
# How often a run says what it does while no check ends.
_SECONDS_BETWEEN = 30
# What is printed at the end; .ci/run repeats it.
SUMMARY = CHECKOUT / ".cache" / "summary" / f"{VERSION}.txt"


def _outcome(check: Check) -> tuple[str, str]:
    """Run one check under its heading; return its outcome, and why it was skipped if it was.

    If it fails or is skipped, the last line has the reason.
    """
    print(f"\n━━━ {check.title} · Python {VERSION} ━━━", flush=True)
    try:
        newer_python(check.oldest_python)
        check.run()
    except Unfit as unfit:
        print(f"{SKIPPED} {unfit}", flush=True)
        return SKIPPED, str(unfit)
    except (CheckError, OSError, subprocess.SubprocessError) as error:
        print(f"{FAILED} {error}", flush=True)
        return FAILED, ""
    return PASSED, ""


def _run_here(checks: Mapping[str, Check], progress: Progress, on: str | None) -> None:
    """Run the checks in this process, one after another, with their output on the terminal.

    Those that pass are noted for the commit, if one is given.
    """
    for name, check in checks.items():
        progress.begin(name, check.title)
        if progress.end(name, *_outcome(check)).outcome == PASSED:
            passed.note(name, on)


def _run_separately(checks: Mapping[str, Check], progress: Progress, options: Sequence[str]) -> None:
    """Run each check in a process of its own, and print its output at its end."""
    for name, check in checks.items():
        if progress.is_interrupted:
            return
        progress.begin(name, check.title)
        with tempfile.TemporaryDirectory(prefix="golden-images-") as folder:
            result = Path(folder) / "result"
            with subprocess.Popen(
                [sys.executable, "-m", "checks", *options, "--result", str(result), name],
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
            ) as process:
                progress.attach(name, process)
                output, _errors = process.communicate()
            # A process that was killed leaves none.
            outcome, reason = json.loads(result.read_bytes()) if result.is_file() else (FAILED, "")
        progress.end(name, outcome, reason, output)


def _run_lanes(lanes: Sequence[Mapping[str, Check]], progress: Progress, options: Sequence[str]) -> None:
    """Run the lanes beside each other, and say what they do while no check ends."""
    with ThreadPoolExecutor(len(lanes)) as pool:
        left = {pool.submit(_run_separately, lane, progress, options) for lane in lanes}
        try:
            while left:
                before = len(progress.ended)
                done, left = wait(left, _SECONDS_BETWEEN, FIRST_COMPLETED)
                for lane in done:
                    lane.result()
                if left and len(progress.ended) == before:
                    progress.show()
        except KeyboardInterrupt:
            progress.interrupt()
            raise


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


def _summary(progress: Progress, earlier: Sequence[str], target: str) -> str:
    """Return a line for each check, then the last lines of each one that failed separately."""
    ended = [*progress.ended, *progress.interrupted()]
    lines = [f"\n━━━ Summary · Python {VERSION} ━━━", *map(str, ended)]
    lines += [f"{PASSED} {name:<22} passed before on this commit" for name in earlier]
    lines += [f"  {name:<22} not run" for name in progress.left()]
    for one in ended:
        if one.outcome == FAILED and one.output:
            lines.append(f"\n━━━ Failed: {one.name}, its last lines ━━━")
            lines += one.output.rstrip().splitlines()[-_LAST_LINES:]
    remaining = [one.name for one in ended if one.outcome == STOPPED] + progress.left()
    if progress.is_interrupted:
        # The nightly target leaves out what has passed on the commit by itself.
        checks = "" if target == "nightly" else f' CHECKS="{" ".join(remaining)}"'
        lines.append(f"\nInterrupted. To run what is left: make {target}{checks}")
    return "".join(f"{line}\n" for line in lines)


def _run(wanted: argparse.Namespace, chosen: Mapping[str, Check], progress: Progress, on: str | None) -> bool:
    """Run the checks; return whether they were not interrupted."""
    small = {name: check for name, check in chosen.items() if check.processes == 1}
    large = {name: check for name, check in chosen.items() if check.processes > 1}
    try:
        if small and large:
            options = ["--target", wanted.target, *(["--per-python"] if wanted.per_python else [])]
            _run_lanes((small, large), progress, options)
        else:
            _run_here(small or large, progress, on)
    except KeyboardInterrupt:
        progress.is_interrupted = True
    return not progress.is_interrupted


def main() -> int:
    wanted = _options()
    os.chdir(CHECKOUT)
    chosen = _chosen(wanted)
    on = passed.commit() if wanted.target == "nightly" else None
    if wanted.result:
        ((name, check),) = chosen.items()
        ended = _outcome(check)
        if ended[0] == PASSED:
            passed.note(name, on)
        wanted.result.write_text(json.dumps(ended), encoding="utf-8")
        return 0
    earlier = [name for name in chosen if passed.has_passed(name, on)]
    chosen = {name: check for name, check in chosen.items() if name not in earlier}
    SUMMARY.unlink(missing_ok=True)
    progress = Progress([*chosen])
    completed = _run(wanted, chosen, progress, on)
    summary = _summary(progress, earlier, wanted.target)
    SUMMARY.parent.mkdir(parents=True, exist_ok=True)
    SUMMARY.write_text(summary, encoding="utf-8")
    print(summary, end="", flush=True)
    if not completed:
        return 130
    bad = (FAILED, SKIPPED) if wanted.no_skips else (FAILED,)
    return 1 if any(one.outcome in bad for one in progress.ended) else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        # Of a check in a process of its own: the run that started it has the summary.
        sys.exit(130)
