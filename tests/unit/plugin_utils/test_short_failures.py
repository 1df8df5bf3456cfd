# SPDX-License-Identifier: GPL-3.0-or-later

"""A failure is displayed once, and which results are not displayed as a whole."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display
from ansible_collections.golden.images.plugins.plugin_utils._result_display import ShortFailures, shorten

from tests.unit.tasks import make_block, make_task

MANY = [{"region": f"region-{number}", "message": "An internal error."} for number in range(200)]
LONG = {"failed": True, "msg": "200 problems", "failures": MANY, "results": MANY}
SHORT = {"failed": True, "msg": "The option is bad.", "failures": MANY[:1]}
DISPLAYED_ABOVE = "See above, or -vvv."


@pytest.fixture(autouse=True)
def _default_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_STDOUT_CALLBACK", "ansible.builtin.default")
    monkeypatch.setattr(constants, "CALLBACKS_ENABLED", [])


def make_last_task(**changes: Any) -> SimpleNamespace:
    """Return a task after whose failure nothing runs."""
    return make_task(**{"_parent": make_block(), **changes})


OWN_ROLE = SimpleNamespace(_role_collection="golden.images")
OTHER_TASK = SimpleNamespace(_uuid="other")
GUARDED = make_task()


@pytest.mark.parametrize("result", [SHORT, LONG])
@pytest.mark.parametrize(
    "task",
    [
        make_last_task(),
        # The roles' conditions read only whether there is a report.
        make_last_task(failed_when=["x.report is not defined"], _role=OWN_ROLE),
        # What fails at the end of a block ends the play.
        make_last_task(_parent=make_block(always=[SimpleNamespace(_uuid="task")])),
    ],
)
def test_a_failure_that_nothing_reads_is_displayed_once(
    result: dict[str, Any], task: SimpleNamespace
) -> None:
    short = shorten(result, task)
    assert short.pop("exception").event.msg == result["msg"]
    assert short == {"changed": False, "failed": True, "msg": DISPLAYED_ABOVE}


@pytest.mark.parametrize(
    "task",
    [
        make_last_task(ignore_errors=True),
        make_last_task(loop=[1]),
        make_last_task(until=["x is succeeded"]),
        make_last_task(failed_when=["x.failures"]),
        make_last_task(failed_when=["x.failures"], _role=SimpleNamespace(_role_collection="acme.images")),
        make_last_task(_parent=make_block(always=[OTHER_TASK])),
        GUARDED,
        make_last_task(_parent=SimpleNamespace(_uuid="include", _parent=GUARDED._parent)),
    ],
)
def test_a_failure_that_can_be_read_later_is_kept(task: SimpleNamespace) -> None:
    assert shorten(SHORT, task) == SHORT
    long = shorten(LONG, task)
    assert long["_ansible_no_log"] is True
    assert {key: list(long[key]) for key in ("failures", "results")} == {"failures": MANY, "results": MANY}


@pytest.mark.parametrize(
    "result",
    [
        {**LONG, "failed": False},
        {"failures": MANY},
        # Ansible displays what the module was given only with -vvv.
        {**SHORT, "invocation": {"module_args": MANY}},
    ],
)
def test_only_long_failures_are_hidden(result: dict[str, Any]) -> None:
    assert shorten(result, GUARDED) == result


def test_a_crash_keeps_its_traceback() -> None:
    crash = {"failed": True, "msg": "KeyError: 'x'", "exception": "Traceback (most recent call last): …"}
    assert shorten(crash, make_last_task()) == crash


def test_a_failure_is_displayed_twice_by_a_version_whose_errors_are_unknown(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(result_display, "ErrorSummary", None)
    assert shorten(SHORT, make_last_task()) == SHORT


def test_other_callbacks_have_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "CALLBACKS_ENABLED", ["ansible.builtin.junit"])
    assert shorten(SHORT, make_last_task()) == SHORT


@pytest.mark.parametrize(("verbosity", "is_short"), [(2, True), (3, False)])
def test_verbose_runs_display_everything(
    monkeypatch: pytest.MonkeyPatch, verbosity: int, is_short: bool
) -> None:
    monkeypatch.setattr(result_display.display, "verbosity", verbosity)
    assert (shorten(LONG, make_last_task()) != LONG) is is_short
    assert (shorten(LONG, GUARDED) != LONG) is is_short


def test_events_have_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner/artifacts/1")
    assert shorten(LONG, make_last_task()) == LONG


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
    assert _run(monkeypatch, result, make_last_task(failed_when=[False])).get("msg") == message


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
    _run(monkeypatch, result, make_last_task(failed_when=condition, no_log=no_log))
    assert (result["msg"] in displayed) is is_displayed


def test_a_success_with_a_condition_displays_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    displayed: list[str] = []
    monkeypatch.setattr(result_display.display, "display", displayed.append)
    assert shorten({"msg": "Done."}, make_last_task(failed_when=["result is failed"])) == {"msg": "Done."}
    assert displayed == []


def test_the_action_runs_the_module(monkeypatch: pytest.MonkeyPatch) -> None:
    assert _run(monkeypatch, LONG, make_last_task())["msg"] == DISPLAYED_ABOVE
    assert _run(monkeypatch, LONG, make_last_task(failed_when=[False])) == LONG


def _run(monkeypatch: pytest.MonkeyPatch, result: dict[str, Any], task: SimpleNamespace) -> dict[str, Any]:
    monkeypatch.setattr(NormalAction, "run", lambda *_given: dict(result))
    action = object.__new__(ShortFailures)
    action._task = task
    found: dict[str, Any] = action.run(None, {})
    return found
