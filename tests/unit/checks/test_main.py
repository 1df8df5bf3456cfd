# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks run whatever fails, and the summary and the exit status say what did."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from checks import __main__ as command
from checks.catalogue import Check
from checks.commands import CheckError, Unfit


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the checks that ran, of three: the second fails."""
    names: list[str] = []

    def fails() -> None:
        names.append("second")
        raise CheckError("two files differ")

    checks = {
        "first": Check("the first", lambda: names.append("first")),
        "second": Check("the second", fails, per_python=True),
        "third": Check("the third", lambda: names.append("third"), per_python=True),
    }
    monkeypatch.setattr(command, "CHECKS", checks)
    return names


def main(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    monkeypatch.setattr(sys, "argv", ["checks", *arguments])
    return command.main()


def test_a_failure_stops_no_other_check(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    assert main(monkeypatch) == 1
    assert ran == ["first", "second", "third"]
    output = capsys.readouterr().out
    assert "✗ two files differ" in output
    summary = output.partition("━━━ Summary")[2].splitlines()[1:]
    assert [line.split()[:2] for line in summary] == [["✓", "first"], ["✗", "second"], ["✓", "third"]]


def test_checks_are_chosen_by_their_names(ran: list[str], monkeypatch: pytest.MonkeyPatch):
    assert main(monkeypatch, "third", "first") == 0
    assert ran == ["third", "first"]


def test_checks_that_can_differ_between_pythons(ran: list[str], monkeypatch: pytest.MonkeyPatch):
    assert main(monkeypatch, "--per-python") == 1
    assert ran == ["second", "third"]


def test_an_unknown_name_is_refused(
    ran: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    with pytest.raises(SystemExit):
        main(monkeypatch, "fourth")
    assert "no such check: fourth; there are first, second, third" in capsys.readouterr().err
    assert ran == []


def test_named_checks_join_those_that_can_differ_between_pythons(
    ran: list[str], monkeypatch: pytest.MonkeyPatch
):
    assert main(monkeypatch, "--per-python", "first") == 1
    assert ran == ["first", "second", "third"]


def test_the_end_of_a_failed_check_follows_the_summary(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    said = "\n".join(["the first line", *["."] * 200, "FAILED test_x - assert 1 == 2", "━━━ Summary", "✗"])
    done = subprocess.CompletedProcess((), 1, said)
    monkeypatch.setattr(command.subprocess, "run", lambda *_command, **_options: done)
    monkeypatch.setattr(command, "CHECKS", {"one": Check("x", int), "two": Check("y", int, processes=2)})
    assert main(monkeypatch) == 1
    summary = capsys.readouterr().out.partition("━━━ Summary ·")[2]
    assert summary.count("FAILED test_x - assert 1 == 2") == 2
    assert "━━━ Failed: one, its last lines ━━━" in summary
    assert "the first line" not in summary


@pytest.mark.parametrize("processes", [1, 2])
def test_what_the_machine_lacks_something_for_is_skipped(
    processes: int,
    ran: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
):
    def lacking() -> None:
        raise Unfit("it needs Java 17")

    # With several processes, each check runs in a process of its own, whose output is read.
    said = "… heading\n– it needs Java 17\n\n━━━ Summary\n– fourth\n"
    done = subprocess.CompletedProcess((), 0, said)
    monkeypatch.setattr(command.subprocess, "run", lambda *_command, **_options: done)
    fourth = Check("the fourth", lacking)
    checks = {"third": command.CHECKS["third"], "fourth": fourth}
    monkeypatch.setattr(
        command,
        "CHECKS",
        checks if processes == 1 else {"fourth": fourth, "other": Check("x", int, False, 2)},
    )
    assert main(monkeypatch) == 0
    summary = capsys.readouterr().out.partition("━━━ Summary ·")[2]
    (line,) = [line for line in summary.splitlines() if "fourth" in line]
    assert line.startswith("– fourth")
    assert line.endswith("skipped: it needs Java 17")
    assert ran == (["third"] if processes == 1 else [])


def test_a_check_is_skipped_where_no_python_is_new_enough(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    checks = {"newer": Check("x", lambda: 1 / 0, oldest_python=(3, 99))}
    monkeypatch.setattr(command, "CHECKS", checks)
    assert main(monkeypatch, "--no-skips") == 1
    assert main(monkeypatch) == 0
    assert "skipped: it needs a Python 3.99 or newer on this machine" in capsys.readouterr().out
