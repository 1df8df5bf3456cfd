# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan is made from the audit in the variable that the task names."""

from __future__ import annotations

import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action import remediation_plan
from ansible_collections.golden.images.plugins.plugin_utils import _runs_here as runs_here
from ansible_collections.golden.images.plugins.plugin_utils._large_results import limit_result

from tests.unit.tasks import make_task

RESULT: dict[str, Any] = {"account_id": "111122223333", "results": [{"image_id": "ami-0123456789abcdef0"}]}


def run(variables: dict[str, Any], **options: Any) -> dict[str, Any]:
    """What the action returns for a task with these options, where these variables are set."""
    task = make_task(action="golden.images.remediation_plan", args=options)
    loader = SimpleNamespace(get_basedir=lambda: ".")
    action = remediation_plan.ActionModule(task, SimpleNamespace(), None, loader, None, None)
    result: dict[str, Any] = action.run(task_vars=variables)
    return result


def test_the_value_of_the_variable_is_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[dict[str, Any]] = []

    def run_here(_flow: object, arguments: dict[str, Any], *_more: object) -> dict[str, Any]:
        given.append(arguments)
        return {}

    monkeypatch.setattr(runs_here, "run_here", run_here)
    # Ansible keeps a registered result's warnings as objects of its own.
    registered = {**RESULT, "warnings": [object()], "deprecations": [object()]}
    run({"audited": registered}, audit_result="audited", max_removals="5")
    assert given[0]["audit_result"] == RESULT
    assert given[0]["max_removals"] == "5"


def test_a_large_audit_is_planned_from_as_a_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    given: list[dict[str, Any]] = []
    large = {"removals": ["x" * 100] * 5_000}

    def run_here(_flow: object, arguments: dict[str, Any], *_more: object) -> dict[str, Any]:
        given.append(arguments)
        return large

    monkeypatch.setattr(runs_here, "run_here", run_here)
    audit = {**RESULT, "results": RESULT["results"] * 10_000}
    short = limit_result(audit)
    assert short["results"] is None
    # The role loops over the plan, which stays complete.
    assert run({"audited": short}, audit_result="audited") == large
    assert given[0]["audit_result"] == audit


@pytest.mark.parametrize("options", [{}, {"audit_result": "audted"}, {"audit_result": RESULT}])
def test_what_names_no_variable_is_refused(options: dict[str, Any]) -> None:
    result = run({"audited": RESULT}, **options, finding_codes=["public"])
    assert result["failed"] is True
    assert "audit_result" in result["msg"]
