# SPDX-License-Identifier: GPL-3.0-or-later

"""Tags that select no task of a playbook are refused, so that a job that did nothing is not green."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import CONSUMERS, HOME, Fixture
from .playbook import Ansible, Run

CHECK = "Check the tags"
GREET = {"name": "Greet", "ansible.builtin.debug": {"msg": "hello"}, "tags": "web"}


def assert_refused(run: Run) -> None:
    assert run.code == 2, run.text
    (task,) = run.tasks
    assert (task.name, task.status) == (CHECK, "failed")
    assert "Run it without tags. Nothing was changed." in task.result["msg"]


def site(ansible: Ansible, plays: list[dict[str, Any]]) -> Path:
    """A playbook of a user."""
    path = ansible.folder / "site.yml"
    path.write_text(yaml.safe_dump(plays, sort_keys=False), encoding="utf-8")
    return path


@pytest.fixture
def variables(fixture: Fixture) -> dict[str, Any]:
    """The variables of a sharing."""
    return {
        "share_images": {HOME: fixture.image_id},
        "share_account_ids": fixture.account_ids(*CONSUMERS),
    }


@pytest.mark.per_python
@pytest.mark.quick
def test_tags_that_no_task_has_are_refused(aws: SimulatedAws, ansible: Ansible) -> None:
    run = ansible.run("golden.images.share_ami", None, "--tags", "web")
    assert_refused(run)
    assert "with the tags web." in run.tasks[0].result["msg"]
    assert aws.calls() == []


@pytest.mark.nightly
def test_skipped_tags_that_all_tasks_have_are_refused(ansible: Ansible) -> None:
    run = ansible.run("golden.images.share_ami", None, "--skip-tags", "untagged")
    assert_refused(run)
    assert "with the tags all, skipping untagged." in run.tasks[0].result["msg"]


def test_tags_that_select_all_tasks_are_accepted(ansible: Ansible, variables: dict[str, Any]) -> None:
    run = ansible.run("golden.images.share_ami", variables, "--tags", "untagged", "--skip-tags", "web")
    assert run.code == 0, run.text
    assert run.facts["share_status"] == "shared"


@pytest.mark.nightly
def test_other_playbooks_can_have_tags_of_their_own(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    plays = [
        {"import_playbook": "golden.images.share_ami", "vars": variables, "tags": "images"},
        {
            "hosts": "localhost",
            "gather_facts": False,
            "roles": [{"role": "golden.images.unshare"}],
            "tasks": [GREET],
        },
    ]
    path = site(ansible, plays)
    run = ansible.run(path, {"unshare_images": {}}, "--tags", "web")
    assert run.code == 0, run.text
    assert run.task("Greet").status == "ok"
    assert observed.changes(aws) == []
    run = ansible.run(path, {"unshare_images": {}}, "--tags", "images")
    assert run.code == 0, run.text
    assert run.facts["share_status"] == "shared"


@pytest.mark.nightly
def test_tags_that_no_play_of_another_playbook_has_are_refused(
    aws: SimulatedAws, ansible: Ansible, variables: dict[str, Any]
) -> None:
    plays = [
        {"hosts": "localhost", "gather_facts": True, "gather_subset": ["!all"], "tasks": [GREET]},
        {"import_playbook": "golden.images.share_ami", "vars": variables, "tags": "images"},
    ]
    run = ansible.run(site(ansible, plays), None, "--tags", "imges")
    assert run.code == 2, run.text
    assert "would do nothing with the tags imges. Use tags that" in run.task(CHECK).result["msg"]
    assert aws.calls() == []

    # What a task that always runs includes can have any tags.
    (ansible.folder / "more.yml").write_text(yaml.safe_dump([{**GREET, "tags": "imges"}]), encoding="utf-8")
    plays[0]["tasks"] = [{"ansible.builtin.include_tasks": "more.yml", "tags": "always"}]
    run = ansible.run(site(ansible, plays), None, "--tags", "imges")
    assert run.code == 0, run.text
    assert run.task("Greet").status == "ok"
