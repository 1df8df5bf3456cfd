# SPDX-License-Identifier: GPL-3.0-or-later

"""playbooks/refresh_instances.yml: the instances of named groups are replaced, and no others."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import refreshing
from .encrypted import await_matched
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible, Run, kill
from .publishing import AWAY, CONSUMER, EXTERNAL_ID, ROLE

PLAYBOOK = "golden.images.refresh_instances"
TASK = "Refresh the groups"
FOLLOWS = ((CONSUMER, HOME), (CONSUMER, AWAY))


@pytest.fixture
def images(aws: SimulatedAws, fixture: Fixture) -> tuple[dict[str, str], dict[str, str]]:
    """An old and a new image. In the consumer's account, the group web follows the default version.

    Its instances are of the old image. The group other, which nobody names, too.
    """
    old, new = refreshing.releases(fixture)
    for account, region in FOLLOWS:
        refreshing.add_template(aws, account, region, old[region], new[region])
        for name in ("other", "web"):
            refreshing.add_group(aws, account, region, name, "1", "$Default")
    aws.clear_calls()
    return old, new


def variables(fixture: Fixture, images: dict[str, str], **more: Any) -> dict[str, Any]:
    """The variables of the playbook."""
    return {
        "refresh_images": images,
        "refresh_account_ids": fixture.account_ids(CONSUMER),
        "refresh_consumer_role_name": ROLE,
        "refresh_external_id": EXTERNAL_ID,
        "refresh_auto_scaling_groups": ["web"],
        **{f"refresh_{name}": value for name, value in more.items()},
    }


def refreshed(modules: Modules, given: Mapping[str, Any]) -> Run:
    """The playbook's module alone, with its variables."""
    options = {name.removeprefix("refresh_"): value for name, value in given.items()}
    return modules.tasks([{"name": TASK, MODULES + "ami_instance_refresh": options}])


def statuses(run: Run, task: str = TASK) -> dict[tuple[str, str], str]:
    """The status of each group by region and name."""
    results = run.task(task).result["results"]
    return {(one["region"], one["auto_scaling_group"]): one["status"] for one in results}


def started(aws: SimulatedAws) -> list[tuple[str, str]]:
    """The region and the group of each refresh that was started, in their order."""
    calls = [call for call in aws.calls() if call.action == "StartInstanceRefresh"]
    return [(call.region, call.parameters["AutoScalingGroupName"]) for call in calls]


@pytest.mark.quick
def test_the_instances_of_named_groups_are_replaced_and_no_others(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    old, new = images
    others = {place: refreshing.instance_ids(aws, *place, "other") for place in FOLLOWS}
    aws.clear_calls()
    check = ansible.run(PLAYBOOK, variables(fixture, new), "--check", "--diff")
    assert check.code == 0, check.text
    assert statuses(check) == {(HOME, "web"): "planned", (AWAY, "web"): "planned"}
    assert "Check mode: 4 instances of 2 groups would be replaced." in check.text
    assert "cannot roll back web" in check.text.replace("\n", " ")
    assert started(aws) == []

    done = ansible.run(PLAYBOOK, variables(fixture, new))
    assert done.code == 0, done.text
    assert statuses(done) == {(HOME, "web"): "successful", (AWAY, "web"): "successful"}
    assert started(aws) == [(AWAY, "web"), (HOME, "web")]
    assert done.actions == check.actions
    for account, region in FOLLOWS:
        assert refreshing.images_of(aws, account, region, "web") == {new[region]: 2}
        assert refreshing.images_of(aws, account, region, "other") == {old[region]: 2}
        assert refreshing.instance_ids(aws, account, region, "other") == others[account, region]
        assert refreshing.view(aws, account, region, "web")["LaunchTemplate"]["Version"] == "$Default"
    assert done.facts["refresh_status"] == "refreshed"

    aws.clear_calls()
    again = ansible.run(PLAYBOOK, variables(fixture, new))
    assert (again.code, again.changed, started(aws)) == (0, [], []), again.text
    assert "Nothing to change" in again.text


def test_a_fixed_version_is_changed_and_rolled_back_if_the_refresh_fails(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    old, new = images
    refreshing.add_group(aws, CONSUMER, HOME, "fixed", "1")
    given = variables(fixture, {HOME: new[HOME]}, auto_scaling_groups=["fixed", "web"])
    aws.update_settings(instance_refresh_failures=["fixed"])
    failed = ansible.run(PLAYBOOK, given)
    assert failed.code != 0
    assert statuses(failed) == {(HOME, "fixed"): "rolled_back", (HOME, "web"): "not_started"}
    (failure,) = failed.task(TASK).result["failures"]
    assert failure["error_code"] == "instance_refresh_failed"
    assert "Instances failed health checks." in failure["message"]
    assert started(aws) == [(HOME, "fixed")]
    assert failed.facts["refresh_status"] == "incomplete"
    assert refreshing.images_of(aws, CONSUMER, HOME, "fixed") == {old[HOME]: 2}
    assert refreshing.images_of(aws, CONSUMER, HOME, "web") == {old[HOME]: 2}
    assert refreshing.view(aws, CONSUMER, HOME, "fixed")["LaunchTemplate"]["Version"] == "1"

    aws.update_settings(instance_refresh_failures=[])
    done = ansible.run(PLAYBOOK, given)
    assert done.code == 0, done.text
    assert refreshing.images_of(aws, CONSUMER, HOME, "fixed") == {new[HOME]: 2}
    assert refreshing.view(aws, CONSUMER, HOME, "fixed")["LaunchTemplate"]["Version"] == "2"
    desired = refreshing.refreshes(aws, CONSUMER, HOME, "fixed")[0]["DesiredConfiguration"]
    assert desired["LaunchTemplate"]["Version"] == "2"


def test_a_group_that_launches_from_a_parameter(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    old, new = images
    ssm = aws.client("ssm", CONSUMER, HOME)
    parameter = {"Name": "/golden/web", "Type": "String", "DataType": "aws:ec2:image"}
    ssm.put_parameter(**parameter, Value=old[HOME])
    refreshing.add_template(aws, CONSUMER, HOME, "resolve:ssm:/golden/web", name="by-parameter")
    refreshing.add_group(aws, CONSUMER, HOME, "by-parameter", "$Latest", template="by-parameter")
    arguments = {
        "images": {HOME: new[HOME]},
        "account_ids": fixture.account_ids(CONSUMER),
        "consumer_role_name": ROLE,
        "external_id": EXTERNAL_ID,
        "auto_scaling_groups": ["by-parameter"],
    }
    refused, task = modules.module("ami_instance_refresh", **arguments)
    assert refused.code != 0
    assert task.codes == [(HOME, "other_image_launched")]
    assert "from the parameter /golden/web" in task.result["msg"]
    ssm.put_parameter(**parameter, Value=new[HOME], Overwrite=True)
    done, task = modules.module("ami_instance_refresh", **arguments)
    assert done.code == 0, done.text
    assert refreshing.images_of(aws, CONSUMER, HOME, "by-parameter") == {new[HOME]: 2}
    again, task = modules.module("ami_instance_refresh", **arguments)
    assert (again.code, task.result["changed"], task.result["results"][0]["status"]) == (
        0,
        False,
        "unchanged",
    )


def test_one_group_that_is_refused_stops_all(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    old, new = images
    refreshing.add_template(aws, CONSUMER, AWAY, new[AWAY], old[AWAY], name="behind")
    refreshing.add_group(aws, CONSUMER, AWAY, "behind", "$Default", template="behind")
    refreshing.add_group(aws, CONSUMER, HOME, "mixed", "1", mixed=True)
    aws.client("autoscaling", CONSUMER, HOME).set_instance_protection(
        AutoScalingGroupName="other",
        InstanceIds=refreshing.instance_ids(aws, CONSUMER, HOME, "other")[:1],
        ProtectedFromScaleIn=True,
    )
    refreshing.add_group(aws, CONSUMER, HOME, "paused", "$Default")
    aws.client("autoscaling", CONSUMER, HOME).suspend_processes(
        AutoScalingGroupName="paused", ScalingProcesses=["HealthCheck"]
    )
    names = ["behind", "mixed", "none", "other", "paused", "web"]
    run = ansible.run(PLAYBOOK, variables(fixture, new, auto_scaling_groups=names))
    assert run.code != 0
    codes = sorted(one["error_code"] for one in run.task(TASK).result["failures"])
    assert codes == [
        "group_not_found",
        "group_not_refreshable",
        "instances_protected",
        "other_image_launched",
        "other_image_launched",
    ]
    assert "This task changed nothing." in run.text
    assert (started(aws), run.facts["refresh_status"]) == ([], "failed")
    few = ansible.run(PLAYBOOK, variables(fixture, new, max_groups=1))
    assert [one["error_code"] for one in few.task(TASK).result["failures"]] == ["too_many_groups"]
    assert started(aws) == []


def test_a_denied_start_is_named_and_nothing_further_is_started(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    _old, new = images
    aws.add_fault("denied", action="StartInstanceRefresh", times=1)
    run = refreshed(modules, variables(fixture, new))
    assert run.code != 0
    assert statuses(run) == {(AWAY, "web"): "not_started", (HOME, "web"): "not_started"}
    assert len(run.task(TASK).result["failures"]) == 1
    assert "docs/iam/README.md#instance-refreshes-in-the-consumer-accounts" in run.task(TASK).result["msg"]


def test_a_run_that_was_killed_is_completed_by_another_one(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    """The second run waits for the refresh of the first one, and starts the others."""
    _old, new = images
    aws.update_settings(instance_refresh_seconds=600)
    aws.add_fault("freeze", action="StartInstanceRefresh", when="after", times=1)
    process = ansible.start(PLAYBOOK, variables(fixture, new))
    await_matched(aws, 1)
    kill(process)
    aws.clear_faults()
    assert started(aws) == [(AWAY, "web")]
    aws.clear_calls()
    process = ansible.start(PLAYBOOK, variables(fixture, new))
    _await(lambda: _waited_for(aws) != [])
    assert (_waited_for(aws)[0], started(aws)) == (AWAY, [])
    aws.update_settings(instance_refresh_seconds=0)
    output, _errors = process.communicate(timeout=120)
    assert process.returncode == 0, output
    assert started(aws) == [(HOME, "web")]
    for account, region in FOLLOWS:
        assert refreshing.images_of(aws, account, region, "web") == {new[region]: 2}
        assert len(refreshing.refreshes(aws, account, region, "web")) == 1


def test_an_image_that_is_disabled_meanwhile_is_not_launched_by_the_next_groups(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    """AWS would terminate their instances first."""
    old, new = images
    aws.update_settings(instance_refresh_seconds=600)
    process = ansible.start(PLAYBOOK, variables(fixture, new))
    _await(lambda: _waited_for(aws) != [])
    aws.client("ec2", OWNER, HOME).disable_image(ImageId=new[HOME])
    aws.update_settings(instance_refresh_seconds=0)
    output, _errors = process.communicate(timeout=120)
    assert process.returncode != 0
    # The consumer does not see it any more.
    assert f"{new[HOME]} does not exist or is not visible" in output
    assert started(aws) == [(AWAY, "web")]
    assert refreshing.images_of(aws, CONSUMER, AWAY, "web") == {new[AWAY]: 2}
    assert refreshing.images_of(aws, CONSUMER, HOME, "web") == {old[HOME]: 2}


def _waited_for(aws: SimulatedAws) -> list[str]:
    """The regions of reads of one refresh."""
    calls = aws.calls(action="DescribeInstanceRefreshes")
    return [call.region for call in calls if "InstanceRefreshIds" in " ".join(call.parameters)]


def _await(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 100
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.2)


def test_a_refresh_that_takes_longer_than_the_timeout_fails_the_run(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    _old, new = images
    aws.update_settings(instance_refresh_seconds=600)
    run = refreshed(modules, variables(fixture, new, wait_timeout=2))
    assert run.code != 0
    assert statuses(run) == {(AWAY, "web"): "in_progress", (HOME, "web"): "not_started"}
    (failure,) = run.task(TASK).result["failures"]
    assert failure["error_code"] == "instance_refresh_timeout"


def test_a_start_without_an_answer_is_made_once(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    """botocore repeats the call, which the first one refuses."""
    _old, new = images
    aws.update_settings(instance_refresh_seconds=4)
    aws.add_fault("drop", action="StartInstanceRefresh", when="after", times=1)
    run = refreshed(modules, variables(fixture, {HOME: new[HOME]}))
    assert run.code == 0, run.text
    assert len(refreshing.refreshes(aws, CONSUMER, HOME, "web")) == 1
    assert [change.region for change in run.actions] == [HOME]
    assert refreshing.images_of(aws, CONSUMER, HOME, "web") == {new[HOME]: 2}


def test_an_account_without_the_role_stops_all(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, images: tuple[dict[str, str], dict[str, str]]
) -> None:
    _old, new = images
    given = variables(fixture, new, account_ids=fixture.account_ids(CONSUMER, "web-staging"))
    run = refreshed(modules, given)
    assert run.code != 0
    assert {one["account_id"] for one in run.task(TASK).result["failures"]} == {
        *fixture.account_ids("web-staging")
    }
    assert started(aws) == []
    without = {name: value for name, value in given.items() if "role" not in name}
    run = refreshed(modules, without)
    assert [one["error_code"] for one in run.task(TASK).result["failures"]] == ["missing_consumer_role"] * 2
