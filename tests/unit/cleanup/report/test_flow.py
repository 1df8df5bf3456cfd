# SPDX-License-Identifier: GPL-3.0-or-later

"""Where ``ami_cleanup`` writes its report, and what that is made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.module_utils._cleanup.flow import FLOW
from ansible_collections.golden.images.plugins.module_utils._cleanup.options import CleanupOptions
from ansible_collections.golden.images.plugins.module_utils._failures import ValidationError
from ansible_collections.golden.images.plugins.module_utils._runner import Reported

from tests.unit.cleanup.report.examples import cleaned, one
from tests.unit.reports.examples import PAGE_FILES

FORMS = ["report.csv", "report.html", "report.json", "report.sarif"]
POLICY: dict[str, Any] = {"family_tag": "family", "deprecate_after_days": 1}
RESULT = cleaned(one("ami-1", "deregister"), one("ami-2", "keep"))


def options(check_mode: bool = False, **given: Any) -> CleanupOptions:
    spec = CleanupOptions.argument_spec()
    defaults = {name: fields.get("default") for name, fields in spec.items()}
    return CleanupOptions.read({**defaults, **POLICY, "return_report": True, **given}, check_mode)


def run(check_mode: bool = False, **given: Any) -> Reported:
    """What becomes of the report of a result."""
    assert FLOW.report is not None
    return FLOW.report.open(options(check_mode, **given), PAGE_FILES).write(RESULT)


def names(folder: Path) -> list[str]:
    return sorted(item.name for item in folder.iterdir())


def test_a_plan_takes_the_place_of_no_report(tmp_path: Path) -> None:
    folder = tmp_path / "cleanup"
    first = run(check_mode=True, report_dir=str(folder))
    assert (names(folder), names(folder / "plan")) == (["plan"], FORMS)
    assert first.values["report_dir"] == str(folder / "plan")
    second = run(report_dir=str(folder))
    assert names(folder) == sorted([*FORMS, "plan"])
    assert second.values["report_dir"] == str(folder)
    for reported in (first, second):
        assert (len(reported.actions), reported.failures) == (4, ())
    contents = [json.loads((where / FORMS[2]).read_text()) for where in (folder, folder / "plan")]
    assert [content["status"] for content in contents] == ["done", "planned"]
    assert second.values["report"] == {key: contents[0][key] for key in second.values["report"]}
    for check_mode in (False, True):
        assert run(check_mode, report_dir=str(folder)).actions == ()


@pytest.mark.parametrize("check_mode", [False, True])
def test_without_a_place_the_report_is_returned(check_mode: bool) -> None:
    given = {"report_path": "", "report_dir": "", "prices": {"default": "0.05"}, "currency": "EUR"}
    reported = run(check_mode, **given)
    values = reported.values
    assert (values["report_path"], values["report_dir"], values["changes"]) == (None, None, None)
    assert values["report"]["totals"]["freed_monthly_cost"] == 0.4
    assert values["report"]["currency"] == "EUR"
    assert reported.actions == ()


def refusal(**given: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        run(**given)
    return [(failure.action, failure.message) for failure in caught.value.failures]


def test_prices_that_are_none_are_refused() -> None:
    assert refusal(prices={"eu-west-1": "much", "here": 1}) == [
        ("prices", "prices: 'much' is not a valid price for eu-west-1."),
        ("prices", "prices: 'here' is not a valid region."),
    ]


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    missing = tmp_path / "no"
    assert refusal(report_dir=str(missing / "such" / "cleanup"), check_mode=True) == [
        ("report_dir", f"report_dir: there is no directory {missing}.")
    ]


def test_a_folder_that_is_lost_meanwhile_is_a_failure(tmp_path: Path) -> None:
    assert FLOW.report is not None
    report = FLOW.report.open(options(True, report_dir=str(tmp_path / "cleanup")), PAGE_FILES)
    (tmp_path / "cleanup").write_text("no directory")
    reported = report.write(RESULT)
    assert reported.actions == ()
    (failure,) = reported.failures
    assert failure.error_code == "file_error"
    assert failure.message.startswith(f"report_dir: {tmp_path / 'cleanup' / 'plan'}: Not a directory")
