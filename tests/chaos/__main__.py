# SPDX-License-Identifier: GPL-3.0-or-later

"""``python -m tests.chaos [WORD …]``: all cases, or those whose ID has all words as parts.

An ID is scenario/family/which, such as distribute/kill/after-03. The results are in
.cache/chaos/results.jsonl; ``--resume`` leaves out the cases that are green there.
Exits with 1 if a case is red or was not run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from pathlib import Path
from queue import SimpleQueue
from threading import Lock
from typing import Any

from simulated_aws.client import SimulatedAws

from .cases import Case, cases
from .run import Undisturbed, check, undisturbed
from .scenarios import SCENARIOS

RESULTS = Path(__file__).parents[2] / ".cache" / "chaos" / "results.jsonl"
_LOCK = Lock()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the selected cases and report."""
    wanted = _options(arguments)
    if wanted.report:
        return _report(_earlier().values())
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    if not (wanted.resume or wanted.list):
        RESULTS.unlink(missing_ok=True)
    green = {name for name, result in _earlier().items() if not result["wrong"]}
    deadline = time.monotonic() + wanted.minutes * 60 if wanted.minutes else float("inf")
    servers: SimpleQueue[SimulatedAws] = SimpleQueue()
    started = [SimulatedAws.start() for _ in range(wanted.processes)]
    for server in started:
        servers.put(server)
    try:
        with ThreadPoolExecutor(wanted.processes) as pool:
            names = [name for name in SCENARIOS if _may_match(name, wanted.words)]
            found = zip(names, pool.map(lambda name: _undisturbed(servers, name), names), strict=True)
            expected = {name: done for name, done in found if done is not None}
            selected = [
                case
                for case in _selected(expected, wanted.words, wanted.every)
                if not (wanted.resume and case.id in green)
            ]
            print(f"{len(selected)} cases", flush=True)
            if not wanted.list:
                list(pool.map(lambda case: _run(servers, case, expected[case.scenario], deadline), selected))
    finally:
        for server in started:
            server.stop()
    if wanted.list:
        print("\n".join(case.id for case in selected))
        return 0
    left = [case.id for case in selected if case.id not in _earlier()]
    return _report(_earlier().values(), len(left))


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="parts of the IDs of cases: distribute kill")
    parser.add_argument("--resume", action="store_true", help="leave out what is green in the results")
    parser.add_argument("--list", action="store_true", help="list the cases, and run none")
    parser.add_argument("--report", action="store_true", help="show the results, and run nothing")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="each N-th case of a family")
    parser.add_argument("--minutes", type=float, default=0, metavar="N", help="begin no case after so many")
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="cases that run in parallel")
    return parser.parse_args(arguments)


def _may_match(scenario: str, words: Iterable[str]) -> bool:
    named = [word.partition("/")[0] for word in words if word.partition("/")[0] in SCENARIOS]
    return not named or scenario in named


def _undisturbed(servers: SimpleQueue[SimulatedAws], scenario: str) -> Undisturbed | None:
    """The undisturbed run; None, and a red result, if it fails."""
    server = servers.get()
    try:
        return undisturbed(server, scenario)
    except RuntimeError as failed:
        _record(f"{scenario}/undisturbed/first", [str(failed)], 0)
        return None
    finally:
        servers.put(server)


def _selected(expected: Mapping[str, Undisturbed], words: Sequence[str], every: int) -> Iterator[Case]:
    """The selected cases, one of each scenario in turn: a run that is cut short has some of all."""
    lanes = [[*_of_scenario(name, done, words, every)] for name, done in expected.items()]
    yield from (case for turn in zip_longest(*lanes) for case in turn if case is not None)


def _of_scenario(scenario: str, done: Undisturbed, words: Sequence[str], every: int) -> Iterator[Case]:
    counted: Counter[str] = Counter()
    for case in cases(scenario, done.calls, beside=done.beside):
        if not all(_matches(case.id, word) for word in words):
            continue
        if counted[case.family] % every == 0:
            yield case
        counted[case.family] += 1


def _matches(name: str, word: str) -> bool:
    return word == name or word in name.split("/") or name.startswith(f"{word}/")


def _run(servers: SimpleQueue[SimulatedAws], case: Case, expected: Undisturbed, deadline: float) -> None:
    if time.monotonic() > deadline:
        return
    server = servers.get()
    start = time.monotonic()
    try:
        wrong = check(server, case, expected)
    except Exception as error:  # noqa: BLE001  a case that cannot be run is red, and the others run
        wrong = [f"could not be run: {type(error).__name__}: {error}"]
    finally:
        servers.put(server)
    _record(case.id, wrong, time.monotonic() - start)


def _record(name: str, wrong: Sequence[str], seconds: float) -> None:
    """Write a result, and show it."""
    with _LOCK:
        with RESULTS.open("a", encoding="utf-8") as results:
            results.write(json.dumps({"id": name, "seconds": round(seconds, 1), "wrong": wrong}) + "\n")
        print(f"{'✗' if wrong else '✓'} {name} {seconds:.0f} s", flush=True)
        for line in wrong:
            print(f"    {line}", flush=True)


def _earlier() -> dict[str, dict[str, Any]]:
    """The last result of each case."""
    if not RESULTS.exists():
        return {}
    lines = RESULTS.read_text(encoding="utf-8").splitlines()
    return {result["id"]: result for result in map(json.loads, lines)}


def _report(results: Iterable[dict[str, Any]], left: int = 0) -> int:
    """Counts by family, and how to run each red case again."""
    listed = list(results)
    tried = Counter(result["id"].split("/")[1] for result in listed)
    red = [result["id"] for result in listed if result["wrong"]]
    failed = Counter(name.split("/")[1] for name in red)
    print(f"\n{'':12}{'tried':>7}{'green':>7}{'red':>7}")
    for family, number in tried.items():
        print(f"{family:12}{number:7}{number - failed[family]:7}{failed[family]:7}")
    print(f"{'all':12}{len(listed):7}{len(listed) - len(red):7}{len(red):7}   not run: {left}")
    for name in red:
        print(f'✗ make chaos CHAOS="{name}"')
    return 1 if red or left else 0


if __name__ == "__main__":
    # The user's own AWS settings must not steer what runs here.
    for variable in [name for name in os.environ if name.startswith(("AWS_", "ANSIBLE_"))]:
        del os.environ[variable]
    sys.exit(main())
