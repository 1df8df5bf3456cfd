# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/recall_ami.yml: a bad release is taken back everywhere, and the recall can be taken back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from simulated_aws.client import SimulatedAws

from . import publishing, recalling
from .encrypted import await_matched
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible, Run, kill
from .publishing import AWAY, CONSUMER, EVERYWHERE, PARAMETER, REGIONS, TEMPLATE
from .recalling import (
    FOLLOWING,
    OTHER,
    PLAYBOOK,
    TASK,
    Releases,
    everywhere,
    launch_images,
    recall_tags,
    recalled,
    release,
    templates,
    variables,
)


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Releases:
    return recalling.published_releases(aws, fixture, modules)


def planned(run: Run) -> set[tuple[str, ...]]:
    """The changes that a run reports to have made or, in check mode, would make."""
    actions = run.task(TASK).result["actions"]
    return {tuple(map(str, action.values())) for action in actions}


@pytest.mark.quick
def test_a_release_is_recalled_everywhere_once_and_given_back(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    first, second = releases
    untouched = {name: templates(aws, name) for name in (OTHER, FOLLOWING)}
    given = variables(fixture, tmp_path, second[HOME])
    check = ansible.run(PLAYBOOK, given, "--check", "--diff")
    assert check.code == 0, check.text
    assert publishing.written(aws, refused=True) == []
    assert not (tmp_path / "recalls.jsonl").exists()

    done = ansible.run(PLAYBOOK, given, "--diff")
    assert done.code == 0, done.text
    assert planned(check) == planned(done)
    for key in ("state_before", "state_after"):
        assert done.task(TASK).result["diff"][key] == check.task(TASK).result["diff"][key]
    assert publishing.values(aws) == launch_images(aws) == everywhere(first)
    (time,) = {*recall_tags(aws, second)}
    assert time == done.task(TASK).result["recalled_at"] is not None
    assert recall_tags(aws, first) == [None, None]
    assert {name: templates(aws, name) for name in untouched} == untouched
    left = {(one["name"], one["left"]) for one in done.facts["recall_results"] if one["left"]}
    assert left == {
        (OTHER, "is not an image of the release"),
        (FOLLOWING, f"launches what {PARAMETER} names"),
    }
    for region in REGIONS:
        assert publishing.value(aws, OWNER, region, f":source-{first[HOME]}") == first[region]
        assert publishing.shared_with(aws, region, second[region]) == {*fixture.account_ids(CONSUMER)}
    changes = [call.action for call in aws.calls() if call.action in ("CreateTags", "PutParameter")]
    assert changes == ["CreateTags"] * len(REGIONS) + ["PutParameter"] * len(EVERYWHERE)

    aws.clear_calls()
    written = (tmp_path / "recalls.jsonl").read_text()
    again = ansible.run(PLAYBOOK, given)
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text
    assert (tmp_path / "recalls.jsonl").read_text() == written

    taken_back = {**given, "recall_state": "absent"}
    check = ansible.run(PLAYBOOK, taken_back, "--check")
    assert (check.code, publishing.written(aws, refused=True)) == (0, []), check.text
    back = ansible.run(PLAYBOOK, taken_back)
    assert back.code == 0, back.text
    assert publishing.values(aws) == launch_images(aws) == everywhere(second)
    assert recall_tags(aws, second) == [None, None]
    for region in REGIONS:
        assert publishing.value(aws, OWNER, region, f":source-{second[HOME]}") == second[region]
    assert {name: templates(aws, name) for name in untouched} == untouched
    assert [number for number, _, _ in templates(aws, TEMPLATE)] == [4] * 4
    aws.clear_calls()
    again = ansible.run(PLAYBOOK, taken_back)
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text


KILLS = [
    ("CreateTags", "before"),
    ("PutParameter", "after"),
    ("LabelParameterVersion", "before"),
    ("CreateLaunchTemplateVersion", "after"),
    ("ModifyLaunchTemplate", "after"),
]
IN_CI = [("PutParameter", "after", True), ("CreateLaunchTemplateVersion", "after", False)]


@pytest.mark.parametrize(
    ("action", "when", "reruns"),
    [
        pytest.param(*kill, reruns, marks=[] if (*kill, reruns) in IN_CI else [pytest.mark.nightly])
        for kill in KILLS
        for reruns in (True, False)
    ],
)
def test_what_a_recall_that_was_killed_has_changed_is_given_back(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
    action: str,
    when: str,
    reruns: bool,
) -> None:
    first, second = releases
    given = variables(fixture, tmp_path, second[HOME])
    where = {"region": HOME, "account_id": aws.account_id(OWNER)}
    aws.add_fault("freeze", action=action, when=when, times=0, **where)
    killed = ansible.start(PLAYBOOK, given)
    await_matched(aws, 1)
    kill(killed)
    aws.clear_faults()
    if reruns:
        run = recalled(modules, given)
        assert run.code == 0, run.text
        assert publishing.values(aws) == launch_images(aws) == everywhere(first)
        for region in REGIONS:
            assert publishing.value(aws, OWNER, region, f":source-{first[HOME]}") == first[region]
    run = recalled(modules, {**given, "recall_state": "absent"})
    assert run.code == 0, run.text
    assert publishing.values(aws) == launch_images(aws) == everywhere(second)
    latest = [
        publishing.launched_by_template(aws, account, region, version="$Latest")
        for account, region in EVERYWHERE
    ]
    assert latest == everywhere(second)
    assert recall_tags(aws, second) == [None, None]


def test_what_was_changed_since_is_left_and_named(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
) -> None:
    first, second = releases
    given = variables(fixture, tmp_path, second[HOME], tombstone_path="")
    aws.client("s3", OWNER, HOME).create_bucket(Bucket="recalls")
    given["recall_tombstone_s3_uri"] = "s3://recalls/golden"
    run = recalled(modules, given)
    assert run.code == 0, run.text
    key = f"golden/recall/{aws.account_id(OWNER)}/{HOME}/{second[HOME]}.json"
    body = aws.client("s3", OWNER, HOME).get_object(Bucket="recalls", Key=key)["Body"].read()
    record = json.loads(body)
    assert len(record["pointers"]) == 2 * len(EVERYWHERE)
    assert all(item["after"]["version"] for item in record["pointers"])

    third = release(aws, fixture, "2026.12")
    fixed = publishing.publish("Fixed", images=third, source_image_id=third[HOME])
    # The same image again is another version, which somebody wants.
    image = {"Value": first[AWAY], "DataType": "aws:ec2:image", "Type": "String"}
    aws.client("ssm", CONSUMER, AWAY).put_parameter(Name=PARAMETER, **image, Overwrite=True)
    publishing.add_version(aws, HOME, third[HOME])
    aws.client("ec2", OWNER, HOME).modify_launch_template(LaunchTemplateName=TEMPLATE, DefaultVersion="4")
    assert modules.tasks([fixed]).code == 0
    run = ansible.run(PLAYBOOK, {**given, "recall_state": "absent"})
    assert run.code == 0, run.text
    values = dict(zip(EVERYWHERE, publishing.values(aws), strict=True))
    assert values == {
        (OWNER, HOME): third[HOME],
        (OWNER, AWAY): third[AWAY],
        (CONSUMER, HOME): second[HOME],
        (CONSUMER, AWAY): first[AWAY],
    }
    assert launch_images(aws) == [third[HOME], second[AWAY], second[HOME], second[AWAY]]
    left = [item for item in run.facts["recall_results"] if item["left"]]
    assert len(left) == 4
    assert all("was changed since" in item["left"] for item in left)
    assert recall_tags(aws, second) == [None, None]


def test_targets_that_cannot_go_back_stay_and_fail_after_the_others(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
) -> None:
    first, second = releases
    publishing.deregister(aws, AWAY, first[AWAY])
    given = variables(fixture, tmp_path, second[HOME])
    run = ansible.run(PLAYBOOK, given)
    failures = {(item["region"], item["error_code"]) for item in run.facts["recall_failures"]}
    assert (run.code, run.facts["recall_status"], failures) == (2, "incomplete", {(AWAY, "image_not_found")})
    expected = [first[HOME], second[AWAY]] * 2
    assert publishing.values(aws) == launch_images(aws) == expected
    assert None not in recall_tags(aws, second)

    # Only tagged, since nothing is named; and refused as a whole, where nothing is there to go back to.
    nothing = {"parameter": "", "launch_templates": [], "account_ids": []}
    run = recalled(modules, variables(fixture, tmp_path, first[HOME], **nothing))
    assert run.code == 0, run.text
    assert recall_tags(aws, {HOME: first[HOME]}) != [None]
    aws.clear_calls()
    given = {**given, "recall_regions": HOME, "recall_source_image_id": first[HOME]}
    run = recalled(modules, given)
    assert {code for _region, code in run.task(TASK).codes} == {"no_earlier_image"}
    unknown = variables(fixture, tmp_path, "ami-0123456789abcdef0")
    run = recalled(modules, unknown)
    assert [code for _region, code in run.task(TASK).codes] == ["image_not_found"]
    assert publishing.written(aws, refused=True) == []


def test_an_account_that_cannot_be_read_stops_no_other_one(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    first, second = releases
    accounts = fixture.account_ids(CONSUMER, "web-staging")
    run = ansible.run(PLAYBOOK, variables(fixture, tmp_path, second[HOME], account_ids=accounts))
    assert (run.code, run.facts["recall_status"]) == (2, "incomplete"), run.text
    assert {item["account_id"] for item in run.facts["recall_failures"]} == {accounts[1]}
    assert publishing.values(aws) == launch_images(aws) == everywhere(first)
    # The tombstone has only what was moved, and is not written again for what failed.
    written = (tmp_path / "recalls.jsonl").read_text()
    run = ansible.run(PLAYBOOK, variables(fixture, tmp_path, second[HOME], account_ids=accounts))
    assert (run.code, run.facts["recall_status"], run.changed) == (2, "failed", []), run.text
    assert (tmp_path / "recalls.jsonl").read_text() == written
