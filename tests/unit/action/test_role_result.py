# SPDX-License-Identifier: GPL-3.0-or-later

"""What ``role_result`` displays, returns and passes to the next job, without a process."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.golden.images.plugins.action import role_result as plugin
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.content import build_content
from ansible_collections.golden.images.plugins.module_utils._cleanup.report.prices import Prices
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result

from tests.unit.cleanup.report.examples import KEPT, cleaned
from tests.unit.distribution.examples import EU, US, copied, failure, reported, shared
from tests.unit.verification.examples import WEB, seen, verified

COPIED = copied(EU)
REPORT = reported(COPIED, {}, shared(EU))
CLEANED = build_content(cleaned(KEPT), Prices(), True)
GIVEN = {"role": "distribute", "result": REPORT, "context": {"copy_result": COPIED}}


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str | None]]:
    """Each displayed text with its color."""
    texts: list[tuple[str, str | None]] = []

    def display(text: str, color: str | None = None) -> None:
        texts.append((text, color))

    monkeypatch.setattr(plugin, "display", SimpleNamespace(display=display))
    monkeypatch.setattr(plugin.constants, "DEFAULT_STDOUT_CALLBACK", "default", raising=False)
    return texts


def run(check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
    task = SimpleNamespace(
        action="golden.images.role_result",
        args={**GIVEN, **arguments},
        async_val=0,
        check_mode=check_mode,
        diff=False,
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None))
    return dict(plugin.ActionModule(task, connection, None, None, None, None).run(task_vars={}))


def test_the_text_is_displayed_and_returned(displayed: list[tuple[str, str | None]]) -> None:
    result = run(report_path="report.json")
    assert "\n".join(text for text, _color in displayed) == f"\n{result['text']}"
    assert result["text"].endswith("Report: report.json")
    assert result["failure"] == ""
    assert result["changed"] is False


def test_problems_are_colored(displayed: list[tuple[str, str | None]]) -> None:
    run(result=reported(copied(US, EU, failures=[failure(EU)]), {}, shared(US)))
    colors = {text.split()[0]: color for text, color in displayed if text}
    assert colors["Partial:"] == plugin.constants.COLOR_ERROR
    assert colors["eu-west-1"] == plugin.constants.COLOR_ERROR
    assert colors["region"] is None


def test_what_a_failed_task_has_displayed_is_only_in_the_text(
    displayed: list[tuple[str, str | None]],
) -> None:
    report = reported(copied(US, EU, failures=[failure(EU)]), {}, shared(US))
    message = "No (Refused). Ask."
    for messages, shown in (([], True), ([f"eu-west-1: {message}\nRerun."], False)):
        displayed.clear()
        failed = [{"failed": True, "msg": text} for text in messages]
        result = run(result=report, context={**GIVEN["context"], "failed_tasks": failed})
        assert message in result["text"]
        assert any(message in text for text, _color in displayed) is shown


def test_the_artifacts_are_a_statistic_of_the_run(displayed: list[tuple[str, str | None]]) -> None:
    assert displayed == []
    stats = run()["ansible_stats"]
    assert (stats["per_host"], stats["aggregate"]) == (False, False)
    (name,) = stats["data"]
    assert name == "distribute_artifacts"
    assert stats["data"][name]["images"] == {EU: f"ami-{EU}"}
    assert stats["data"][name]["text"] == run()["text"]


def test_check_mode_is_said(displayed: list[tuple[str, str | None]]) -> None:
    assert run(check_mode=True)["text"].startswith("Check mode: ")
    assert len(displayed) > 1


def test_only_a_cleanup_has_a_report_in_check_mode(displayed: list[tuple[str, str | None]]) -> None:
    planned = run(check_mode=True, report_path="report.json")
    assert planned["text"].endswith("\nReport (not in check mode): report.json")
    assert planned["ansible_stats"]["data"]["distribute_artifacts"]["report_path"] is None
    shown = run(role="cleanup", result=CLEANED, context={}, check_mode=True, report_path="plan")["text"]
    assert shown.endswith("\nReport: plan")
    assert displayed != []


def test_output_in_json_is_not_broken(
    displayed: list[tuple[str, str | None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plugin.constants, "DEFAULT_STDOUT_CALLBACK", "ansible.posix.json", raising=False)
    assert run()["text"]
    assert displayed == []


@pytest.mark.parametrize("result", [{}, {"regions": 1, "status": None}])
def test_a_result_of_something_else_is_refused(
    displayed: list[tuple[str, str | None]], result: dict[str, Any]
) -> None:
    with pytest.raises(AnsibleActionFail, match="result: it is not a result of the role distribute"):
        run(result=result)
    assert displayed == []


def test_failures_are_not_displayed_if_the_role_fails_with_them(
    displayed: list[tuple[str, str | None]],
) -> None:
    problem = "eu-west-1: Create alarm failed. No."
    failed = {"region": EU, "task": "Create alarm", "message": "No."}
    report = {
        "regions": [EU],
        "log_group_regions": [],
        "failures": [failed],
        "pending_subscriptions": {},
        "state": "present",
        "unread_trails": {},
    }
    result = run(role="monitor", result=report)
    assert problem in result["failure"]
    assert problem in result["text"]
    assert not [text for text, _color in displayed if problem in text]


@pytest.mark.usefixtures("displayed")
def test_a_module_that_makes_its_report_returns_all_but_the_context_of_hosts() -> None:
    here, there = (
        verified("visible", [seen(WEB, region, "visible")], regions=[region], accounts=[WEB])
        for region in (EU, US)
    )
    returned = {
        "changes": None,
        "failures": [],
        "report": here,
        "report_dir": None,
        "report_failures": [],
        "report_path": "verification.json",
        "report_s3_uri": None,
        "report_url": None,
    }
    result = run(role="verify", result=None, module_result=returned, context={"host_reports": [here, there]})
    assert result["text"].endswith("Report: verification.json")
    assert {*result["ansible_stats"]["data"]["verify_artifacts"]["images"]} == {EU, US}


@pytest.mark.usefixtures("displayed")
def test_failures_of_a_large_result_of_a_loop_are_all_counted(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    denied = [{**failure(EU), "account_id": f"2{number:011d}"} for number in range(1_000)]
    lists = ("removals", "remaining", "kept_access", "other_access", "dependents", "unseen_accounts")
    failed = limit_result({"failed": True, "failures": denied, "msg": "No."}, 10)
    assert len(failed["failures"]) < len(denied)
    result = {**{name: [] for name in lists}, "unreadable": [], "failed": [failed]}
    assert "1,000 accounts" in run(role="unshare", result=result, context={})["failure"]


@pytest.mark.usefixtures("displayed")
def test_results_of_tasks_in_the_context_are_read_as_a_whole(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    actions = [{"action": "ModifyImageAttribute", "region": EU, "resource": f"ami-{n}"} for n in range(9_000)]
    share_result = limit_result({**shared(EU), "actions": actions})
    assert share_result["actions"] is None
    context = {**GIVEN["context"], "account_ids": ["222222222222"], "share_result": share_result}
    assert run(check_mode=True, context=context)["text"].splitlines()[2].endswith("planned")
