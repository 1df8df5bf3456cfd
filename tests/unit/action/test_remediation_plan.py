# SPDX-License-Identifier: GPL-3.0-or-later

"""The module gets the result of an audit from the variable that the task names."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.golden.images.plugins.action import remediation_plan
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsHere

RESULT = {"account_id": "111122223333", "results": [{"image_id": "ami-0123456789abcdef0"}]}


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs an action with these options and variables; returns what its module gets."""
    monkeypatch.setattr(RunsHere, "run", lambda self, _tmp, _variables: {"given": self._task.args})

    def run(variables: dict[str, Any] | None, **options: Any) -> dict[str, Any]:
        action = remediation_plan.ActionModule.__new__(remediation_plan.ActionModule)
        action._task = SimpleNamespace(args=options, diff=False, failed_when=[], loop=None, no_log=False)
        action._templar = SimpleNamespace(template=lambda value: ("evaluated", value))
        result: dict[str, Any] = action.run(None, variables)
        assert action._task.args == options
        return result

    return run


def test_the_value_of_the_variable_is_passed_as_it_is(run: Any) -> None:
    given = run({"audited": RESULT}, audit_result_var="audited", max_removals="5")["given"]
    assert given == {"audit_result": RESULT, "max_removals": "5"}
    assert given["audit_result"] is RESULT


@pytest.mark.parametrize(
    "value", ["{{ other }}", {"msg": "{% if x %}"}, {"msg": "{# note #}"}, "#jinja2: x", date(2026, 1, 2)]
)
def test_what_may_be_a_template_is_evaluated_by_ansible(run: Any, value: Any) -> None:
    given = run({"audited": value}, audit_result_var="audited")["given"]
    assert given == {"audit_result": ("evaluated", value)}


@pytest.mark.parametrize(
    "options",
    [
        {"audit_result": RESULT},
        {"audit_result": RESULT, "audit_result_var": "audited"},
        {"audit_result": RESULT, "audit_result_var": None},
        {},
    ],
)
def test_options_without_a_variable_alone_are_the_module_s(run: Any, options: dict[str, Any]) -> None:
    assert run({"audited": RESULT}, **options)["given"] == options


def test_an_option_that_is_null_is_not_given(run: Any) -> None:
    given = run({"audited": RESULT}, audit_result=None, audit_result_var="audited")["given"]
    assert given == {"audit_result": RESULT}


@pytest.mark.parametrize(
    ("name", "variables", "problem"),
    [
        ("audted", {"audited": RESULT}, "there is no variable 'audted'."),
        ("audited", None, "there is no variable 'audited'."),
        (RESULT, {}, "it must be the name of a variable, without braces."),
        (5, {}, "it must be the name of a variable, without braces."),
        ("audited", {"audited": None}, "the variable audited is empty."),
        ("audited", {"audited": ""}, "the variable audited is empty."),
    ],
)
def test_what_does_not_name_a_variable_with_a_value_is_refused(
    run: Any, name: Any, variables: Any, problem: str
) -> None:
    result = run(variables, audit_result_var=name)
    assert (result["failed"], result["changed"]) == (True, False)
    (failure,) = result["failures"]
    assert failure["action"] == "audit_result_var"
    assert failure["message"] == f"audit_result_var: {problem}"
    assert failure["remedy"] == "Name the variable that a task with ami_share_audit registered."
