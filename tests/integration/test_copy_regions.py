# SPDX-License-Identifier: GPL-3.0-or-later

"""ami_copy_regions: what becomes a copy, what is found to be one, and what is changed about it."""

from __future__ import annotations

from typing import Any

import pytest

from simulated_aws.client import SimulatedAws

from . import observed
from .fixture import HOME, OWNER, STRANGER, Fixture
from .in_process import Modules
from .playbook import MODULES, Ansible

AWAY = "eu-west-1"
DISK = {"device_name": "/dev/xvda", "size": 8}


def _copy(name: str, **arguments: Any) -> dict[str, Any]:
    return {
        "name": name,
        MODULES + "ami_copy_regions": {"source_region": HOME, "regions": [AWAY], **arguments},
    }


def _tags_of_copy(aws: SimulatedAws) -> tuple[dict[str, str], list[dict[str, str]]]:
    (image,) = observed.own_images(aws, OWNER, AWAY)
    return observed.tags(image), [
        observed.snapshot_tags(aws, OWNER, AWAY, snapshot_id) for snapshot_id in observed.snapshot_ids(image)
    ]


def test_a_copy_that_was_made_by_hand_is_taken_as_it_is(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    by_hand = aws.client("ec2", OWNER, AWAY).copy_image(
        Name="by-hand", SourceImageId=fixture.image_id, SourceRegion=HOME
    )["ImageId"]
    aws.clear_calls()
    wanted = {"source_image_id": fixture.image_id, "tags": {"role": "web"}, "purge_tags": True}
    run = modules.tasks([_copy("adopt", **wanted), _copy("adopt again", **wanted)])
    assert run.code == 0, run.text
    assert run.changed == []
    assert run.task("adopt").result["images"] == {AWAY: by_hand}
    (result,) = run.task("adopt").result["results"]
    assert (result["origin"], result["name"]) == ("adopted", "by-hand")
    assert observed.changes(aws, refused=True) == []
    assert _tags_of_copy(aws) == ({}, [{}, {}])


@pytest.mark.nightly
def test_names_and_descriptions_from_templates(aws: SimulatedAws, fixture: Fixture, ansible: Ansible) -> None:
    regions = [HOME, AWAY, "us-west-2"]
    run, task = ansible.module(
        "ami_copy_regions",
        source_image_id=fixture.image_id,
        source_region=HOME,
        regions=regions,
        name="{source_name}/{region}",
        description="Of {source_image_id} {version}",
    )
    assert run.code == 0, run.text
    assert [result["origin"] for result in task.result["results"]] == ["source", "copied", "copied"]
    for region in (AWAY, "us-west-2"):
        (image,) = observed.own_images(aws, OWNER, region)
        assert image["Name"] == f"{fixture.name}/{region}"
        assert image["Description"] == f"Of {fixture.image_id} {{version}}"
        assert task.result["images"][region] == image["ImageId"]
    assert task.result["images"][HOME] == fixture.image_id


def test_tags_converge_and_a_purge_keeps_what_is_not_the_copys_own(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    source = {"source_image_id": fixture.image_id}
    first = {**source, "tags": {"role": "web", "gone": "soon"}, "snapshot_tags": {"disk": "golden"}}
    more = {**source, "tags": {"role": "db"}, "copy_tags": True}
    run = modules.tasks([_copy("first", **first), _copy("more", **more), _copy("more again", **more)])
    assert run.code == 0, run.text
    assert run.changed == ["first", "more"]
    mark = {"golden.images:source": f"{HOME}/{fixture.image_id}"}
    copied = {"Name": "golden-web", "Release": "2026.11.1"}
    snapshot = {"disk": "golden", **mark}
    assert _tags_of_copy(aws) == ({"role": "db", "gone": "soon", **copied, **mark}, [snapshot, snapshot])
    assert observed.changes(aws) == run.actions

    (image,) = observed.own_images(aws, OWNER, AWAY)
    shared = {"ec2:SharedTag/version": "2026.11"}
    aws.client("ec2", OWNER, AWAY).create_tags(
        Resources=[image["ImageId"]], Tags=[{"Key": key, "Value": value} for key, value in shared.items()]
    )
    aws.clear_calls()
    exact = {**source, "tags": {"role": "db"}, "snapshot_tags": {}, "purge_tags": True}
    planned = modules.tasks([_copy("exact", **exact)], "--check", "--diff")
    assert planned.code == 0, planned.text
    done = modules.tasks([_copy("exact", **exact), _copy("exact again", **exact)], "--diff")
    assert done.code == 0, done.text
    assert done.changed == ["exact"]
    assert planned.actions == done.actions == observed.changes(aws)
    assert planned.task("exact").result["diff"] == done.task("exact").result["diff"]
    assert _tags_of_copy(aws) == ({"role": "db", **shared, **mark}, [mark, mark])


@pytest.mark.nightly
@pytest.mark.usefixtures("fixture")
def test_an_image_with_an_instance_store_root_is_refused_before_the_first_copy(
    aws: SimulatedAws, ansible: Ansible
) -> None:
    """CopyImage would need the caller's S3 permissions (EC2 User Guide, "Grant permissions to copy AMIs")."""
    location = "bucket/image.manifest.xml"
    image = aws.client("ec2", OWNER, HOME).register_image(Name="in-s3", ImageLocation=location)["ImageId"]
    aws.clear_calls()
    arguments = {"source_image_id": image, "source_region": HOME, "regions": [AWAY, "us-west-2"]}
    run, task = ansible.module("ami_copy_regions", **arguments)
    assert run.code != 0
    assert task.codes == [(AWAY, "instance_store_image"), ("us-west-2", "instance_store_image")]
    assert "its data is in S3" in task.result["msg"]
    assert observed.attempts(aws, "CopyImage") == []


def test_no_image_is_removed_for_its_name(aws: SimulatedAws, fixture: Fixture, modules: Modules) -> None:
    """AWS does not document whether CopyImage refuses a name in use: not even a failed copy goes for it."""
    failing = [{"region": AWAY, "message": "Broken"}]
    aws.update_settings(copy_rejects_duplicate_names=True, copy_failures=failing)
    named = {"source_region": HOME, "regions": [AWAY], "name": "taken"}
    run, task = modules.module("ami_copy_regions", source_image_id=fixture.image_id, **named)
    assert run.code != 0
    assert task.codes == [(AWAY, "InvalidAMIName.Duplicate")]
    (image,) = observed.own_images(aws, OWNER, AWAY)
    assert (image["Name"], image["State"]) == ("taken", "failed")
    assert f"{image['ImageId']} is failed" in task.result["msg"]
    assert f"Or deregister {image['ImageId']}" in task.result["msg"]
    assert aws.calls(action="DeregisterImage") == []


@pytest.mark.nightly
def test_a_source_whose_sharing_has_not_propagated_is_copied(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    """(EC2 Developer Guide, "Eventual consistency".)"""
    message = "You do not have permission to access the storage of this ami"
    aws.add_fault("error", action="CopyImage", code="InvalidRequest", message=message, status=400)
    arguments = {"source_image_id": fixture.image_id, "source_region": HOME, "regions": [AWAY]}
    run, task = ansible.module("ami_copy_regions", **arguments)
    assert run.code == 0, run.text
    assert observed.attempts(aws, "CopyImage") == [AWAY, AWAY]
    (image,) = observed.own_images(aws, OWNER, AWAY)
    assert task.result["images"] == {AWAY: image["ImageId"]}


@pytest.mark.quick
def test_without_waiting_the_pending_copy_is_returned_and_found_again(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    aws.update_settings(copy_seconds=8)
    wanted = {"source_image_id": fixture.image_id, "completion_duration_minutes": 30}
    run = ansible.tasks([_copy("start", **wanted, wait=False), _copy("wait", **wanted)])
    assert run.code == 0, run.text
    assert run.changed == ["start"]
    (image,) = observed.own_images(aws, OWNER, AWAY)
    for task, state in (("start", "pending"), ("wait", "available")):
        assert run.task(task).result["images"] == {AWAY: image["ImageId"]}
        assert [result["state"] for result in run.task(task).result["results"]] == [state]
    (request,) = aws.calls(action="CopyImage")
    assert request.parameters["SnapshotCopyCompletionDurationMinutes"] == "30"


def test_filters_take_the_newest_image_of_the_own_account(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    newer = fixture.add_images(
        {
            "golden-web-2026.11.2": {"account": OWNER, "region": HOME, "devices": [DISK]},
            "golden-web-2026.11.3": {"account": OWNER, "region": HOME, "devices": [DISK], "state": "failed"},
        }
    )["golden-web-2026.11.2"]
    look_alike = {"account": STRANGER, "region": HOME, "devices": [DISK], "sharing": {"public": True}}
    fixture.add_images({"golden-web-2026.11.9": look_alike})
    run, task = modules.module(
        "ami_copy_regions",
        source_filters={"name": "golden-web-*", "architecture": "x86_64"},
        source_region=HOME,
        regions=[AWAY],
    )
    assert run.code == 0, run.text
    assert task.result["source_image_id"] == newer
    assert [image["SourceImageId"] for image in observed.own_images(aws, OWNER, AWAY)] == [newer]


def test_an_image_that_its_owner_has_deprecated_is_only_copied_by_id(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    sharing = {"accounts": [OWNER], "snapshot_accounts": [OWNER]}
    spec = {"account": STRANGER, "region": HOME, "devices": [DISK], "sharing": sharing}
    partner = fixture.add_images(
        {"partner-1": {**spec, "age_days": 9}, "partner-2": {**spec, "age_days": 5, "deprecated_days": 1}}
    )
    by_filter = {"source_owners": [aws.account_id(STRANGER)], "source_region": HOME, "regions": [AWAY]}
    run, task = modules.module("ami_copy_regions", source_filters={"name": "partner-*"}, **by_filter)
    assert run.code == 0, run.text
    assert task.result["source_image_id"] == partner["partner-1"]
    run, task = modules.module("ami_copy_regions", source_filters={"name": "partner-2"}, **by_filter)
    assert partner["partner-2"] in task.result["msg"]
    assert len(observed.own_images(aws, OWNER, AWAY)) == 1


def test_an_image_that_another_account_shares_is_copied_also_in_its_own_region(
    aws: SimulatedAws, fixture: Fixture, modules: Modules
) -> None:
    sharing = {"accounts": [OWNER], "snapshot_accounts": [OWNER]}
    spec = {"account": STRANGER, "region": HOME, "devices": [DISK], "sharing": sharing}
    foreign = fixture.add_images({"partner-base": spec})["partner-base"]
    wanted = {"source_image_id": foreign, "regions": [HOME, AWAY]}
    run = modules.tasks([_copy("copy", **wanted), _copy("copy again", **wanted)])
    assert run.code == 0, run.text
    assert run.changed == ["copy"]
    assert [result["origin"] for result in run.task("copy").result["results"]] == ["copied", "copied"]
    for region in (HOME, AWAY):
        copies = [
            image
            for image in observed.own_images(aws, OWNER, region)
            if image.get("SourceImageId") == foreign
        ]
        assert [image["ImageId"] for image in copies] == [run.task("copy").result["images"][region]]
    assert observed.attempts(aws, "CopyImage") == [AWAY, HOME]


@pytest.mark.nightly
def test_where_the_request_rates_are_used_up_it_takes_longer_and_succeeds(
    aws: SimulatedAws, fixture: Fixture, ansible: Ansible
) -> None:
    throttled = ("DescribeRegions", "DescribeImages", "CopyImage")
    for action in throttled:
        aws.add_fault("error", action=action, times=2, code="RequestLimitExceeded", status=503)
    run, task = ansible.module(
        "ami_copy_regions", source_image_id=fixture.image_id, source_region=HOME, regions=[AWAY, "us-west-2"]
    )
    assert run.code == 0, run.text
    assert all(fault["matched"] > 2 for fault in aws.faults())
    assert task.result["images"] == {
        region: image["ImageId"]
        for region in (AWAY, "us-west-2")
        for image in observed.own_images(aws, OWNER, region)
    }
    assert observed.changes(aws) == run.actions
