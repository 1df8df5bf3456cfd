# SPDX-License-Identifier: GPL-3.0-or-later

"""Which results are not displayed as a whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display
from ansible_collections.golden.images.plugins.plugin_utils._result_display import ShortFailures, shorten

MANY = [{"region": f"region-{number}", "message": "An internal error."} for number in range(200)]
LONG = {"failed": True, "msg": "200 problems", "failures": MANY, "results": MANY}


@pytest.mark.parametrize(
    ("result", "is_short"),
    [
        (LONG, True),
        ({**LONG, "failed": False}, False),
        ({"failures": MANY}, False),
        ({"failed": True, "msg": "The option is bad.", "failures": MANY[:1]}, False),
        # Ansible displays what the module was given only with -vvv.
        ({"failed": True, "msg": "The option is bad.", "invocation": {"module_args": MANY}}, False),
    ],
)
def test_only_long_failures_are_shortened(result: dict[str, Any], is_short: bool) -> None:
    found = shorten(result)
    assert found.get("_ansible_no_log", False) is is_short
    assert {key: list(value) for key, value in found.items() if key in ("failures", "results")} == {
        key: value for key, value in result.items() if key in ("failures", "results")
    }


@pytest.mark.parametrize(("verbosity", "is_short"), [(2, True), (3, False)])
def test_verbose_runs_display_everything(
    monkeypatch: pytest.MonkeyPatch, verbosity: int, is_short: bool
) -> None:
    monkeypatch.setattr(result_display.display, "verbosity", verbosity)
    assert ("_ansible_no_log" in shorten(LONG)) is is_short


def test_events_have_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner/artifacts/1")
    assert shorten(LONG) == LONG


CRASHED = {"failed": True, "changed": False, "exception": SimpleNamespace(event=SimpleNamespace(msg="Boom"))}


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (CRASHED, "Boom"),
        ({"failed": True}, "The module ended with an exception: see -vvv."),
        ({"failed": True, "msg": "The option is bad."}, "The option is bad."),
        ({"changed": True}, None),
    ],
)
def test_every_failure_has_a_message(
    monkeypatch: pytest.MonkeyPatch, result: dict[str, Any], message: str | None
) -> None:
    monkeypatch.setattr(NormalAction, "run", lambda *_given: dict(result))
    action = object.__new__(ShortFailures)
    action._task = SimpleNamespace(failed_when=[False], loop=None, no_log=False)
    assert action.run(None, {}).get("msg") == message


SHORT = {"failed": True, "msg": "The option is bad."}


@pytest.mark.parametrize("result", [SHORT, LONG])
@pytest.mark.parametrize(
    ("condition", "hides", "no_log", "is_displayed"),
    [
        ([], True, False, False),
        (["result is failed"], True, False, True),
        (["result is failed"], False, False, False),
        (["result is failed"], True, True, False),
    ],
)
def test_the_message_is_displayed_where_ansible_displays_the_condition(
    monkeypatch: pytest.MonkeyPatch,
    result: dict[str, Any],
    condition: list[str],
    hides: bool,
    no_log: bool,
    is_displayed: bool,
) -> None:
    displayed: list[str] = []
    monkeypatch.setattr(result_display, "_HIDES_MESSAGES", hides)
    monkeypatch.setattr(result_display.display, "display", displayed.append)
    monkeypatch.setattr(NormalAction, "run", lambda *_given: dict(result))
    action = object.__new__(ShortFailures)
    action._task = SimpleNamespace(failed_when=condition, loop=None, no_log=no_log)
    action.run(None, {})
    assert (result["msg"] in displayed) is is_displayed


def test_a_success_with_a_condition_displays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[str] = []
    monkeypatch.setattr(result_display.display, "display", displayed.append)
    assert shorten({"msg": "Done."}, has_condition=True) == {"msg": "Done."}
    assert displayed == []


def test_the_action_runs_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NormalAction, "run", lambda *_given: dict(LONG))
    action = object.__new__(ShortFailures)
    action._task = SimpleNamespace(failed_when=[], loop=None, no_log=False)
    assert action.run(None, {})["_ansible_no_log"] is True
    action._task = SimpleNamespace(failed_when=[False], loop=None, no_log=False)
    assert action.run(None, {}) == LONG
