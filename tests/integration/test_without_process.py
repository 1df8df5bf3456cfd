# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules run without a process where the result is the same, and then the result is the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .fixture import HOME, Fixture
from .playbook import MODULES, Ansible, Run

COPIED = {
    "changed": True,
    "failures": [],
    "images": {"eu-west-1": "ami-0123456789abcdef0"},
    "results": [
        {"account_id": "111111111111", "image_id": "ami-0123456789abcdef0", "region": "eu-west-1"},
    ],
}
TASKS: dict[str, dict[str, Any]] = {
    "distribution_check": {"share": {"account_ids": ["1234"]}, "report": {"report_dir": "3"}},
    "distribution_report": {"copy_results": [COPIED], "report_path": "4.json"},
}
# This module's process cannot start.
WARNING = "matches no image in these regions"
NO_PYTHON = {"ansible_python_interpreter": "/nonexistent/python"}


def test_no_process_is_started_and_the_result_is_that_of_a_process(ansible: Ansible) -> None:
    """Of a success and of failures of each kind; files are in the directory of the play, as always."""

    def results(**keywords: Any) -> dict[str, dict[str, Any]]:
        tasks = [
            {"name": name, f"golden.images.{name}": {**options}, "ignore_errors": True, **keywords}
            for name, options in TASKS.items()
        ]
        run = ansible.tasks(tasks)
        assert run.code == 0, run.text
        return {task.name: _comparable(task.result) for task in run.tasks}

    here = results(vars=NO_PYTHON)
    written = {path.name for path in ansible.folder.glob("[0-9]*")}
    assert written == {"4.failed.json"}
    # The files of the first run would not be written again.
    for path in ansible.folder.glob("[0-9]*"):
        path.rename(ansible.folder / f"first-{path.name}")
    assert here == results(environment={"GOLDEN_IMAGES_TEST": "1"})
    assert {name for name, result in here.items() if result.get("failed")} == {
        "distribution_check",
    }


@pytest.mark.per_python
@pytest.mark.quick
def test_modules_that_call_aws_return_the_same_with_and_without_a_process(
    fixture: Fixture, ansible: Ansible
) -> None:
    """A plan, a reading, a warning, a refusal, and options of a wrong combination or type."""
    share = {"image_id": fixture.image_id, "account_ids": fixture.account_ids("web-prod")}
    cleanup = {"regions": [HOME], "family_name_pattern": "(none)-.*", "deprecate_after_days": 1}
    options: dict[str, dict[str, Any]] = {
        "plan": {"ami_share": share},
        "audit": {"ami_share_audit": {"regions": [HOME], "report_dir": "audit", "return_report": True}},
        "warning": {"ami_cleanup": cleanup},
        "refusal": {"ami_share": {**share, "account_ids": ["1234"]}},
        "rule": {"ami_share": {**share, "images": {HOME: fixture.image_id}}},
        "type": {"ami_share": {**share, "allow_public": "perhaps"}},
    }

    def results(**keywords: Any) -> tuple[dict[str, dict[str, Any]], str]:
        tasks = [
            {"name": name, **{f"{MODULES}{one}": given for one, given in module.items()}, **keywords}
            for name, module in options.items()
        ]
        run = ansible.tasks([{**task, "check_mode": True, "ignore_errors": True} for task in tasks], "-vvv")
        assert run.code == 0, run.text
        assert WARNING in " ".join(run.text.split())
        return {task.name: _comparable(task.result) for task in run.tasks}, run.stdout

    here, output = results()
    assert "AnsiballZ" not in output
    in_process, output = results(environment={"GOLDEN_IMAGES_TEST": "1"})
    assert output.count("AnsiballZ") >= len(options)
    assert here == in_process
    assert here["plan"]["changed"] is True
    assert {name for name, result in here.items() if result.get("failed")} == {"refusal", "rule", "type"}


@pytest.mark.parametrize("where", ["here", pytest.param("in a process", marks=pytest.mark.nightly)])
def test_a_role_fails_if_its_module_ends_with_an_exception(
    where: str, fixture: Fixture, ansible: Ansible
) -> None:
    """botocore refuses this setting when the module creates its first client."""
    setting = {"AWS_STS_REGIONAL_ENDPOINTS": "nowhere"}
    of_ansible, of_process = (setting, {}) if where == "here" else ({}, setting)

    def run(role: str, variables: dict[str, Any]) -> Run:
        task = {"name": role, "ansible.builtin.import_role": {"name": f"{MODULES}{role}"}}
        here = {"ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        play = ansible.write_play([task], environment=of_process, vars={**variables, **here})
        return ansible.run(play, environment=of_ansible)

    shared = {"images": {HOME: fixture.image_id}, "account_ids": fixture.account_ids("web-prod")}
    unshare = run("unshare", {f"unshare_{name}": value for name, value in shared.items()})
    assert unshare.code == 2
    assert "regional endpoints option nowhere is invalid" in unshare.text
    folder = ansible.folder / "audit"
    audit = run("audit", {"audit_regions": [HOME], "audit_report_dir": str(folder)})
    assert audit.code == 2
    assert json.loads((folder / "report.json").read_text(encoding="utf-8"))["status"] == "incomplete"


def _comparable(result: Any) -> dict[str, Any]:
    """Without the options, which only a process returns, and what Ansible itself adds."""
    return {
        name: value
        for name, value in result.items()
        if name != "invocation" and not name.startswith("_ansible")
    }
