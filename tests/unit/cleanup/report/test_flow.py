# SPDX-License-Identifier: GPL-3.0-or-later

"""How ``cleanup_report`` takes its options, and where it writes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils.cleanup.report.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils.failures import Refused
from ansible_collections.golden.images.plugins.module_utils.progress import reporter
from ansible_collections.golden.images.plugins.module_utils.runner import Outcome

from tests.unit.cleanup.report.examples import cleaned, one
from tests.unit.reports.examples import PAGE_FILES

SILENT = reporter(None, print)
FORMS = ["report.csv", "report.html", "report.json", "report.sarif"]
PARAMS: dict[str, Any] = {
    "cleanup_result": cleaned(one("ami-1", "deregister"), one("ami-2", "keep")),
    "from_check_mode": False,
    "prices": {},
    "currency": "USD",
    "report_path": None,
    "report_dir": None,
}


def run(**params: Any) -> tuple[dict[str, Any], Outcome]:
    """The module's own result, and what became of the plan."""
    wanted = FLOW.options.read({**PARAMS, **params}, False)
    seen = FLOW.read(PAGE_FILES, wanted)
    plan = FLOW.plan(wanted, seen)
    outcome = FLOW.apply(None, wanted, seen, plan, SILENT)
    return FLOW.result(wanted, seen, plan, outcome), outcome


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_plan_takes_the_place_of_no_report(tmp_path: Path) -> None:
    folder = tmp_path / "cleanup"
    planned, first = run(report_dir=str(folder), from_check_mode=True)
    assert (names(folder), names(folder / "plan")) == (["plan"], FORMS)
    assert planned["report_dir"] == str(folder / "plan")
    done, second = run(report_dir=str(folder))
    assert names(folder) == sorted([*FORMS, "plan"])
    assert done["report_dir"] == str(folder)
    for outcome in (first, second):
        assert (len(outcome.performed), outcome.failures) == (4, ())
    statuses = [json.loads((where / FORMS[2]).read_text())["status"] for where in (folder, folder / "plan")]
    assert statuses == ["done", "planned"]
    for again in ({}, {"from_check_mode": True}):
        assert run(report_dir=str(folder), **again)[1] == Outcome()


@pytest.mark.parametrize("places", [{}, {"report_path": "", "report_dir": "", "from_check_mode": True}])
def test_without_a_place_the_report_is_returned(places: dict[str, Any]) -> None:
    result, outcome = run(**places, prices={"default": "0.05"}, currency="EUR")
    assert (result["report_path"], result["report_dir"], result["changes"]) == (None, None, None)
    assert result["report"]["totals"]["freed_monthly_cost"] == 0.4
    assert outcome.performed == ()


def refusal(**params: Any) -> list[tuple[str, str]]:
    with pytest.raises(Refused) as caught:
        run(**params)
    return [(failure.action, failure.message) for failure in caught.value.failures]


def test_prices_that_are_none_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    prices = {"eu-west-1": "much", "here": 1}
    assert refusal(report_dir=str(tmp_path / "r"), prices=prices) == [
        ("prices", "prices: 'much' is not a valid price for eu-west-1."),
        ("prices", "prices: 'here' is not a valid region."),
    ]
    assert names(tmp_path) == []


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "no"
    assert refusal(report_dir=str(missing / "such" / "cleanup"), from_check_mode=True) == [
        ("report_dir", f"report_dir: there is no directory {missing}.")
    ]


@pytest.mark.parametrize("exists", [True, False])
def test_a_folder_that_cannot_be_written_to_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exists: bool
) -> None:
    folder = tmp_path / "cleanup"
    if exists:
        folder.mkdir()
    asked: list[Path] = []

    def access(path: Path, mode: int) -> bool:
        asked.append(path)
        return not mode & os.W_OK

    monkeypatch.setattr(os, "access", access)
    found = refusal(report_dir=str(folder), report_path=str(tmp_path / "r.json"), prices={"default": -1})
    assert [option for option, _problem in found] == ["prices", "report_path", "report_dir"]
    assert asked == [tmp_path, folder if exists else tmp_path]
    assert found[2][1] == f"report_dir: {asked[1]} cannot be written to."


def test_a_folder_that_is_lost_meanwhile_is_a_failure(tmp_path: Path) -> None:
    wanted = FLOW.options.read(
        {**PARAMS, "report_dir": str(tmp_path / "cleanup"), "from_check_mode": True}, False
    )
    seen = FLOW.read(PAGE_FILES, wanted)
    (tmp_path / "cleanup").write_text("no directory")
    outcome = FLOW.apply(None, wanted, seen, FLOW.plan(wanted, seen), SILENT)
    assert outcome.performed == ()
    (failure,) = outcome.failures
    assert failure.error_code == "file_error"
    assert failure.message.startswith(f"report_dir: {tmp_path / 'cleanup' / 'plan'}: Not a directory")
