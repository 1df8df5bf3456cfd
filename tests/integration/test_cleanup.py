# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_cleanup: what is retired is as the policy says, nothing in use goes, and nothing is left behind."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import in_process, observed
from .fixture import HOME, OWNER, Fixture
from .in_process import Modules
from .launching import LAUNCHERS, SERVICES
from .playbook import Ansible, Change, Task, kill

AWAY = "eu-west-1"
DISKS = [{"device_name": "/dev/xvda", "size": 8}, {"device_name": "/dev/sdb", "size": 20}]
ONE = {"MinCount": 1, "MaxCount": 1}
GONE = "ami-0123456789abcdef0"
REPORTED = [
    "ec2:Instance",
    "ec2:LaunchTemplate",
    "imagebuilder:ImageRecipe",
    "imagebuilder:ContainerRecipe",
]
_TIMEOUT = 60


def _images(fixture: Fixture, region: str, **ages: int) -> dict[str, str]:
    """Images of the family web, each so many days old; their IDs by name."""
    common = {"account": OWNER, "region": region, "devices": DISKS, "tags": {"family": "web"}}
    labels = {f"{name}-{region}": {**common, "age_days": age} for name, age in ages.items()}
    added = fixture.add_images(labels)
    return {name: added[f"{name}-{region}"] for name in ages}


@pytest.fixture
def policy(ansible: Ansible) -> dict[str, Any]:
    """To deregister at once all but the newest image of each family."""
    return {
        "regions": [HOME, AWAY],
        "family_tag": "family",
        "deregister_after_days": 0,
        "max_deletions": "100%",
        "tombstone_path": str(ansible.folder / "tombstones.jsonl"),
    }


def _tombstones(policy: dict[str, Any]) -> list[dict[str, Any]]:
    path = Path(policy["tombstone_path"])
    return (
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    )


def _decisions(task: Task) -> dict[str, str]:
    return {one["image_id"]: one["decision"] for one in task.result["results"]}


def _evidence(task: Task) -> dict[str, list[str]]:
    return {
        one["image_id"]: [found["kind"] for found in one["evidence"]]
        for one in task.result["results"]
        if one["evidence"]
    }


@pytest.mark.quick
def test_unused_images_go_with_their_snapshots_and_used_ones_stay(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, modules: Modules, policy: dict[str, Any]
) -> None:
    ages = {
        "new": 1,
        "old": 100,
        "run": 90,
        "templated": 80,
        "named": 70,
        "shared": 60,
        "kept": 50,
        "pinned": 40,
    }
    home = _images(fixture, HOME, **ages)
    away = _images(fixture, AWAY, new=2, old=200, older=300)
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.run_instances(ImageId=home["run"], **ONE)
    # Neither the latest nor the default version names it, so that no bulk read does.
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData={"ImageId": GONE})
    for image in (home["templated"], GONE):
        ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData={"ImageId": image})
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/web", Value=f"was {home['named']}", Type="String")
    # A template names the parameter's first version, which names another image than its latest.
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/db", Value=home["pinned"], Type="String")
    aws.client("ssm", OWNER, HOME).put_parameter(Name="/db", Value=GONE, Type="String", Overwrite=True)
    ec2.create_launch_template(LaunchTemplateName="db", LaunchTemplateData={"ImageId": "resolve:ssm:/db:1"})
    permissions = {"Add": [{"UserId": aws.account_id("sandbox")}]}
    ec2.modify_image_attribute(ImageId=home["shared"], LaunchPermission=permissions)
    # The owner's own permission is recorded, and shares the image with nobody.
    own = [{"UserId": aws.account_id(OWNER)}]
    ec2.modify_image_attribute(ImageId=home["old"], LaunchPermission={"Add": own})
    ec2.create_tags(Resources=[home["kept"]], Tags=[{"Key": "legal", "Value": "hold"}])
    # One of the old image's snapshots is part of another family's image, too.
    shared_snapshot, own_snapshot = observed.snapshot_ids(observed.image(aws, OWNER, HOME, home["old"]))
    mapping = [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": shared_snapshot}}]
    ec2.register_image(Name="other", RootDeviceName="/dev/xvda", BlockDeviceMappings=mapping)
    policy["protect_tags"] = ["legal=hold"]
    aws.clear_calls()

    planned_run, planned = ansible.module("ami_cleanup", "--check", "--diff", **policy)
    assert planned_run.code == 0, planned_run.text
    assert observed.changes(aws, refused=True) == []
    assert _evidence(planned) == {
        home["run"]: ["instance"],
        home["templated"]: ["ec2:LaunchTemplate"],
        home["named"]: ["parameter"],
        home["pinned"]: ["parameter"],
        home["shared"]: ["shared"],
    }
    going = [home["old"], away["old"], away["older"]]
    assert sorted(image for image, decision in _decisions(planned).items() if decision != "keep") == sorted(
        going
    )
    assert _tombstones(policy) == []

    run, done = ansible.module("ami_cleanup", "--diff", **policy)
    assert run.code == 0, run.text
    assert (done.result["actions"], done.result["diff"]) == (
        planned.result["actions"],
        planned.result["diff"],
    )
    left = {image["ImageId"] for region in (HOME, AWAY) for image in observed.own_images(aws, OWNER, region)}
    assert left.isdisjoint(going)
    assert {*home.values(), *away.values()} - {*going} <= left
    snapshots = observed.own_snapshots(aws, OWNER, HOME)
    assert shared_snapshot in snapshots
    assert own_snapshot not in snapshots
    assert observed.own_snapshots(aws, OWNER, AWAY) == sorted(
        observed.snapshot_ids(observed.image(aws, OWNER, AWAY, away["new"]))
    )
    tombstones = {one["image_id"]: one for one in _tombstones(policy)}
    assert set(tombstones) == set(going)
    assert [one["deleted"] for one in tombstones[home["old"]]["snapshots"]] == [False, True]
    assert tombstones[home["old"]]["image"]["Name"] == f"old-{HOME}"
    assert tombstones[home["old"]]["launch_permissions"]["account_ids"] == [aws.account_id(OWNER)]

    aws.clear_calls()
    again, repeated = modules.module("ami_cleanup", **policy)
    assert (again.code, repeated.changed, observed.changes(aws, refused=True)) == (0, False, [])


def test_images_that_groups_and_fleets_name_are_used(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, policy: dict[str, Any]
) -> None:
    names = ["old", "override", "pinned", "refreshed", "fleet", "spot"]
    home = _images(fixture, HOME, new=1, **{name: 100 + number for number, name in enumerate(names)})
    ec2, autoscaling = (aws.client(one, OWNER, HOME) for one in ("ec2", "autoscaling"))
    ssm = aws.client("ssm", OWNER, HOME)
    # Earlier versions of parameters name images that their latest versions do not name. AWS allows three
    # calls of PutParameter a second.
    aws.set_throttling(False)
    for name in ("pinned", "refreshed"):
        ssm.put_parameter(Name=f"/{name}", Value=home[name], Type="String")
        ssm.put_parameter(Name=f"/{name}", Value=home["new"], Type="String", Overwrite=True)
    aws.set_throttling(True)
    common = {"InstanceType": "t3.micro"}
    images = ["resolve:ssm:/pinned:1", "resolve:ssm:/refreshed:1", home["new"]]
    first, *others = ({**common, "ImageId": image} for image in images)
    ec2.create_launch_template(LaunchTemplateName="web", LaunchTemplateData=first)
    for data in others:
        ec2.create_launch_template_version(LaunchTemplateName="web", LaunchTemplateData=data)
    ec2.modify_launch_template(LaunchTemplateName="web", DefaultVersion="3")
    pinned, refreshed, newest = ({"LaunchTemplateName": "web", "Version": str(one)} for one in (1, 2, 3))
    override = {"InstanceType": "t3.micro", "ImageId": home["override"]}
    mixed = {"LaunchTemplate": {"LaunchTemplateSpecification": newest, "Overrides": [override]}}
    empty = {"AvailabilityZones": [f"{HOME}a"], "MinSize": 0, "MaxSize": 0}
    autoscaling.create_auto_scaling_group(AutoScalingGroupName="mixed", **empty, MixedInstancesPolicy=mixed)
    autoscaling.create_auto_scaling_group(AutoScalingGroupName="pinned", **empty, LaunchTemplate=pinned)
    desired = {"LaunchTemplate": refreshed}
    aws.update_settings(instance_refresh_seconds=600)
    autoscaling.start_instance_refresh(AutoScalingGroupName="mixed", DesiredConfiguration=desired)
    ec2.create_fleet(
        LaunchTemplateConfigs=[
            {"LaunchTemplateSpecification": newest, "Overrides": [{**common, "ImageId": home["fleet"]}]}
        ],
        TargetCapacitySpecification={"TotalTargetCapacity": 0},
    )
    ec2.request_spot_fleet(
        SpotFleetRequestConfig={
            "IamFleetRole": f"arn:aws:iam::{aws.account_id(OWNER)}:role/fleet",
            "TargetCapacity": 0,
            "AllocationStrategy": "lowestPrice",
            "LaunchSpecifications": [{**common, "ImageId": home["spot"]}],
        }
    )
    run, done = modules.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    kinds = {image: found[0] for image, found in _evidence(done).items()}
    assert kinds == {
        home["new"]: "launch_template",
        home["override"]: "auto_scaling_group",
        home["pinned"]: "parameter",
        home["refreshed"]: "parameter",
        home["fleet"]: "fleet",
        home["spot"]: "spot_fleet",
    }
    assert _decisions(done)[home["old"]] == "deregister"


def test_what_an_aws_service_hides_is_use(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, run=200, templated=300)
    ec2 = aws.client("ec2", OWNER, HOME)
    service = {"Operator": {"Principal": "eks.amazonaws.com"}}
    ec2.run_instances(ImageId=home["run"], **ONE, **service)
    data = {"ImageId": home["templated"]}
    ec2.create_launch_template(LaunchTemplateName="eks", LaunchTemplateData=data, **service)
    run, done = modules.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    kinds = {image: found[0] for image, found in _evidence(done).items()}
    assert kinds == {home["run"]: "instance", home["templated"]: "launch_template"}
    assert _decisions(done)[home["old"]] == "deregister"


def test_what_other_services_launch_is_used_and_read_only_where_images_go(
    aws: SimulatedAws, fixture: Fixture, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, **dict.fromkeys(LAUNCHERS, 200))
    _images(fixture, AWAY, new=1)
    for kind, launch in LAUNCHERS.items():
        launch(aws, home[kind])
    aws.clear_calls()
    aws.add_fault("denied", service="batch", times=1)
    done = in_process.run(aws, OWNER, "ami_cleanup", policy)
    assert done["failed"]
    assert "batch:DescribeComputeEnvironments could not be read" in done["msg"]
    assert "Allow batch:DescribeComputeEnvironments" in done["msg"]
    assert observed.changes(aws, refused=True) == []

    done = in_process.run(aws, OWNER, "ami_cleanup", policy)
    results = {one["image_id"]: one for one in done["results"]}
    used = {name: [found["kind"] for found in one["evidence"]] for name, one in results.items()}
    assert {name: set(kinds) for name, kinds in used.items() if kinds} == {
        home[kind]: {kind} for kind in LAUNCHERS
    }
    assert results[home["old"]]["decision"] == "deregister"
    assert {call.region for call in aws.calls() if call.service in SERVICES} == {HOME}


@pytest.mark.nightly
def test_a_nightly_backup_of_an_instance_displaces_no_golden_image(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, golden=10, old=100)
    nightly = {"account": OWNER, "region": HOME, "devices": DISKS}
    tags = {"family": "web", "aws:dlm:lifecycle-policy-id": "policy-0123456789abcdef0"}
    backups = fixture.add_images(
        {f"nightly-{age}": {**nightly, "tags": tags, "age_days": age} for age in (1, 2)}
    )
    built = _built_by_image_builder(aws, fixture)
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    gone = {home["old"]: "deregister", built["without policy"]: "deregister"}
    assert _decisions(done) == {home["golden"]: "keep", **gone}
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)}
    assert {home["golden"], built["with policy"], *backups.values()} <= left
    assert not left & set(gone)


def _built_by_image_builder(aws: SimulatedAws, fixture: Fixture) -> dict[str, str]:
    """A new image to which a lifecycle policy in another region applies, and an old one without a policy."""
    built = {"account": OWNER, "region": AWAY, "version": "1.2.0/1"}
    image = {"account": OWNER, "region": HOME, "devices": DISKS, "tags": {"family": "web"}}
    aws.client("imagebuilder", OWNER, AWAY).create_lifecycle_policy(
        name="web",
        executionRole="lifecycle",
        resourceType="AMI_IMAGE",
        policyDetails=[
            {
                "action": {"type": "DELETE", "includeResources": {"amis": True}},
                "filter": {"type": "COUNT", "value": 3},
            }
        ],
        resourceSelection={"recipes": [{"name": "managed", "semanticVersion": "1.x.x"}]},
    )
    return fixture.add_images(
        {
            "with policy": {**image, "age_days": 1, "built_by": {**built, "name": "managed"}},
            "without policy": {**image, "age_days": 90, "built_by": {**built, "name": "other"}},
        }
    )


def test_stages_follow_their_clocks_and_a_day_before_nothing_is_done(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100)
    policy = {**policy, "deprecate_after_days": 0, "disable_after_days": 0, "deregister_after_days": 9}
    # The tombstone of the first stage names the image, in a parameter, and must not count as a use of it.
    policy |= {"region": HOME, "tombstone_ssm_path": "/retired"}
    aws.update_settings(references_in_text_parameters=True)
    run, done = modules.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert [one["action"] for one in done.result["actions"]] == ["DisableImage", "CreateTags"]
    (old,) = (one for one in observed.own_images(aws, OWNER, HOME) if one["ImageId"] == home["old"])
    assert old["State"] == "disabled"
    assert [(one["image_id"], one["stage"]) for one in _tombstones(policy)] == [(home["old"], "disable")]
    long_ago = f"{datetime.now(UTC) - timedelta(days=50):%Y-%m-%dT%H:%M:%SZ}"
    dated = {key: long_ago for key in observed.tags(old) if "cleanup" in key}
    tags = [{"Key": key, "Value": value} for key, value in dated.items()]
    aws.client("ec2", OWNER, HOME).create_tags(Resources=[home["old"]], Tags=tags)
    run, done = modules.module("ami_cleanup", **policy)
    aws.update_settings(references_in_text_parameters=False)
    assert run.code == 0, run.text
    assert [
        one["ImageId"]
        for one in observed.own_images(aws, OWNER, HOME)
        if "web" in observed.tags(one).values()
    ] == [home["new"]]


@pytest.mark.nightly
def test_over_the_limit_and_with_what_cannot_be_read_nothing_goes(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    _images(fixture, HOME, new=1, old=100)
    _images(fixture, AWAY, new=1, old=100)
    run, refused = ansible.module("ami_cleanup", **{**policy, "max_deletions": 1})
    assert run.code != 0
    assert "2 of 4 images would be disabled or deregistered" in refused.result["msg"]
    # What was read once cannot be read again before the first deletion.
    aws.add_fault(
        "error", action="DescribeImages", after=2, times=0, code="InternalError", message="No.", status=400
    )
    run, refused = ansible.module("ami_cleanup", **policy)
    assert run.code != 0
    assert sorted(refused.codes) == [(AWAY, "InternalError"), (HOME, "InternalError")]
    aws.clear_faults()
    denied = {"action": "DescribeInstances", "code": "UnauthorizedOperation", "message": "No.", "status": 403}
    aws.add_fault("error", times=0, region=HOME, **denied)
    aws.add_fault("error", times=0, region=AWAY, **{**denied, "action": "DescribeImageReferences"})
    run, kept = ansible.module("ami_cleanup", **policy)
    assert (run.code != 0, kept.result["changed"]) == (True, False), run.text
    assert kept.codes == [(AWAY, "cleanup_unreadable"), (HOME, "cleanup_unreadable")]
    run, quiet = ansible.module("ami_cleanup", **policy, fail_on="none")
    assert (run.code, quiet.changed, quiet.result["failures"]) == (0, False, []), run.text
    assert [one["action"] for one in quiet.result["unreadable"]] == [
        "DescribeImageReferences",
        "DescribeInstances",
    ]
    place = f"{HOME} in account {aws.account_id(OWNER)}"
    assert f"{place}: DescribeInstances could not be read" in " ".join(run.text.split())
    unread = [one["evidence"][0] for one in kept.result["results"] if one["evidence"]]
    assert {(one["kind"], one["subject"]) for one in unread} == {
        ("unreadable", "DescribeInstances"),
        ("unreadable", "DescribeImageReferences"),
    }
    assert all("UnauthorizedOperation" in one["detail"] for one in unread)
    assert observed.changes(aws, refused=True) == []


def test_one_images_refusal_stops_no_other_and_the_next_run_finishes(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, older=200)
    aws.add_fault(
        "error", action="DeregisterImage", code="OperationNotPermitted", message="Protected.", status=400
    )
    run, failed = modules.module("ami_cleanup", **policy)
    assert run.code != 0
    assert failed.codes == [(HOME, "OperationNotPermitted")]
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)} & {*home.values()}
    assert len(left) == 2
    run, done = modules.module("ami_cleanup", **policy)
    assert (run.code, done.changed) == (0, True), run.text
    _assert_only_new_is_left(aws, home)


@pytest.mark.nightly
def test_evidence_that_turns_up_during_the_run_spares_the_image(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, older=200)
    # By the time of the first closer look the bulk reads are done.
    aws.add_fault("freeze", action="DescribeImageReferences", when="after", times=1)
    process = ansible.start(_play(ansible, policy))
    _await_frozen(aws, 1)
    aws.client("ec2", OWNER, HOME).run_instances(ImageId=home["old"], **ONE)
    aws.clear_faults()
    stdout, stderr = process.communicate(timeout=_TIMEOUT)
    assert process.returncode == 0, stdout + stderr
    assert "was skipped, because the final check found: instance" in " ".join((stdout + stderr).split())
    assert '"decision":"keep","evidence":[{"detail":"running","kind":"instance"' in stdout.replace(" ", "")
    assert [one["image_id"] for one in _tombstones(policy)] == [home["older"]]
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)} & {*home.values()}
    assert left == {home["new"], home["old"]}


@pytest.mark.parametrize("resource", ["image", pytest.param("snapshot", marks=pytest.mark.nightly)])
def test_an_image_that_is_shared_after_the_final_plan_is_spared(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any], resource: str
) -> None:
    home = _images(fixture, HOME, new=1, old=100, older=200)
    # The second read of references is the last call before the looks at single images.
    aws.add_fault("freeze", action="DescribeImageReferences", when="after", after=1, times=1)
    process = ansible.start(_play(ansible, {**policy, "regions": [HOME]}))
    _await_frozen(aws, 2)
    owner, entry = aws.client("ec2", OWNER, HOME), {"UserId": aws.account_id("sandbox")}
    if resource == "image":
        owner.modify_image_attribute(ImageId=home["old"], LaunchPermission={"Add": [entry]})
    else:
        (old,) = (one for one in observed.own_images(aws, OWNER, HOME) if one["ImageId"] == home["old"])
        owner.modify_snapshot_attribute(
            SnapshotId=observed.snapshot_ids(old)[0], CreateVolumePermission={"Add": [entry]}
        )
    before = set(observed.own_snapshots(aws, OWNER, HOME))
    aws.clear_faults()
    stdout, stderr = process.communicate(timeout=_TIMEOUT)
    assert process.returncode == 0, stdout + stderr
    text = " ".join((stdout + stderr).split())
    assert f"{HOME}/{home['old']} was skipped, because the final check found: " in text
    assert aws.account_id("sandbox") in text
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)} & {*home.values()}
    assert left == {home["new"], home["old"]}
    assert len(before - set(observed.own_snapshots(aws, OWNER, HOME))) == len(DISKS)
    marked = [
        one["SnapshotId"]
        for one in owner.describe_snapshots(OwnerIds=["self"])["Snapshots"]
        if "golden.images:cleanup-image-ids" in observed.tags(one)
    ]
    assert marked == []


@pytest.mark.nightly
def test_a_group_that_is_deleted_while_it_is_read_keeps_no_image(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    """Nor does an image keep others that is deregistered then."""
    home = _images(fixture, HOME, new=1, old=100, older=200)
    ec2, autoscaling = aws.client("ec2", OWNER, HOME), aws.client("autoscaling", OWNER, HOME)
    ec2.create_launch_template(
        LaunchTemplateName="web", LaunchTemplateData={"ImageId": home["new"], "InstanceType": "t3.micro"}
    )
    autoscaling.create_auto_scaling_group(
        AutoScalingGroupName="web",
        AvailabilityZones=[f"{HOME}a"],
        LaunchTemplate={"LaunchTemplateName": "web", "Version": "$Latest"},
        MinSize=0,
        MaxSize=0,
    )
    aws.add_fault("freeze", action="DescribeInstanceRefreshes", when="before", times=1)
    process = ansible.start(_play(ansible, policy))
    _await_frozen(aws, 1)
    autoscaling.delete_auto_scaling_group(AutoScalingGroupName="web")
    ec2.deregister_image(ImageId=home["older"])
    aws.clear_faults()
    stdout, stderr = process.communicate(timeout=_TIMEOUT)
    assert process.returncode == 0, stdout + stderr
    assert "could not be read" not in stdout + stderr
    assert [one["image_id"] for one in _tombstones(policy)] == [home["old"]]
    shown = stdout.replace(" ", "")
    assert f'"kind":"gone","subject":"{home["older"]}"' in shown
    left = {one["ImageId"] for one in observed.own_images(aws, OWNER, HOME)} & {*home.values()}
    assert left == {home["new"]}


def test_a_shared_image_goes_once_every_account_was_looked_into_and_none_uses_it(
    aws: SimulatedAws, fixture: Fixture, modules: Modules, policy: dict[str, Any]
) -> None:
    fixture.add(roles={"golden": {"accounts": ["sandbox"], "trusts": [OWNER], "external_id": "s3cret-word"}})
    home = _images(fixture, HOME, new=1, old=100, run=200, partly=300)
    ec2 = aws.client("ec2", OWNER, HOME)
    with_whom = {"old": ["sandbox"], "run": ["sandbox"], "partly": ["sandbox", "web-prod"]}
    for name, accounts in with_whom.items():
        permissions = {"Add": [{"UserId": one} for one in fixture.account_ids(*accounts)]}
        ec2.modify_image_attribute(ImageId=home[name], LaunchPermission=permissions)
    aws.client("ec2", "sandbox", HOME).run_instances(ImageId=home["run"], **ONE)
    policy |= {"include_shared": True, "consumer_role_name": "golden", "external_id": "s3cret-word"}
    policy["trust_usage_reports"] = True
    aws.client("s3", OWNER, HOME).create_bucket(Bucket="retired")
    del policy["tombstone_path"]
    policy |= {"region": HOME, "tombstone_s3_uri": "s3://retired/web", "tombstone_ssm_path": "/retired"}
    run, done = modules.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert "s3cret-word" not in run.text
    assert _decisions(done)[home["old"]] == "deregister"
    kinds = {image: set(found) for image, found in _evidence(done).items()}
    assert kinds == {home["run"]: {"other_account"}, home["partly"]: {"unproven", "unreadable"}}
    # What cannot be looked into gets a report, which has come by the next run.
    reported = [one for one in done.result["actions"] if one["action"] == "CreateImageUsageReport"]
    assert [one["resource"] for one in reported] == [home["partly"]]
    run, done = modules.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert _decisions(done) == {home["new"]: "keep", home["run"]: "keep", home["partly"]: "deregister"}
    stored = aws.client("s3", OWNER, HOME).list_objects_v2(Bucket="retired")["Contents"]
    tombstones = sorted(f"web/{HOME}/{home[name]}" for name in ("old", "partly"))
    assert sorted(one["Key"].rpartition("/")[0] for one in stored) == tombstones
    parameter = aws.client("ssm", OWNER, HOME).get_parameter(Name=f"/retired/{HOME}/{home['old']}")
    lost = json.loads(parameter["Parameter"]["Value"])
    assert lost["launch_permissions"]["account_ids"] == fixture.account_ids("sandbox")


@pytest.mark.nightly
def test_a_disabled_image_stays_while_an_account_that_its_snapshots_are_shared_with_uses_it(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    fixture.add(roles={"golden": {"accounts": ["sandbox"], "trusts": [OWNER]}})
    home = _images(fixture, HOME, new=1, run=100, data=200, free=300)
    owner, consumer = aws.client("ec2", OWNER, HOME), aws.client("ec2", "sandbox", HOME)
    permission = {"Add": [{"UserId": aws.account_id("sandbox")}]}
    for name in ("run", "data", "free"):
        owner.modify_image_attribute(ImageId=home[name], LaunchPermission=permission)
        for one in observed.snapshot_ids(observed.image(aws, OWNER, HOME, home[name])):
            owner.modify_snapshot_attribute(SnapshotId=one, CreateVolumePermission=permission)
    (instance,) = consumer.run_instances(ImageId=home["run"], **ONE)["Instances"]
    data = observed.snapshot_ids(observed.image(aws, OWNER, HOME, home["data"]))[0]
    mapping = {"DeviceName": "/dev/sdf", "Ebs": {"SnapshotId": data}}
    template = consumer.create_launch_template(
        LaunchTemplateName="data", LaunchTemplateData={"BlockDeviceMappings": [mapping]}
    )["LaunchTemplate"]
    for name in ("run", "data", "free"):
        owner.disable_image(ImageId=home[name])
    policy |= {"include_shared": True, "consumer_role_name": "golden"}
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert _decisions(done) == {
        home["new"]: "keep",
        **dict.fromkeys((home["run"], home["data"]), "keep"),
        home["free"]: "deregister",
    }
    details = {one["image_id"]: [use["detail"] for use in one["evidence"]] for one in done.result["results"]}
    assert f"instance {instance['InstanceId']}" in details[home["run"]]
    by_template = f"{template['LaunchTemplateName']} ({template['LaunchTemplateId']}) version 1"
    named = f"snapshot {data} in launch template {by_template}"
    assert details[home["data"]] == [named]
    consumer.terminate_instances(InstanceIds=[instance["InstanceId"]])
    consumer.delete_launch_template(LaunchTemplateId=template["LaunchTemplateId"])
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert _decisions(done) == {home["new"]: "keep", home["run"]: "deregister", home["data"]: "deregister"}


@pytest.mark.nightly
def test_a_tombstone_whose_answer_is_lost_is_not_put_again(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, older=200)
    del policy["tombstone_path"]
    aws.add_fault("drop", action="PutParameter", when="after")
    aws.add_fault("drop", action="PutParameter", when="before", after=1)
    run, done = ansible.module("ami_cleanup", **policy, region=HOME, tombstone_ssm_path="/retired")
    assert run.code == 0, run.text
    assert _decisions(done) == {home["new"]: "keep", home["old"]: "deregister", home["older"]: "deregister"}
    assert [one.status for one in aws.calls(action="PutParameter")] == [None, None, 200]
    for name in ("old", "older"):
        history = aws.client("ssm", OWNER, HOME).get_parameter_history(Name=f"/retired/{HOME}/{home[name]}")
        assert [one["Version"] for one in history["Parameters"]] == [1]


@pytest.mark.nightly
def test_an_endpoint_for_tombstones_that_is_no_url_changes_nothing(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    _images(fixture, HOME, new=1, old=100, older=200)
    del policy["tombstone_path"]
    wrong = Ansible({**ansible.environment, "AWS_ENDPOINT_URL_S3": "s3.internal"}, ansible.folder)
    aws.clear_calls()
    run, done = wrong.module("ami_cleanup", **policy, region=HOME, tombstone_s3_uri="s3://retired/amis")
    assert run.code != 0
    assert "Invalid endpoint: s3.internal" in done.result["msg"]
    assert "This task changed nothing." in done.result["msg"]
    assert aws.calls(action="CreateTags") == []


@pytest.mark.nightly
def test_a_report_that_lacks_recipes_proves_nothing_and_a_region_without_them_keeps_its_images(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100, recipe=200)
    ec2 = aws.client("ec2", OWNER, HOME)
    permissions = {"Add": [{"UserId": aws.account_id("sandbox")}]}
    for name in ("old", "recipe"):
        ec2.modify_image_attribute(ImageId=home[name], LaunchPermission=permissions)
        # Any principal of the account can request a report of fewer types.
        types = [{"ResourceType": "ec2:Instance"}, {"ResourceType": "ec2:LaunchTemplate"}]
        ec2.create_image_usage_report(ImageId=home[name], ResourceTypes=types)
    aws.client("imagebuilder", "sandbox", HOME).create_image_recipe(
        name="web", semanticVersion="1.0.0", parentImage=home["recipe"]
    )
    policy |= {"include_shared": True, "trust_usage_reports": True}
    aws.update_settings(usage_report_resource_types=["ec2:Instance", "ec2:LaunchTemplate"])
    run, kept = ansible.module("ami_cleanup", **policy)
    assert (run.code, kept.result["actions"]) == (0, []), run.text
    assert f"{HOME}: AWS refuses usage reports that cover" in " ".join(run.text.split())
    assert run.text.count("does not cover imagebuilder:ImageRecipe, imagebuilder:ContainerRecipe.") == 2
    aws.update_settings(usage_report_resource_types=REPORTED)
    run, requested = ansible.module("ami_cleanup", **policy)
    assert [one["action"] for one in requested.result["actions"]] == ["CreateImageUsageReport"] * 2
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert _decisions(done) == {home["new"]: "keep", home["old"]: "deregister", home["recipe"]: "keep"}


@pytest.mark.nightly
def test_a_usage_report_that_failed_is_requested_again_on_the_same_day(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    """(botocore shapes ImageUsageReport, State, and CreateImageUsageReportRequest, ClientToken.)"""
    home = _images(fixture, HOME, new=1, old=100)
    permissions = {"Add": [{"UserId": aws.account_id("sandbox")}]}
    ec2 = aws.client("ec2", OWNER, HOME)
    ec2.modify_image_attribute(ImageId=home["old"], LaunchPermission=permissions)
    policy |= {"include_shared": True, "trust_usage_reports": True}
    for fails in (True, False):
        aws.update_settings(usage_reports_fail=fails)
        run, requested = ansible.module("ami_cleanup", **policy)
        assert run.code == 0, run.text
        assert [one["action"] for one in requested.result["actions"]] == ["CreateImageUsageReport"]
        assert _decisions(requested)[home["old"]] == "keep"
    states = [one["State"] for one in ec2.describe_image_usage_reports()["ImageUsageReports"]]
    assert sorted(states) == ["available", "error"]
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert _decisions(done) == {home["new"]: "keep", home["old"]: "deregister"}


@pytest.mark.nightly
def test_grants_go_with_the_last_image_that_is_shared_with_their_account(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    both = ["sandbox", "web-prod"]
    disk = {"device_name": "/dev/xvda", "size": 8, "kms_key": "golden", "encrypted": True}
    common = {"account": OWNER, "region": HOME, "devices": [disk], "tags": {"family": "web"}}
    plain = {"devices": DISKS[:1]}
    built = fixture.add(
        roles={"golden": {"accounts": both, "trusts": [OWNER]}},
        kms_keys={"golden": {"account": OWNER, "regions": [HOME]}},
        images={
            "old": {**common, "age_days": 100, "sharing": {"accounts": both, "snapshot_accounts": both}},
            "new": {**common, "age_days": 1, "sharing": {"accounts": ["web-prod"]}},
            # An account with access only to the snapshot would lose it.
            "dump": {**common, **plain, "age_days": 200, "sharing": {"snapshot_accounts": ["sandbox"]}},
        },
    )
    # Nothing under the key is about to be shared.
    aws.update_settings(new_grant_age_seconds=24 * 3600)
    key = built["kms_keys"]["golden"][HOME]
    old, new, dump = (built["images"][name]["image_id"] for name in ("old", "new", "dump"))
    kms = aws.client("kms", OWNER, HOME)
    root = f"arn:aws:iam::{aws.account_id('sandbox')}:root"
    kms.create_grant(KeyId=key, GranteePrincipal=root, Operations=["Decrypt"])
    accounts = fixture.account_ids(*both)
    run, opened = ansible.module("ami_kms_grant", kms_key_ids={HOME: key}, account_ids=accounts)
    assert (run.code, [one["count"] for one in opened.result["actions"]]) == (0, [2]), run.text
    policy |= {"include_shared": True, "consumer_role_name": "golden", "revoke_grants": True}

    aws.add_fault(
        "error", action="ListGrants", times=1, code="AccessDeniedException", message="No.", status=400
    )
    run, kept = ansible.module("ami_cleanup", "--check", **policy)
    assert kept.codes == [(HOME, "cleanup_unreadable")]
    (unread,) = kept.result["unreadable"]
    assert (unread["action"], key in unread["message"]) == ("ListGrants", True)
    assert (_decisions(kept)[old], kept.result["actions"]) == ("wait", [])
    aws.clear_faults()
    run, planned = ansible.module("ami_cleanup", "--check", **policy)
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert done.result["actions"] == planned.result["actions"]
    assert [one["action"] for one in done.result["actions"]] == [
        "CreateTags",
        "DeregisterImage",
        "RevokeGrant",
        "DeleteSnapshot",
    ]
    left = kms.list_grants(KeyId=key)["Grants"]
    assert sorted((one["GranteePrincipal"].split(":")[4], bool(one.get("Name"))) for one in left) == sorted(
        [(aws.account_id("sandbox"), False), (aws.account_id("web-prod"), True)]
    )
    (tombstone,) = _tombstones(policy)
    assert tombstone["snapshots"][0]["volume_permissions"] == {
        "account_ids": sorted(accounts),
        "public": False,
    }
    assert _decisions(done) == {old: "deregister", new: "keep", dump: "wait"}
    run, again = ansible.module("ami_cleanup", **policy)
    assert (run.code, again.changed) == (0, False), run.text


@pytest.mark.nightly
@pytest.mark.parametrize(("action", "when"), [("CreateTags", "after"), ("DeregisterImage", "after")])
def test_a_rerun_after_a_kill_leaves_no_orphan(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any], action: str, when: str
) -> None:
    home = _images(fixture, HOME, new=1, old=100)
    aws.add_fault("freeze", action=action, when=when, times=0)
    process = ansible.start(_play(ansible, policy))
    _await_frozen(aws, 1)
    kill(process)
    aws.clear_faults()
    assert [one["image_id"] for one in _tombstones(policy)] == [home["old"]]
    run, _done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    _assert_only_new_is_left(aws, home)


@pytest.mark.nightly
def test_what_could_not_be_deleted_with_its_image_is_deleted_by_a_later_run(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible, policy: dict[str, Any]
) -> None:
    home = _images(fixture, HOME, new=1, old=100)
    ec2 = aws.client("ec2", OWNER, HOME)
    snapshot, _other = observed.snapshot_ids(observed.image(aws, OWNER, HOME, home["old"]))
    ec2.lock_snapshot(SnapshotId=snapshot, LockMode="governance", LockDuration=1)
    run, waiting = ansible.module("ami_cleanup", **policy)
    assert (run.code, _decisions(waiting)[home["old"]]) == (0, "wait"), run.text
    # An earlier run marked and deregistered it, and its snapshot was locked since.
    ec2.create_tags(
        Resources=[snapshot], Tags=[{"Key": "golden.images:cleanup-image-ids", "Value": home["old"]}]
    )
    ec2.deregister_image(ImageId=home["old"], DeleteAssociatedSnapshots=True)
    assert snapshot in observed.own_snapshots(aws, OWNER, HOME)
    ec2.unlock_snapshot(SnapshotId=snapshot)
    aws.clear_calls()
    run, done = ansible.module("ami_cleanup", **policy)
    assert run.code == 0, run.text
    assert observed.changes(aws) == [Change("DeleteSnapshot", HOME, None)]
    assert done.result["actions"][0]["resource"] == snapshot
    _assert_only_new_is_left(aws, home)


def _play(ansible: Ansible, policy: dict[str, Any]) -> Path:
    return ansible.write_play([{"name": "Clean up", "golden.images.ami_cleanup": policy}])


def _await_frozen(aws: SimulatedAws, nth: int) -> None:
    deadline = time.monotonic() + _TIMEOUT
    while aws.faults()[0]["matched"] < nth:
        assert time.monotonic() < deadline, "the call to freeze never came"
        time.sleep(0.1)


def _assert_only_new_is_left(aws: SimulatedAws, images: dict[str, str]) -> None:
    """The family's newest image is there with its snapshots, and nothing of the others is."""
    left = [one for one in observed.own_images(aws, OWNER, HOME) if observed.tags(one).get("family") == "web"]
    assert [one["ImageId"] for one in left] == [images["new"]]
    everything = [
        one for image in observed.own_images(aws, OWNER, HOME) for one in observed.snapshot_ids(image)
    ]
    assert observed.own_snapshots(aws, OWNER, HOME) == sorted(everything)
