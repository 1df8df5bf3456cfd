# SPDX-License-Identifier: GPL-3.0-or-later
"""Check that a capability's tests fail if one of the main functions of its source files does nothing.

A package is a directory of plugins/module_utils; ``module_utils`` are the files directly in it. Its tests are
those in the directory of the same name below tests/unit, in whichever file.

The tests are collected once. A run without a mutant finds out which tests call which function. Then a process
of its own for each mutant, forked from this one, runs the tests that call the mutated function until one
fails, those that are likely to fail first. A mutant survives if no test fails.

python -m checks.mutation                           of all packages below plugins/module_utils
python -m checks.mutation copy share/plan.py        of a package, and of a file of another
python -m checks.mutation --conditions copy         sharper mutants, to compare two states of its tests:
                                                    conditions are negated, and statements left out
Directories of other sources, such as ``action`` and ``checks``, can be named, too.
"""

from __future__ import annotations

import argparse
import functools
import gc
import itertools
import os
import pickle
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType, ModuleType
from typing import TypeVar

import pytest
from hypothesis import Phase, settings

from checks.commands import CheckError
from checks.mutants import Alteration, Mutant, alterations_of, mutants_of

SOURCES = Path("plugins/module_utils")
TESTS = Path("tests/unit")
# Where the sources of other packages are: the first of these directories that has it.
_ABOVE_OTHER_PACKAGES = (Path("plugins"), Path(), Path("tests"))
# A mutant can make a test wait forever, which counts as a failure of the test: that is this many seconds more
# than ten times as long as the test takes.
_SECONDS = 15
# A mutant's endless loop must not fill the machine's memory, in bytes.
_MEMORY = 4 << 30
# Most machines that run this have two cores.
_PROCESSES = 2
# The exit status of a process.
_PASSED, _FAILED, _BROKEN = 0, 1, 2
_Work = TypeVar("_Work")


@dataclass(frozen=True)
class Package:
    """The source files of a capability, and the test files, from the checkout's root."""

    name: str
    sources: tuple[Path, ...]
    tests: tuple[Path, ...]

    def named(self, source: Path) -> str:
        """The name of a source file in what this prints, and on the command line: ``copy/plan.py``."""
        parts = [part.removeprefix("_") for part in source.parts[:-1]]
        return str(Path(*parts[parts.index(self.name) :], source.name))


@dataclass(frozen=True)
class Trial:
    """A run of the tests of a package that call the function of a ``mutant`` of a ``source`` file."""

    package: Package
    source: Path
    mutant: Mutant | Alteration

    def __str__(self) -> str:
        return f"{self.package.named(self.source)}: {self.mutant}"


@dataclass
class Outcome:
    """The outcome of the trials. The lists name trials, tests and packages."""

    trials: int = 0
    survived: list[str] = field(default_factory=list)
    timed_out: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def passed(self) -> bool:
        return not (self.survived or self.broken)

    def note(self, trial: Trial, status: int) -> None:
        """Add a trial whose process ended with ``status``; a negative one is the signal that ended it."""
        self.trials += 1
        if status == _PASSED:
            self.survived.append(str(trial))
        elif status == -signal.SIGALRM:
            self.timed_out.append(str(trial))
        elif status != _FAILED:
            self.broken.append(f"{trial} (status {status})")


def packages(root: Path) -> list[str]:
    """The names of the packages below module_utils, with ``module_utils`` for the files directly in it."""
    below = root / SOURCES
    paths = (*below.glob("*.py"), *below.glob("*/*.py"))
    return sorted({path.parent.name.removeprefix("_") for path in paths})


def package(root: Path, name: str) -> Package:
    """The package of this name.

    Raises:
        CheckError: there is none, or it has no tests.
    """
    if name == SOURCES.name:
        sources, tests = (root / SOURCES).glob("*.py"), (root / TESTS).glob("test_*.py")
    else:
        folders = (root / SOURCES / f"_{name}", *(root / above / name for above in _ABOVE_OTHER_PACKAGES))
        folder = next(filter(Path.is_dir, folders), None)
        if folder is None:
            raise CheckError(f"there is no package {name}")
        sources, tests = folder.rglob("*.py"), (root / TESTS / name).rglob("test_*.py")
    found = Package(
        name,
        tuple(sorted(path.relative_to(root) for path in sources if path.stem != "__init__")),
        tuple(sorted(path.relative_to(root) for path in tests)),
    )
    if not found.tests:
        raise CheckError(f"the package {name} has no tests: there is no {TESTS / name}/test_*.py")
    return found


def prove(
    root: Path, wanted: Sequence[str], mutants: Callable[[str], Sequence[Mutant | Alteration]]
) -> Outcome:
    """Try the mutants that ``mutants`` finds in the sources of the ``wanted`` packages and files of packages.

    Raises:
        CheckError: a package or file does not exist, or has no tests, or pytest could not collect them.
    """
    found = [package(root, name) for name in dict.fromkeys(Path(each).parts[0] for each in wanted)]
    names = {inside.named(source) for inside in found for source in inside.sources}
    if missing := [each for each in wanted if each not in names and each not in {one.name for one in found}]:
        raise CheckError(f"no source files: {', '.join(missing)}")
    trials = [
        Trial(inside, source, mutant)
        for inside in found
        for source in inside.sources
        if not {inside.name, inside.named(source)}.isdisjoint(wanted)
        for mutant in mutants((root / source).read_text(encoding="utf-8"))
    ]
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        _run(root, _Trials(root, found, trials, Path(folder), outcome))
    return outcome


def _run(root: Path, trials: _Trials) -> None:
    files = [str(root / test) for package in trials.packages for test in package.tests]
    options = [
        *("--rootdir", str(root)),
        # Capturing into files would share them between the processes.
        *("--capture", "sys"),
        *("--assert", "plain"),
        *("-p", "no:terminal", "-p", "no:cacheprovider"),
    ]
    status = pytest.main([*options, *files], plugins=[trials])
    # Without any test in the files, all mutants have survived.
    if status not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        raise CheckError(f"pytest cannot collect the tests (status {status}): run it to see why")


@dataclass(frozen=True)
class _Run:
    """What a test did without a mutant. ``functions`` are those called: files, and names in them."""

    nodeid: str
    passed: bool
    seconds: float
    functions: frozenset[tuple[Path, str]]


class _Trials:
    """A pytest plugin that runs trials instead of the collected tests."""

    def __init__(
        self, root: Path, packages: Sequence[Package], trials: Sequence[Trial], folder: Path, outcome: Outcome
    ) -> None:
        self.packages = packages
        self._root = root
        self._all = trials
        self._folder = folder
        self._outcome = outcome
        self._modules: dict[Path, list[ModuleType]] = {}
        self._tests: dict[Package, _Tests] = {}

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("a test file cannot be imported")
        _end_at_first_example()
        # Only whether a test fails is of interest.
        session.config.option.tbstyle = "no"
        _load_service_models()
        self._modules = _modules_by_file()
        self._check_imported()
        # Otherwise every process's garbage collector would touch, and so copy, all memory that they share.
        gc.freeze()
        self._run_without_mutants(session)
        self._run_trials()
        return True

    def _check_imported(self) -> None:
        """Note each source file that is not imported yet: its mutants would be tried in no process."""
        for package, source in dict.fromkeys((trial.package, trial.source) for trial in self._all):
            if self._root / source not in self._modules:
                self._outcome.broken.append(f"{package.named(source)}: no test file imports it at its top")

    def _run_without_mutants(self, session: pytest.Session) -> None:
        """Find out which tests call which functions; tests that fail are left out of the trials."""
        items = {
            package: [item for item in session.items if item.path.relative_to(self._root) in package.tests]
            for package in self.packages
        }

        def start(package: Package) -> int:
            return self._fork(lambda: _record(items[package], self._folder / f"{package.name}.runs"))

        for package, _, status in _in_processes(self.packages, start):
            if status != _PASSED:
                self._outcome.broken.append(f"{package.name} (status {status})")
                continue
            # This program has written the file a moment ago.
            runs: list[_Run] = pickle.loads((self._folder / f"{package.name}.runs").read_bytes())
            self._outcome.broken.extend(run.nodeid for run in runs if not run.passed)
            self._tests[package] = _Tests(items[package], [run for run in runs if run.passed])

    def _run_trials(self) -> None:
        def start(trial: Trial) -> int:
            runs = self._tests[trial.package].that_call(self._root / trial.source, trial.mutant.function)
            return self._fork(lambda: self._try(trial, runs))

        trials = [trial for trial in self._all if trial.package in self._tests]
        for trial, process, status in _in_processes(trials, start):
            self._outcome.note(trial, status)
            last = self._folder / str(process)
            if status != _PASSED and last.exists():
                self._tests[trial.package].note_failed(trial.source, last.read_text(encoding="utf-8"))

    def _fork(self, work: Callable[[], int]) -> int:
        """Start a process that ends with the status that ``work`` returns; return its ID."""
        process = os.fork()
        if process:
            return process
        status = _BROKEN
        try:
            # pytest makes its directories for temporary files on their first use, below this one.
            os.environ["PYTEST_DEBUG_TEMPROOT"] = tempfile.mkdtemp(dir=self._folder)
            status = work()
        except BaseException:
            traceback.print_exc()
            raise
        finally:
            os._exit(status)

    def _try(self, trial: Trial, runs: Sequence[_Run]) -> int:
        """The status of a trial. The file of this process's ID names the test that ran last."""
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, _MEMORY))
        for module in self._modules.get(self._root / trial.source, ()):
            trial.mutant.install(module)
        return self._tests[trial.package].run(runs, self._folder / str(os.getpid()))


class _Tests:
    """The tests of one package, and what each did without a mutant."""

    def __init__(self, items: Sequence[pytest.Item], runs: Sequence[_Run]) -> None:
        self._items = {item.nodeid: item for item in items}
        self._runs = runs
        self._failed: dict[Path, set[str]] = {}

    def that_call(self, source: Path, function: str) -> list[_Run]:
        """Those that call the function: first those that another mutant of its file failed, and fast ones."""
        failed = self._failed.get(source, ())
        calling = (run for run in self._runs if (source, function) in run.functions)
        return sorted(calling, key=lambda run: (run.nodeid not in failed, run.seconds))

    def note_failed(self, source: Path, nodeid: str) -> None:
        """Note a test that failed, or did not end, with a mutant of the file."""
        self._failed.setdefault(source, set()).add(nodeid)

    def run(self, runs: Sequence[_Run], last: Path) -> int:
        """Run tests until one fails; write the ID of each to the file ``last`` before it runs."""
        for run, following in itertools.zip_longest(runs, runs[1:]):
            last.write_text(run.nodeid, encoding="utf-8")
            signal.alarm(_SECONDS + round(10 * run.seconds))
            if not _passes(self._items[run.nodeid], self._items[following.nodeid] if following else None):
                return _FAILED
        return _PASSED


def _passes(item: pytest.Item, following: pytest.Item | None) -> bool:
    failed = item.session.testsfailed
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
    return item.session.testsfailed == failed


def _record(items: Sequence[pytest.Item], file: Path) -> int:
    """Run tests; write to a file, for each of them, what it did."""
    resolved = functools.cache(lambda name: Path(name).resolve())
    runs = []
    for item, following in itertools.zip_longest(items, items[1:]):
        start = time.monotonic()
        with _called() as called:
            passed = _passes(item, following)
        seconds = time.monotonic() - start
        # A thread of the test can still be running.
        names = {
            (code.co_filename, code.co_qualname.partition(".<locals>")[0]) for code in [*called.values()]
        }
        functions = {(resolved(file), name) for file, name in names}
        runs.append(_Run(item.nodeid, passed, seconds, frozenset(functions)))
    file.write_bytes(pickle.dumps(runs))
    return _PASSED


@contextmanager
def _called() -> Iterator[dict[int, CodeType]]:
    """The code of all functions that are called meanwhile, in this thread and in new ones, by identity."""
    codes: dict[int, CodeType] = {}

    def note(frame: FrameType, *_: object) -> None:
        codes[id(frame.f_code)] = frame.f_code

    threading.settrace(note)
    sys.settrace(note)
    try:
        yield codes
    finally:
        sys.settrace(None)
        threading.settrace(None)


def _in_processes(every: Sequence[_Work], start: Callable[[_Work], int]) -> Iterator[tuple[_Work, int, int]]:
    """Each piece of work that has ended, with the ID of its process, from ``start``, and its status."""
    running: dict[int, _Work] = {}
    for work in every:
        if len(running) == _PROCESSES:
            yield _ended(running)
        running[start(work)] = work
    while running:
        yield _ended(running)


def _ended(running: dict[int, _Work]) -> tuple[_Work, int, int]:
    process, waited = os.wait()
    return running.pop(process), process, os.waitstatus_to_exitcode(waited)


def _modules_by_file() -> dict[Path, list[ModuleType]]:
    """The modules of each file that has been imported: one for each name that it was imported under."""
    found: dict[Path, list[ModuleType]] = {}
    for module in list(sys.modules.values()):
        if file := getattr(module, "__file__", None):
            found.setdefault(Path(file).resolve(), []).append(module)
    return found


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
        "wanted", nargs="*", metavar="PACKAGE", help="a package, or a file of one: copy, share/plan.py"
    )
    parser.add_argument(
        "--conditions", action="store_true", help="negate conditions and leave out statements instead"
    )
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="another checkout")
    arguments = parser.parse_args()
    start = time.monotonic()
    root = arguments.root.resolve()
    try:
        outcome = prove(
            root, arguments.wanted or packages(root), alterations_of if arguments.conditions else mutants_of
        )
    except CheckError as error:
        print(f"✗ {error}")
        return 1
    for title, found in (
        ("Mutants whose tests did not end", outcome.timed_out),
        ("✗ A test does not pass without a mutant, or pytest crashed", outcome.broken),
        ("✗ No test fails with this mutant", outcome.survived),
    ):
        if found:
            print(f"{title} ({len(found)}):", *(f"  {item}" for item in sorted(found)), sep="\n")
    killed = outcome.trials - len(outcome.survived)
    print(f"{killed} of {outcome.trials} mutants killed in {time.monotonic() - start:.0f} s")
    return 0 if outcome.passed else 1


if __name__ == "__main__":
    sys.exit(main())
