# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that each source file's test file fails if one of the file's main functions does nothing.

The tests are collected once. Then a process of its own for each mutant, forked from this one, runs the tests
of that file until one fails, those that are likely to fail first. A mutant survives if no test fails. Without
a mutant, the tests that failed must pass.

python -m checks.mutation [PATH …]  of all files below plugins/module_utils, or of these paths
"""

from __future__ import annotations

import argparse
import gc
import os
import signal
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import Phase, settings

from checks.commands import CheckError
from checks.mirror import SOURCES, TESTS, sources, test_file_of
from checks.mutants import Mutant, mutants_of

# A mutant can make a test wait forever, which counts as a failure of the test.
_SECONDS = 60
# Most machines that run this have two cores.
_PROCESSES = 2
# The exit status of a trial's process.
_PASSED, _FAILED, _BROKEN = 0, 1, 2


@dataclass(frozen=True)
class Trial:
    """A run of the tests of ``source`` with one ``mutant``, or of those that failed without any."""

    source: Path
    mutant: Mutant | None = None

    def __str__(self) -> str:
        return f"{self.source}: {self.mutant or 'without a mutant'}"


@dataclass
class Outcome:
    """The outcome of the trials. The lists name trials and source files."""

    trials: int = 0
    survived: list[str] = field(default_factory=list)
    timed_out: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    without_tests: list[str] = field(default_factory=list)
    without_mutants: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.survived or self.broken or self.without_tests)

    def note(self, trial: Trial, status: int) -> None:
        """Add a trial whose process ended with ``status``; a negative one is the signal that ended it."""
        self.trials += 1
        if trial.mutant is None:
            if status != _PASSED:
                self.broken.append(f"{trial} (status {status})")
        elif status == _PASSED:
            self.survived.append(str(trial))
        elif status == -signal.SIGALRM:
            self.timed_out.append(str(trial))
        elif status != _FAILED:
            self.broken.append(f"{trial} (status {status})")


def prove(root: Path, paths: Sequence[str] = ()) -> Outcome:
    """Try the mutants of the source files below ``root``, or of those at some ``paths`` below module_utils.

    Raises:
        CheckError: pytest could not collect the tests.
    """
    outcome = Outcome()
    wanted: dict[Path, list[Mutant]] = {}
    for source in sources(root):
        if paths and not any(source.is_relative_to(path) for path in paths):
            continue
        mutants = mutants_of((root / SOURCES / source).read_text(encoding="utf-8"))
        if not (root / TESTS / test_file_of(source)).is_file():
            outcome.without_tests.append(str(source))
        elif mutants:
            wanted[source] = mutants
        else:
            outcome.without_mutants.append(str(source))
    if wanted:
        with tempfile.TemporaryDirectory() as folder:
            _run(root, _Trials(root, wanted, Path(folder), outcome))
    return outcome


def _run(root: Path, trials: _Trials) -> None:
    files = [str(root / TESTS / test_file_of(source)) for source in trials.wanted]
    options = [
        *("--rootdir", str(root)),
        # Capturing into files would share them between the processes.
        *("--capture", "sys"),
        *("--assert", "plain"),
        *("-p", "no:terminal", "-p", "no:cacheprovider"),
    ]
    status = pytest.main([*options, *files], plugins=[trials])
    # Without any test in the files, each trial has noted that.
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CheckError(f"pytest cannot collect the tests (status {status}): run it to see why")


class _Trials:
    """A pytest plugin that runs trials instead of the collected tests."""

    def __init__(
        self, root: Path, wanted: Mapping[Path, Sequence[Mutant]], folder: Path, outcome: Outcome
    ) -> None:
        self.wanted = wanted
        self._root = root
        self._folder = folder
        self._outcome = outcome
        self._modules: dict[Path, list[ModuleType]] = {}
        self._tests: dict[Path, _Tests] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("a test file cannot be imported")
        _end_at_first_example()
        # Only whether a test fails is of interest.
        session.config.option.tbstyle = "no"
        _load_service_models()
        self._modules = _modules_by_file()
        # Otherwise every process's garbage collector would touch, and so copy, all memory that they share.
        gc.freeze()
        for source in self.wanted:
            path = self._root / TESTS / test_file_of(source)
            self._tests[source] = _Tests([item for item in session.items if item.path == path])
        self._run([Trial(source, mutant) for source, mutants in self.wanted.items() for mutant in mutants])
        self._run([Trial(source) for source in self.wanted])
        return True

    def _run(self, trials: Sequence[Trial]) -> None:
        running: dict[int, Trial] = {}
        for trial in trials:
            if len(running) == _PROCESSES:
                self._wait(running)
            tests = self._tests[trial.source]
            items = tests.failed if trial.mutant is None else tests.for_mutant(trial.mutant)
            running[self._start(trial, items)] = trial
        while running:
            self._wait(running)

    def _start(self, trial: Trial, items: Sequence[pytest.Item]) -> int:
        """Start the trial in a process of its own; return that process's ID."""
        process = os.fork()
        if process:
            return process
        status = _BROKEN
        with suppress(BaseException):
            signal.alarm(_SECONDS)
            # pytest makes its directories for temporary files on their first use, below this one.
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(dir=self._folder)
            if trial.mutant is not None:
                for module in self._modules.get(self._root / SOURCES / trial.source, ()):
                    trial.mutant.install(module)
            status = _PASSED if _all_pass(items, self._folder / str(os.getpid())) else _FAILED
        os._exit(status)

    def _wait(self, running: dict[int, Trial]) -> None:
        """Wait until one of the processes has ended and note what it showed."""
        process, waited = os.wait()
        trial, status = running.pop(process), os.waitstatus_to_exitcode(waited)
        self._outcome.note(trial, status)
        last = self._folder / str(process)
        if trial.mutant is not None and status != _PASSED and last.exists():
            self._tests[trial.source].note_failed(last.read_text(encoding="utf-8"))


class _Tests:
    """The tests of one file."""

    def __init__(self, items: Sequence[pytest.Item]) -> None:
        self._items = items
        self._failed: set[str] = set()

    def for_mutant(self, mutant: Mutant) -> list[pytest.Item]:
        """All, those first that are likely to fail soon.

        These name the mutated function, or failed with an earlier mutant. A property test runs many examples.
        """
        function = mutant.function.rpartition(".")[2]

        def rank(item: pytest.Item) -> tuple[bool, ...]:
            test = item.function if isinstance(item, pytest.Function) else None
            is_property = getattr(test, "is_hypothesis_test", False)
            names = test.__code__.co_names if test is not None else ()
            return (is_property, function not in names, item.nodeid not in self._failed)

        return sorted(self._items, key=rank)

    @property
    def failed(self) -> list[pytest.Item]:
        """Those that failed, or all if none did."""
        return [item for item in self._items if item.nodeid in self._failed] or [*self._items]

    def note_failed(self, nodeid: str) -> None:
        """Note a test that failed, or did not end, with a mutant."""
        self._failed.add(nodeid)


def _modules_by_file() -> dict[Path, list[ModuleType]]:
    """The modules of each file that has been imported: one for each name that it was imported under."""
    found: dict[Path, list[ModuleType]] = {}
    for module in list(sys.modules.values()):
        if file := getattr(module, "__file__", None):
            found.setdefault(Path(file).resolve(), []).append(module)
    return found


def _all_pass(items: Sequence[pytest.Item], last: Path) -> bool:
    """Run tests until one fails; write the ID of each to the file ``last`` before it runs.

    Raises:
        CheckError: there are none.
    """
    if not items:
        raise CheckError("no tests")
    for item, following in zip(items, [*items[1:], None], strict=True):
        last.write_text(item.nodeid, encoding="utf-8")
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return False
    return True


def _end_at_first_example() -> None:
    """Let property tests end at the first example that fails, instead of searching for a simpler one."""
    settings.register_profile("mutants", settings(), phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutants")


def _load_service_models() -> None:
    """Let boto3 read the large service models before the processes are forked, if the tests use it."""
    if boto3 := sys.modules.get("boto3"):
        for service in ("ec2", "kms", "ssm"):
            boto3.client(service, "eu-west-1", aws_access_key_id="AKIAEXAMPLE", aws_secret_access_key="none")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m checks.mutation", description=__doc__.splitlines()[0])
    parser.add_argument(
        "paths", nargs="*", metavar="PATH", help="a file or folder below plugins/module_utils"
    )
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="another checkout")
    arguments = parser.parse_args()
    start = time.monotonic()
    try:
        outcome = prove(arguments.root.resolve(), arguments.paths)
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    for title, found in (
        ("Nothing to mutate", outcome.without_mutants),
        ("Mutants whose tests did not end", outcome.timed_out),
        ("✗ No test file", outcome.without_tests),
        ("✗ The tests do not pass without a mutant, or pytest crashed", outcome.broken),
        ("✗ No test fails with this mutant", outcome.survived),
    ):
        if found:
            print(f"{title} ({len(found)}):", *(f"  {item}" for item in sorted(found)), sep="\n")
    print(f"{outcome.trials} runs in {time.monotonic() - start:.0f} s")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
