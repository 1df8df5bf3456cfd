# SPDX-License-Identifier: GPL-3.0-or-later

"""A role's variables as its second task reads them: from the role's declarations, without a process."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail, AnsibleValueOmittedError
from ansible.plugins.action import ActionBase
from ansible.template import Templar, trust_as_template
from ansible_collections.golden.images.plugins.action import role_variables as plugin
from ansible_collections.golden.images.plugins.plugin_utils import _result_display as result_display

from tests.unit.tasks import make_task

CHECKOUT = Path(__file__).resolve().parents[3]
OPTIONS = {
    "web_names": {"type": "raw"},
    "web_days": {"type": "raw"},
    "web_key": {"type": "str", "no_log": True},
    "web_report": {"type": "path"},
    "web_files": {"type": "list", "elements": "path"},
    "web_images": {"type": "raw"},
}
TABLE = {
    "variables": {
        "web_names": {"type": "list", "elements": "str", "required": True},
        "web_days": {"type": "int"},
        "web_images": {"type": "images"},
    }
}


def test_the_import_of_the_action_has_loaded_the_filters_and_tests_of_templates() -> None:
    loaded = {*sys.modules}
    assert Templar().template(trust_as_template("{{ [1] | first is even }}")) is False
    assert {*sys.modules} == loaded


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Runs the action as a task of the role ``web`` with these variables."""
    monkeypatch.setattr(ActionBase, "run", lambda *_arguments: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", lambda _action, _spec: None)
    folder = tmp_path / "web"
    (folder / "meta").mkdir(parents=True)
    spec = {"argument_specs": {"main": {"options": OPTIONS}}}
    for name, content in (("argument_specs.yml", spec), ("variables.yml", TABLE)):
        (folder / "meta" / name).write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")

    def run(in_role: bool = True, check_mode: bool = False, **variables: Any) -> dict[str, Any]:
        action = plugin.ActionModule.__new__(plugin.ActionModule)
        role = SimpleNamespace(_role_path=str(folder))
        action._task = make_task(_role=role if in_role else None, check_mode=check_mode)
        action._templar = SimpleNamespace(template=_template)
        return action.run(None, variables)

    return run


def _template(value: Any) -> Any:
    if value == "{{ omit }}":
        raise AnsibleValueOmittedError
    return value


def test_a_variable_that_is_omitted_is_not_set(run: Any) -> None:
    assert run(web_names="a", web_days="{{ omit }}")["options"]["days"] is None


def test_a_relative_path_starts_in_the_current_directory(
    run: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/web")
    monkeypatch.setenv("REPORTS", "/srv")
    options = run(web_names="a", web_report="./audit", web_files="~/a, $REPORTS/b, c/../d")["options"]
    assert options["report"] == str(tmp_path / "audit")
    assert options["files"] == ["/home/web/a", "/srv/b", str(tmp_path / "d")]
    assert run(web_names="a", web_report="")["options"]["report"] is None


def test_the_values_are_named_without_the_role(run: Any) -> None:
    assert run(web_names="a, b", web_days="5", other=1) == {
        "check_mode": False,
        "options": {"names": ["a", "b"], "days": 5, "key": None, "report": None, "files": [], "images": None},
        "_ansible_no_log": False,
    }


def test_the_check_mode_is_that_of_the_task(run: Any) -> None:
    assert run(web_names="a", check_mode=True, ansible_check_mode=False)["check_mode"] is True
    assert run(web_names="a", check_mode=False, ansible_check_mode=True)["check_mode"] is False


def test_a_misspelled_variable_is_refused(run: Any) -> None:
    result = run(web_names="a", web_day=5)
    assert result["failed"]
    assert result["msg"].startswith("web_day: the role has no such variable. Correct it to web_days")
    assert "failed" not in run(web_names="a", web_day="")
    assert run(web_names="a", web_day=5, web_days=6)["failed"]
    assert "failed" not in run(web_names="a", web_summary={}, web_artifacts={}, other_day=5)


def test_a_result_with_a_secret_is_not_shown(run: Any) -> None:
    result = run(web_names="a", web_key=" x ")
    assert result["options"]["key"] == "x"
    assert result["_ansible_no_log"] is True


def test_all_problems_are_one_failure(run: Any) -> None:
    result = run(web_days="few", web_key=1.5)
    assert result["failed"]
    first, *problems, last = result["msg"].splitlines()
    assert first == "3 problems:"
    assert problems[0].startswith("- web_names: it is required and not set. Separate the items")
    assert problems[1] == "- web_days: must be a whole number (got 'few')."
    assert problems[2].startswith("- web_key: YAML reads the value as a number, perhaps not as it was")
    assert last == "This task changed nothing."
    # Ansible displays the result beside the message: a list of the failures would repeat it.
    assert result.keys() == {"failed", "msg"}


def test_what_is_required_is_asked_for_at_once(run: Any, tmp_path: Path) -> None:
    required = [{"variables": ["web_days", "web_report"], "problem": "nothing is chosen."}]
    (tmp_path / "web" / "meta" / "variables.yml").write_text(
        yaml.safe_dump({**TABLE, "required_one_of": required}), encoding="utf-8"
    )
    lines = run()["msg"].splitlines()
    assert [line.partition(".")[0] for line in lines[1:3]] == [
        "- web_names: it is required and not set",
        "- web_days: nothing is chosen",
    ]
    assert "msg" not in run(web_names="a", web_days=5)


def test_of_a_long_failure_only_the_message_is_displayed(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_display, "_LONGEST", 100)
    assert run(web_days="few")["_ansible_no_log"] is True


def test_it_is_for_roles(run: Any) -> None:
    with pytest.raises(AnsibleActionFail, match="role"):
        run(in_role=False)


def test_each_role_reads_its_variables_after_the_reset_of_its_facts() -> None:
    roles = sorted(path for path in (CHECKOUT / "roles").iterdir())
    assert roles
    for role in roles:
        assert plugin.load_variables(str(role)).variables
        tasks = yaml.safe_load((role / "tasks" / "main.yml").read_text(encoding="utf-8"))
        # Only a playbook of this role runs it once for several hosts.
        options = {"hosts": "{{ verify__hosts }}"} if role.name == "verify" else None
        read = {"name": "Read the variables", "golden.images.role_variables": options}
        assert tasks[1] == {**read, "register": f"{role.name}__variables"}


def test_images_of_an_earlier_job_are_taken_as_they_are_passed_on(run: Any) -> None:
    passed = {"status": "partial", "images": {"eu-west-1": "ami-1"}, "failed_regions": ["us-east-1"]}
    result = run(web_names="a", web_images=passed)
    assert result["options"]["images"] == {"eu-west-1": "ami-1"}
    (warning,) = result["warnings"]
    assert "us-east-1" in warning
    assert "warnings" not in run(web_names="a", web_images=passed["images"])
    refused = run(web_names="a", web_images={**passed, "status": "failed"})
    assert refused["failed"]
    assert "web_images: this is the result of a job that has failed" in refused["msg"]
