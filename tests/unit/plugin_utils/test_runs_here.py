# SPDX-License-Identifier: GPL-3.0-or-later

"""When a module runs on the controller without a process, and that its result is the same."""

from __future__ import annotations

import dataclasses
import gc
import importlib
import sys
import tempfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible.errors import AnsibleValueOmittedError
from ansible.plugins.action.normal import ActionModule as NormalAction
from ansible_collections.golden.images.plugins.module_utils import _runner as runner
from ansible_collections.golden.images.plugins.module_utils._distribution import step_results
from ansible_collections.golden.images.plugins.module_utils._option import Kind
from ansible_collections.golden.images.plugins.module_utils._option_groups import CONSUMER_COPY_RESULT
from ansible_collections.golden.images.plugins.module_utils._step_results import (
    COPY_RESULT,
    GRANT_RESULT,
    GRANT_RESULTS,
    SHARE_RESULT,
    VERIFY_RESULT,
)
from ansible_collections.golden.images.plugins.plugin_utils import _large_results as large_results
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display
from ansible_collections.golden.images.plugins.plugin_utils import _runs_here as runs_here
from ansible_collections.golden.images.plugins.plugin_utils._runs_here import RunsHere

from tests.unit.distribution.examples import EU, copied, shared
from tests.unit.reports.examples import PAGE_FILES
from tests.unit.tasks import make_task

PLUGINS = Path(__file__).parents[3] / "plugins"
MODULES = sorted(
    path.stem
    for path in (PLUGINS / "modules").glob("*.py")
    if "module_utils._runner import run" in path.read_text(encoding="utf-8")
)
IMPORTED = "ansible_collections.golden.images.plugins"
COPIED = copied(EU)
GIVEN = {"copy_results": [COPIED], "share_result": shared(EU), "report_path": "report.json"}


def action_of(module: str) -> type[RunsHere]:
    """The action that Ansible runs for a module: that of its name."""
    found: type[RunsHere] = importlib.import_module(f"{IMPORTED}.action.{module}").ActionModule
    return found


def action(name: str = "distribution_report", folder: Path = Path(), **differences: Any) -> RunsHere:
    """The action of a module, for a task that can run on the controller but for these ``differences``."""
    given = {"args": GIVEN, "async_val": 0, "become": False, "environment": [{}], "transport": "local"}
    given = {**given, **differences}
    task = make_task(
        action=f"golden.images.{name}",
        args=given["args"],
        async_val=given["async_val"],
        delegate_to=given.get("delegate_to"),
        environment=given["environment"],
        no_log=given.get("no_log", False),
        timeout=given.get("timeout", 0),
    )
    connection = SimpleNamespace(transport=given["transport"], become=given["become"])
    loader = SimpleNamespace(get_basedir=lambda: str(folder))
    made: RunsHere = action_of(name)(task, connection, None, loader, None, None)
    return made


def test_the_report_is_written_in_the_folder_of_the_play(tmp_path: Path) -> None:
    before = Path.cwd()
    result = action(folder=tmp_path).run(task_vars={})
    assert result["changed"] is True
    assert result["report"]["regions"][0]["region"] == EU
    assert (tmp_path / "report.json").is_file()
    assert Path.cwd() == before


def test_a_result_is_as_json_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = {"images": ("a", "b"), "days": date(2026, 1, 2), "raw": b"text"}
    monkeypatch.setattr(runs_here, "run_here", lambda *_given: found)
    assert action().run(task_vars={}) == {"images": ["a", "b"], "days": "2026-01-02", "raw": "text"}


class Tagged(str):
    """A text as Ansible's templates return it."""


def passed(monkeypatch: pytest.MonkeyPatch, value: dict[str, Any]) -> list[Any]:
    """A value as the module gets it as an option, and as the task gets it from the module's result."""
    received: list[Any] = []

    def run_here(_flow: object, arguments: dict[str, Any], *_more: object) -> dict[str, Any]:
        received.append(arguments["share_result"])
        return {"report": value}

    monkeypatch.setattr(runs_here, "run_here", run_here)
    result = action(args={Tagged("share_result"): value}).run(task_vars={})
    return [*received, result["report"]]


def test_values_of_plain_types_are_not_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    value = {"rows": [{"a": "text", "b": [1, 2.5, True, None]}, []], "more": {}}
    assert [one["rows"] is value["rows"] for one in passed(monkeypatch, value)] == [True, True]


@pytest.mark.parametrize(
    "rows",
    [
        [{"a": [Tagged("text")]}],
        [{"a": {Tagged("text"): 1}}],
        [{"a": ("text",)}],
        [{"a": [{"b": Tagged("")}]}],
    ],
    ids=["text", "key", "tuple", "in depth"],
)
def test_all_other_values_become_plain_ones(monkeypatch: pytest.MonkeyPatch, rows: list[Any]) -> None:
    def types(value: Any) -> set[type]:
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        inner = [types(part) for part in parts] if isinstance(value, (dict, list, tuple)) else []
        return {type(value)}.union(*inner)

    assert not types(rows) <= {dict, list, str, int}
    for one in passed(monkeypatch, {"rows": rows}):
        assert one["rows"] is not rows
        assert types(one["rows"]) <= {dict, list, str, int}


def test_only_what_is_there_before_the_first_run_is_left_out_of_garbage_collections(tmp_path: Path) -> None:
    gc.unfreeze()
    runs_here._collect_rarely.cache_clear()
    counts = []
    for _item in range(3):
        action(folder=tmp_path).run(task_vars={})
        counts.append(gc.get_freeze_count())
    assert counts[0] > 0
    assert len(set(counts)) == 1


def import_action(monkeypatch: pytest.MonkeyPatch, name: str, preload: Callable[[], None]) -> Any:
    """Import an action again, as Ansible does before it forks."""
    module = importlib.import_module(f"{IMPORTED}.action.{name}")
    monkeypatch.setattr(runs_here, "preload", preload)
    return importlib.reload(module)


@pytest.mark.parametrize(("name", "libraries"), [("ami_share", ["boto3"]), ("distribution_report", [])])
def test_libraries_are_loaded_before_a_task_that_needs_them_is_forked(
    monkeypatch: pytest.MonkeyPatch, name: str, libraries: list[str]
) -> None:
    loaded: list[str] = []
    import_action(monkeypatch, name, lambda: loaded.append("boto3"))
    assert loaded == libraries


def test_what_is_loaded_before_a_fork_is_left_out_of_garbage_collections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gc.unfreeze()
    import_action(monkeypatch, "ami_share", lambda: None)
    assert gc.get_freeze_count() > 0


def test_an_action_is_imported_without_the_collection_amazon_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ModuleNotFoundError("ansible_collections.amazon")

    assert issubclass(import_action(monkeypatch, "ami_share", missing).ActionModule, RunsHere)


def test_a_failure_is_shortened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_display, "_LONGEST", 10)
    result = action(args={**GIVEN, "report_path": "/no/such/folder/report.json"}).run(task_vars={})
    assert "there is no directory /no/such/folder" in result["msg"]
    assert result["_ansible_no_log"] is True


def test_a_large_result_is_limited_and_read_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(large_results, "LARGEST", 100)
    monkeypatch.setattr(large_results, "_SMALLEST", 10)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    copy_result = large_results.limit_result(COPIED)
    assert copy_result["results"] is None
    result = action(args={"copy_results": [copy_result], "share_result": shared(EU)}).run(task_vars={})
    assert result["report"]["regions"] is None
    assert large_results.read_whole(result)["report"]["regions"][0]["region"] == EU
    Path(copy_result["result_path"]).unlink()
    result = action(args={"copy_results": [copy_result]}).run(task_vars={})
    assert result["failed"] is True
    assert result["msg"].startswith("copy_results: the result is large, but ")
    assert [failure["action"] for failure in result["failures"]] == ["copy_results"]


def test_a_task_with_no_log_leaves_its_large_result_in_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(large_results, "LARGEST", 100)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    result = action(args={**GIVEN, "report_path": ""}, no_log=True).run(task_vars={})
    assert result["report"]["regions"][0]["region"] == EU
    assert "result_path" not in result
    assert not list(tmp_path.iterdir())


def test_a_survey_names_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The images are refused as they are: no file is read for them."""
    monkeypatch.setattr(large_results, "LARGEST", 100)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    named = large_results.limit_result({"secrets": ["of another job"] * 1_000})
    assert named["secrets"] is None
    made = action("ami_share", args={"images": named, "account_ids": ["111122223333"]})
    made._templar = SimpleNamespace(template=lambda text: text)
    result = made.run(task_vars={"ansible_python_interpreter": sys.executable})
    assert result["failed"] is True
    assert "images" in result["msg"]
    assert "another job" not in str(result)


def test_options_that_take_registered_results_are_named_so() -> None:
    """The action reads the rest of a large result for options with such a name only."""
    options = [importlib.import_module(f"{IMPORTED}.modules.{name}").FLOW.options for name in MODULES]
    of_steps = [kind for kind in vars(step_results).values() if isinstance(kind, Kind)]
    of_earlier = (COPY_RESULT, CONSUMER_COPY_RESULT, GRANT_RESULT, GRANT_RESULTS, SHARE_RESULT, VERIFY_RESULT)
    read = {kind.value for kind in (*of_steps, *of_earlier)}
    fields = [field for declared in options for field in dataclasses.fields(declared)]
    assert {field.name for field in fields if field.metadata.get("value") in read} == {
        *("check_results", "consumer_copy_result", "copy_result", "copy_results", "grant_result"),
        *("grant_results", "publish_result", "share_result", "unshare_result", "verify_result"),
    }


@pytest.mark.parametrize("transport", ["local", "ssh"])
def test_a_key_that_json_would_change_is_refused(transport: str) -> None:
    names = {"account_names": {1.1: "web", None: "data"}}
    result = action(args={**GIVEN, **names}, transport=transport).run(task_vars={})
    assert result["failed"] is True
    assert result["changed"] is False
    assert "account_names: a key: YAML reads this as a number, 1.1" in result["msg"]
    assert [failure["action"] for failure in result["failures"]] == ["account_names"] * 2


def test_a_date_that_is_a_key_is_read_as_text() -> None:
    result = action(args={**GIVEN, "account_names": {date(2026, 1, 2): "web"}}).run(task_vars={})
    assert "account_names: '2026-01-02' is not a valid account ID" in result["msg"]


DIFFERENCES: list[dict[str, Any]] = [
    {"transport": "ssh"},
    {"become": True},
    {"async_val": 60},
    {"timeout": 4},
    {"environment": [{"HOME": "/elsewhere"}]},
]


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_another_host_user_or_environment_needs_a_process(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, difference: dict[str, Any]
) -> None:
    monkeypatch.setattr(NormalAction, "run", lambda task, *_given: {"arguments": task._task.args})
    result = action(folder=tmp_path, **difference).run(task_vars={})
    assert not list(tmp_path.iterdir())
    # Of the collection's files, Ansible sends there only those in Python.
    assert result["arguments"] == {**GIVEN, runner.ATTACHED: PAGE_FILES}


@pytest.mark.parametrize("difference", DIFFERENCES)
def test_an_action_without_a_module_needs_none(difference: dict[str, Any]) -> None:
    names = dict.fromkeys(("metric_namespace", "alarm_name", "rule_name", "topic_name"), "golden")
    result = action("monitoring_check", args={**names, "regions": [EU]}, **difference).run(task_vars={})
    assert result == {"actions": [], "changed": False, "failures": []}


@pytest.mark.parametrize(
    ("differences", "variables", "by"),
    [
        pytest.param({}, {"ansible_python_interpreter": sys.executable}, "here", id="this Python"),
        pytest.param({}, {}, "a process", id="a Python that Ansible discovers"),
        pytest.param(
            {}, {"ansible_python_interpreter": "/usr/bin/python3"}, "a process", id="another Python"
        ),
        pytest.param(
            {"delegate_to": "localhost"},
            {"ansible_delegated_vars": {"localhost": {"ansible_python_interpreter": sys.executable}}},
            "here",
            id="this Python of another host",
        ),
        pytest.param(
            {"delegate_to": "localhost"},
            {"ansible_python_interpreter": sys.executable, "ansible_delegated_vars": {"localhost": {}}},
            "a process",
            id="another Python of another host",
        ),
        pytest.param(
            {"become": True}, {"ansible_python_interpreter": sys.executable}, "a process", id="another user"
        ),
    ],
)
def test_a_module_that_calls_aws_needs_the_boto3_of_its_own_python(
    monkeypatch: pytest.MonkeyPatch, differences: dict[str, Any], variables: dict[str, Any], by: str
) -> None:
    monkeypatch.setattr(NormalAction, "run", lambda *_given: {"by": "a process"})
    monkeypatch.setattr(runs_here, "run_here", lambda *_given, **_rules: {"by": "here"})
    made = action("ami_share", args={}, **differences)
    made._templar = SimpleNamespace(template=lambda text: text)
    assert made.run(task_vars=variables)["by"] == by


def test_an_interpreter_that_is_omitted_is_one_that_ansible_discovers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def template(_text: str) -> str:
        raise AnsibleValueOmittedError

    monkeypatch.setattr(NormalAction, "run", lambda *_given: {"by": "a process"})
    made = action("ami_share", args={})
    made._templar = SimpleNamespace(template=template)
    assert made.run(task_vars={"ansible_python_interpreter": "{{ omit }}"}) == {"by": "a process"}


@pytest.mark.parametrize("how", ["option", "environment", "macOS"])
def test_what_this_process_must_not_do_needs_a_process(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests are not logged here with their secrets, and a Mac's forked process asks for no proxies."""
    monkeypatch.setattr(NormalAction, "run", lambda *_given: {"by": "a process"})
    monkeypatch.setattr(runs_here, "run_here", lambda *_given, **_rules: {"by": "here"})
    made = action("ami_share", args={"debug_botocore_endpoint_logs": how == "option"})
    made._templar = SimpleNamespace(template=lambda text: text)
    if how == "environment":
        monkeypatch.setenv("ANSIBLE_DEBUG_BOTOCORE_LOGS", "true")
    if how == "macOS":
        monkeypatch.setattr(runs_here.sys, "platform", "darwin")
    assert made.run(task_vars={"ansible_python_interpreter": sys.executable}) == {"by": "a process"}


def test_an_exception_is_a_failed_result_and_what_is_printed_is_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def crash(*_given: Any, **_rules: Any) -> dict[str, Any]:
        print("InsecureRequestWarning", file=sys.stderr)
        raise KeyError("Images")

    monkeypatch.setattr(runs_here, "run_here", crash)
    result = action().run(task_vars={})
    assert (result["failed"], result["changed"], result["msg"]) == (True, False, "KeyError: 'Images'")
    assert "in crash" in result["exception"]
    assert capsys.readouterr() == ("", "")


def test_without_boto3_a_module_that_calls_aws_needs_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(NormalAction, "run", lambda *_given: {"by": "a process"})
    monkeypatch.setattr(runs_here, "find_spec", lambda _name: None)
    made = action("ami_share", args={})
    made._templar = SimpleNamespace(template=lambda text: text)
    assert made.run(task_vars={"ansible_python_interpreter": sys.executable}) == {"by": "a process"}


@pytest.mark.parametrize("name", MODULES)
def test_every_module_runs_here(name: str) -> None:
    assert issubclass(action_of(name), RunsHere)
    assert action_of(name)._flow is importlib.import_module(f"{IMPORTED}.modules.{name}").FLOW
