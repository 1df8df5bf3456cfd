# SPDX-License-Identifier: GPL-3.0-or-later

"""Branches count by themselves: lines without branches do not make up for them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from checks.commands import CheckError
from checks.coverage import check, judge


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
