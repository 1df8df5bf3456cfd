# SPDX-License-Identifier: GPL-3.0-or-later

"""Modules whose options are the answers of a survey: text in every form, which Ansible's types reject."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import HOME, OWNER, Fixture
from .playbook import MODULES, Ansible

REGIONS = [HOME, "eu-west-1"]


def _task(module: str, name: str, answers: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, MODULES + module: dict(answers)}


@pytest.mark.parametrize("own_process", [False, pytest.param(True, marks=pytest.mark.nightly)])
def test_modules_take_the_answers_of_a_survey(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, own_process: bool
) -> None:
    """Without a process of their own, and in one, which ``timeout`` makes Ansible start."""
    named = sorted(fixture.account_ids("web-prod", "sandbox"))
    share = {
        "images": f"{HOME}: {fixture.image_id}\n",
        "account_ids": "".join(f"{one}\n" for one in named),
        "org_arns": "",
        "share_snapshots": " true ",
        "shared_tags": '{"version": "1.10"}',
        "state": " Present",
        "source_image_id": " ",
        "source_region": "",
    }
    audit = {
        "regions": ", ".join(REGIONS),
        "rules": f"- name_pattern: '*'\n  account_ids:\n  - {named[0]}\n  - {named[1]}\n",
        "allowed_account_ids": "[]",
        "fail_on": " High",
        "check_keys": " no ",
    }
    clean = {
        "regions": json.dumps([HOME]),
        "family_name_pattern": f" {fixture.name} ",
        "keep_latest": "5.0",
        "states": "AVAILABLE\nfailed",
        "protect_tags": "keep, team=web",
        "max_deletions": 3.0,
        "family_tag": None,
        "deprecate_after_days": " 30 ",
    }
    tasks = [
        _task("ami_share", "share", share),
        _task("ami_share", "share again", {**share, "account_ids": json.dumps(named)}),
        _task("ami_share_audit", "audit", audit),
        _task("ami_cleanup", "clean", clean),
    ]
    if own_process:
        tasks = [{**task, "timeout": 300} for task in tasks]
    run = ansible.tasks(tasks)
    assert run.code == 0, run.text
    assert run.changed == ["share"]
    launch, volumes = observed.sharing(aws, OWNER, HOME, fixture.image_id)
    assert launch == set(named)
    assert all(one == set(named) for one in volumes)
    seen = observed.image(aws, "web-prod", HOME, fixture.image_id)
    assert observed.tags(seen)["ec2:SharedTag/version"] == "1.10"
    audited = run.task("audit").result
    assert sorted(audited["regions"]) == sorted(REGIONS)
    # Without its rules, it would find two accounts that are not allowed.
    assert audited["findings"] == []
    cleaned = run.task("clean").result
    assert (cleaned["evaluated_count"], cleaned["regions"]) == (1, [HOME])
    (image,) = cleaned["results"]
    assert (image["image_id"], image["decision"]) == (fixture.image_id, "keep")
    assert image["reasons"] == ["It is among the latest 5 of its family in this region."]


def test_modules_refuse_what_yaml_has_changed(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    aws.clear_calls()
    share = {"images": fixture.image_id, "account_ids": 1402434204, "state": True, "shared_tags": {"v": 1.1}}
    run, task = ansible.module("ami_share", **share)
    assert run.code != 0
    assert [one["action"] for one in task.result["failures"]] == [
        "images",
        "account_ids",
        "state",
        "shared_tags",
    ]
    message = task.result["msg"]
    assert (
        f"images: must be a mapping (got '{fixture.image_id}'). Map each region to an AMI ID, such as "
        "eu-west-1: ami-0123456789abcdef0." in message
    )
    assert "(012345671234 becomes 1402434204). Write 12 digits in double quotes" in message
    assert "state: must be one of present, absent (got true)." in message
    assert "shared_tags: 'v': YAML reads this as a number, 1.1" in message
    assert message.endswith("This task changed nothing.")
    assert aws.calls() == []


@pytest.mark.nightly
def test_a_key_is_the_text_that_was_written(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    """The parameters of modules are JSON, which has no other keys than text."""
    share = {"images": {HOME: fixture.image_id}, "account_ids": fixture.account_ids("web-prod")}
    aws.clear_calls()
    run, task = ansible.module("ami_share", **share, shared_tags={1.1: "a", True: "b"})
    assert run.code != 0
    assert "shared_tags: a key: YAML reads this as a number, 1.1" in task.result["msg"]
    assert "shared_tags: a key: YAML reads this as a boolean, true" in task.result["msg"]
    assert aws.calls() == []

    run, _task = ansible.module("ami_share", **share, shared_tags={2026: "a", date(2026, 1, 2): "b"})
    assert run.code == 0, run.text
    tags = observed.tags(observed.image(aws, "web-prod", HOME, fixture.image_id))
    assert (tags["ec2:SharedTag/2026"], tags["ec2:SharedTag/2026-01-02"]) == ("a", "b")
