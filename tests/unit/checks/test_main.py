# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks run whatever fails, and the summary and the exit status say what did."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from checks import __main__ as command
from checks import passed
from checks.catalogue import Check
from checks.commands import CheckError, Unfit
from checks.progress import Progress


@pytest.fixture(autouse=True)
def summary(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Leave the checkout's own summary alone."""
    monkeypatch.setattr(command, "SUMMARY", tmp_path / "summary" / "3.txt")


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checks that ran, of four: the second fails."""
    names: list[str] = []

    def fails() -> None:
        names.append("second")
        raise CheckError("two files differ")

    checks = {
        "first": Check("the first", lambda: names.append("first")),
        "second": Check("the second", fails, per_python=True),
        "third": Check("the third", lambda: names.append("third"), "ci", per_python=True),
        "fourth": Check("the fourth", lambda: names.append("fourth"), "nightly"),
    }
    choose(monkeypatch, checks)
    return names


class Process:
    """A process that can be used as a context."""

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_raised: object) -> None:
        pass


def says(monkeypatch: pytest.MonkeyPatch, output: str, *result: str) -> None:
    """Have each check in a process of its own print this, and write this result, if there is one."""

    class Printing(Process):
        def __init__(self, words: list[str], **_options: Any) -> None:
            if result:
                Path(words[words.index("--result") + 1]).write_text(json.dumps(result), encoding="utf-8")

        def communicate(self) -> tuple[str, None]:
            return output, None

    monkeypatch.setattr(command.subprocess, "Popen", Printing)


def choose(monkeypatch: pytest.MonkeyPatch, checks: Mapping[str, Check]) -> None:
    monkeypatch.setattr(command, "checks_of", lambda *_target, **_again: checks)


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["checks", *arguments])
    return command.main()


def test_a_failure_stops_no_other_check(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert main(monkeypatch) == 1
    assert ran == ["first", "second"]
    output = capsys.readouterr().out
    assert "✗ two files differ" in output
    summary = output.partition("━━━ Summary")[2].splitlines()[1:]
    assert [line.split()[:2] for line in summary] == [["✓", "first"], ["✗", "second"]]


@pytest.mark.parametrize(
    ("target", "run"),
    [
        ("test", ["first", "second"]),
        ("ci", ["first", "second", "third"]),
        ("nightly", ["first", "second", "third", "fourth"]),
    ],
)
def test_each_target_runs_what_the_one_before_it_runs(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, target: str, run: list[str]
):
    monkeypatch.setattr(passed, "FOLDER", tmp_path)
    assert main(monkeypatch, "--target", target) == 1
    assert ran == run


def test_the_nightly_target_goes_on_where_it_was_stopped(
    ran: list[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
):
    monkeypatch.setattr(passed, "FOLDER", tmp_path)
    monkeypatch.setattr(passed, "commit", lambda: "0123abc")
    assert main(monkeypatch, "--target", "nightly") == 1
    ran.clear()
    assert main(monkeypatch, "--target", "nightly") == 1
    assert ran == ["second"]
    assert "✓ first                  passed before on this commit" in capsys.readouterr().out
    monkeypatch.setattr(passed, "commit", lambda: "4567def")
    ran.clear()
    main(monkeypatch, "--target", "nightly", "first")
    assert ran == ["first"]


def test_an_unknown_name_is_refused(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main(monkeypatch, "fifth")
    assert "no such check: fifth; there are first, second, third, fourth" in capsys.readouterr().err
    assert ran == []


@pytest.mark.parametrize("result", [("✗", ""), ()], ids=["failed", "killed"])
def test_the_end_of_a_failed_check_follows_the_summary(
    result: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = "\n".join(["the first line", *["."] * 200, "FAILED test_x - assert 1 == 2"])
    says(monkeypatch, said, *result)
    choose(monkeypatch, {"one": Check("x", int), "two": Check("y", int, processes=2)})
    assert main(monkeypatch) == 1
    summary = capsys.readouterr().out.partition("━━━ Summary ·")[2]
    assert summary.count("FAILED test_x - assert 1 == 2") == 2
    assert "━━━ Failed: one, its last lines ━━━" in summary
    assert "the first line" not in summary
    assert command.SUMMARY.read_text(encoding="utf-8").endswith(summary)


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_machine_lacks_something_for_is_skipped(
    processes: int,
    ran: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def lacking() -> None:
        raise Unfit("it needs Java 17")

    # With several processes, each check runs in a process of its own.
    says(monkeypatch, "heading\n– it needs Java 17\n", "–", "it needs Java 17")
    fourth = Check("the fourth", lacking)
    first = command.checks_of()["first"]
    other = first if processes == 1 else Check("x", int, processes=2)
    choose(monkeypatch, {"other": other, "fourth": fourth})
    assert main(monkeypatch) == 0
    summary = capsys.readouterr().out.partition("━━━ Summary ·")[2]
    (line,) = [line for line in summary.splitlines() if "fourth" in line]
    assert line.startswith("– fourth")
    assert line.endswith("skipped: it needs Java 17")
    assert ran == (["first"] if processes == 1 else [])


@pytest.mark.parametrize(
    ("raised", "result"),
    [(None, ["✓", ""]), (CheckError("two files differ"), ["✗", ""]), (Unfit("no Java"), ["–", "no Java"])],
)
def test_the_outcome_of_one_check_is_written_to_a_file(
    raised: Exception | None, result: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    def one() -> None:
        if raised:
            raise raised

    choose(monkeypatch, {"one": Check("x", one)})
    assert main(monkeypatch, "--result", str(tmp_path / "result"), "one") == 0
    assert json.loads((tmp_path / "result").read_bytes()) == result


def test_a_check_is_skipped_where_no_python_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    checks = {"newer": Check("x", lambda: 1 / 0, oldest_python=(3, 99))}
    choose(monkeypatch, checks)
    assert main(monkeypatch, "--no-skips") == 1
    assert main(monkeypatch) == 0
    assert "skipped: it needs a Python 3.99 or newer on this machine" in capsys.readouterr().out


@pytest.mark.usefixtures("ran")
def test_a_run_says_how_many_checks_are_done_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    main(monkeypatch, "--target", "ci")
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("… ")] == [
        "… 1 of 3: the first",
        "… 2 of 3: the second",
        "… 3 of 3: the third",
    ]
    assert [line for line in lines if " done" in line] == [
        "  1 of 3 done; left: second, third",
        "  2 of 3 done; left: third",
        "  3 of 3 done",
    ]


def test_what_is_left_fits_into_eighty_columns(capsys: pytest.CaptureFixture[str]):
    progress = Progress([f"the-check-{number}" for number in range(30)])
    progress.begin("the-check-0", "the first")
    progress.end("the-check-0", "✓")
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert "the-check-29" in lines[-1]


def test_an_interrupted_run_ends_with_a_summary(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    def interrupted() -> None:
        raise KeyboardInterrupt

    checks = command.checks_of()
    choose(monkeypatch, {"first": checks["first"], "now": Check("x", interrupted), "last": checks["third"]})
    assert main(monkeypatch, "--target", "ci") == 130
    summary = capsys.readouterr().out.partition("━━━ Summary")[2].splitlines()[1:]
    assert [line.split()[:2] for line in summary[:2]] == [["✓", "first"], ["■", "now"]]
    assert summary[2].split() == ["last", "not", "run"]
    assert summary[-1] == 'Interrupted. To run what is left: make ci CHECKS="now last"'
    assert ran == ["first"]


def test_an_interruption_ends_the_processes_of_the_checks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    begun = threading.Barrier(3)
    signals = []

    class Waiting(Process):
        def __init__(self, *_words: Any, **_options: Any) -> None:
            self._signalled = threading.Event()

        def send_signal(self, number: int) -> None:
            signals.append(number)
            self._signalled.set()

        def communicate(self) -> tuple[str, None]:
            begun.wait(timeout=10)
            return ("stopped" if self._signalled.wait(timeout=10) else "ran on"), None

    def wait(*_arguments: Any) -> None:
        begun.wait(timeout=10)
        raise KeyboardInterrupt

    monkeypatch.setattr(command.subprocess, "Popen", Waiting)
    monkeypatch.setattr(command, "wait", wait)
    checks = {
        name: Check(name, int, processes=processes) for name, processes in (("a", 1), ("b", 2), ("c", 2))
    }
    choose(monkeypatch, checks)
    assert main(monkeypatch) == 130
    assert signals == [signal.SIGINT] * 2
    output, _mark, summary = capsys.readouterr().out.partition("━━━ Summary")
    assert "ran on" not in output
    assert sorted(line.split()[1] for line in summary.splitlines() if line.startswith("■")) == ["a", "b"]
    assert re.search(r'To run what is left: make test CHECKS="(a b|b a) c"\n$', summary)
