# SPDX-License-Identifier: GPL-3.0-or-later

"""A recall with ``level: block``: no account launches the release any more, and that can be taken back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from simulated_aws.client import SimulatedAws

from . import in_process, publishing, recalling
from .fixture import HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import Ansible
from .publishing import AWAY, CONSUMER, REGIONS
from .recalling import (
    PLAYBOOK,
    Images,
    Releases,
    access,
    everywhere,
    launch_images,
    recall_tags,
    recalled,
    share_volumes,
    variables,
)


@pytest.fixture
def releases(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> Releases:
    return recalling.published_releases(aws, fixture, modules)


def blocking(fixture: Fixture, folder: Path, images: Images, **changes: Any) -> dict[str, Any]:
    """The variables of a recall that blocks a release."""
    return variables(fixture, folder, images[HOME], level="block", **changes)


@pytest.mark.parametrize("method", ["unshare", pytest.param("disable", marks=pytest.mark.nightly)])
def test_a_release_that_nothing_launches_any_more_is_blocked_and_opened_again(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    releases: Releases,
    tmp_path: Path,
    method: str,
) -> None:
    first, second = releases
    share_volumes(aws, fixture, second)
    before, others = access(aws, second), access(aws, first)
    # The owner's account launches the images by the templates of the release, which move.
    given = blocking(fixture, tmp_path, second, block_method=method)
    check = ansible.run(PLAYBOOK, given, "--check", "--diff")
    assert check.code == 0, check.text
    assert publishing.written(aws, refused=True) == []

    done = ansible.run(PLAYBOOK, given, "--diff")
    assert (done.code, done.facts["recall_status"]) == (0, "blocked"), done.text
    assert done.facts["recall_breaking"] == []
    state = "disabled" if method == "disable" else "available"
    assert {*map(str, access(aws, second).values())} == {str((state, set(), [set()]))}
    assert access(aws, first) == others
    assert publishing.values(aws) == launch_images(aws) == everywhere(first)

    aws.clear_calls()
    for variant in (given, {**given, "recall_level": "withdraw", "recall_block_method": ""}):
        again = ansible.run(PLAYBOOK, variant)
        assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text

    taken_back = {**given, "recall_state": "absent"}
    check = ansible.run(PLAYBOOK, taken_back, "--check", "--diff")
    assert (check.code, publishing.written(aws, refused=True)) == (0, []), check.text
    back = ansible.run(PLAYBOOK, taken_back)
    assert (back.code, back.facts["recall_status"]) == (0, "taken_back"), back.text
    assert access(aws, second) == before
    assert publishing.values(aws) == launch_images(aws) == everywhere(second)
    assert recall_tags(aws, second) == [None, None]
    aws.clear_calls()
    again = ansible.run(PLAYBOOK, taken_back)
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text


def test_what_would_break_stops_the_block_until_it_is_confirmed(
    aws: SimulatedAws,
    fixture: Fixture,
    ansible: Ansible,
    modules: Modules,
    releases: Releases,
    tmp_path: Path,
) -> None:
    first, second = releases
    (consumer,), (other,) = fixture.account_ids(CONSUMER), fixture.account_ids(STRANGER)
    data = {"ImageId": second[AWAY], "InstanceType": "t3.micro"}
    ec2 = aws.client("ec2", CONSUMER, AWAY)
    made = ec2.create_launch_template(LaunchTemplateName="not-named", LaunchTemplateData=data)
    template_id = made["LaunchTemplate"]["LaunchTemplateId"]
    aws.client("ec2", OWNER, HOME).modify_image_attribute(
        ImageId=second[HOME],
        LaunchPermission={"Add": [{"UserId": other}, {"OrganizationArn": fixture.org_arn}]},
    )
    before = access(aws, second)
    given = blocking(fixture, tmp_path, second)
    run = ansible.run(PLAYBOOK, given)
    assert (run.code, run.facts["recall_status"]) == (2, "incomplete"), run.text
    assert access(aws, second) == before
    assert publishing.values(aws) == launch_images(aws) == everywhere(first)
    assert [item["error_code"] for item in run.facts["recall_failures"]] == [
        "launches_would_break",
        "consumers_not_looked_at",
    ]
    assert template_id in run.facts["recall_failures"][0]["message"]
    shown = [
        (item["consumer"], item["regions"], item["regions_not_looked_at"])
        for item in run.facts["recall_breaking"]
    ]
    assert shown == [(consumer, [AWAY], []), (other, [], [HOME]), (fixture.org_arn, [], [HOME])]
    text = run.task("Show the result").result["text"]
    (line,) = (line for line in text.splitlines() if line.startswith("recall_accept_breaking: "))
    assert yaml.safe_load(line) == {"recall_accept_breaking": [consumer, other, fixture.org_arn]}
    # Nothing is left to move: check mode says the same.
    check = ansible.run(PLAYBOOK, given, "--check")
    assert [item["error_code"] for item in check.facts["recall_failures"]] == [
        "launches_would_break",
        "consumers_not_looked_at",
    ]

    accepted = [consumer, other]
    run = ansible.run(PLAYBOOK, {**given, "recall_accept_breaking": accepted})
    assert [item["error_code"] for item in run.facts["recall_failures"]] == ["consumers_not_looked_at"]
    run = ansible.run(PLAYBOOK, {**given, "recall_accept_breaking": [*accepted, fixture.org_arn]})
    assert run.code == 0, run.text
    assert [who for _state, who, _volumes in access(aws, second).values()] == [set(), set()]
    run = recalled(modules, {**given, "recall_state": "absent"})
    assert run.code == 0, run.text
    assert access(aws, second) == before


def test_an_account_that_only_a_role_can_read_is_refused_before_the_withdrawal(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    given = blocking(fixture, tmp_path, second, parameter="", launch_templates=[], accept_breaking=["all"])
    del given["recall_consumer_role_name"], given["recall_external_id"]
    run = ansible.run(PLAYBOOK, given)
    assert (run.code, run.facts["recall_status"]) == (2, "failed"), run.text
    (failure,) = run.facts["recall_failures"]
    assert failure["message"].startswith("consumer_role_name: ")
    assert fixture.account_ids(CONSUMER)[0] in failure["message"]
    assert publishing.written(aws) == []


def test_a_release_that_nothing_replaces_is_blocked_by_the_role_all_the_same(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    for region in REGIONS:
        ssm = aws.client("ssm", OWNER, region)
        ssm.put_parameter(Name="/golden/first", Value=second[region], DataType="aws:ec2:image", Type="String")
    changes = {"parameter": "/golden/first", "launch_templates": [], "accept_breaking": "all"}
    given = blocking(fixture, tmp_path, second, account_ids=[], **changes)
    run = ansible.run(PLAYBOOK, given)
    assert (run.code, run.facts["recall_status"]) == (2, "incomplete"), run.text
    assert {item["error_code"] for item in run.facts["recall_failures"]} == {"no_earlier_image"}
    assert [launch for _state, launch, _volumes in access(aws, second).values()] == [set(), set()]
    assert None not in recall_tags(aws, second)


def test_what_was_public_and_what_was_changed_since_stays(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    for region in REGIONS:
        ec2 = aws.client("ec2", OWNER, region)
        ec2.disable_image_block_public_access()
    home, away = (aws.client("ec2", OWNER, region) for region in REGIONS)
    home.modify_image_attribute(ImageId=second[HOME], LaunchPermission={"Add": [{"Group": "all"}]})
    given = blocking(fixture, tmp_path, second, accept_breaking="all")
    assert ansible.run(PLAYBOOK, given).code == 0
    away.disable_image(ImageId=second[AWAY])
    run = ansible.run(PLAYBOOK, {**given, "recall_state": "absent"})
    found = access(aws, second)
    assert found[HOME][1] == {*fixture.account_ids(CONSUMER)}
    assert found[AWAY][0] == "disabled"
    # Neither the image nor the pointers that would name it can go back yet.
    messages = [item["message"] for item in run.facts["recall_failures"]]
    assert (run.code, any("cannot get its permissions back" in text for text in messages)) == (2, True)
    assert "was public before the recall" in run.text
    left = {item["region"]: item["left"] for item in run.facts["recall_blocked"]}
    assert left == {HOME: None, AWAY: "is disabled, not by the recall"}


def test_what_only_a_block_uses_is_refused_without_it(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    given = variables(fixture, tmp_path, second[HOME], block_method="disable", accept_breaking="all")
    run = ansible.run(PLAYBOOK, given)
    assert (run.code, run.facts["recall_status"]) == (2, "failed"), run.text
    assert [item["action"] for item in run.facts["recall_failures"]] == ["block_method", "accept_breaking"]
    assert publishing.written(aws) == []


def test_an_account_id_that_is_none_is_refused_before_the_withdrawal(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    run = ansible.run(PLAYBOOK, blocking(fixture, tmp_path, second, accept_breaking=["11112222333"]))
    assert run.code == 2, run.text
    assert "recall_accept_breaking" in run.text
    assert publishing.written(aws) == []


def test_adoption_of_other_families_does_not_allow_a_block(
    aws: SimulatedAws, fixture: Fixture, releases: Releases, tmp_path: Path
) -> None:
    _first, second = releases
    before = access(aws, second)
    data = {"ImageId": second[AWAY], "InstanceType": "t3.micro"}
    aws.client("ec2", CONSUMER, AWAY).create_launch_template(
        LaunchTemplateName="pinned", LaunchTemplateData=data
    )
    (consumer,) = fixture.account_ids(CONSUMER)
    who = publishing.in_consumers(fixture)
    read = {
        "family_name_pattern": "(db)-.*",
        "depth": "launches",
        "regions": list(REGIONS),
        "account_ids": [consumer],
        **{name: who[name] for name in ("consumer_role_name", "external_id")},
    }
    recall = {
        "source_image_id": second[HOME],
        "source_region": HOME,
        "regions": list(REGIONS),
        "level": "block",
        "tombstone_path": str(tmp_path / "recalls.jsonl"),
    }
    for denied, action in (([], "adoption_result"), ([second[HOME]], "accept_breaking")):
        adoption = in_process.run(aws, OWNER, "ami_adoption", {**read, "deny_images": denied})
        done = in_process.run(aws, OWNER, "ami_recall", {**recall, "adoption_result": adoption})
        assert [item["action"] for item in done["failures"]] == [action]
    assert access(aws, second) == before
