# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_publish: parameters and launch templates name each region's image, in every account."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from checks.iam import policies
from simulated_aws.client import SimulatedAws

from . import publishing
from .attached import Attached
from .encrypted import await_matched
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .playbook import Ansible
from .publishing import AWAY, CONSUMER, EVERYWHERE, EXTERNAL_ID, PARAMETER, REGIONS, SECRET, TEMPLATE

MOST_CALLS_UNCHANGED = 5
OPTIONAL = "af-south-1"


@pytest.mark.quick
@pytest.mark.oldest_boto
def test_every_region_of_every_account_names_the_image_once_aws_has_validated_it(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    publishing.with_role(fixture)
    old, new = (publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11"))
    publishing.add_templates(aws, old)
    # As many versions as AWS keeps, the oldest with a label of ours: it must be dropped to make room.
    publishing.fill_up(aws, HOME, old[HOME], f"source-{old[HOME]}")
    aws.update_settings(parameter_validation_seconds=0.7)
    task = publishing.publish(
        "Publish",
        images=new,
        source_image_id=new[HOME],
        parameter_tags={"team": "web"},
        launch_templates=[TEMPLATE],
        tier="Advanced",
        **publishing.in_consumers(fixture),
    )

    check = ansible.tasks([task], "--check", "--diff")
    assert check.code == 0, check.text
    assert publishing.written(aws, refused=True) == []
    done = ansible.tasks([task], "--diff")
    assert done.code == 0, done.text
    assert publishing.planned(check) == publishing.planned(done) == publishing.written(aws)
    assert {(one.account_id, one.region) for one in publishing.written(aws)} == {
        (account_id, region) for account_id in fixture.account_ids(OWNER, CONSUMER) for region in REGIONS
    }
    assert done.task("Publish").result["diff"] == check.task("Publish").result["diff"]
    assert f"rollback to {old[HOME]}" in publishing.warnings(done)
    numbers = {
        (one["account_id"], one["region"]): one["parameter_version"]
        for one in done.task("Publish").result["results"]
    }
    assert sorted(numbers.values()) == [1, 1, 1, 101]
    assert numbers[aws.account_id(OWNER), HOME] == 101
    for secret in (EXTERNAL_ID, SECRET):
        assert secret not in str([{**task.result, "invocation": None} for task in done.tasks])
    for account, region in EVERYWHERE:
        assert publishing.value(aws, account, region, f":source-{new[HOME]}") == new[region]
        assert publishing.launched(aws, account, region) == new[region]
        default = publishing.default_of(aws, account, region)
        assert default["ImageId"] == new[region]
        assert (default["InstanceType"], default["UserData"]) == ("t3.micro", SECRET)
        disk, root = default["BlockDeviceMappings"]
        assert "SnapshotId" in disk["Ebs"]
        assert root == {"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 8}}
        assert publishing.launched_by_template(aws, account, region) == new[region]
        ssm = aws.client("ssm", account, region)
        assert publishing.tags(aws, account, region) == {"team": "web"}
        (described,) = ssm.describe_parameters(
            ParameterFilters=[{"Key": "Name", "Option": "Equals", "Values": [PARAMETER]}]
        )["Parameters"]
        assert described["Tier"] == "Advanced"

    aws.clear_calls()
    again = ansible.tasks([task])
    assert (again.code, again.changed, publishing.written(aws, refused=True)) == (0, [], []), again.text
    each = Counter((call.account_id, call.region) for call in publishing.calls(aws))
    assert len(each) == len(EVERYWHERE)
    assert max(each.values()) <= MOST_CALLS_UNCHANGED, each


def test_a_template_that_names_the_parameter_by_its_arn_follows_it(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    """(botocore shape RequestLaunchTemplateData, ImageId: resolve:ssm:parameter-ARN.)"""
    images = {HOME: publishing.golden_images(fixture, "arn")[HOME]}
    name = f"arn:aws:ssm:{HOME}:{aws.account_id(OWNER)}:parameter{PARAMETER}"
    data = {"LaunchTemplateName": "by-arn", "LaunchTemplateData": {"ImageId": f"resolve:ssm:{name}"}}
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.create_launch_template(**data)
    run = modules.tasks([publishing.publish("publish", images=images, launch_templates=["by-arn"])])
    assert (run.code, run.changed) == (0, ["publish"]), run.text
    (version,) = ec2.describe_launch_template_versions(LaunchTemplateName="by-arn")["LaunchTemplateVersions"]
    assert version["LaunchTemplateData"]["ImageId"] == f"resolve:ssm:{name}"


@pytest.mark.quick
@pytest.mark.oldest_boto
def test_what_cannot_work_is_refused_everywhere_before_anything_changes(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    publishing.with_role(fixture)
    consumers = publishing.in_consumers(fixture)
    shared = publishing.golden_images(fixture, "shared")
    private = publishing.golden_images(fixture, "private", sharing={})
    # The permission of the owner lets no other account launch the image.
    own = {"Add": [{"UserId": aws.account_id(OWNER)}]}
    aws.client("ec2", OWNER, AWAY).modify_image_attribute(ImageId=private[AWAY], LaunchPermission=own)
    arm = publishing.golden_images(fixture, "arm", architecture="arm64")
    publishing.add_templates(aws, dict.fromkeys(REGIONS, "ami-0123456789abcdef0"))
    follows = {"LaunchTemplateName": "follows", "LaunchTemplateData": {"ImageId": "resolve:ssm:/other"}}
    aws.client("ec2", OWNER, AWAY).create_launch_template(**follows)
    ssm = aws.client("ssm", OWNER, AWAY)
    ssm.put_parameter(Name="/text", Type="String", Value=shared[AWAY])
    ssm.put_parameter(Name=PARAMETER, Type="String", DataType="aws:ec2:image", Value=shared[AWAY])
    aws.clear_calls()
    unseen = {"images": private, "require_shared": False, **consumers}
    # Copies that do not exist yet.
    planned = {"images": dict.fromkeys(REGIONS), "source_image_id": arm[HOME], "source_region": HOME}
    cases: dict[str, tuple[dict[str, Any], list[tuple[str, str]]]] = {
        "text": (
            {"images": shared, "parameter": "/text", "launch_templates": [TEMPLATE, "follows"]},
            [
                (AWAY, "launch_template_follows_parameter"),
                (AWAY, "wrong_parameter_type"),
                (HOME, "launch_template_not_found"),
            ],
        ),
        "private": ({"images": private}, [(AWAY, "not_shared"), (HOME, "not_shared")]),
        "unseen": (unseen, [(AWAY, "image_not_found"), (HOME, "image_not_found")]),
        "planned": (planned, [(AWAY, "architecture_mismatch")]),
    }
    tasks = [
        {
            **publishing.publish(name, **arguments),
            "ignore_errors": True,
            "check_mode": name == "planned",
        }
        for name, (arguments, _codes) in cases.items()
    ]
    # A check run plans for what earlier tasks of it would have done.
    predicted = {"under another name": {**planned, **consumers, "parameter": "/golden/arm"}, "to see": unseen}
    tasks += [
        {**publishing.publish(name, **arguments), "check_mode": True} for name, arguments in predicted.items()
    ]

    run = ansible.tasks(tasks)

    assert run.code == 0, run.text
    for name, (_arguments, codes) in cases.items():
        task = run.task(name)
        assert (name, task.status, sorted(task.codes, key=str)) == (name, "failed", codes), task.result
    for name in predicted:
        actions = Counter(action["action"] for action in run.task(name).result["actions"])
        assert actions == {"PutParameter": 4, "LabelParameterVersion": 4}, name
    labels = {one["label"] for one in run.task("under another name").result["results"]}
    assert labels == {f"source-{arm[HOME]}"}
    assert "is not visible in account" in publishing.warnings(run)
    assert publishing.written(aws, refused=True) == []


@pytest.mark.nightly
def test_an_endpoint_that_is_no_url_changes_nothing(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    shared = publishing.golden_images(fixture, "shared")
    wrong = {**ansible.environment, "AWS_ENDPOINT_URL_SSM": "ssm.internal"}
    run = Ansible(wrong, ansible.folder).tasks([publishing.publish("Publish", images=shared)])
    assert run.code != 0
    assert "The credentials or settings cannot be read: Invalid endpoint: ssm.internal" in run.text
    assert "Traceback" not in run.text
    assert publishing.written(aws, refused=True) == []


def test_a_region_that_a_consumer_has_not_enabled_is_named(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    """Systems Manager, which is read first, knows no credentials of the account there."""
    publishing.with_role(fixture)
    image = {"account": OWNER, "devices": [{"device_name": "/dev/xvda", "size": 8}]}
    shared = {**image, "sharing": {"accounts": [CONSUMER]}}
    images = fixture.add_images({region: {**shared, "region": region} for region in (HOME, OPTIONAL)})
    consumer = aws.account_id(CONSUMER)
    aws.update_settings(not_opted_in_regions_by_account={consumer: [OPTIONAL]})
    run = modules.tasks([publishing.publish("Publish", images=images, **publishing.in_consumers(fixture))])
    task = run.task("Publish")
    assert task.codes == [(OPTIONAL, "UnrecognizedClientException")], task.result
    assert task.result["msg"].startswith(f"{OPTIONAL}: In account {consumer}: The security token included")
    assert "a region that the account has not enabled" in task.result["msg"]
    assert publishing.written(aws) == []


@pytest.mark.nightly
def test_a_value_whose_answer_is_lost_is_not_put_again(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    images = publishing.golden_images(fixture, "2026.11")
    aws.add_fault("drop", action="PutParameter", region=AWAY, when="after")
    aws.add_fault("drop", action="PutParameter", region=HOME, when="before")
    run = ansible.tasks([publishing.publish("Publish", images=images)])
    assert run.code == 0, run.text
    assert Counter(call.region for call in aws.calls(action="PutParameter")) == {AWAY: 1, HOME: 2}
    results = run.task("Publish").result["results"]
    assert [one["parameter_version"] for one in results] == [1, 1]
    for region in REGIONS:
        history = aws.client("ssm", OWNER, region).get_parameter_history(Name=PARAMETER)["Parameters"]
        assert [one["Version"] for one in history] == [1]
        assert publishing.value(aws, OWNER, region, f":source-{images[region]}") == images[region]
    assert Counter(one.action for one in run.actions) == {"PutParameter": 2, "LabelParameterVersion": 2}


@pytest.mark.nightly
def test_a_new_parameter_is_created_with_the_tags_that_a_policy_requires(
    aws: SimulatedAws, fixture: Fixture, tmp_path: Path
) -> None:
    images = publishing.golden_images(fixture, "2026.11")
    untagged = {
        "Effect": "Deny",
        "Action": "ssm:PutParameter",
        "Resource": "*",
        "Condition": {"Null": {"aws:RequestTag/team": "true"}},
    }
    requiring = {"Version": "2012-10-17", "Statement": [untagged]}
    user = Attached(aws, fixture, tmp_path, [policies.PUBLISH.document(), requiring])
    refused = user.ansible.tasks([publishing.publish("Publish", images=images)])
    assert refused.task("Publish").codes == [(region, "AccessDeniedException") for region in sorted(REGIONS)]
    done = user.ansible.tasks([publishing.publish("Publish", images=images, parameter_tags={"team": "web"})])
    assert done.code == 0, done.text
    assert Counter(one.action for one in done.actions) == {"PutParameter": 2, "LabelParameterVersion": 2}
    for region in REGIONS:
        assert publishing.tags(aws, OWNER, region) == {"team": "web"}
        assert publishing.value(aws, OWNER, region, f":source-{images[region]}") == images[region]


@pytest.mark.nightly
def test_a_parameter_that_another_client_creates_first_is_not_overwritten(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    theirs, ours = (publishing.golden_images(fixture, release) for release in ("2026.10", "2026.11"))
    aws.add_fault("freeze", action="PutParameter", when="before", times=2)
    task = publishing.publish("Publish", images=ours, parameter_tags={"team": "web"})
    with ThreadPoolExecutor() as threads:
        running = threads.submit(ansible.tasks, [task])
        await_matched(aws, 2)
        for region, image_id in ((AWAY, theirs[AWAY]), (HOME, ours[HOME])):
            value = {"Type": "String", "DataType": "aws:ec2:image", "Value": image_id}
            aws.client("ssm", OWNER, region).put_parameter(Name=PARAMETER, **value)
        aws.clear_faults()
        run = running.result()
    published = run.task("Publish")
    assert published.codes == [(AWAY, "concurrent_change")], run.text
    assert [publishing.value(aws, OWNER, region) for region in (AWAY, HOME)] == [theirs[AWAY], ours[HOME]]
    # The other region has the image, and gets its label and tags.
    assert Counter((one.region, one.action) for one in run.actions) == {
        (HOME, "AddTagsToResource"): 1,
        (HOME, "LabelParameterVersion"): 1,
    }
    rerun = ansible.tasks([task])
    assert rerun.code == 0, rerun.text
    assert publishing.value(aws, OWNER, AWAY) == ours[AWAY]


def test_one_regions_failure_hides_no_others_success_and_is_made_up_for(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    images = publishing.golden_images(fixture, "2026.11")
    task = publishing.publish("Publish", images=images, wait_timeout=1)
    aws.add_fault(
        "error", action="LabelParameterVersion", region=AWAY, code="InternalServerError", status=500, times=0
    )
    run = modules.tasks([task])
    assert run.task("Publish").codes == [(AWAY, "InternalServerError")]
    assert [one["region"] for one in run.task("Publish").result["results"]] == [HOME]
    assert (publishing.value(aws, OWNER, HOME), publishing.value(aws, OWNER, AWAY)) == (
        images[HOME],
        images[AWAY],
    )

    aws.clear_faults()
    aws.clear_calls()
    rest = modules.tasks([task])
    assert [(one.region, one.action) for one in publishing.written(aws)] == [(AWAY, "LabelParameterVersion")]
    assert rest.code == 0, rest.text

    newer = publishing.golden_images(fixture, "2026.12")
    aws.update_settings(parameter_validation_seconds=10_000)
    late = modules.tasks([publishing.publish("Publish", images=newer, wait_timeout=1)])
    assert late.task("Publish").codes == [
        (AWAY, "parameter_not_validated"),
        (HOME, "parameter_not_validated"),
    ]
    assert "ssm:GetParameters" in publishing.warnings(late)
    assert publishing.value(aws, OWNER, HOME) == images[HOME]
    # AWS goes on meanwhile.
    aws.update_settings(parameter_validation_seconds=0)
    aws.clear_calls()
    assert modules.tasks([publishing.publish("Publish", images=newer)]).code == 0
    assert {one.action for one in publishing.written(aws)} == {"LabelParameterVersion"}
    for region in REGIONS:
        assert publishing.value(aws, OWNER, region, f":source-{newer[region]}") == newer[region]
