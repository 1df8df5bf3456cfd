# SPDX-License-Identifier: GPL-3.0-or-later

"""Every check is documented, and every name of a check that is used exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from checks import catalogue
from checks.catalogue import PLAYBOOK_PROCESSES, PYTEST_PROCESSES, TARGETS, checks_of

CHECKOUT = Path(__file__).resolve().parents[3]
CHECKS = checks_of()
# What chooses tests, or how many examples a property has.
_CHOOSING = {
    *("quick", "not nightly and not rulebook", "not rulebook", "not hypothesis"),
    *(f"--hypothesis-profile={target}" for target in TARGETS),
}


def test_the_table_for_contributors_lists_every_check():
    text = (CHECKOUT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.partition("| Check |")[2].partition("\n\n")[0]
    rows = re.findall(r"^\| (`.+?`) \|", table, flags=re.MULTILINE)
    assert [name for row in rows for name in re.findall(r"`([a-z0-9.-]+)`", row)] == list(CHECKS)


def test_the_makefile_names_checks_that_exist():
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    commands = re.findall(r"-m checks(?: --target \w+)? ([a-z0-9. -]+)$", text, flags=re.MULTILINE)
    names = {name for command in commands for name in command.split()}
    assert {"ruff", "returns", "unit", "sanity"} <= names <= CHECKS.keys()


def test_checks_that_keep_several_processes_busy_are_those_that_run_tests():
    large = {name for name, check in CHECKS.items() if check.processes > 1}
    tests = {"unit", "simulated-aws", "integration", "chaos", "second-opinion"}
    assert large == {*tests, "mutants"}
    assert {check.processes for check in CHECKS.values()} == {1, PYTEST_PROCESSES, PLAYBOOK_PROCESSES}


def test_some_checks_are_repeated_on_each_python():
    repeated = [name for name, check in CHECKS.items() if check.per_python]
    assert repeated == ["versions", "mypy", "unit", "package", "integration"]


@pytest.mark.parametrize("name", ["unit", "integration"])
@pytest.mark.parametrize("again", [False, True])
def test_each_target_runs_tests_of_its_own(name: str, again: bool, monkeypatch: pytest.MonkeyPatch):
    ran: list[tuple[str, ...]] = []
    monkeypatch.setattr(catalogue, "run", lambda *command: ran.append(command))
    monkeypatch.setattr(catalogue.coverage, "check", lambda: None)
    for target in TARGETS:
        checks_of(target, again)[name].run()
    chosen = {frozenset({*command} & _CHOOSING) for command in ran}
    assert frozenset() not in chosen
    assert len(chosen) == (1 if again else 3)


def test_the_targets_of_the_makefile_are_known():
    text = (CHECKOUT / "Makefile").read_text(encoding="utf-8")
    assert {*re.findall(r"-m checks --target (\w+)", text)} == {"ci", "nightly"}
    assert {check.target for check in CHECKS.values()} == {*TARGETS}
