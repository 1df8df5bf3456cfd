# SPDX-License-Identifier: GPL-3.0-or-later

"""Branches count by themselves: lines without branches do not make up for them."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from checks import catalogue, coverage
from checks.commands import CheckError
from checks.coverage import OPTIONS, check, judge


def test_enough_branches_are_accepted():
    assert judge({"num_branches": 200, "covered_branches": 190}) == "190 of 200 branches, 95.0 %"


@pytest.mark.parametrize(
    ("there", "covered", "reason"),
    [
        (200, 189, "189 of 200 branches, 94.5 %, fewer than 95 %"),
        (100000, 94999, "fewer than"),
        (0, 0, "no branch"),
    ],
)
def test_too_few_branches_are_refused(there: int, covered: int, reason: str):
    with pytest.raises(CheckError, match=reason):
        judge({"num_branches": there, "covered_branches": covered, "num_statements": 10**6})


def test_what_pytest_has_measured_is_judged(tmp_path: Path):
    measured = tmp_path / "coverage.json"
    measured.write_text(json.dumps({"totals": {"num_branches": 100, "covered_branches": 94}}))
    with pytest.raises(CheckError, match="94 of 100"):
        check(measured)


@pytest.mark.parametrize(("oldest", "is_measured"), [(sys.version_info[:2], True), ((3, 0), False)])
def test_the_unit_tests_measure_on_the_oldest_python(
    monkeypatch: pytest.MonkeyPatch, oldest: tuple[int, int], is_measured: bool
):
    ran: list[str] = []
    monkeypatch.setattr(catalogue, "OLDEST_PYTHON", oldest)
    monkeypatch.setattr(catalogue, "run", lambda *command: ran.extend(command))
    monkeypatch.setattr(coverage, "check", lambda: ran.append("judged"))
    catalogue.checks_of("ci")["unit"].run()
    assert {*OPTIONS, "judged"}.issubset(ran) == is_measured
    assert ("--cov" in ran) == ("judged" in ran) == is_measured
