# SPDX-License-Identifier: GPL-3.0-or-later

"""All checks run whatever fails, and the summary and the exit status say what did."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from checks import __main__ as command
from checks.catalogue import Check
from checks.commands import CheckError


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
